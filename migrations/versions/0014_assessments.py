"""Assessments against a standard, findings, and the state of a site over time.

An assurance rests on a completed assessment of its site; with an open zero-tolerance finding, or while the site is
suspended, nothing of it is verified or issued. The code keeps these rules; here the database does.
"""

import re

from alembic import op
from sqlalchemy import text

revision = "0014_assessments"
down_revision = "0013_one_trip"
branch_labels = None
depends_on = None

ANSWERS = "'conform', 'not_yet', 'none', 'suspected', 'found', 'controlled', 'progressing', 'not_controlled'"
TABLES = """
CREATE TABLE standard_edition (
    id {serial},
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    content TEXT NOT NULL,
    kept_at {moment} NOT NULL,
    CONSTRAINT pk_standard_edition PRIMARY KEY (id),
    CONSTRAINT ck_standard_edition_sha256_whole CHECK (length(sha256) = 64),
    CONSTRAINT uq_standard_edition_sha256 UNIQUE (sha256)
){strict};

CREATE TABLE assessment (
    id {serial},
    site_id {whole} NOT NULL,
    batch_id {whole} NOT NULL,
    edition_id {whole} NOT NULL,
    verifier_organisation_id {whole} NOT NULL,
    begun_by_id {whole} NOT NULL,
    begun_at {moment} NOT NULL,
    completed_by_id {whole},
    completed_at {moment},
    level_number {whole},
    level TEXT,
    next_due {day},
    CONSTRAINT pk_assessment PRIMARY KEY (id),
    CONSTRAINT ck_assessment_completed_by_somebody CHECK ((completed_at IS NULL) = (completed_by_id IS NULL)),
    CONSTRAINT ck_assessment_completed_with_a_level CHECK ((completed_at IS NULL) = (level IS NULL)),
    CONSTRAINT ck_assessment_level_numbered CHECK ((level IS NULL) = (level_number IS NULL)),
    CONSTRAINT ck_assessment_completed_until_next CHECK ((completed_at IS NULL) = (next_due IS NULL)),
    CONSTRAINT fk_assessment_site_id FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT fk_assessment_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id),
    CONSTRAINT fk_assessment_edition_id FOREIGN KEY (edition_id) REFERENCES standard_edition (id),
    CONSTRAINT fk_assessment_verifier_organisation_id FOREIGN KEY (verifier_organisation_id)
        REFERENCES organisation (id),
    CONSTRAINT fk_assessment_begun_by_id FOREIGN KEY (begun_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_assessment_completed_by_id FOREIGN KEY (completed_by_id) REFERENCES "user" (id)
){strict};
CREATE UNIQUE INDEX uq_assessment_open ON assessment (site_id, verifier_organisation_id) WHERE completed_at IS NULL;
CREATE INDEX ix_assessment_site_id ON assessment (site_id, id);

CREATE TABLE assessment_answer (
    assessment_id {whole} NOT NULL,
    requirement TEXT NOT NULL,
    answer TEXT,
    evidence TEXT NOT NULL,
    paper_id {whole},
    finding TEXT NOT NULL,
    severity TEXT,
    plan TEXT NOT NULL,
    due_on {day},
    answered_by_id {whole} NOT NULL,
    answered_at {moment} NOT NULL,
    CONSTRAINT pk_assessment_answer PRIMARY KEY (assessment_id, requirement),
    CONSTRAINT ck_assessment_answer_answer_known CHECK (answer IN ({answers})),
    CONSTRAINT ck_assessment_answer_severity_known CHECK (severity IN ('minor', 'major', 'zero_tolerance')),
    CONSTRAINT ck_assessment_answer_severity_fits
        CHECK (severity <> 'zero_tolerance' OR coalesce(answer, '') IN ('suspected', 'found')),
    CONSTRAINT fk_assessment_answer_assessment_id FOREIGN KEY (assessment_id) REFERENCES assessment (id),
    CONSTRAINT fk_assessment_answer_paper_id FOREIGN KEY (paper_id) REFERENCES evidence (id),
    CONSTRAINT fk_assessment_answer_answered_by_id FOREIGN KEY (answered_by_id) REFERENCES "user" (id)
){strict};

CREATE TABLE assurance_basis (
    assurance_id {whole} NOT NULL,
    assessment_id {whole} NOT NULL,
    CONSTRAINT pk_assurance_basis PRIMARY KEY (assurance_id),
    CONSTRAINT fk_assurance_basis_assurance_id FOREIGN KEY (assurance_id) REFERENCES assurance (id),
    CONSTRAINT fk_assurance_basis_assessment_id FOREIGN KEY (assessment_id) REFERENCES assessment (id)
){strict};
CREATE INDEX ix_assurance_basis_assessment_id ON assurance_basis (assessment_id);

CREATE TABLE finding (
    id {serial},
    site_id {whole} NOT NULL,
    source TEXT NOT NULL,
    reference TEXT NOT NULL,
    assessment_id {whole},
    edition_id {whole},
    requirement TEXT,
    severity TEXT NOT NULL,
    certainty TEXT NOT NULL,
    text TEXT NOT NULL,
    plan TEXT NOT NULL,
    due_on {day} NOT NULL,
    concerns_from {day},
    concerns_to {day},
    opened_by_id {whole},
    opened_at {moment} NOT NULL,
    closed_by_id {whole},
    closed_at {moment},
    closing_reason TEXT,
    closing_evidence TEXT,
    CONSTRAINT pk_finding PRIMARY KEY (id),
    CONSTRAINT ck_finding_source_known CHECK (source IN ('assessment', 'verifier', 'registry', 'grievance')),
    CONSTRAINT ck_finding_severity_known CHECK (severity IN ('minor', 'major', 'zero_tolerance')),
    CONSTRAINT ck_finding_certainty_known CHECK (certainty IN ('suspected', 'found')),
    CONSTRAINT ck_finding_text_not_blank CHECK (trim(text) <> ''),
    CONSTRAINT ck_finding_assessment_fits CHECK ((source = 'assessment') = (assessment_id IS NOT NULL)),
    CONSTRAINT ck_finding_requirement_of_an_edition CHECK (requirement IS NULL OR edition_id IS NOT NULL),
    CONSTRAINT ck_finding_concerns_whole CHECK ((concerns_from IS NULL) = (concerns_to IS NULL)),
    CONSTRAINT ck_finding_concerns_sound CHECK (concerns_from <= concerns_to),
    CONSTRAINT ck_finding_stops_known_days
        CHECK (severity <> 'zero_tolerance' OR certainty = 'suspected' OR concerns_from IS NOT NULL),
    CONSTRAINT ck_finding_closed_by_somebody CHECK ((closed_at IS NULL) = (closed_by_id IS NULL)),
    CONSTRAINT ck_finding_closed_with_a_reason CHECK ((closed_at IS NULL) = (closing_reason IS NULL)),
    CONSTRAINT ck_finding_closed_with_evidence CHECK ((closed_at IS NULL) = (closing_evidence IS NULL)),
    CONSTRAINT ck_finding_two_people CHECK (severity <> 'zero_tolerance' OR closed_by_id <> opened_by_id),
    CONSTRAINT fk_finding_site_id FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT fk_finding_assessment_id FOREIGN KEY (assessment_id) REFERENCES assessment (id),
    CONSTRAINT fk_finding_edition_id FOREIGN KEY (edition_id) REFERENCES standard_edition (id),
    CONSTRAINT fk_finding_opened_by_id FOREIGN KEY (opened_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_finding_closed_by_id FOREIGN KEY (closed_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_finding_site_id ON finding (site_id, id);
CREATE INDEX ix_finding_assessment_id ON finding (assessment_id);
CREATE INDEX ix_finding_closed_at_due_on ON finding (closed_at, due_on);

CREATE TABLE site_state (
    id {serial},
    site_id {whole} NOT NULL,
    state TEXT NOT NULL,
    from_on {day} NOT NULL,
    until_on {day},
    cause TEXT NOT NULL,
    reason TEXT NOT NULL,
    policy TEXT NOT NULL,
    finding_id {whole},
    decision_id {whole},
    set_by_id {whole},
    set_at {moment} NOT NULL,
    CONSTRAINT pk_site_state PRIMARY KEY (id),
    CONSTRAINT ck_site_state_state_known CHECK (state IN ('active', 'probation', 'suspended')),
    CONSTRAINT ck_site_state_cause_known CHECK (cause IN ('finding', 'registry', 'clock', 'decision')),
    CONSTRAINT ck_site_state_period_sound CHECK (from_on <= until_on),
    CONSTRAINT ck_site_state_limited_unless_active CHECK ((state = 'active') = (until_on IS NULL)),
    CONSTRAINT ck_site_state_active_by_decision CHECK ((state = 'active') = (decision_id IS NOT NULL)),
    CONSTRAINT ck_site_state_decision_fits CHECK ((cause = 'decision') = (decision_id IS NOT NULL)),
    CONSTRAINT ck_site_state_set_by_somebody CHECK ((cause = 'clock') = (set_by_id IS NULL)),
    CONSTRAINT ck_site_state_finding_fits CHECK (cause <> 'finding' OR finding_id IS NOT NULL),
    CONSTRAINT ck_site_state_reason_not_blank CHECK (trim(reason) <> ''),
    CONSTRAINT uq_site_state_decision_id UNIQUE (decision_id),
    CONSTRAINT fk_site_state_site_id FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT fk_site_state_finding_id FOREIGN KEY (finding_id) REFERENCES finding (id),
    CONSTRAINT fk_site_state_decision_id FOREIGN KEY (decision_id) REFERENCES decision (id),
    CONSTRAINT fk_site_state_set_by_id FOREIGN KEY (set_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_site_state_site_id ON site_state (site_id, id)
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
NEWEST_FIRST = ("site_state", "finding", "assurance_basis", "assessment_answer", "assessment", "standard_edition")
NEW_KIND = "reinstatement"
KINDS = "ck_decision_kind_known"
HERE = "connamespace = current_schema()::regnamespace"

# A bare connection's REPLACE would delete rows past their triggers.
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""
BEGUN = "id site_id batch_id edition_id verifier_organisation_id begun_by_id begun_at"
ANSWERED = "EXISTS (SELECT 1 FROM assessment a WHERE a.id = {row}.assessment_id AND a.completed_at IS NOT NULL)"
OPENED = (
    "id site_id source reference assessment_id edition_id requirement severity text plan due_on opened_by_id opened_at"
)
CONCERNS = "concerns_from concerns_to"
STOPPED = """EXISTS (SELECT 1 FROM finding f
    WHERE f.site_id = NEW.site_id AND f.severity = 'zero_tolerance' AND f.closed_at IS NULL)"""
SUSPENDED = """EXISTS (SELECT 1 FROM site_state s WHERE s.site_id = NEW.site_id AND s.state = 'suspended'
    AND s.id = (SELECT max(newest.id) FROM site_state newest WHERE newest.site_id = NEW.site_id))"""
ASSESSED = """EXISTS (SELECT 1 FROM assurance_basis b JOIN assessment a ON a.id = b.assessment_id
    WHERE b.assurance_id = NEW.assurance_id AND a.site_id = NEW.site_id AND a.completed_at IS NOT NULL)"""
BECOMES_VERIFIED = "NEW.state = 'verified' AND OLD.state <> 'verified'"
REINSTATED = """EXISTS (SELECT 1 FROM decision d JOIN site s ON s.id = NEW.site_id
    WHERE d.id = NEW.decision_id AND d.kind = 'reinstatement' AND d.state = 'waiting'
      AND d.subject = s.country || '-' || s.code)"""
GOES_ON = """NOT EXISTS (SELECT 1 FROM site_state s WHERE s.site_id = NEW.site_id
    AND (s.from_on > NEW.from_on OR s.set_at > NEW.set_at))"""


def changes(columns: str) -> str:
    return " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split())


OTHER_WAY = "NEW.certainty {differs} OLD.certainty AND NEW.certainty <> 'found'"
OTHER_DAYS = f"OLD.certainty = 'found' AND ({changes(CONCERNS)})"
# (trigger, table, act, when it is refused, what is said then)
GUARDS = (
    *(
        (f"{table}_never_deleted", table, "DELETE", "OLD.id = OLD.id", f"no {table} is ever deleted")
        for table in ("site_state", "finding", "assessment", "standard_edition")
    ),
    *(
        (f"{table}_never_changed", table, "UPDATE", "OLD.id = OLD.id", f"a {table} stays as it was written")
        for table in ("site_state", "standard_edition")
    ),
    ("assurance_basis_never_deleted", "assurance_basis", "DELETE", "OLD.assurance_id > 0", "a basis stays"),
    ("assurance_basis_never_changed", "assurance_basis", "UPDATE", "OLD.assurance_id > 0", "a basis stays"),
    (
        "assessment_completed_once",
        "assessment",
        "UPDATE",
        f"OLD.completed_at IS NOT NULL OR {changes(BEGUN)}",
        "a completed assessment stays as it is",
    ),
    *(
        (
            f"assessment_answer_{act.lower()}_in_time",
            "assessment_answer",
            act,
            ANSWERED.format(row="OLD" if act == "DELETE" else "NEW"),
            "answers stay as they were when the assessment was completed",
        )
        for act in ("INSERT", "UPDATE", "DELETE")
    ),
    (
        "finding_closed_once",
        "finding",
        "UPDATE",
        f"OLD.closed_at IS NOT NULL OR {changes(OPENED)} OR ({OTHER_WAY}) OR ({OTHER_DAYS})",
        "a finding is confirmed or closed, and stays as it was opened",
    ),
    (
        "site_state_goes_on",
        "site_state",
        "INSERT",
        f"NOT ({GOES_ON}) OR (NEW.state = 'active' AND NOT {REINSTATED})",
        "the states of a site follow each other, and two people let it return to active",
    ),
    (
        "batch_verified_after_assessment",
        "batch",
        "UPDATE",
        f"{BECOMES_VERIFIED} AND ({STOPPED} OR {SUSPENDED} OR NOT {ASSESSED})",
        "a batch is verified on a completed assessment, and never beside an open zero-tolerance finding",
    ),
    (
        "issuance_of_a_sound_site",
        "issuance_attributes",
        "INSERT",
        f"{STOPPED} OR {SUSPENDED}",
        "nothing is issued of a site that is suspended or has an open zero-tolerance finding",
    ),
)
DIFFERS = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}
OF_OTHERS = {"batch_verified_after_assessment": "batch", "issuance_of_a_sound_site": "issuance_attributes"}


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
                    RETURN {"OLD" if act == "DELETE" else "NEW"};
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
    for statement in TABLES.format(answers=ANSWERS, **WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    set_kinds([*kinds(), NEW_KIND])
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for statement in guards(dialect, schema):
        op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for name, table in OF_OTHERS.items():
        op.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if dialect == "postgresql" else ""))
    for table in NEWEST_FIRST:
        op.execute(f"DROP TABLE {table}")
    if dialect == "postgresql":
        for name, *_ in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
    set_kinds([kind for kind in kinds() if kind != NEW_KIND])
