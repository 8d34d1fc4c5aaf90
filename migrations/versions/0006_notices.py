"""What people are told, and two gaps closed: of what was told, and of what was offered in bulk, nothing changes.

A notice is written in the transaction of the change that it is about. Whoever could alter or delete one could say
that somebody had been told something else, or nothing. Only its being read and its mail move on, and never back.
A transfer stays in the statement that it was offered with.
"""

from alembic import op
from sqlalchemy import text

revision = "0006_notices"
down_revision = "0005_movements"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE notice (
    id {serial},
    person_id {whole} NOT NULL,
    kind TEXT NOT NULL,
    facts TEXT NOT NULL,
    told_at {moment} NOT NULL,
    read_at {moment},
    mail_due_at {moment},
    mail_tries {whole} NOT NULL,
    mailed_at {moment},
    CONSTRAINT pk_notice PRIMARY KEY (id),
    CONSTRAINT ck_notice_kind_not_blank CHECK (kind <> ''),
    CONSTRAINT ck_notice_mail_tries_counted CHECK (mail_tries >= 0),
    CONSTRAINT ck_notice_mailed_once CHECK (mailed_at IS NULL OR mail_due_at IS NULL),
    CONSTRAINT fk_notice_person_id FOREIGN KEY (person_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_notice_person_id ON notice (person_id, id);
CREATE INDEX ix_notice_unread ON notice (person_id) WHERE read_at IS NULL;
CREATE INDEX ix_notice_mail_due_at ON notice (mail_due_at) WHERE mail_due_at IS NOT NULL
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
# (trigger, table, act, when it is refused, what is said then)
GUARDS = (
    ("notice_never_deleted", "notice", "DELETE", "OLD.id = OLD.id", "no notice is ever deleted"),
    (
        "notice_never_changed",
        "notice",
        "UPDATE",
        " OR ".join(
            (
                *(
                    f"NEW.{column} {{differs}} OLD.{column}"
                    for column in ("id", "person_id", "kind", "facts", "told_at")
                ),
                *(f"OLD.{mark} IS NOT NULL AND NEW.{mark} {{differs}} OLD.{mark}" for mark in ("read_at", "mailed_at")),
                "NEW.mail_tries < OLD.mail_tries",
            )
        ),
        "what somebody was told stays as it was told",
    ),
    (
        "transfer_keeps_statement",
        "transfer",
        "UPDATE",
        "NEW.bulk_id {differs} OLD.bulk_id",
        "a transfer stays in the statement that it was offered with",
    ),
    (
        "transfer_of_statement",
        "transfer",
        "INSERT",
        """NEW.bulk_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM bulk b WHERE b.id = NEW.bulk_id AND b.kind = 'transfer'
            AND b.organisation_id = NEW.sender_id AND b.posting_id = NEW.opening_posting_id)""",
        "a statement of offers holds what its own posting has frozen",
    ),
)
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""


def guards(dialect: str, schema: str) -> list[str]:
    """The triggers, in the words of this database."""
    statements = []
    for name, table, act, wrong, said in GUARDS:
        wrong = wrong.format(differs="IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM")
        if dialect == "sqlite":
            statements.append(
                f"""CREATE TRIGGER {name} BEFORE {act} ON {table} WHEN ({wrong})
                    BEGIN SELECT RAISE(ABORT, 'registry: {said}'); END"""
            )
        else:
            statements += [
                f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
                    BEGIN
                        IF {wrong} THEN
                            RAISE EXCEPTION 'registry: {said}' USING ERRCODE = 'integrity_constraint_violation';
                        END IF;
                        RETURN coalesce(NEW, OLD);
                    END $$""",
                f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
            ]
    if dialect == "sqlite":
        statements.append(
            f"""CREATE TRIGGER notice_carefully_insert BEFORE INSERT ON notice WHEN NOT ({CAREFUL})
                BEGIN SELECT RAISE(ABORT, 'registry: this connection keeps no rules; see credits/db.py'); END"""
        )
    else:
        statements.append(
            """CREATE TRIGGER notice_never_emptied BEFORE TRUNCATE ON notice
                EXECUTE FUNCTION ledger_refuse('no notice is ever deleted')"""
        )
    return statements


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        op.execute(statement)
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for statement in guards(dialect, schema):
        op.execute(statement)


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for name, table, *_ in GUARDS:
        op.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if postgresql else ""))
    op.execute("DROP TABLE notice")
    if postgresql:
        for name, *_ in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
