"""Questions that must be answered, limits of a site, sales, and the ceiling above which a batch stops.

A batch is verified only when each question that the data raised was answered, and when its quantity was held against
the ceiling: within it, or let through by two administrators. The code keeps these rules; here the database does.
"""

import re

from alembic import op
from sqlalchemy import text

revision = "0009_screening"
down_revision = "0007_evidence"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE review_question (
    id {serial},
    batch_id {whole} NOT NULL,
    code TEXT NOT NULL,
    about TEXT NOT NULL,
    text TEXT NOT NULL,
    source TEXT NOT NULL,
    seen_on {day},
    asked_at {moment} NOT NULL,
    answer TEXT,
    answered_by_id {whole},
    answered_at {moment},
    CONSTRAINT pk_review_question PRIMARY KEY (id),
    CONSTRAINT ck_review_question_text_not_blank CHECK (trim(text) <> ''),
    CONSTRAINT ck_review_question_answer_not_blank CHECK (trim(answer) <> ''),
    CONSTRAINT ck_review_question_answered_by_somebody CHECK ((answer IS NULL) = (answered_by_id IS NULL)),
    CONSTRAINT ck_review_question_answered_at_a_time CHECK ((answer IS NULL) = (answered_at IS NULL)),
    CONSTRAINT uq_review_question_batch_id_code_about UNIQUE (batch_id, code, about),
    CONSTRAINT fk_review_question_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id),
    CONSTRAINT fk_review_question_answered_by_id FOREIGN KEY (answered_by_id) REFERENCES "user" (id)
){strict};

CREATE TABLE site_limit (
    id {serial},
    site_id {whole} NOT NULL,
    licence_id {whole},
    kind TEXT NOT NULL,
    mineral_code TEXT NOT NULL,
    milligrams {whole} NOT NULL,
    basis TEXT NOT NULL,
    per TEXT NOT NULL,
    counts_from {day} NOT NULL,
    source TEXT NOT NULL,
    source_date {day} NOT NULL,
    entered_by_id {whole} NOT NULL,
    entered_at {moment} NOT NULL,
    CONSTRAINT pk_site_limit PRIMARY KEY (id),
    CONSTRAINT ck_site_limit_kind_known CHECK (kind IN ('licence_cap', 'installed_capacity', 'productivity')),
    CONSTRAINT ck_site_limit_basis_known CHECK (basis IN ('ore', 'contained')),
    CONSTRAINT ck_site_limit_per_known CHECK (per IN ('day', 'month', 'year', 'miner_day')),
    CONSTRAINT ck_site_limit_milligrams_positive CHECK (milligrams > 0),
    CONSTRAINT ck_site_limit_per_fits CHECK ((kind = 'productivity') = (per = 'miner_day')),
    CONSTRAINT ck_site_limit_licence_fits CHECK ((kind = 'licence_cap') = (licence_id IS NOT NULL)),
    CONSTRAINT ck_site_limit_source_not_blank CHECK (trim(source) <> ''),
    CONSTRAINT fk_site_limit_site_id FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT fk_site_limit_licence_id FOREIGN KEY (licence_id) REFERENCES licence (id),
    CONSTRAINT fk_site_limit_entered_by_id FOREIGN KEY (entered_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_site_limit_site_id ON site_limit (site_id, id);

CREATE TABLE sale (
    id {serial},
    batch_id {whole} NOT NULL,
    number TEXT NOT NULL,
    number_key TEXT NOT NULL,
    buyer TEXT NOT NULL,
    sold_on {day} NOT NULL,
    weight_mg {whole} NOT NULL,
    grade_ppm {whole} NOT NULL,
    contained_ng {whole} NOT NULL,
    entered_by_id {whole} NOT NULL,
    entered_at {moment} NOT NULL,
    CONSTRAINT pk_sale PRIMARY KEY (id),
    CONSTRAINT ck_sale_weight_positive CHECK (weight_mg > 0),
    CONSTRAINT ck_sale_grade_sound CHECK (grade_ppm BETWEEN 1 AND 1000000),
    CONSTRAINT ck_sale_contained_sound CHECK (contained_ng = weight_mg * grade_ppm),
    CONSTRAINT ck_sale_number_not_blank CHECK (number_key <> ''),
    CONSTRAINT uq_sale_batch_id_number_key UNIQUE (batch_id, number_key),
    CONSTRAINT fk_sale_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id),
    CONSTRAINT fk_sale_entered_by_id FOREIGN KEY (entered_by_id) REFERENCES "user" (id)
){strict};

CREATE TABLE ceiling_override (
    id {serial},
    batch_id {whole} NOT NULL,
    decision_id {whole} NOT NULL,
    ceiling {whole} NOT NULL,
    most {whole} NOT NULL,
    reason TEXT NOT NULL,
    made_at {moment} NOT NULL,
    CONSTRAINT pk_ceiling_override PRIMARY KEY (id),
    CONSTRAINT ck_ceiling_override_above_the_ceiling CHECK (most > 0 AND ceiling >= 0 AND most > ceiling),
    CONSTRAINT ck_ceiling_override_reason_not_blank CHECK (trim(reason) <> ''),
    CONSTRAINT uq_ceiling_override_decision_id UNIQUE (decision_id),
    CONSTRAINT fk_ceiling_override_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id),
    CONSTRAINT fk_ceiling_override_decision_id FOREIGN KEY (decision_id) REFERENCES decision (id)
){strict};
CREATE INDEX ix_ceiling_override_batch_id ON ceiling_override (batch_id);

CREATE TABLE plausibility_check (
    id {serial},
    batch_id {whole} NOT NULL,
    contained_ng {whole} NOT NULL,
    claimed {whole} NOT NULL,
    ceiling {whole},
    bounds TEXT NOT NULL,
    figures TEXT NOT NULL,
    override_id {whole},
    checked_by_id {whole} NOT NULL,
    checked_at {moment} NOT NULL,
    CONSTRAINT pk_plausibility_check PRIMARY KEY (id),
    CONSTRAINT ck_plausibility_check_quantities_sound CHECK (claimed >= 0 AND ceiling >= 0),
    CONSTRAINT ck_plausibility_check_within_or_let_through CHECK (claimed <= ceiling OR override_id IS NOT NULL),
    CONSTRAINT fk_plausibility_check_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id),
    CONSTRAINT fk_plausibility_check_override_id FOREIGN KEY (override_id) REFERENCES ceiling_override (id),
    CONSTRAINT fk_plausibility_check_checked_by_id FOREIGN KEY (checked_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_plausibility_check_batch_id ON plausibility_check (batch_id, id);

CREATE INDEX ix_observed_site_latitude_longitude ON observed_site (latitude, longitude)
"""
WORDS = {
    "sqlite": {"serial": "INTEGER NOT NULL", "whole": "INTEGER", "day": "TEXT", "moment": "TEXT", "strict": " STRICT"},
    "postgresql": {
        "serial": "BIGSERIAL NOT NULL",
        "whole": "BIGINT",
        "day": "DATE",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "strict": "",
    },
}
NEWEST_FIRST = ("plausibility_check", "ceiling_override", "sale", "site_limit", "review_question")
NEW_KIND = "ceiling"
KINDS = "ck_decision_kind_known"
HERE = "connamespace = current_schema()::regnamespace"

# A bare connection's REPLACE would delete rows past their triggers.
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""
ASKED = "id batch_id code about text source seen_on asked_at"
OPEN = "('draft', 'information_requested')"
ONE_PRODUCER = """SELECT 1 FROM sale s JOIN batch b ON b.id = s.batch_id JOIN site t ON t.id = b.site_id
    WHERE s.number_key = NEW.number_key AND b.id <> NEW.batch_id AND b.state NOT IN ('rejected', 'withdrawn')
      AND t.producer_id = (SELECT u.producer_id FROM batch c JOIN site u ON u.id = c.site_id WHERE c.id = NEW.batch_id)"""
LET_THROUGH = """SELECT 1 FROM ceiling_override o JOIN decision d ON d.id = o.decision_id
    WHERE o.id = NEW.override_id AND o.batch_id = NEW.batch_id AND NEW.claimed <= o.most
      AND d.kind = 'ceiling' AND d.state = 'approved'"""
TWO_PEOPLE = """SELECT 1 FROM decision d WHERE d.id = NEW.decision_id AND d.kind = 'ceiling' AND d.state = 'waiting'
    AND d.reason = NEW.reason"""
UNANSWERED = "EXISTS (SELECT 1 FROM review_question q WHERE q.batch_id = NEW.id AND q.answer IS NULL)"
UNCHECKED = """NOT EXISTS (SELECT 1 FROM plausibility_check p
    WHERE p.batch_id = NEW.id AND p.contained_ng = NEW.contained_ng)"""
BECOMES_VERIFIED = "NEW.state = 'verified' AND OLD.state <> 'verified'"


def changes(columns: str) -> str:
    return " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split())


# (trigger, table, act, when it is refused, what is said then)
GUARDS = (
    *(
        (f"{table}_never_deleted", table, "DELETE", "OLD.id = OLD.id", f"no {table} is ever deleted")
        for table in NEWEST_FIRST
        if table != "sale"
    ),
    *(
        (f"{table}_never_changed", table, "UPDATE", "OLD.id = OLD.id", f"a {table} stays as it was written")
        for table in NEWEST_FIRST
        if table != "review_question"
    ),
    (
        "review_question_answered_once",
        "review_question",
        "UPDATE",
        f"OLD.answer IS NOT NULL OR {changes(ASKED)}",
        "a question is answered once, and stays as it was asked",
    ),
    (
        "sale_of_an_open_batch",
        "sale",
        "INSERT",
        f"NOT EXISTS (SELECT 1 FROM batch b WHERE b.id = NEW.batch_id AND b.state IN {OPEN}) OR EXISTS ({ONE_PRODUCER})",
        "an invoice supports one batch, and is entered while the producer can change it",
    ),
    (
        "sale_taken_back_in_time",
        "sale",
        "DELETE",
        f"NOT EXISTS (SELECT 1 FROM batch b WHERE b.id = OLD.batch_id AND b.state IN {OPEN})",
        "a sale stays with its batch",
    ),
    (
        "ceiling_override_proposed_before",
        "ceiling_override",
        "INSERT",
        f"NOT EXISTS ({TWO_PEOPLE})",
        "two people let a batch through above its ceiling",
    ),
    (
        "plausibility_check_let_through",
        "plausibility_check",
        "INSERT",
        f"NEW.override_id IS NOT NULL AND NOT EXISTS ({LET_THROUGH})",
        "a batch above its ceiling is let through by two people, up to the quantity that they saw",
    ),
    (
        "batch_verified_after_answers",
        "batch",
        "UPDATE",
        f"{BECOMES_VERIFIED} AND ({UNANSWERED} OR {UNCHECKED})",
        "a batch is verified when its questions are answered and its quantity was held against the ceiling",
    ),
)
DIFFERS = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}


def guards(dialect: str, schema: str) -> list[str]:
    statements = []
    for name, table, act, refused, says in GUARDS:
        condition = refused.format(differs=DIFFERS[dialect])
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
    for table in NEWEST_FIRST:
        statements.append(
            f"""CREATE TRIGGER {table}_carefully_insert BEFORE INSERT ON {table} WHEN NOT ({CAREFUL})
                BEGIN SELECT RAISE(ABORT, 'registry: this connection keeps no rules; see credits/db.py'); END"""
            if dialect == "sqlite"
            else f"""CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}
                EXECUTE FUNCTION ledger_refuse('{table} is final')"""
        )
    return statements


def set_kinds(words: list[str]) -> None:
    """Let a decision be of one of these kinds.

    SQLite cannot change a CHECK but by copying the table with all its triggers, or by rewriting its text in the
    schema, which touches no row: the second is what its manual advises where no row can break the new rule.
    """
    listed = ", ".join(f"'{word}'" for word in words)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE decision DROP CONSTRAINT {KINDS}")
        op.execute(f"ALTER TABLE decision ADD CONSTRAINT {KINDS} CHECK (kind IN ({listed}))")
        return
    bind = op.get_bind()
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


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    set_kinds([*kinds(), NEW_KIND])
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for statement in guards(dialect, schema):
        op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    op.execute("DROP INDEX ix_observed_site_latitude_longitude")
    batch_trigger = "batch_verified_after_answers"
    op.execute(f"DROP TRIGGER {batch_trigger}" + (" ON batch" if dialect == "postgresql" else ""))
    for table in NEWEST_FIRST:
        op.execute(f"DROP TABLE {table}")
    if dialect == "postgresql":
        for name, *_ in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
    set_kinds([kind for kind in kinds() if kind != NEW_KIND])
