"""A first transfer to a recipient, or a large one, needs a second person and a delay; trusted recipients need none.

What stolen passwords took from other registries left within the hour, to accounts nobody had sent anything before.
Two people and a delay are kept here too: nobody approves what they proposed, and no such transfer is accepted early.
"""

from alembic import op

revision = "0010_trusted"
down_revision = "0009_screening"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE trust (
    id {serial},
    holder_id {whole} NOT NULL,
    recipient_id {whole} NOT NULL,
    proposed_by_id {whole} NOT NULL,
    proposed_at {moment} NOT NULL,
    approved_by_id {whole},
    approved_at {moment},
    in_force_from {moment},
    ended_by_id {whole},
    ended_at {moment},
    CONSTRAINT pk_trust PRIMARY KEY (id),
    CONSTRAINT ck_trust_two_parties CHECK (holder_id <> recipient_id),
    CONSTRAINT ck_trust_two_people CHECK (approved_by_id <> proposed_by_id),
    CONSTRAINT ck_trust_approved_at_a_time CHECK ((approved_by_id IS NULL) = (approved_at IS NULL)),
    CONSTRAINT ck_trust_in_force_once_approved CHECK ((approved_by_id IS NULL) = (in_force_from IS NULL)),
    CONSTRAINT ck_trust_in_force_after_approval CHECK (in_force_from >= approved_at),
    CONSTRAINT ck_trust_ended_at_a_time CHECK ((ended_by_id IS NULL) = (ended_at IS NULL)),
    CONSTRAINT fk_trust_holder_id FOREIGN KEY (holder_id) REFERENCES organisation (id),
    CONSTRAINT fk_trust_recipient_id FOREIGN KEY (recipient_id) REFERENCES organisation (id),
    CONSTRAINT fk_trust_proposed_by_id FOREIGN KEY (proposed_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_trust_approved_by_id FOREIGN KEY (approved_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_trust_ended_by_id FOREIGN KEY (ended_by_id) REFERENCES "user" (id)
){strict};
CREATE UNIQUE INDEX uq_trust_open ON trust (holder_id, recipient_id) WHERE ended_at IS NULL;

CREATE TABLE transfer_guard (
    transfer_id {whole} NOT NULL,
    cause TEXT NOT NULL,
    proposed_by_id {whole} NOT NULL,
    approved_by_id {whole},
    approved_at {moment},
    open_from {moment},
    CONSTRAINT pk_transfer_guard PRIMARY KEY (transfer_id),
    CONSTRAINT ck_transfer_guard_cause_known CHECK (cause IN ('first', 'large')),
    CONSTRAINT ck_transfer_guard_two_people CHECK (approved_by_id <> proposed_by_id),
    CONSTRAINT ck_transfer_guard_approved_at_a_time CHECK ((approved_by_id IS NULL) = (approved_at IS NULL)),
    CONSTRAINT ck_transfer_guard_open_once_approved CHECK ((approved_by_id IS NULL) = (open_from IS NULL)),
    CONSTRAINT ck_transfer_guard_open_after_approval CHECK (open_from >= approved_at),
    CONSTRAINT fk_transfer_guard_transfer_id FOREIGN KEY (transfer_id) REFERENCES transfer (id),
    CONSTRAINT fk_transfer_guard_proposed_by_id FOREIGN KEY (proposed_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_transfer_guard_approved_by_id FOREIGN KEY (approved_by_id) REFERENCES "user" (id)
){strict}
"""

WORDS = {
    "sqlite": {"serial": "INTEGER NOT NULL", "whole": "INTEGER", "moment": "TEXT", "strict": " STRICT"},
    "postgresql": {
        "serial": "BIGSERIAL NOT NULL",
        "whole": "BIGINT",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "strict": "",
    },
}

# What of a row never changes, and what is written once: each group of columns from nothing to something.
FIXED = {
    "trust": "id holder_id recipient_id proposed_by_id proposed_at",
    "transfer_guard": "transfer_id cause proposed_by_id",
}
ONCE = {
    "trust": "approved_by_id approved_at in_force_from ended_by_id ended_at",
    "transfer_guard": "approved_by_id approved_at open_from",
}
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""
EARLY = """NEW.state = 'accepted' AND EXISTS (
    SELECT 1 FROM transfer_guard g
    WHERE g.transfer_id = NEW.id AND (g.open_from IS NULL OR NEW.closed_at IS NULL OR g.open_from > NEW.closed_at))"""
FORGED = """NOT EXISTS (SELECT 1 FROM transfer t
    WHERE t.id = NEW.transfer_id AND t.proposed_by_id = NEW.proposed_by_id AND t.state = 'pending')"""
POSTGRESQL = [
    f"""CREATE FUNCTION transfer_opens_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF {EARLY} THEN
            RAISE EXCEPTION 'registry: a second person and a delay are needed first' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW; END $$""",
    """CREATE TRIGGER transfer_opens_late BEFORE UPDATE OF state ON transfer FOR EACH ROW
       WHEN (NEW.state = 'accepted') EXECUTE FUNCTION transfer_opens_late()""",
    f"""CREATE FUNCTION transfer_guard_honest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF {FORGED} THEN
            RAISE EXCEPTION 'registry: this is not who proposed the transfer' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW; END $$""",
    """CREATE TRIGGER transfer_guard_honest BEFORE INSERT ON transfer_guard FOR EACH ROW
       EXECUTE FUNCTION transfer_guard_honest()""",
]
SQLITE = [
    f"""CREATE TRIGGER transfer_opens_late BEFORE UPDATE OF state ON transfer WHEN {EARLY}
        BEGIN SELECT RAISE(ABORT, 'registry: a second person and a delay are needed first'); END""",
    f"""CREATE TRIGGER transfer_guard_honest BEFORE INSERT ON transfer_guard WHEN {FORGED}
        BEGIN SELECT RAISE(ABORT, 'registry: this is not who proposed the transfer'); END""",
]


def kept(dialect: str) -> list[str]:
    """The triggers by which what is written stays written."""
    statements = []
    differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
    for table, fixed in FIXED.items():
        wrong = [f"NEW.{column} {differs} OLD.{column}" for column in fixed.split()]
        wrong += [
            f"(OLD.{column} IS NOT NULL AND NEW.{column} {differs} OLD.{column})" for column in ONCE[table].split()
        ]
        for act, when in (("DELETE", ""), ("UPDATE", f"WHEN ({' OR '.join(wrong)})")):
            name = f"{table}_never_{'deleted' if act == 'DELETE' else 'changed'}"
            body = (
                f"{when} BEGIN SELECT RAISE(ABORT, 'registry: {table} is final'); END"
                if dialect == "sqlite"
                else f"FOR EACH ROW {when} EXECUTE FUNCTION ledger_refuse('{table} is final')"
            )
            statements.append(f"CREATE TRIGGER {name} BEFORE {act} ON {table} {body}")
        statements.append(
            f"""CREATE TRIGGER {table}_carefully_insert BEFORE INSERT ON {table} WHEN NOT ({CAREFUL})
                BEGIN SELECT RAISE(ABORT, 'registry: this connection keeps no rules; see credits/db.py'); END"""
            if dialect == "sqlite"
            else f"""CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}
                     EXECUTE FUNCTION ledger_refuse('{table} is final')"""
        )
    return statements


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    for statement in [*kept(dialect), *(SQLITE if dialect == "sqlite" else POSTGRESQL)]:
        op.execute(statement)


def downgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    op.execute("DROP TRIGGER transfer_opens_late" + (" ON transfer" if on_postgresql else ""))
    op.execute("DROP TABLE transfer_guard")
    op.execute("DROP TABLE trust")
    if on_postgresql:
        for function in ("transfer_opens_late", "transfer_guard_honest"):
            op.execute(f"DROP FUNCTION {function}()")
