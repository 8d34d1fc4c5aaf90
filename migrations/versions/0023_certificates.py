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
CREATE INDEX ix_certificate_undrawn ON certificate (retirement_id) WHERE document_sha256 IS NULL;

CREATE TABLE certificate_annotation (
    id {{serial}},
    retirement_id {{whole}} NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    decision_id {{whole}} NOT NULL,
    said_at {{moment}} NOT NULL,
    CONSTRAINT pk_certificate_annotation PRIMARY KEY (id),
    CONSTRAINT ck_certificate_annotation_kind_known CHECK (kind IN ('annotation', 'annulment')),
    CONSTRAINT ck_certificate_annotation_text_not_blank CHECK (trim(text) <> ''),
    CONSTRAINT uq_certificate_annotation_decision_id UNIQUE (decision_id),
    CONSTRAINT fk_certificate_annotation_retirement_id FOREIGN KEY (retirement_id) REFERENCES retirement (id),
    CONSTRAINT fk_certificate_annotation_decision_id FOREIGN KEY (decision_id) REFERENCES decision (id)
){{strict}};
CREATE UNIQUE INDEX uq_certificate_annotation_annulled ON certificate_annotation (retirement_id)
    WHERE kind = 'annulment';
CREATE INDEX ix_certificate_annotation_retirement_id ON certificate_annotation (retirement_id, id)
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
TWO_PEOPLE = """NOT EXISTS (SELECT 1 FROM decision d JOIN retirement r ON r.id = NEW.retirement_id
    WHERE d.id = NEW.decision_id AND d.kind = NEW.kind AND d.state = 'waiting')"""
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
    ("certificate_annotation_of_two", "certificate_annotation", "INSERT", TWO_PEOPLE, "two people decide on it"),
)
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""
NEW_KINDS = ("annotation", "annulment")
KINDS = "ck_decision_kind_known"
HERE = "connamespace = current_schema()::regnamespace"


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


def never_again(dialect: str) -> list[str]:
    """The triggers by which what was said of a certificate stays said."""
    table, statements = "certificate_annotation", []
    for act, name in (("DELETE", "deleted"), ("UPDATE", "changed")):
        body = (
            f"BEGIN SELECT RAISE(ABORT, 'registry: {table} is final'); END"
            if dialect == "sqlite"
            else f"FOR EACH ROW EXECUTE FUNCTION ledger_refuse('{table} is final')"
        )
        statements.append(f"CREATE TRIGGER {table}_never_{name} BEFORE {act} ON {table} {body}")
    statements.append(
        f"""CREATE TRIGGER {table}_carefully_insert BEFORE INSERT ON {table} WHEN NOT ({CAREFUL})
            BEGIN SELECT RAISE(ABORT, 'registry: this connection keeps no rules; see credits/db.py'); END"""
        if dialect == "sqlite"
        else f"""CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}
            EXECUTE FUNCTION ledger_refuse('{table} is final')"""
    )
    return statements


def set_kinds(words: list[str]) -> None:
    """Let a decision be of one of these kinds. SQLite's text of the table is rewritten, which touches no row."""
    listed = ", ".join(f"'{word}'" for word in words)
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        op.execute(f"ALTER TABLE decision DROP CONSTRAINT {KINDS}")
        op.execute(f"ALTER TABLE decision ADD CONSTRAINT {KINDS} CHECK (kind IN ({listed}))")
        return
    written = bind.scalar(text("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'decision'"))
    rewritten = re.sub(rf"({KINDS} CHECK \(kind IN )\([^)]*\)", rf"\1({listed})", written)
    version = bind.scalar(text("PRAGMA schema_version"))
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    bind.execute(
        text("UPDATE sqlite_schema SET sql = :sql WHERE type = 'table' AND name = 'decision'"), {"sql": rewritten}
    )
    bind.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")


def kinds() -> list[str]:
    """The kinds that a decision can be of now."""
    if op.get_bind().dialect.name == "postgresql":
        asked = f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{KINDS}' AND {HERE}"
        return re.findall(r"'([a-z_]+)'", op.get_bind().scalar(text(asked)))
    written = op.get_bind().scalar(text("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'decision'"))
    return re.findall(r"'([a-z_]+)'", re.search(rf"{KINDS} CHECK \(kind IN \(([^)]*)\)", written)[1])


def dropped(dialect: str, name: str, table: str) -> list[str]:
    if dialect == "sqlite":
        return [f"DROP TRIGGER {name}"]
    return [f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"]


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    set_kinds([*kinds(), *NEW_KINDS])
    on = "" if dialect == "sqlite" else " ON certificate"
    op.execute(f"DROP TRIGGER certificate_never_changed{on}")
    op.execute(never_changed((*WRITTEN_ONCE, *WRITTEN_ONCE_TOO), dialect))
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for statement in [*guards(dialect, schema), *never_again(dialect)]:
        op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for name, table, *_ in GUARDS:
        for statement in dropped(dialect, name, table):
            op.execute(statement)
    on = "" if dialect == "sqlite" else " ON certificate"
    op.execute(f"DROP TRIGGER certificate_never_changed{on}")
    op.execute("DROP INDEX ix_certificate_undrawn")
    op.execute("DROP TABLE certificate_annotation")
    set_kinds([kind for kind in kinds() if kind not in NEW_KINDS])
    for column in ("inclusion", "event_id", "language"):
        op.execute(f"ALTER TABLE certificate DROP COLUMN {column}")
    op.execute(never_changed(WRITTEN_ONCE, dialect))
