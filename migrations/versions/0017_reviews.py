"""Threads of a review, its risk, and the verification statement.

What a verifier asks has a life of its own: asked, answered, settled. A remark is never edited, so that life stands
beside it; the questions and answers from before get one too, each answer to the question before it. A statement's
facts are written once, its document once after them. The risk of a batch is only what the queue sorts by.
"""

from alembic import op

revision = "0017_reviews"
down_revision = "0016_site_records"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE review_point (
    remark_id {whole} NOT NULL,
    ready TEXT,
    language TEXT NOT NULL,
    settled_by_id {whole},
    settled_at {moment},
    CONSTRAINT pk_review_point PRIMARY KEY (remark_id),
    CONSTRAINT ck_review_point_ready_not_blank CHECK (ready <> ''),
    CONSTRAINT ck_review_point_language_known CHECK (language IN ('en', 'fr', 'es', 'pt', 'sw')),
    CONSTRAINT ck_review_point_settled_by_somebody CHECK ((settled_by_id IS NULL) = (settled_at IS NULL)),
    CONSTRAINT fk_review_point_remark_id FOREIGN KEY (remark_id) REFERENCES remark (id),
    CONSTRAINT fk_review_point_settled_by_id FOREIGN KEY (settled_by_id) REFERENCES "user" (id)
){strict};

CREATE TABLE review_reply (
    remark_id {whole} NOT NULL,
    point_id {whole} NOT NULL,
    CONSTRAINT pk_review_reply PRIMARY KEY (remark_id, point_id),
    CONSTRAINT fk_review_reply_remark_id FOREIGN KEY (remark_id) REFERENCES remark (id),
    CONSTRAINT fk_review_reply_point_id FOREIGN KEY (point_id) REFERENCES review_point (remark_id)
){strict};
CREATE INDEX ix_review_reply_point_id ON review_reply (point_id);

CREATE TABLE review_risk (
    batch_id {whole} NOT NULL,
    level TEXT NOT NULL,
    reasons TEXT NOT NULL,
    assessed_at {moment} NOT NULL,
    CONSTRAINT pk_review_risk PRIMARY KEY (batch_id),
    CONSTRAINT ck_review_risk_level_known CHECK (level IN ('high', 'raised', 'ordinary')),
    CONSTRAINT fk_review_risk_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id)
){strict};

CREATE TABLE verification_statement (
    batch_id {whole} NOT NULL,
    number TEXT NOT NULL,
    language TEXT NOT NULL,
    facts {bytes} NOT NULL,
    document_sha256 TEXT,
    drawn_at {moment},
    CONSTRAINT pk_verification_statement PRIMARY KEY (batch_id),
    CONSTRAINT ck_verification_statement_drawn_whole CHECK ((document_sha256 IS NULL) = (drawn_at IS NULL)),
    CONSTRAINT ck_verification_statement_language_known CHECK (language IN ('en', 'fr', 'es', 'pt', 'sw')),
    CONSTRAINT fk_verification_statement_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id),
    CONSTRAINT uq_verification_statement_number UNIQUE (number)
){strict};
CREATE INDEX ix_verification_statement_undrawn ON verification_statement (batch_id) WHERE document_sha256 IS NULL
"""
WORDS = {
    "sqlite": {"whole": "INTEGER", "moment": "TEXT", "bytes": "BLOB", "strict": " STRICT"},
    "postgresql": {"whole": "BIGINT", "moment": "TIMESTAMP WITH TIME ZONE", "bytes": "BYTEA", "strict": ""},
}
NEWEST_FIRST = ("verification_statement", "review_risk", "review_reply", "review_point")
FINAL = ("verification_statement", "review_reply", "review_point")

# A bare connection's REPLACE would delete rows past their triggers.
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""
IS_REQUEST = "SELECT 1 FROM remark r WHERE r.id = NEW.remark_id AND r.kind = 'request'"
OF_ONE_BATCH = """SELECT 1 FROM remark a JOIN remark q ON q.batch_id = a.batch_id
    WHERE a.id = NEW.remark_id AND a.kind = 'answer' AND q.id = NEW.point_id AND q.id < a.id"""
IS_VERIFIED = """SELECT 1 FROM batch b
    WHERE b.id = NEW.batch_id AND b.verified_by_id IS NOT NULL AND b.assurance_id IS NOT NULL"""


def changes(columns: str) -> str:
    return " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split())


# (trigger, table, act, when it is refused, what is said then)
GUARDS = (
    *(
        (f"{table}_never_deleted", table, "DELETE", "OLD.{key} = OLD.{key}", f"no {table} is ever deleted")
        for table in FINAL
    ),
    (
        "review_reply_never_changed",
        "review_reply",
        "UPDATE",
        "OLD.{key} = OLD.{key}",
        "an answer stays with its question",
    ),
    (
        "review_point_settled_once",
        "review_point",
        "UPDATE",
        f"OLD.settled_at IS NOT NULL OR {changes('remark_id ready language')}",
        "a question is settled once, and stays as it was asked",
    ),
    (
        "review_point_of_a_request",
        "review_point",
        "INSERT",
        f"NOT EXISTS ({IS_REQUEST})",
        "only a request is a question",
    ),
    (
        "review_reply_of_one_batch",
        "review_reply",
        "INSERT",
        f"NOT EXISTS ({OF_ONE_BATCH})",
        "an answer belongs to a question of the same batch that was asked before",
    ),
    (
        "verification_statement_of_a_verified_batch",
        "verification_statement",
        "INSERT",
        f"NOT EXISTS ({IS_VERIFIED})",
        "a verification statement is of a verified batch",
    ),
    (
        "verification_statement_drawn_once",
        "verification_statement",
        "UPDATE",
        f"OLD.document_sha256 IS NOT NULL OR {changes('batch_id number language facts')}",
        "a verification statement is written once and drawn once",
    ),
)
DIFFERS = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}
KEYS = {"review_reply": "remark_id", "review_point": "remark_id", "verification_statement": "batch_id"}


def guards(dialect: str, schema: str) -> list[str]:
    statements = []
    for name, table, act, refused, says in GUARDS:
        condition = refused.format(differs=DIFFERS[dialect], key=KEYS[table])
        if dialect == "sqlite":
            statements.append(
                f"""CREATE TRIGGER {name} BEFORE {act} ON {table} WHEN {condition}
                    BEGIN SELECT RAISE(ABORT, 'registry: {says}'); END"""
            )
            continue
        statements += [
            f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
                BEGIN
                    IF {condition} THEN
                        RAISE EXCEPTION 'registry: {says}' USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN coalesce(NEW, OLD);
                END $$""",
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
    for table in FINAL:
        statements.append(
            f"""CREATE TRIGGER {table}_carefully_insert BEFORE INSERT ON {table} WHEN NOT ({CAREFUL})
                BEGIN SELECT RAISE(ABORT, 'registry: this connection keeps no rules; see credits/db.py'); END"""
            if dialect == "sqlite"
            else f"""CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}
                EXECUTE FUNCTION ledger_refuse('{table} is final')"""
        )
    return statements


# Until now one request was answered by one answer before the next could be asked.
THREADED = (
    """INSERT INTO review_point (remark_id, language) SELECT id, 'en' FROM remark WHERE kind = 'request'""",
    """INSERT INTO review_reply (remark_id, point_id)
        SELECT a.id, (SELECT max(q.id) FROM remark q WHERE q.batch_id = a.batch_id AND q.kind = 'request' AND q.id < a.id)
        FROM remark a WHERE a.kind = 'answer' AND EXISTS (
            SELECT 1 FROM remark q WHERE q.batch_id = a.batch_id AND q.kind = 'request' AND q.id < a.id)""",
)


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    for statement in THREADED:
        op.execute(statement)
    schema = (
        "main"
        if dialect == "sqlite"
        else op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar()
    )
    for statement in guards(dialect, schema):
        op.execute(statement)


def downgrade() -> None:
    for table in NEWEST_FIRST:
        op.execute(f"DROP TABLE {table}")
    if op.get_bind().dialect.name == "postgresql":
        for name, *_ in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
