"""Certificates stand behind an event of the log, in a language of their own, and later words about them are kept.

A certificate is written with the event that carries the root over its facts, and has its document only once that event
is under a checkpoint: no paper exists of what is not in the log. Columns are empty in the earliest certificates alone.
What was said of a certificate later, by two people, stays as it was said.
"""

import re

from alembic import op
from sqlalchemy import text

revision = "0023_certificates"
down_revision = "0022_declared_use"
branch_labels = None
depends_on = None

LANGUAGES = "'en', 'fr', 'es', 'pt', 'sw'"
TABLES = f"""
ALTER TABLE certificate ADD COLUMN language TEXT
    CONSTRAINT ck_certificate_language_known CHECK (language IN ({LANGUAGES}));
ALTER TABLE certificate ADD COLUMN event_id {{whole}} CONSTRAINT fk_certificate_event_id REFERENCES event (id);
ALTER TABLE certificate ADD COLUMN inclusion {{blob}};
CREATE INDEX ix_certificate_undrawn ON certificate (retirement_id) WHERE document_sha256 IS NULL
"""
WORDS = {
    "sqlite": {"serial": "INTEGER NOT NULL", "whole": "INTEGER", "moment": "TEXT", "blob": "BLOB", "strict": " STRICT"},
    "postgresql": {
        "serial": "BIGSERIAL NOT NULL",
        "whole": "BIGINT",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "blob": "BYTEA",
        "strict": "",
    },
}
DIFFERS = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}
WRITTEN_ONCE = ("facts", "number", "retirement_id")
WRITTEN_ONCE_TOO = ("language", "event_id", "inclusion")
WITHOUT_EVENT = "NEW.event_id IS NULL OR NEW.language IS NULL OR NEW.inclusion IS NULL"
NOT_IN_LOG = """NEW.document_sha256 IS NOT NULL AND NEW.event_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM log_leaf l JOIN log_checkpoint c ON c.size > l.position WHERE l.event_id = NEW.event_id)"""
# (name, table, act, when it is refused, what is said then)
GUARDS = (
    ("certificate_stands_behind", "certificate", "INSERT", WITHOUT_EVENT, "a certificate is written with its event"),
    ("certificate_is_in_log", "certificate", "UPDATE", NOT_IN_LOG, "no document before its event is in the log"),
    (
        "certificate_not_drawn_yet",
        "certificate",
        "INSERT",
        "NEW.document_sha256 IS NOT NULL",
        "facts come before paper",
    ),
)


def never_changed(columns: tuple[str, ...], dialect: str) -> str:
    """The trigger that lets the document be noted once, and nothing else of a certificate be changed."""
    changed = " OR ".join(f"NEW.{column} {DIFFERS[dialect]} OLD.{column}" for column in columns)
    when = f"WHEN (OLD.document_sha256 IS NOT NULL OR {changed})"
    if dialect == "sqlite":
        body = f"{when} BEGIN SELECT RAISE(ABORT, 'registry: certificate is final'); END"
    else:
        body = f"FOR EACH ROW {when} EXECUTE FUNCTION ledger_refuse('certificate is final')"
    return f"CREATE TRIGGER certificate_never_changed BEFORE UPDATE ON certificate {body}"


def guards(dialect: str, schema: str) -> list[str]:
    statements = []
    for name, table, act, refused, says in GUARDS:
        if dialect == "sqlite":
            statements.append(
                f"""CREATE TRIGGER {name} BEFORE {act} ON {table} WHEN {refused}
                    BEGIN SELECT RAISE(ABORT, 'registry: {says}'); END"""
            )
            continue
        statements += [
            f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
                BEGIN
                    IF {refused} THEN
                        RAISE EXCEPTION 'registry: {says}' USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                END $$""",
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
    return statements


def dropped(dialect: str, name: str, table: str) -> list[str]:
    if dialect == "sqlite":
        return [f"DROP TRIGGER {name}"]
    return [f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"]


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    on = "" if dialect == "sqlite" else " ON certificate"
    op.execute(f"DROP TRIGGER certificate_never_changed{on}")
    op.execute(never_changed((*WRITTEN_ONCE, *WRITTEN_ONCE_TOO), dialect))
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for statement in guards(dialect, schema):
        op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for name, table, *_ in GUARDS:
        for statement in dropped(dialect, name, table):
            op.execute(statement)
    on = "" if dialect == "sqlite" else " ON certificate"
    op.execute(f"DROP TRIGGER certificate_never_changed{on}")
    op.execute("DROP INDEX ix_certificate_undrawn")
    # The foreign key of a column goes with it; SQLite drops no column that a CHECK of its own names only if others do.
    for column in ("inclusion", "event_id", "language"):
        op.execute(f"ALTER TABLE certificate DROP COLUMN {column}")
    op.execute(never_changed(WRITTEN_ONCE, dialect))
