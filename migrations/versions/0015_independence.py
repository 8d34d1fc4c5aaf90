"""Who verifies what: draws, assignments, declarations and cycles; groups and their samples; grievances.

A batch is reviewed by the organisation that was drawn for it, and verified by a lead of it who has declared to have no
tie and has not verified this producer too many vintages in a row. Whoever writes by hand meets the same walls.
"""

import re

from alembic import op
from sqlalchemy import text

revision = "0015_independence"
down_revision = "0014_assessments"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE draw (
    id {serial},
    about TEXT NOT NULL,
    round {whole} NOT NULL,
    event_id {whole} NOT NULL,
    seed TEXT NOT NULL,
    candidates TEXT NOT NULL,
    take {whole} NOT NULL,
    drawn TEXT NOT NULL,
    reason TEXT NOT NULL,
    made_at {moment} NOT NULL,
    CONSTRAINT pk_draw PRIMARY KEY (id),
    CONSTRAINT ck_draw_seed_whole CHECK (length(seed) = 64),
    CONSTRAINT ck_draw_take_positive CHECK (take > 0),
    CONSTRAINT uq_draw_about_round UNIQUE (about, round),
    CONSTRAINT fk_draw_event_id FOREIGN KEY (event_id) REFERENCES event (id)
){strict};

CREATE TABLE assignment (
    id {serial},
    batch_id {whole} NOT NULL,
    draw_id {whole} NOT NULL,
    organisation_id {whole},
    state TEXT NOT NULL,
    most_cycles {whole} NOT NULL,
    due_at {moment} NOT NULL,
    taken_by_id {whole},
    taken_at {moment},
    ended_by_id {whole},
    ended_at {moment},
    reason TEXT,
    CONSTRAINT pk_assignment PRIMARY KEY (id),
    CONSTRAINT ck_assignment_state_known CHECK (state IN ('offered', 'taken', 'nobody', 'declined', 'lapsed', 'relieved')),
    CONSTRAINT ck_assignment_most_cycles_positive CHECK (most_cycles > 0),
    CONSTRAINT ck_assignment_somebody_or_nobody CHECK (organisation_id IS NOT NULL OR state IN ('nobody', 'relieved')),
    CONSTRAINT ck_assignment_taken_by_somebody CHECK (state <> 'taken' OR taken_by_id IS NOT NULL),
    CONSTRAINT ck_assignment_taken_at_a_time CHECK ((taken_by_id IS NULL) = (taken_at IS NULL)),
    CONSTRAINT ck_assignment_ended_at_a_time CHECK ((state IN ('offered', 'taken', 'nobody')) = (ended_at IS NULL)),
    CONSTRAINT ck_assignment_ended_with_a_reason CHECK (ended_at IS NULL OR trim(coalesce(reason, '')) <> ''),
    CONSTRAINT uq_assignment_draw_id UNIQUE (draw_id),
    CONSTRAINT fk_assignment_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id),
    CONSTRAINT fk_assignment_draw_id FOREIGN KEY (draw_id) REFERENCES draw (id),
    CONSTRAINT fk_assignment_organisation_id FOREIGN KEY (organisation_id) REFERENCES organisation (id),
    CONSTRAINT fk_assignment_taken_by_id FOREIGN KEY (taken_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_assignment_ended_by_id FOREIGN KEY (ended_by_id) REFERENCES "user" (id)
){strict};
CREATE UNIQUE INDEX uq_assignment_open ON assignment (batch_id) WHERE ended_at IS NULL;
CREATE INDEX ix_assignment_batch_id ON assignment (batch_id, id);
CREATE INDEX ix_assignment_organisation_id ON assignment (organisation_id, id);

CREATE TABLE declaration (
    id {serial},
    assignment_id {whole} NOT NULL,
    person_id {whole} NOT NULL,
    ties TEXT NOT NULL,
    text TEXT NOT NULL,
    declared_at {moment} NOT NULL,
    CONSTRAINT pk_declaration PRIMARY KEY (id),
    CONSTRAINT ck_declaration_text_not_blank CHECK (trim(text) <> ''),
    CONSTRAINT uq_declaration_assignment_id_person_id UNIQUE (assignment_id, person_id),
    CONSTRAINT fk_declaration_assignment_id FOREIGN KEY (assignment_id) REFERENCES assignment (id),
    CONSTRAINT fk_declaration_person_id FOREIGN KEY (person_id) REFERENCES "user" (id)
){strict};

CREATE TABLE kinship_answer (
    id {serial},
    batch_id {whole} NOT NULL,
    about TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    answered_by_id {whole} NOT NULL,
    answered_at {moment} NOT NULL,
    CONSTRAINT pk_kinship_answer PRIMARY KEY (id),
    CONSTRAINT ck_kinship_answer_answer_not_blank CHECK (trim(answer) <> ''),
    CONSTRAINT uq_kinship_answer_batch_id_about UNIQUE (batch_id, about),
    CONSTRAINT fk_kinship_answer_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id),
    CONSTRAINT fk_kinship_answer_answered_by_id FOREIGN KEY (answered_by_id) REFERENCES "user" (id)
){strict};

CREATE TABLE member_control (
    id {serial},
    group_id {whole} NOT NULL,
    member_id {whole} NOT NULL,
    year {whole} NOT NULL,
    version TEXT NOT NULL,
    answers TEXT NOT NULL,
    conforms {flag} NOT NULL,
    controlled_on {day} NOT NULL,
    entered_by_id {whole} NOT NULL,
    entered_at {moment} NOT NULL,
    CONSTRAINT pk_member_control PRIMARY KEY (id),
    CONSTRAINT ck_member_control_year_sound CHECK (year BETWEEN 2000 AND 2999),
    CONSTRAINT ck_member_control_two_organisations CHECK (group_id <> member_id),
    CONSTRAINT fk_member_control_group_id FOREIGN KEY (group_id) REFERENCES organisation (id),
    CONSTRAINT fk_member_control_member_id FOREIGN KEY (member_id) REFERENCES organisation (id),
    CONSTRAINT fk_member_control_entered_by_id FOREIGN KEY (entered_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_member_control_group_id_year ON member_control (group_id, year, member_id, id);

CREATE TABLE group_audit (
    id {serial},
    group_id {whole} NOT NULL,
    year {whole} NOT NULL,
    members {whole} NOT NULL,
    sample_draw_id {whole} NOT NULL,
    verifier_draw_id {whole} NOT NULL,
    organisation_id {whole} NOT NULL,
    begun_by_id {whole} NOT NULL,
    begun_at {moment} NOT NULL,
    CONSTRAINT pk_group_audit PRIMARY KEY (id),
    CONSTRAINT ck_group_audit_members_counted CHECK (members > 0),
    CONSTRAINT uq_group_audit_group_id_year UNIQUE (group_id, year),
    CONSTRAINT uq_group_audit_sample_draw_id UNIQUE (sample_draw_id),
    CONSTRAINT uq_group_audit_verifier_draw_id UNIQUE (verifier_draw_id),
    CONSTRAINT fk_group_audit_group_id FOREIGN KEY (group_id) REFERENCES organisation (id),
    CONSTRAINT fk_group_audit_sample_draw_id FOREIGN KEY (sample_draw_id) REFERENCES draw (id),
    CONSTRAINT fk_group_audit_verifier_draw_id FOREIGN KEY (verifier_draw_id) REFERENCES draw (id),
    CONSTRAINT fk_group_audit_organisation_id FOREIGN KEY (organisation_id) REFERENCES organisation (id),
    CONSTRAINT fk_group_audit_begun_by_id FOREIGN KEY (begun_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_group_audit_organisation_id ON group_audit (organisation_id, id);

CREATE TABLE sample_visit (
    id {serial},
    audit_id {whole} NOT NULL,
    member_id {whole} NOT NULL,
    visited_from {day} NOT NULL,
    visited_to {day} NOT NULL,
    conforms {flag} NOT NULL,
    report TEXT NOT NULL,
    declaration TEXT NOT NULL,
    visited_by_id {whole} NOT NULL,
    entered_at {moment} NOT NULL,
    CONSTRAINT pk_sample_visit PRIMARY KEY (id),
    CONSTRAINT ck_sample_visit_visit_sound CHECK (visited_from <= visited_to),
    CONSTRAINT ck_sample_visit_report_not_blank CHECK (trim(report) <> ''),
    CONSTRAINT ck_sample_visit_declaration_not_blank CHECK (trim(declaration) <> ''),
    CONSTRAINT fk_sample_visit_audit_id FOREIGN KEY (audit_id) REFERENCES group_audit (id),
    CONSTRAINT fk_sample_visit_member_id FOREIGN KEY (member_id) REFERENCES organisation (id),
    CONSTRAINT fk_sample_visit_visited_by_id FOREIGN KEY (visited_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_sample_visit_audit_id ON sample_visit (audit_id, member_id, id);

CREATE TABLE grievance (
    id {serial},
    site_id {whole} NOT NULL,
    code_sha256 TEXT NOT NULL,
    contact TEXT,
    state TEXT NOT NULL,
    finding_id {whole},
    filed_at {moment} NOT NULL,
    closed_by_id {whole},
    closed_at {moment},
    CONSTRAINT pk_grievance PRIMARY KEY (id),
    CONSTRAINT ck_grievance_state_known CHECK (state IN ('open', 'answered', 'closed')),
    CONSTRAINT ck_grievance_code_sha256_whole CHECK (length(code_sha256) = 64),
    CONSTRAINT ck_grievance_closed_at_a_time CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT ck_grievance_closed_by_somebody CHECK ((closed_by_id IS NULL) = (closed_at IS NULL)),
    CONSTRAINT uq_grievance_code_sha256 UNIQUE (code_sha256),
    CONSTRAINT fk_grievance_site_id FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT fk_grievance_finding_id FOREIGN KEY (finding_id) REFERENCES finding (id),
    CONSTRAINT fk_grievance_closed_by_id FOREIGN KEY (closed_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_grievance_site_id ON grievance (site_id, state);
CREATE INDEX ix_grievance_state ON grievance (state, id);

CREATE TABLE grievance_message (
    id {serial},
    grievance_id {whole} NOT NULL,
    author_id {whole},
    text TEXT NOT NULL,
    written_at {moment} NOT NULL,
    CONSTRAINT pk_grievance_message PRIMARY KEY (id),
    CONSTRAINT ck_grievance_message_text_not_blank CHECK (trim(text) <> ''),
    CONSTRAINT fk_grievance_message_grievance_id FOREIGN KEY (grievance_id) REFERENCES grievance (id),
    CONSTRAINT fk_grievance_message_author_id FOREIGN KEY (author_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_grievance_message_grievance_id ON grievance_message (grievance_id, id)
"""
NEWEST_FIRST = (
    "grievance_message",
    "grievance",
    "sample_visit",
    "group_audit",
    "member_control",
    "kinship_answer",
    "declaration",
    "assignment",
    "draw",
)
WORDS = {
    "sqlite": {
        "serial": "INTEGER NOT NULL",
        "whole": "INTEGER",
        "flag": "INTEGER",
        "day": "TEXT",
        "moment": "TEXT",
        "strict": " STRICT",
    },
    "postgresql": {
        "serial": "BIGSERIAL NOT NULL",
        "whole": "BIGINT",
        "flag": "BOOLEAN",
        "day": "DATE",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "strict": "",
    },
}
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""


def changes(columns: str) -> str:
    return "(" + " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split()) + ")"


def numbered(prefix: str, column: str) -> str:
    """The public number of a row, as the draws write it."""
    return f"'{prefix}-' || {{padded}}({column})"


# A draw's outcome is one number in brackets and quotes, as its JSON has it.
DRAWN_FOR_IT = f"""EXISTS (SELECT 1 FROM draw d WHERE d.id = NEW.draw_id
    AND d.about = {numbered("BATCH", "NEW.batch_id")}
    AND d.drawn = CASE WHEN NEW.organisation_id IS NULL THEN '[]'
        ELSE '["' || {numbered("ORG", "NEW.organisation_id")} || '"]' END)"""
ITS_VERIFIER = """EXISTS (SELECT 1 FROM organisation o, batch b JOIN site s ON s.id = b.site_id
    JOIN organisation p ON p.id = s.producer_id
    WHERE o.id = NEW.organisation_id AND b.id = NEW.batch_id
      AND o.kind = 'verifier' AND o.id <> p.id AND o.id {differs} p.group_manager_id)"""
GOES_ON = """CASE OLD.state
    WHEN 'offered' THEN NEW.state IN ('taken', 'declined', 'lapsed', 'relieved')
    WHEN 'taken' THEN NEW.state IN ('declined', 'relieved')
    WHEN 'nobody' THEN NEW.state = 'relieved'
    ELSE NEW.state = OLD.state END"""
FIXED = "id batch_id draw_id organisation_id most_cycles due_at"
# Whoever works on a batch does so for the organisation that was drawn, and has declared to have no tie.
ENTITLED = """EXISTS (SELECT 1 FROM assignment a JOIN declaration d ON d.assignment_id = a.id
    JOIN "user" u ON u.id = d.person_id
    WHERE a.batch_id = NEW.id AND a.state = 'taken' AND u.organisation_id = a.organisation_id
      AND d.ties = '' AND d.person_id = NEW.{who})"""
RELATED = """EXISTS (SELECT 1 FROM "user" v, "user" u, site s JOIN organisation p ON p.id = s.producer_id
    WHERE v.id = NEW.verified_by_id AND u.id = NEW.submitted_by_id AND s.id = NEW.site_id
      AND (v.organisation_id = u.organisation_id OR v.organisation_id IN (p.id, p.group_manager_id)))"""
OF_PRODUCER = """b.id <> NEW.id AND b.state IN ('verified', 'issued', 'suspended')
    AND b.site_id IN (SELECT s.id FROM site s
        WHERE s.producer_id = (SELECT t.producer_id FROM site t WHERE t.id = NEW.site_id))"""
ITS_VINTAGE = "{year}(NEW.produced_to)"
# The vintages of this producer that this lead has verified, without a vintage of others alone between them and this.
IN_A_ROW = f"""(SELECT count(DISTINCT {{year}}(b.produced_to)) FROM batch b
    WHERE {OF_PRODUCER} AND b.verified_by_id = NEW.verified_by_id AND {{year}}(b.produced_to) <> {ITS_VINTAGE}
      AND NOT EXISTS (SELECT 1 FROM batch x
        WHERE {OF_PRODUCER.replace("b.", "x.")} AND {{year}}(x.produced_to) <> {ITS_VINTAGE}
          AND ({{year}}(x.produced_to) > {{year}}(b.produced_to)) = ({{year}}(x.produced_to) < {ITS_VINTAGE})
          AND NOT EXISTS (SELECT 1 FROM batch m
            WHERE {OF_PRODUCER.replace("b.", "m.")} AND m.verified_by_id = NEW.verified_by_id
              AND {{year}}(m.produced_to) = {{year}}(x.produced_to))))"""
TOO_LONG = f"""{IN_A_ROW} >= (SELECT a.most_cycles FROM assignment a
    WHERE a.batch_id = NEW.id AND a.state = 'taken')"""
TAKEN = "OLD.state = 'submitted' AND NEW.state = 'in_review'"
VERIFIED = "OLD.state <> 'verified' AND NEW.state = 'verified'"
OWN_SUBMITTER = """EXISTS (SELECT 1 FROM "user" u, site s JOIN organisation p ON p.id = s.producer_id
    WHERE u.id = NEW.submitted_by_id AND s.id = NEW.site_id AND u.organisation_id IN (p.id, p.group_manager_id))"""
SAMPLED = f"""EXISTS (SELECT 1 FROM group_audit g JOIN draw d ON d.id = g.sample_draw_id
    JOIN "user" u ON u.organisation_id = g.organisation_id
    WHERE g.id = NEW.audit_id AND u.id = NEW.visited_by_id
      AND d.drawn LIKE '%"' || {numbered("ORG", "NEW.member_id")} || '"%')"""

# (trigger, table, act, when it is refused, what is said then)
GUARDS = (
    *(
        (f"{table}_never_deleted", table, "DELETE", "OLD.id = OLD.id", f"no {table} is ever deleted")
        for table in NEWEST_FIRST
    ),
    *(
        (f"{table}_never_changed", table, "UPDATE", "OLD.id = OLD.id", f"a {table} stays as it was written")
        for table in NEWEST_FIRST
        if table not in ("assignment", "grievance")
    ),
    (
        "assignment_drawn",
        "assignment",
        "INSERT",
        (
            f"NEW.state NOT IN ('offered', 'nobody') OR NOT ({DRAWN_FOR_IT})"
            f" OR (NEW.organisation_id IS NOT NULL AND NOT {ITS_VERIFIER})"
        ),
        "a batch goes to the verifier that was drawn for it",
    ),
    (
        "assignment_goes_on",
        "assignment",
        "UPDATE",
        (
            f"NOT ({GOES_ON}) OR {changes(FIXED)}"
            f" OR (OLD.taken_by_id IS NOT NULL AND {changes('taken_by_id taken_at')})"
            f" OR (OLD.ended_at IS NOT NULL AND {changes('ended_by_id ended_at reason')})"
        ),
        "an assignment goes its way and not back",
    ),
    (
        "declaration_for_the_job",
        "declaration",
        "INSERT",
        """NOT EXISTS (SELECT 1 FROM assignment a JOIN "user" u ON u.organisation_id = a.organisation_id
            WHERE a.id = NEW.assignment_id AND u.id = NEW.person_id AND a.state IN ('offered', 'taken'))""",
        "who declares works for the verifier that was drawn",
    ),
    (
        "batch_submitted_by_its_own",
        "batch",
        "UPDATE",
        f"OLD.state = 'draft' AND NEW.state = 'submitted' AND NOT {OWN_SUBMITTER}",
        "a batch is submitted by a person of its producer",
    ),
    (
        "batch_taken_by_who_was_drawn",
        "batch",
        "UPDATE",
        f"{TAKEN} AND NOT {ENTITLED.replace('{who}', 'reviewer_id')}",
        "a batch is taken by the verifier that was drawn for it, without ties",
    ),
    (
        "batch_given_back",
        "batch",
        "UPDATE",
        """OLD.state = 'in_review' AND NEW.state = 'submitted'
            AND EXISTS (SELECT 1 FROM assignment a WHERE a.batch_id = NEW.id AND a.state = 'taken')""",
        "a batch comes back from a review that has ended",
    ),
    (
        "batch_verified_by_strangers",
        "batch",
        "UPDATE",
        f"{VERIFIED} AND ({RELATED} OR NOT {ENTITLED.replace('{who}', 'verified_by_id')})",
        "a batch is verified by the verifier that was drawn for it, without ties to its producer",
    ),
    (
        "batch_verified_in_turn",
        "batch",
        "UPDATE",
        f"{VERIFIED} AND {TOO_LONG}",
        "a lead verifies the same producer so many vintages in a row, and no more",
    ),
    (
        "organisation_stays_what_it_is",
        "organisation",
        "UPDATE",
        (
            "NEW.kind <> OLD.kind OR (NEW.group_manager_id {differs} OLD.group_manager_id AND NEW.group_manager_id IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM organisation o WHERE o.id = NEW.group_manager_id AND o.kind = 'group_manager'))"
        ),
        "an organisation stays of its kind, and a group is managed by a group manager",
    ),
    (
        "sample_visit_of_the_sample",
        "sample_visit",
        "INSERT",
        f"NOT {SAMPLED}",
        "who was drawn visits the members that were drawn",
    ),
    (
        "grievance_goes_on",
        "grievance",
        "UPDATE",
        (
            f"{changes('id site_id code_sha256 contact filed_at')}"
            f" OR (OLD.finding_id IS NOT NULL AND {changes('finding_id')})"
        ),
        "a grievance stays as it was filed",
    ),
)
DIALECT = {
    "sqlite": {"differs": "IS NOT", "padded": "independence_padded", "year": "independence_year"},
    "postgresql": {"differs": "IS DISTINCT FROM", "padded": "independence_padded", "year": "independence_year"},
}
# SQLite has no functions of one's own: what they would do is written out.
WRITTEN_OUT = (
    (r"independence_padded\(([^()]+)\)", r"printf('%06d', \1)"),
    (r"independence_year\(([^()]+)\)", r"CAST(substr(\1, 1, 4) AS INTEGER)"),
)
FUNCTIONS = (
    """CREATE FUNCTION independence_padded(bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
        $$ SELECT lpad($1::text, greatest(6, length($1::text)), '0') $$""",
    """CREATE FUNCTION independence_year(date) RETURNS bigint LANGUAGE sql IMMUTABLE AS
        $$ SELECT extract(year FROM $1)::bigint $$""",
)
# A review that has ended gives its batch back to be drawn anew.
REVIEWED = "WHEN 'in_review' THEN NEW.state IN ("
BACK = (f"{REVIEWED}'information_requested'", f"{REVIEWED}'submitted', 'information_requested'")


def written(condition: str, dialect: str) -> str:
    condition = condition.format(**DIALECT[dialect])
    if dialect == "sqlite":
        for function, instead in WRITTEN_OUT:
            condition = re.sub(function, instead, condition)
    return condition


def guards(dialect: str, schema: str) -> list[str]:
    statements = []
    for name, table, act, refused, says in GUARDS:
        condition = written(refused, dialect)
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


def rewrite_way(before: str, after: str) -> None:
    """Change one step of the way that a batch goes, in the trigger that keeps it."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        body = bind.scalar(text("SELECT pg_get_functiondef('batch_guarded_update'::regproc)"))
        assert before in body
        bind.exec_driver_sql(body.replace(before, after).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
        return
    body = bind.scalar(text("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = 'batch_guarded_update'"))
    assert before in body
    bind.exec_driver_sql("DROP TRIGGER batch_guarded_update")
    bind.exec_driver_sql(body.replace(before, after))


# Reviews that were begun before verifiers were drawn go on: their verifier stands as if it had been drawn from itself.
BEGUN_BEFORE = (
    f"""INSERT INTO draw (about, round, event_id, seed, candidates, take, drawn, reason, made_at)
        SELECT {numbered("BATCH", "b.id")}, 1,
            (SELECT max(e.id) FROM event e WHERE e.subject = {numbered("BATCH", "b.id")}),
            '{"0" * 64}', '["' || {numbered("ORG", "u.organisation_id")} || '"]', 1,
            '["' || {numbered("ORG", "u.organisation_id")} || '"]', 'Taken before verifiers were drawn.', b.submitted_at
        FROM batch b JOIN "user" u ON u.id = b.reviewer_id""",
    f"""INSERT INTO assignment (batch_id, draw_id, organisation_id, state, most_cycles, due_at, taken_by_id, taken_at)
        SELECT b.id, d.id, u.organisation_id, 'taken', 3, b.submitted_at, u.id, b.submitted_at
        FROM batch b JOIN "user" u ON u.id = b.reviewer_id JOIN draw d ON d.about = {numbered("BATCH", "b.id")}""",
)


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    if dialect == "postgresql":
        for function in FUNCTIONS:
            op.execute(function)
    for statement in BEGUN_BEFORE:
        op.get_bind().exec_driver_sql(written(statement, dialect))
    rewrite_way(*BACK)
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for statement in guards(dialect, schema):
        op.get_bind().exec_driver_sql(statement.replace("%", "%%") if dialect == "postgresql" else statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for name, table, *_ in GUARDS:
        if table in ("batch", "organisation"):
            op.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if dialect == "postgresql" else ""))
    rewrite_way(*reversed(BACK))
    for table in NEWEST_FIRST:
        op.execute(f"DROP TABLE {table}")
    if dialect == "postgresql":
        for name, *_ in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
        op.execute("DROP FUNCTION independence_padded(bigint)")
        op.execute("DROP FUNCTION independence_year(date)")
