"""What a site keeps: training, members, accidents; files brought in many rows; a batch that is typed step by step.

A record is written once. Whoever finds it wrong strikes it out, with the reason, and enters it anew: nothing is
deleted, and of two counts of one day only one stands. A batch that is being entered is no batch yet: what is typed so
far is kept as it is, and becomes a batch, with all that a batch must have, at its last step.
"""

from alembic import op
from sqlalchemy import text

revision = "0016_site_records"
down_revision = "0015_independence"
branch_labels = None
depends_on = None

# What every record has: whose site, who wrote it, and who struck it out.
RECORD = """
    id {{serial}},
    site_id {{whole}} NOT NULL,
    {columns},
    entered_by_id {{whole}} NOT NULL,
    entered_at {{moment}} NOT NULL,
    struck_by_id {{whole}},
    struck_at {{moment}},
    struck_reason TEXT,
    CONSTRAINT pk_{table} PRIMARY KEY (id),
    CONSTRAINT ck_{table}_struck_by_somebody CHECK ((struck_by_id IS NULL) = (struck_at IS NULL)),
    CONSTRAINT ck_{table}_struck_for_a_reason CHECK (
        (struck_at IS NULL) = (struck_reason IS NULL) AND (struck_reason IS NULL OR trim(struck_reason) <> '')
    ),
    {checks},
    CONSTRAINT fk_{table}_site_id FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT fk_{table}_entered_by_id FOREIGN KEY (entered_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_{table}_struck_by_id FOREIGN KEY (struck_by_id) REFERENCES "user" (id)
"""
# (table, day, columns, checks, whether a day has one record only)
RECORDS = (
    (
        "training_session",
        "held_on",
        (
            "held_on {day} NOT NULL, topic TEXT NOT NULL, minutes {whole} NOT NULL,"
            " women {whole} NOT NULL, men {whole} NOT NULL"
        ),
        (
            "CONSTRAINT ck_training_session_topic_not_blank CHECK (trim(topic) <> ''),"
            " CONSTRAINT ck_training_session_minutes_sound CHECK (minutes BETWEEN 1 AND 60000),"
            " CONSTRAINT ck_training_session_somebody_came"
            " CHECK (women >= 0 AND men >= 0 AND women + men BETWEEN 1 AND 100000)"
        ),
        False,
    ),
    (
        "members_count",
        "counted_on",
        (
            "counted_on {day} NOT NULL, women {whole} NOT NULL, men {whole} NOT NULL,"
            " young_women {whole} NOT NULL, young_men {whole} NOT NULL"
        ),
        (
            "CONSTRAINT ck_members_count_women_sound CHECK (young_women >= 0 AND women BETWEEN young_women AND 100000),"
            " CONSTRAINT ck_members_count_men_sound CHECK (young_men >= 0 AND men BETWEEN young_men AND 100000)"
        ),
        True,
    ),
    (
        "accident",
        "happened_on",
        (
            "happened_on {day} NOT NULL, severity TEXT NOT NULL, hurt {whole} NOT NULL, killed {whole} NOT NULL,"
            " measures TEXT NOT NULL"
        ),
        (
            "CONSTRAINT ck_accident_severity_known CHECK (severity IN ('minor', 'serious', 'fatal')),"
            " CONSTRAINT ck_accident_people_counted CHECK (hurt BETWEEN 0 AND 10000 AND killed BETWEEN 0 AND 10000),"
            " CONSTRAINT ck_accident_fatal_where_killed CHECK ((severity = 'fatal') = (killed > 0)),"
            " CONSTRAINT ck_accident_measures_not_blank CHECK (trim(measures) <> '')"
        ),
        False,
    ),
    (
        "mercury_use",
        "seen_on",
        "seen_on {day} NOT NULL, used TEXT NOT NULL, note TEXT NOT NULL",
        "CONSTRAINT ck_mercury_use_used_known CHECK (used IN ('yes', 'no', 'unknown'))",
        True,
    ),
    (
        "formalisation",
        "reached_on",
        "reached_on {day} NOT NULL, stage TEXT NOT NULL, source TEXT NOT NULL",
        (
            "CONSTRAINT ck_formalisation_stage_known"
            " CHECK (stage IN ('informal', 'in_process', 'licensed', 'certified')),"
            " CONSTRAINT ck_formalisation_source_not_blank CHECK (trim(source) <> '')"
        ),
        True,
    ),
    (
        "miners_count",
        "counted_on",
        "counted_on {day} NOT NULL, miners {whole} NOT NULL",
        "CONSTRAINT ck_miners_count_miners_sound CHECK (miners BETWEEN 0 AND 100000)",
        True,
    ),
)
ENTRY = """
CREATE TABLE batch_entry (
    id {serial},
    site_id {whole} NOT NULL,
    mineral_code TEXT NOT NULL,
    typed TEXT NOT NULL,
    step {whole} NOT NULL,
    state TEXT NOT NULL,
    begun_by_id {whole} NOT NULL,
    begun_at {moment} NOT NULL,
    saved_at {moment} NOT NULL,
    batch_id {whole},
    CONSTRAINT pk_batch_entry PRIMARY KEY (id),
    CONSTRAINT ck_batch_entry_state_known CHECK (state IN ('open', 'finished', 'dropped')),
    CONSTRAINT ck_batch_entry_finished_as_batch CHECK ((state = 'finished') = (batch_id IS NOT NULL)),
    CONSTRAINT ck_batch_entry_step_sound CHECK (step BETWEEN 1 AND 4),
    CONSTRAINT fk_batch_entry_site_id FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT fk_batch_entry_begun_by_id FOREIGN KEY (begun_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_batch_entry_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id)
){strict};
CREATE INDEX ix_batch_entry_site_id ON batch_entry (site_id, state);

CREATE TABLE import_file (
    id {serial},
    kind TEXT NOT NULL,
    organisation_id {whole} NOT NULL,
    filename TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    line_count {whole} NOT NULL,
    lines TEXT NOT NULL,
    state TEXT NOT NULL,
    checked {whole} NOT NULL,
    made {whole} NOT NULL,
    wrong {whole} NOT NULL,
    findings TEXT NOT NULL,
    refusal TEXT,
    sent_by_id {whole} NOT NULL,
    sent_at {moment} NOT NULL,
    confirmed_by_id {whole},
    closed_at {moment},
    CONSTRAINT pk_import_file PRIMARY KEY (id),
    CONSTRAINT ck_import_file_kind_known CHECK (kind IN ('sites', 'batches', 'members')),
    CONSTRAINT ck_import_file_state_known
        CHECK (state IN ('checking', 'wrong', 'sound', 'entering', 'entered', 'refused', 'dropped')),
    CONSTRAINT ck_import_file_sha256_whole CHECK (length(sha256) = 64),
    CONSTRAINT ck_import_file_lines_counted CHECK (line_count BETWEEN 1 AND 10000 AND checked BETWEEN 0 AND line_count),
    CONSTRAINT ck_import_file_all_or_nothing CHECK (made = CASE WHEN state = 'entered' THEN line_count ELSE 0 END),
    CONSTRAINT ck_import_file_entered_without_fault CHECK (wrong >= 0 AND (wrong = 0 OR state <> 'entered')),
    CONSTRAINT ck_import_file_closed_at_a_time
        CHECK ((state IN ('wrong', 'entered', 'refused', 'dropped')) = (closed_at IS NOT NULL)),
    CONSTRAINT ck_import_file_entered_as_confirmed
        CHECK (state NOT IN ('entering', 'entered') OR confirmed_by_id IS NOT NULL),
    CONSTRAINT fk_import_file_confirmed_by_id FOREIGN KEY (confirmed_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_import_file_organisation_id FOREIGN KEY (organisation_id) REFERENCES organisation (id),
    CONSTRAINT fk_import_file_sent_by_id FOREIGN KEY (sent_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_import_file_organisation_id ON import_file (organisation_id, id);
CREATE INDEX ix_import_file_state ON import_file (state);
CREATE UNIQUE INDEX uq_import_file_entered ON import_file (organisation_id, kind, sha256) WHERE state = 'entered'
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
DIFFERS = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}
# A bare connection's REPLACE would delete rows past their triggers.
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""
OVER = "OLD.state IN ('finished', 'dropped')"
CLOSED = "OLD.state IN ('wrong', 'entered', 'refused', 'dropped')"


def tables() -> list[str]:
    """Every table with its indexes, for `str.format`."""
    statements = []
    for table, day, columns, checks, once_a_day in RECORDS:
        body = RECORD.format(table=table, columns=columns, checks=checks)
        statements.append(f"CREATE TABLE {table} ({body}){{strict}}")
        statements.append(f"CREATE INDEX ix_{table}_site_id ON {table} (site_id, {day})")
        if once_a_day:
            standing = f"ON {table} (site_id, {day}) WHERE struck_at IS NULL"
            statements.append(f"CREATE UNIQUE INDEX uq_{table}_site_id_{day} {standing}")
    return statements + ENTRY.split(";\n")


def guards() -> list[tuple[str, str, str, str, str]]:
    """(trigger, table, act, when it is refused, what is said then)"""
    found = []
    for table, _day, columns, _checks, _once in RECORDS:
        own = [part.split()[0] for part in columns.split(",")]
        kept = " OR ".join(
            f"NEW.{name} {{differs}} OLD.{name}" for name in ("id", "site_id", *own, "entered_by_id", "entered_at")
        )
        says = f"a {table} stays as it was written, and is struck out once"
        found.append((f"{table}_struck_once", table, "UPDATE", f"OLD.struck_at IS NOT NULL OR {kept}", says))
    for table, *_rest in RECORDS:
        found.append((f"{table}_never_deleted", table, "DELETE", "OLD.id = OLD.id", f"no {table} is ever deleted"))
    for table, over in (("batch_entry", OVER), ("import_file", CLOSED)):
        found.append((f"{table}_closed_for_good", table, "UPDATE", over, f"a closed {table} stays closed"))
        found.append((f"{table}_never_deleted", table, "DELETE", "OLD.id = OLD.id", f"no {table} is ever deleted"))
    return found


NEWEST_FIRST = ("import_file", "batch_entry", *(table for table, *_ in reversed(RECORDS)))


def statements_of(dialect: str, schema: str) -> list[str]:
    statements = [statement.format(**WORDS[dialect]) for statement in tables() if statement.strip()]
    for name, table, act, refused, says in guards():
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


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for statement in statements_of(dialect, schema):
        op.execute(statement)


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table in NEWEST_FIRST:
        op.execute(f"DROP TABLE {table}")
    if postgresql:
        for name, *_rest in guards():
            op.execute(f"DROP FUNCTION {name}()")
