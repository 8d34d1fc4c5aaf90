"""Documents besides the certificates: of a bulk retirement, of an issuance, of an account.

What each says is frozen with an event of the log that carries the root over it; a document is noted once, after that
event is under a checkpoint. Of a bulk retirement and of an issuance there is one in each language.
"""

from alembic import op
from sqlalchemy import text

revision = "0025_documents"
down_revision = "0024_claims"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE document (
    id {serial},
    kind TEXT NOT NULL,
    organisation_id {whole} NOT NULL,
    bulk_id {whole},
    issuance_id {whole},
    language TEXT NOT NULL,
    facts {blob} NOT NULL,
    event_id {whole} NOT NULL,
    inclusion {blob} NOT NULL,
    asked_by_id {whole} NOT NULL,
    asked_at {moment} NOT NULL,
    document_sha256 TEXT,
    drawn_at {moment},
    CONSTRAINT pk_document PRIMARY KEY (id),
    CONSTRAINT ck_document_kind_known CHECK (kind IN ('bulk', 'issuance', 'account')),
    CONSTRAINT ck_document_language_known CHECK (language IN ('en', 'fr', 'es', 'pt', 'sw')),
    CONSTRAINT ck_document_of_a_bulk CHECK ((kind = 'bulk') = (bulk_id IS NOT NULL)),
    CONSTRAINT ck_document_of_an_issuance CHECK ((kind = 'issuance') = (issuance_id IS NOT NULL)),
    CONSTRAINT ck_document_drawn_whole CHECK ((document_sha256 IS NULL) = (drawn_at IS NULL)),
    CONSTRAINT uq_document_bulk_id_language UNIQUE (bulk_id, language),
    CONSTRAINT uq_document_issuance_id_language UNIQUE (issuance_id, language),
    CONSTRAINT fk_document_organisation_id FOREIGN KEY (organisation_id) REFERENCES organisation (id),
    CONSTRAINT fk_document_bulk_id FOREIGN KEY (bulk_id) REFERENCES bulk (id),
    CONSTRAINT fk_document_issuance_id FOREIGN KEY (issuance_id) REFERENCES issuance_attributes (id),
    CONSTRAINT fk_document_event_id FOREIGN KEY (event_id) REFERENCES event (id),
    CONSTRAINT fk_document_asked_by_id FOREIGN KEY (asked_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_document_organisation_id ON document (organisation_id, id);
CREATE INDEX ix_document_undrawn ON document (id) WHERE document_sha256 IS NULL
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
WRITTEN_ONCE = (
    "id",
    "kind",
    "organisation_id",
    "bulk_id",
    "issuance_id",
    "language",
    "facts",
    "event_id",
    "inclusion",
    "asked_by_id",
    "asked_at",
)
NOT_IN_LOG = """NEW.document_sha256 IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM log_leaf l JOIN log_checkpoint c ON c.size > l.position WHERE l.event_id = NEW.event_id)"""
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""


def refusals(dialect: str) -> list[tuple[str, str, str, str]]:
    """(name, act, when it is refused, what is said then)"""
    changed = " OR ".join(f"NEW.{column} {DIFFERS[dialect]} OLD.{column}" for column in WRITTEN_ONCE)
    return [
        ("document_never_changed", "UPDATE", f"OLD.document_sha256 IS NOT NULL OR {changed}", "document is final"),
        ("document_is_in_log", "UPDATE", NOT_IN_LOG, "no document before its event is in the log"),
        ("document_not_drawn_yet", "INSERT", "NEW.document_sha256 IS NOT NULL", "facts come before paper"),
    ]


def triggers(dialect: str, schema: str) -> list[str]:
    if dialect == "sqlite":
        made = [
            f"""CREATE TRIGGER {name} BEFORE {act} ON document WHEN {refused}
                BEGIN SELECT RAISE(ABORT, 'registry: {says}'); END"""
            for name, act, refused, says in refusals(dialect)
        ]
        return [
            *made,
            """CREATE TRIGGER document_never_deleted BEFORE DELETE ON document
                BEGIN SELECT RAISE(ABORT, 'registry: document is final'); END""",
            f"""CREATE TRIGGER document_carefully_insert BEFORE INSERT ON document WHEN NOT ({CAREFUL})
                BEGIN SELECT RAISE(ABORT, 'registry: this connection keeps no rules; see credits/db.py'); END""",
        ]
    made = []
    for name, act, refused, says in refusals(dialect):
        made += [
            f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
                BEGIN
                    IF {refused} THEN
                        RAISE EXCEPTION 'registry: {says}' USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                END $$""",
            f"CREATE TRIGGER {name} BEFORE {act} ON document FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
    return [
        *made,
        """CREATE TRIGGER document_never_deleted BEFORE DELETE ON document
            FOR EACH ROW EXECUTE FUNCTION ledger_refuse('document is final')""",
        """CREATE TRIGGER document_never_emptied BEFORE TRUNCATE ON document
            EXECUTE FUNCTION ledger_refuse('document is final')""",
    ]


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLE.format(**WORDS[dialect]).split(";\n"):
        op.execute(statement)
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for statement in triggers(dialect, schema):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE document")
    if op.get_bind().dialect.name == "postgresql":
        for name, *_rest in refusals("postgresql"):
            op.execute(f"DROP FUNCTION {name}()")
