"""What companies have published about their retirements.

A claim names how much of which retirements it is about once, when it is made; of all claims that are not withdrawn no
more is claimed than was retired, also by two at once: who adds a quantity locks the retirement first. Texts are placed,
corrected and withdrawn by later entries.
"""

from alembic import op
from sqlalchemy import text

revision = "0024_claims"
down_revision = "0023_certificates"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE published_claim (
    id {serial},
    organisation_id {whole} NOT NULL,
    about TEXT NOT NULL,
    made_by_id {whole} NOT NULL,
    made_at {moment} NOT NULL,
    CONSTRAINT pk_published_claim PRIMARY KEY (id),
    CONSTRAINT ck_published_claim_about_not_blank CHECK (trim(about) <> ''),
    CONSTRAINT fk_published_claim_organisation_id FOREIGN KEY (organisation_id) REFERENCES organisation (id),
    CONSTRAINT fk_published_claim_made_by_id FOREIGN KEY (made_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_published_claim_organisation_id ON published_claim (organisation_id, id);

CREATE TABLE claimed_quantity (
    claim_id {whole} NOT NULL,
    retirement_id {whole} NOT NULL,
    quantity {whole} NOT NULL,
    CONSTRAINT pk_claimed_quantity PRIMARY KEY (claim_id, retirement_id),
    CONSTRAINT ck_claimed_quantity_quantity_positive CHECK (quantity > 0),
    CONSTRAINT fk_claimed_quantity_claim_id FOREIGN KEY (claim_id) REFERENCES published_claim (id),
    CONSTRAINT fk_claimed_quantity_retirement_id FOREIGN KEY (retirement_id) REFERENCES retirement (id)
){strict};
CREATE INDEX ix_claimed_quantity_retirement_id ON claimed_quantity (retirement_id);

CREATE TABLE claim_entry (
    id {serial},
    claim_id {whole} NOT NULL,
    kind TEXT NOT NULL,
    corrects_id {whole},
    medium TEXT,
    address TEXT,
    published_on {day},
    language TEXT,
    text TEXT,
    reason TEXT,
    said_by_id {whole} NOT NULL,
    said_at {moment} NOT NULL,
    CONSTRAINT pk_claim_entry PRIMARY KEY (id),
    CONSTRAINT ck_claim_entry_kind_known CHECK (kind IN ('placed', 'corrected', 'withdrawn')),
    CONSTRAINT ck_claim_entry_language_known CHECK (language IN ('en', 'fr', 'es', 'pt', 'sw')),
    CONSTRAINT ck_claim_entry_corrects_something CHECK ((kind = 'corrected') = (corrects_id IS NOT NULL)),
    CONSTRAINT ck_claim_entry_withdrawn_for_a_reason CHECK ((kind = 'withdrawn') = (reason IS NOT NULL)),
    CONSTRAINT ck_claim_entry_placed_whole CHECK (
        (kind = 'withdrawn') = (text IS NULL) AND (text IS NULL) = (medium IS NULL)
        AND (text IS NULL) = (published_on IS NULL) AND (text IS NULL) = (language IS NULL)
    ),
    CONSTRAINT ck_claim_entry_address_of_a_text CHECK (address IS NULL OR text IS NOT NULL),
    CONSTRAINT uq_claim_entry_claim_id_id UNIQUE (claim_id, id),
    CONSTRAINT uq_claim_entry_corrects_id UNIQUE (corrects_id),
    CONSTRAINT fk_claim_entry_claim_id FOREIGN KEY (claim_id) REFERENCES published_claim (id),
    CONSTRAINT fk_claim_entry_claim_id_corrects_id
        FOREIGN KEY (claim_id, corrects_id) REFERENCES claim_entry (claim_id, id),
    CONSTRAINT fk_claim_entry_said_by_id FOREIGN KEY (said_by_id) REFERENCES "user" (id)
){strict};
CREATE UNIQUE INDEX uq_claim_entry_withdrawn ON claim_entry (claim_id) WHERE kind = 'withdrawn'
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
NEWEST_FIRST = ("claim_entry", "claimed_quantity", "published_claim")

# A bare connection's REPLACE would delete rows past their triggers.
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""
STANDING = """NOT EXISTS (SELECT 1 FROM claim_entry w WHERE w.claim_id = q.claim_id AND w.kind = 'withdrawn')"""
TOO_MUCH = f"""NEW.quantity + coalesce(
        (SELECT sum(q.quantity) FROM claimed_quantity q WHERE q.retirement_id = NEW.retirement_id AND {STANDING}), 0)
    > (SELECT r.quantity FROM retirement r WHERE r.id = NEW.retirement_id)"""
WITHDRAWN = "EXISTS (SELECT 1 FROM claim_entry w WHERE w.claim_id = NEW.claim_id AND w.kind = 'withdrawn')"

# (trigger, table, act, what is locked first, when it is refused, what is said then)
GUARDS = (
    *(
        (f"{table}_never_{done}", table, act, "", f"OLD.{key} = OLD.{key}", f"no {table} is ever {done}")
        for table, key in (("published_claim", "id"), ("claimed_quantity", "claim_id"), ("claim_entry", "id"))
        for act, done in (("UPDATE", "changed"), ("DELETE", "deleted"))
    ),
    (
        "claimed_quantity_within_retired",
        "claimed_quantity",
        "INSERT",
        "PERFORM 1 FROM retirement r WHERE r.id = NEW.retirement_id FOR NO KEY UPDATE;",
        TOO_MUCH,
        "no more is claimed than was retired",
    ),
    (
        "claimed_quantity_with_its_claim",
        "claimed_quantity",
        "INSERT",
        "",
        "EXISTS (SELECT 1 FROM claim_entry e WHERE e.claim_id = NEW.claim_id)",
        "a claim names its quantities when it is made",
    ),
    (
        "claim_entry_while_it_stands",
        "claim_entry",
        "INSERT",
        "",
        WITHDRAWN,
        "nothing is added to a claim that is withdrawn",
    ),
)


def guards(dialect: str, schema: str) -> list[str]:
    statements = []
    for name, table, act, first, condition, says in GUARDS:
        if dialect == "sqlite":
            statements.append(
                f"""CREATE TRIGGER {name} BEFORE {act} ON {table} WHEN {condition}
                    BEGIN SELECT RAISE(ABORT, 'registry: {says}'); END"""
            )
            continue
        statements += [
            f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
                BEGIN
                    {first}
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
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for statement in guards(dialect, schema):
        op.execute(statement)


def downgrade() -> None:
    for table in NEWEST_FIRST:
        op.execute(f"DROP TABLE {table}")
    if op.get_bind().dialect.name == "postgresql":
        for name, *_rest in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
