"""Evidence looked at by content: its numbers, what its pages look like, whom it resembles, and files on their way.

A number stands on one paper that counts, registry-wide, by its kind and who gave it: a unique index. What resembles a
paper behind another batch is a question, and no batch is verified while one is open: a trigger. The former key of a
paper's one number becomes a row; its column goes, and so the trigger that named it is written anew.
"""

from alembic import op
from sqlalchemy import text

revision = "0007_evidence"
down_revision = "0006_notices"
branch_labels = None
depends_on = None

KINDS = "'scale_log', 'assay', 'sales_invoice', 'royalty_receipt', 'tag_log', 'photo', 'other'"
TABLES = f"""
CREATE TABLE paper_number (
    id {{serial}},
    evidence_id {{whole}} NOT NULL,
    kind TEXT NOT NULL,
    number TEXT NOT NULL,
    issuer_key TEXT NOT NULL,
    number_key TEXT NOT NULL,
    loose_key TEXT NOT NULL,
    counts {{flag}} NOT NULL,
    CONSTRAINT pk_paper_number PRIMARY KEY (id),
    CONSTRAINT ck_paper_number_kind_known CHECK (kind IN ({KINDS})),
    CONSTRAINT ck_paper_number_number_key_not_blank CHECK (number_key <> ''),
    CONSTRAINT fk_paper_number_evidence_id FOREIGN KEY (evidence_id) REFERENCES evidence (id) ON DELETE CASCADE
){{strict}};
CREATE UNIQUE INDEX uq_paper_number_kind_issuer_key_number_key ON paper_number (kind, issuer_key, number_key)
    WHERE counts;
CREATE INDEX ix_paper_number_kind_loose_key ON paper_number (kind, loose_key);
CREATE INDEX ix_paper_number_evidence_id ON paper_number (evidence_id);

CREATE TABLE page_print (
    evidence_id {{whole}} NOT NULL,
    page {{whole}} NOT NULL,
    print TEXT NOT NULL,
    CONSTRAINT pk_page_print PRIMARY KEY (evidence_id, page),
    CONSTRAINT ck_page_print_print_whole CHECK (length(print) = 64),
    CONSTRAINT fk_page_print_evidence_id FOREIGN KEY (evidence_id) REFERENCES evidence (id) ON DELETE CASCADE
){{strict}};

CREATE TABLE print_band (
    band {{whole}} NOT NULL,
    value {{whole}} NOT NULL,
    evidence_id {{whole}} NOT NULL,
    page {{whole}} NOT NULL,
    CONSTRAINT pk_print_band PRIMARY KEY (band, value, evidence_id, page),
    CONSTRAINT fk_print_band_evidence_id FOREIGN KEY (evidence_id) REFERENCES evidence (id) ON DELETE CASCADE
){{strict}};
CREATE INDEX ix_print_band_evidence_id ON print_band (evidence_id);

CREATE TABLE likeness (
    id {{serial}},
    evidence_id {{whole}} NOT NULL,
    other_id {{whole}} NOT NULL,
    ground TEXT NOT NULL,
    bits {{whole}} NOT NULL,
    noted_at {{moment}} NOT NULL,
    answer TEXT,
    answered_by_id {{whole}},
    answered_at {{moment}},
    CONSTRAINT pk_likeness PRIMARY KEY (id),
    CONSTRAINT ck_likeness_ground_known CHECK (ground IN ('picture', 'number')),
    CONSTRAINT uq_likeness_evidence_id_other_id_ground UNIQUE (evidence_id, other_id, ground),
    CONSTRAINT ck_likeness_two_papers CHECK (evidence_id <> other_id),
    CONSTRAINT ck_likeness_bits_counted CHECK (bits BETWEEN 0 AND 256),
    CONSTRAINT ck_likeness_answered_whole CHECK ((answer IS NULL) = (answered_by_id IS NULL) AND (answer IS NULL) = (answered_at IS NULL)),
    CONSTRAINT ck_likeness_answer_not_blank CHECK (answer <> ''),
    CONSTRAINT fk_likeness_evidence_id FOREIGN KEY (evidence_id) REFERENCES evidence (id) ON DELETE CASCADE,
    CONSTRAINT fk_likeness_other_id FOREIGN KEY (other_id) REFERENCES evidence (id) ON DELETE CASCADE,
    CONSTRAINT fk_likeness_answered_by_id FOREIGN KEY (answered_by_id) REFERENCES "user" (id)
){{strict}};
CREATE INDEX ix_likeness_other_id ON likeness (other_id);

CREATE TABLE upload (
    id {{serial}},
    handle TEXT NOT NULL,
    batch_id {{whole}} NOT NULL,
    filename TEXT NOT NULL,
    size {{whole}} NOT NULL,
    begun_by_id {{whole}} NOT NULL,
    begun_at {{moment}} NOT NULL,
    evidence_id {{whole}},
    CONSTRAINT pk_upload PRIMARY KEY (id),
    CONSTRAINT uq_upload_handle UNIQUE (handle),
    CONSTRAINT ck_upload_size_positive CHECK (size > 0),
    CONSTRAINT ck_upload_handle_whole CHECK (length(handle) = 64),
    CONSTRAINT fk_upload_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id),
    CONSTRAINT fk_upload_begun_by_id FOREIGN KEY (begun_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_upload_evidence_id FOREIGN KEY (evidence_id) REFERENCES evidence (id) ON DELETE CASCADE
){{strict}};
CREATE INDEX ix_upload_begun_by_id ON upload (begun_by_id, id);
CREATE INDEX ix_upload_begun_at ON upload (begun_at);

ALTER TABLE evidence ADD COLUMN issuer TEXT;
ALTER TABLE evidence ADD COLUMN pages {{whole}};

INSERT INTO paper_number (evidence_id, kind, number, issuer_key, number_key, loose_key, counts)
    SELECT id, kind, reference, CASE WHEN kind = 'tag_log' THEN '' ELSE {{producer}} END,
        CASE WHEN kind = 'tag_log' THEN number_key ELSE {{rest}} END,
        CASE WHEN kind = 'tag_log' THEN number_key ELSE {{rest}} END, counts
    FROM evidence WHERE number_key IS NOT NULL;
"""
WORDS = {
    "sqlite": {
        "serial": "INTEGER NOT NULL",
        "whole": "INTEGER",
        "flag": "INTEGER",
        "moment": "TEXT",
        "strict": " STRICT",
        # The key was "producer:number".
        "producer": "'#' || substr(number_key, 1, instr(number_key, ':') - 1)",
        "rest": "substr(number_key, instr(number_key, ':') + 1)",
    },
    "postgresql": {
        "serial": "BIGSERIAL NOT NULL",
        "whole": "BIGINT",
        "flag": "BOOLEAN",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "strict": "",
        "producer": "'#' || substr(number_key, 1, strpos(number_key, ':') - 1)",
        "rest": "substr(number_key, strpos(number_key, ':') + 1)",
    },
}


def changes(columns: str) -> str:
    """Whether an update changes one of these columns."""
    return "(" + " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split()) + ")"


STILL_USED = """NEW.counts {differs} OLD.counts AND (NEW.counts OR NOT EXISTS (
    SELECT 1 FROM batch b WHERE b.id = OLD.batch_id AND b.state IN ('rejected', 'withdrawn')))"""
PAPER = "id batch_id kind reference filename media_type size sha256 added_by_id added_at"
BEFORE = f"{changes('id batch_id kind reference number_key filename media_type size sha256 added_by_id added_at')} OR ({STILL_USED})"
AFTER = f"{changes(PAPER + ' issuer pages')} OR ({STILL_USED})"
SAID = "a paper stays as it was brought"
GONE = "NOT EXISTS (SELECT 1 FROM evidence e WHERE e.id = OLD.evidence_id)"
# (trigger, table, act, when it is refused, what is said then)
GUARDS = (
    (
        "paper_number_follows_its_paper",
        "paper_number",
        "UPDATE",
        f"""{changes("id evidence_id kind number issuer_key number_key loose_key")}
            OR NEW.counts OR EXISTS (SELECT 1 FROM evidence e WHERE e.id = OLD.evidence_id AND e.counts)""",
        "a number counts as long as its paper does",
    ),
    ("paper_number_stays", "paper_number", "DELETE", f"NOT ({GONE})", "a number stays with its paper"),
    ("page_print_stays", "page_print", "DELETE", f"NOT ({GONE})", "what a page looks like stays with its paper"),
    ("page_print_final", "page_print", "UPDATE", "OLD.page = OLD.page", "what a page looks like is final"),
    ("print_band_stays", "print_band", "DELETE", f"NOT ({GONE})", "what a page looks like stays with its paper"),
    ("print_band_final", "print_band", "UPDATE", "OLD.page = OLD.page", "what a page looks like is final"),
    (
        "likeness_answered_once",
        "likeness",
        "UPDATE",
        f"OLD.answer IS NOT NULL OR {changes('id evidence_id other_id ground bits noted_at')}",
        "a question stays as it was noted, and is answered once",
    ),
    (
        "likeness_stays",
        "likeness",
        "DELETE",
        f"NOT ({GONE}) AND EXISTS (SELECT 1 FROM evidence e WHERE e.id = OLD.other_id)",
        "a question stays as long as both papers do",
    ),
    (
        "batch_without_open_likeness",
        "batch",
        "UPDATE",
        """NEW.state = 'verified' AND OLD.state <> 'verified' AND EXISTS (
            SELECT 1 FROM likeness l JOIN evidence e ON e.id = l.evidence_id
            WHERE e.batch_id = OLD.id AND l.answer IS NULL)""",
        "no batch is verified while a question about its papers is open",
    ),
)
NEW_TABLES = ("upload", "likeness", "print_band", "page_print", "paper_number")  # in the order they can be dropped


def guard(dialect: str, schema: str, name: str, table: str, act: str, wrong: str, said: str) -> list[str]:
    """The statements that make one trigger, in the words of this database."""
    wrong = wrong.format(differs="IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM")
    if dialect == "sqlite":
        return [
            f"""CREATE TRIGGER {name} BEFORE {act} ON {table} WHEN ({wrong})
                BEGIN SELECT RAISE(ABORT, 'registry: {said}'); END"""
        ]
    return [
        f"""CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
            BEGIN
                IF {wrong} THEN
                    RAISE EXCEPTION 'registry: {said}' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN coalesce(NEW, OLD);
            END $$""",
        f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]


def without_guard(dialect: str, name: str, table: str) -> list[str]:
    drop = f"DROP TRIGGER {name}" + ("" if dialect == "sqlite" else f" ON {table}")
    return [drop] if dialect == "sqlite" else [drop, f"DROP FUNCTION {name}()"]


def schema_of(dialect: str) -> str:
    return "main" if dialect == "sqlite" else str(op.get_bind().scalar(text("SELECT quote_ident(current_schema())")))


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute("DROP INDEX uq_evidence_kind_number_key")
    statements = without_guard(dialect, "evidence_guarded_update", "evidence")
    statements.append("ALTER TABLE evidence DROP COLUMN number_key")
    statements += guard(dialect, schema_of(dialect), "evidence_guarded_update", "evidence", "UPDATE", AFTER, SAID)
    for each in GUARDS:
        statements += guard(dialect, schema_of(dialect), *each)
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    statements = [each for name, table, *_ in GUARDS for each in without_guard(dialect, name, table)]
    statements += without_guard(dialect, "evidence_guarded_update", "evidence")
    statements.append("ALTER TABLE evidence ADD COLUMN number_key TEXT")
    first = "SELECT min(n.id) FROM paper_number n GROUP BY n.evidence_id"
    statements.append(
        f"""UPDATE evidence SET number_key = (
            SELECT CASE WHEN n.kind = 'tag_log' THEN n.number_key
                ELSE replace(n.issuer_key, '#', '') || ':' || n.number_key END
            FROM paper_number n WHERE n.evidence_id = evidence.id AND n.id IN ({first}))"""
    )
    statements.append("CREATE UNIQUE INDEX uq_evidence_kind_number_key ON evidence (kind, number_key) WHERE counts")
    statements += [f"DROP TABLE {table}" for table in NEW_TABLES]
    statements += [f"ALTER TABLE evidence DROP COLUMN {column}" for column in ("issuer", "pages")]
    statements += guard(dialect, schema_of(dialect), "evidence_guarded_update", "evidence", "UPDATE", BEFORE, SAID)
    for statement in statements:
        op.execute(statement)
