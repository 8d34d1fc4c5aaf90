"""What a manufacturer declares to use of a mineral in a year, and how each retirement counts against it.

A declaration is changed by a newer version, which follows on the last one. How a retirement counts is written beside it
once, with what was declared at that moment; of retirements from before, nothing was declared. Whom a retirement is for is
found as the rule of that day finds it: a manufacturer with this register number, else the manufacturer that retired,
else country and identifier.
"""

import unicodedata

from alembic import op
from sqlalchemy import text

revision = "0022_declared_use"
down_revision = "0021_premium"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE use_line (
    id {serial},
    organisation_id {whole} NOT NULL,
    party TEXT NOT NULL,
    beneficiary TEXT NOT NULL,
    mineral_code TEXT NOT NULL,
    year {whole} NOT NULL,
    product_line TEXT NOT NULL,
    CONSTRAINT pk_use_line PRIMARY KEY (id),
    CONSTRAINT ck_use_line_year_sound CHECK (year BETWEEN 2000 AND 2199),
    CONSTRAINT ck_use_line_product_line_not_blank CHECK (trim(product_line) <> ''),
    CONSTRAINT fk_use_line_organisation_id FOREIGN KEY (organisation_id) REFERENCES organisation (id),
    CONSTRAINT uq_use_line_once UNIQUE (organisation_id, party, mineral_code, year, product_line)
){strict};
CREATE INDEX ix_use_line_party ON use_line (party, mineral_code, year);

CREATE TABLE use_version (
    line_id {whole} NOT NULL,
    version {whole} NOT NULL,
    quantity {whole} NOT NULL,
    per_unit_ng {whole},
    units {whole},
    reason TEXT NOT NULL,
    declared_by_id {whole} NOT NULL,
    declared_at {moment} NOT NULL,
    CONSTRAINT pk_use_version PRIMARY KEY (line_id, version),
    CONSTRAINT ck_use_version_version_counted CHECK (version >= 1),
    CONSTRAINT ck_use_version_quantity_sound CHECK (quantity >= 0),
    CONSTRAINT ck_use_version_worked_out_whole CHECK ((per_unit_ng IS NULL) = (units IS NULL)),
    CONSTRAINT ck_use_version_worked_out_sound CHECK (per_unit_ng > 0 AND units > 0),
    CONSTRAINT ck_use_version_changed_for_a_reason CHECK (version = 1 OR trim(reason) <> ''),
    CONSTRAINT fk_use_version_line_id FOREIGN KEY (line_id) REFERENCES use_line (id),
    CONSTRAINT fk_use_version_declared_by_id FOREIGN KEY (declared_by_id) REFERENCES "user" (id)
){strict};

CREATE TABLE retirement_use (
    retirement_id {whole} NOT NULL,
    party TEXT NOT NULL,
    mineral_code TEXT NOT NULL,
    year {whole} NOT NULL,
    quantity {whole} NOT NULL,
    declared {whole},
    surplus {whole} NOT NULL,
    CONSTRAINT pk_retirement_use PRIMARY KEY (retirement_id),
    CONSTRAINT ck_retirement_use_surplus_sound CHECK (surplus BETWEEN 0 AND quantity),
    CONSTRAINT ck_retirement_use_surplus_over_declared CHECK (declared >= 0 OR (declared IS NULL AND surplus = 0)),
    CONSTRAINT fk_retirement_use_retirement_id FOREIGN KEY (retirement_id) REFERENCES retirement (id)
){strict};
CREATE INDEX ix_retirement_use_party ON retirement_use (party, mineral_code, year)
"""
WORDS = {
    "sqlite": {"serial": "INTEGER NOT NULL", "whole": "INTEGER", "moment": "TEXT", "strict": " STRICT"},
    "postgresql": {
        "serial": "BIGSERIAL NOT NULL",
        "whole": "BIGINT",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "strict": "",
    },
}
NEWEST_FIRST = ("retirement_use", "use_version", "use_line")

# A bare connection's REPLACE would delete rows past their triggers.
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""
FOLLOWS = """NEW.version = 1 + coalesce((SELECT max(v.version) FROM use_version v WHERE v.line_id = NEW.line_id), 0)"""
OF_THE_RETIREMENT = """EXISTS (SELECT 1 FROM retirement r JOIN issuance_attributes i ON i.id = r.issuance_id
    WHERE r.id = NEW.retirement_id AND r.quantity = NEW.quantity AND i.mineral_code = NEW.mineral_code)"""

# (trigger, table, act, when it is refused, what is said then)
GUARDS = (
    *(
        (f"{table}_never_{done}", table, act, f"OLD.{key} = OLD.{key}", f"no {table} is ever {done}")
        for table, key in (("use_line", "id"), ("use_version", "line_id"), ("retirement_use", "retirement_id"))
        for act, done in (("UPDATE", "changed"), ("DELETE", "deleted"))
    ),
    ("use_version_follows", "use_version", "INSERT", f"NOT ({FOLLOWS})", "a version follows on the last one"),
    (
        "retirement_use_of_its_retirement",
        "retirement_use",
        "INSERT",
        f"NOT {OF_THE_RETIREMENT}",
        "a retirement counts with its own mineral and quantity",
    ),
)


def guards(dialect: str, schema: str) -> list[str]:
    statements = []
    for name, table, act, condition, says in GUARDS:
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


def tidied(identifier: str) -> str:
    plain = unicodedata.normalize("NFKD", identifier).casefold()
    return "".join(sign for sign in plain if sign.isalnum()).upper()


def year_of(first: str, last: str) -> int:
    """The year in which most days of the period lie, the earlier one of two that have as many."""
    if first[:4] == last[:4]:
        return int(first[:4])
    days = "SELECT julianday(:last) - julianday(:turn) + 1, julianday(:turn) - julianday(:first)"
    if op.get_bind().dialect.name == "postgresql":
        days = "SELECT CAST(:last AS date) - CAST(:turn AS date) + 1, CAST(:turn AS date) - CAST(:first AS date)"
    after, before = op.get_bind().execute(text(days), {"first": first, "last": last, "turn": f"{last[:4]}-01-01"}).one()
    return int(last[:4]) if after > before else int(first[:4])


def count_earlier() -> None:
    """Let the retirements from before count, with nothing declared."""
    bind = op.get_bind()
    makers = bind.execute(
        text(
            "SELECT id, country, registration_number FROM organisation"
            " WHERE kind = 'manufacturer' AND kyc IN ('approved', 'suspended') ORDER BY id DESC"
        )
    ).all()
    registered = {(country, tidied(number)): key for key, country, number in makers if number}
    kept = {key for key, _country, _number in makers}
    earlier = bind.execute(
        text(
            "SELECT r.id, r.holder_id, r.beneficiary_country, r.beneficiary_identifier, r.claim_from, r.claim_to,"
            " r.quantity, i.mineral_code FROM retirement r JOIN issuance_attributes i ON i.id = r.issuance_id"
        )
    )
    rows = []
    for retirement, holder, country, identifier, first, last, quantity, mineral in earlier:
        named = tidied(identifier)
        maker = registered.get((country, named), holder if holder in kept else None)
        party = f"{country} {named or identifier}" if maker is None else f"ORG-{maker:06d}"
        year = year_of(str(first), str(last))
        rows.append({"id": retirement, "party": party, "mineral": mineral, "year": year, "quantity": quantity})
    if rows:
        bind.execute(
            text(
                "INSERT INTO retirement_use (retirement_id, party, mineral_code, year, quantity, declared, surplus)"
                " VALUES (:id, :party, :mineral, :year, :quantity, NULL, 0)"
            ),
            rows,
        )


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    count_earlier()
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for statement in guards(dialect, schema):
        op.execute(statement)


def downgrade() -> None:
    for table in NEWEST_FIRST:
        op.execute(f"DROP TABLE {table}")
    if op.get_bind().dialect.name == "postgresql":
        for name, *_rest in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
