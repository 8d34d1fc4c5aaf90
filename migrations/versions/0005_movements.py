"""Acts of two people, serials set apart, debits, warnings before expiry, and many lines moved at once.

Whoever proposed a decision never decides on it. What was proposed, set apart, warned of or moved in bulk stays as it
was written; a decision is decided once, what was set apart is let go once, a debit only ever shrinks.
"""

from alembic import op

revision = "0005_movements"
down_revision = "0004_log"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE decision (
    id {serial},
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    request TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    proposed_by_id {whole} NOT NULL,
    proposed_at {moment} NOT NULL,
    decided_by_id {whole},
    decided_at {moment},
    posting_id {whole},
    CONSTRAINT pk_decision PRIMARY KEY (id),
    CONSTRAINT ck_decision_kind_known CHECK (kind IN ('release', 'cancellation', 'export', 'buffer_draw', 'roll_back', 'debit', 'lift')),
    CONSTRAINT ck_decision_state_known CHECK (state IN ('waiting', 'approved', 'declined', 'withdrawn')),
    CONSTRAINT ck_decision_reason_not_blank CHECK (trim(reason) <> ''),
    CONSTRAINT ck_decision_two_people CHECK (decided_by_id <> proposed_by_id),
    CONSTRAINT ck_decision_decided_by_somebody CHECK ((state IN ('approved', 'declined')) = (decided_by_id IS NOT NULL)),
    CONSTRAINT ck_decision_decided_at_a_time CHECK ((state = 'waiting') = (decided_at IS NULL)),
    CONSTRAINT ck_decision_moves_once_approved CHECK (posting_id IS NULL OR state = 'approved'),
    CONSTRAINT fk_decision_proposed_by_id FOREIGN KEY (proposed_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_decision_decided_by_id FOREIGN KEY (decided_by_id) REFERENCES "user" (id),
    CONSTRAINT uq_decision_posting_id UNIQUE (posting_id),
    CONSTRAINT fk_decision_posting_id FOREIGN KEY (posting_id) REFERENCES posting (id)
){strict};
CREATE INDEX ix_decision_state ON decision (state, id);
CREATE INDEX ix_decision_subject ON decision (subject);

CREATE TABLE earmark (
    id {serial},
    kind TEXT NOT NULL,
    holder_id {whole} NOT NULL,
    why TEXT NOT NULL,
    opening_posting_id {whole} NOT NULL,
    opened_by_id {whole} NOT NULL,
    opened_at {moment} NOT NULL,
    closing_posting_id {whole},
    closed_by_id {whole},
    closed_at {moment},
    CONSTRAINT pk_earmark PRIMARY KEY (id),
    CONSTRAINT ck_earmark_kind_known CHECK (kind IN ('reserved', 'held')),
    CONSTRAINT ck_earmark_why_not_blank CHECK (trim(why) <> ''),
    CONSTRAINT ck_earmark_closed_at_a_time CHECK ((closing_posting_id IS NULL) = (closed_at IS NULL)),
    CONSTRAINT ck_earmark_closed_by_posting CHECK (closed_by_id IS NULL OR closing_posting_id IS NOT NULL),
    CONSTRAINT fk_earmark_holder_id FOREIGN KEY (holder_id) REFERENCES organisation (id),
    CONSTRAINT uq_earmark_opening_posting_id UNIQUE (opening_posting_id),
    CONSTRAINT fk_earmark_opening_posting_id FOREIGN KEY (opening_posting_id) REFERENCES posting (id),
    CONSTRAINT fk_earmark_opened_by_id FOREIGN KEY (opened_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_earmark_closing_posting_id FOREIGN KEY (closing_posting_id) REFERENCES posting (id),
    CONSTRAINT fk_earmark_closed_by_id FOREIGN KEY (closed_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_earmark_holder_id ON earmark (holder_id, id);
CREATE INDEX ix_earmark_closing_posting_id ON earmark (closing_posting_id);

CREATE TABLE earmark_range (
    earmark_id {whole} NOT NULL,
    issuance_id {whole} NOT NULL,
    first {whole} NOT NULL,
    last {whole} NOT NULL,
    from_account_id {whole} NOT NULL,
    CONSTRAINT pk_earmark_range PRIMARY KEY (earmark_id, issuance_id, first),
    CONSTRAINT ck_earmark_range_range_sound CHECK (first >= 1 AND first <= last),
    CONSTRAINT fk_earmark_range_earmark_id FOREIGN KEY (earmark_id) REFERENCES earmark (id),
    CONSTRAINT fk_earmark_range_issuance_id FOREIGN KEY (issuance_id) REFERENCES issuance_attributes (id),
    CONSTRAINT fk_earmark_range_from_account_id FOREIGN KEY (from_account_id) REFERENCES account (id)
){strict};
CREATE INDEX ix_earmark_range_issuance_id ON earmark_range (issuance_id, first);

CREATE TABLE debit (
    id {serial},
    producer_id {whole} NOT NULL,
    mineral_code TEXT NOT NULL,
    issuance_id {whole} NOT NULL,
    decision_id {whole} NOT NULL,
    quantity {whole} NOT NULL,
    still_open {whole} NOT NULL,
    opened_at {moment} NOT NULL,
    CONSTRAINT pk_debit PRIMARY KEY (id),
    CONSTRAINT ck_debit_quantity_positive CHECK (quantity > 0),
    CONSTRAINT ck_debit_still_open_sound CHECK (still_open BETWEEN 0 AND quantity),
    CONSTRAINT fk_debit_producer_id FOREIGN KEY (producer_id) REFERENCES organisation (id),
    CONSTRAINT fk_debit_issuance_id FOREIGN KEY (issuance_id) REFERENCES issuance_attributes (id),
    CONSTRAINT uq_debit_decision_id UNIQUE (decision_id),
    CONSTRAINT fk_debit_decision_id FOREIGN KEY (decision_id) REFERENCES decision (id)
){strict};
CREATE INDEX ix_debit_producer_id_mineral_code ON debit (producer_id, mineral_code);
CREATE INDEX ix_debit_issuance_id ON debit (issuance_id);

CREATE TABLE debit_settlement (
    id {serial},
    debit_id {whole} NOT NULL,
    quantity {whole} NOT NULL,
    posting_id {whole} NOT NULL,
    settled_at {moment} NOT NULL,
    CONSTRAINT pk_debit_settlement PRIMARY KEY (id),
    CONSTRAINT ck_debit_settlement_quantity_positive CHECK (quantity > 0),
    CONSTRAINT uq_debit_settlement_debit_id_posting_id UNIQUE (debit_id, posting_id),
    CONSTRAINT fk_debit_settlement_debit_id FOREIGN KEY (debit_id) REFERENCES debit (id),
    CONSTRAINT fk_debit_settlement_posting_id FOREIGN KEY (posting_id) REFERENCES posting (id)
){strict};

CREATE TABLE expiry_warning (
    issuance_id {whole} NOT NULL,
    organisation_id {whole} NOT NULL,
    days_before {whole} NOT NULL,
    given_at {moment} NOT NULL,
    CONSTRAINT pk_expiry_warning PRIMARY KEY (issuance_id, organisation_id, days_before),
    CONSTRAINT ck_expiry_warning_days_positive CHECK (days_before > 0),
    CONSTRAINT fk_expiry_warning_issuance_id FOREIGN KEY (issuance_id) REFERENCES issuance_attributes (id),
    CONSTRAINT fk_expiry_warning_organisation_id FOREIGN KEY (organisation_id) REFERENCES organisation (id)
){strict};

CREATE TABLE bulk (
    id {serial},
    kind TEXT NOT NULL,
    organisation_id {whole} NOT NULL,
    lines {whole} NOT NULL,
    lines_sha256 TEXT NOT NULL,
    posting_id {whole} NOT NULL,
    made_by_id {whole} NOT NULL,
    made_at {moment} NOT NULL,
    CONSTRAINT pk_bulk PRIMARY KEY (id),
    CONSTRAINT ck_bulk_kind_known CHECK (kind IN ('retirement', 'transfer')),
    CONSTRAINT ck_bulk_lines_counted CHECK (lines BETWEEN 1 AND 10000),
    CONSTRAINT ck_bulk_lines_sha256_whole CHECK (length(lines_sha256) = 64),
    CONSTRAINT fk_bulk_organisation_id FOREIGN KEY (organisation_id) REFERENCES organisation (id),
    CONSTRAINT uq_bulk_posting_id UNIQUE (posting_id),
    CONSTRAINT fk_bulk_posting_id FOREIGN KEY (posting_id) REFERENCES posting (id),
    CONSTRAINT fk_bulk_made_by_id FOREIGN KEY (made_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_bulk_organisation_id ON bulk (organisation_id, id);

ALTER TABLE retirement ADD COLUMN bulk_id {whole} CONSTRAINT fk_retirement_bulk_id REFERENCES bulk (id);
CREATE INDEX ix_retirement_bulk_id ON retirement (bulk_id);
ALTER TABLE transfer ADD COLUMN bulk_id {whole} CONSTRAINT fk_transfer_bulk_id REFERENCES bulk (id);
CREATE INDEX ix_transfer_bulk_id ON transfer (bulk_id)
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

# What may still change of a row, and when; of the other tables nothing may.
CHANGES = {
    "decision": ("OLD.state <> 'waiting'", "id kind subject request reason proposed_by_id proposed_at"),
    "earmark": (
        "OLD.closing_posting_id IS NOT NULL",
        "id kind holder_id why opening_posting_id opened_by_id opened_at",
    ),
    "debit": (
        "NEW.still_open > OLD.still_open",
        "id producer_id mineral_code issuance_id decision_id quantity opened_at",
    ),
    "earmark_range": None,
    "debit_settlement": None,
    "expiry_warning": None,
    "bulk": None,
}
NEWEST_FIRST = ("bulk", "expiry_warning", "debit_settlement", "debit", "earmark_range", "earmark", "decision")
# A bare connection's REPLACE would delete rows past their triggers.
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""


def kept(dialect: str) -> list[str]:
    """The triggers by which what is written stays written."""
    statements = []
    differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
    for table, change in CHANGES.items():
        wrong = ""
        if change is not None:
            over, fixed = change
            wrong = " OR ".join([over, *(f"NEW.{column} {differs} OLD.{column}" for column in fixed.split())])
            wrong = f"WHEN ({wrong})"
        for act, when in (("DELETE", ""), ("UPDATE", wrong)):
            name = f"{table}_never_{'deleted' if act == 'DELETE' else 'changed'}"
            body = (
                f"{when} BEGIN SELECT RAISE(ABORT, 'registry: {table} is final'); END"
                if dialect == "sqlite"
                else f"FOR EACH ROW {when} EXECUTE FUNCTION ledger_refuse('{table} is final')"
            )
            statements.append(f"CREATE TRIGGER {name} BEFORE {act} ON {table} {body}")
        if dialect == "sqlite":
            statements.append(
                f"""CREATE TRIGGER {table}_carefully_insert BEFORE INSERT ON {table} WHEN NOT ({CAREFUL})
                    BEGIN SELECT RAISE(ABORT, 'registry: this connection keeps no rules; see credits/db.py'); END"""
            )
        else:
            statements.append(
                f"""CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}
                    EXECUTE FUNCTION ledger_refuse('{table} is final')"""
            )
    return statements


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    for statement in kept(dialect):
        op.execute(statement)


def downgrade() -> None:
    for table in ("transfer", "retirement"):
        op.execute(f"DROP INDEX ix_{table}_bulk_id")
        op.execute(f"ALTER TABLE {table} DROP COLUMN bulk_id")
    for table in NEWEST_FIRST:
        op.execute(f"DROP TABLE {table}")
