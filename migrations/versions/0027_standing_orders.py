"""Orders by quantity that wait until credits that fit are offered.

A standing order begins empty and stays as it was left. What is ordered for it is counted here, by the database: up when
an ordinary order of it is reserved, down when that one is cancelled, and then the standing order pauses, so that nobody
keeps credits from others without paying. So no more is ever ordered than was wanted, at a higher price, or of another
mineral, whoever asks at the same moment. Whether such an order is kept or retired is said while it awaits its payment,
for nobody was there to say so before. Safe while the previous version runs.
"""

from alembic import op
from sqlalchemy import text

revision = "0027_standing_orders"
down_revision = "0026_market_walls"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE standing_order (
    id {serial},
    buyer_id {whole} NOT NULL,
    placed_by_id {whole} NOT NULL,
    placed_at {moment} NOT NULL,
    acting_id {whole} NOT NULL,
    waiting_since {moment} NOT NULL,
    mineral_code TEXT NOT NULL,
    currency TEXT NOT NULL,
    vintage {whole},
    country TEXT,
    level TEXT,
    sorting TEXT NOT NULL,
    quantity {whole} NOT NULL,
    smallest {whole} NOT NULL,
    filled {whole} NOT NULL,
    price {whole} NOT NULL,
    until {day} NOT NULL,
    means TEXT NOT NULL,
    billing TEXT NOT NULL,
    open_to_public {flag} NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    closed_at {moment},
    CONSTRAINT pk_standing_order PRIMARY KEY (id),
    CONSTRAINT ck_standing_order_currency_known CHECK (currency IN ('USD', 'EUR', 'GBP', 'CHF', 'JPY')),
    CONSTRAINT ck_standing_order_sorting_known CHECK (sorting IN ('newest', 'cheapest', 'oldest')),
    CONSTRAINT ck_standing_order_means_known CHECK (means IN ('stripe', 'bank_transfer')),
    CONSTRAINT ck_standing_order_state_known
        CHECK (state IN ('waiting', 'paused', 'fulfilled', 'ended', 'expired')),
    CONSTRAINT ck_standing_order_quantity_positive CHECK (quantity > 0),
    CONSTRAINT ck_standing_order_smallest_sound CHECK (smallest BETWEEN 1 AND quantity),
    CONSTRAINT ck_standing_order_price_positive CHECK (price > 0),
    CONSTRAINT ck_standing_order_filled_sound CHECK (filled BETWEEN 0 AND quantity),
    CONSTRAINT ck_standing_order_fulfilled_whole CHECK ((state = 'fulfilled') = (filled = quantity)),
    CONSTRAINT ck_standing_order_closed_at_a_time CHECK ((state IN ('ended', 'expired')) = (closed_at IS NOT NULL)),
    CONSTRAINT fk_standing_order_buyer_id FOREIGN KEY (buyer_id) REFERENCES organisation (id),
    CONSTRAINT fk_standing_order_placed_by_id FOREIGN KEY (placed_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_standing_order_acting_id FOREIGN KEY (acting_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_standing_order_buyer_id ON standing_order (buyer_id, id);
CREATE INDEX ix_standing_order_state ON standing_order (state, waiting_since, id);

CREATE TABLE standing_part (
    order_id {whole} NOT NULL,
    standing_id {whole} NOT NULL,
    quantity {whole} NOT NULL,
    CONSTRAINT pk_standing_part PRIMARY KEY (order_id),
    CONSTRAINT ck_standing_part_quantity_positive CHECK (quantity > 0),
    CONSTRAINT fk_standing_part_order_id FOREIGN KEY (order_id) REFERENCES purchase (id),
    CONSTRAINT fk_standing_part_standing_id FOREIGN KEY (standing_id) REFERENCES standing_order (id)
){strict};
CREATE INDEX ix_standing_part_standing_id ON standing_part (standing_id)
"""
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
NEWEST_FIRST = ("standing_part", "standing_order")
# A bare connection's REPLACE would delete rows past their triggers.
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""


def changes(columns: str) -> str:
    return " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split())


LEFT = """id buyer_id placed_by_id placed_at mineral_code currency vintage country level sorting quantity smallest price
    until means billing open_to_public"""
STEPS = (
    ("waiting", "paused"),
    ("waiting", "fulfilled"),
    ("waiting", "ended"),
    ("waiting", "expired"),
    ("paused", "waiting"),
    ("paused", "ended"),
    ("paused", "expired"),
    ("fulfilled", "paused"),
)
A_STEP = " OR ".join(f"OLD.state = '{before}' AND NEW.state = '{after}'" for before, after in STEPS)
ORDERED = """(SELECT coalesce(sum(p.quantity), 0) FROM standing_part p JOIN purchase o ON o.id = p.order_id
    WHERE p.standing_id = NEW.id AND o.state <> 'cancelled')"""
FITS = """EXISTS (SELECT 1 FROM standing_order s JOIN purchase o ON o.id = NEW.order_id
    WHERE s.id = NEW.standing_id AND s.state = 'waiting' AND o.state = 'awaiting_payment'
        AND o.buyer_id = s.buyer_id AND o.currency = s.currency
        AND (NEW.quantity >= s.smallest OR NEW.quantity = s.quantity - s.filled)
        AND NEW.quantity = (SELECT sum(l.quantity) FROM purchase_line l WHERE l.order_id = o.id)
        AND NOT EXISTS (SELECT 1 FROM purchase_line l JOIN offer f ON f.id = l.offer_id
            JOIN issuance_attributes i ON i.id = l.issuance_id
            WHERE l.order_id = o.id AND (l.price > s.price OR f.mineral_code <> s.mineral_code
                OR s.vintage IS NOT NULL AND i.vintage <> s.vintage)))"""
# (trigger, table, act, when it is refused, what is said then)
GUARDS = (
    (
        "standing_order_never_deleted",
        "standing_order",
        "DELETE",
        "OLD.id = OLD.id",
        "no standing order is ever deleted",
    ),
    (
        "standing_part_never_deleted",
        "standing_part",
        "DELETE",
        "OLD.order_id = OLD.order_id",
        "a part is never deleted",
    ),
    ("standing_part_never_changed", "standing_part", "UPDATE", "OLD.order_id = OLD.order_id", "a part stays as it was"),
    (
        "standing_order_begins_empty",
        "standing_order",
        "INSERT",
        "NEW.state <> 'waiting' OR NEW.filled <> 0",
        "a standing order begins waiting, with nothing ordered",
    ),
    (
        "standing_order_stays",
        "standing_order",
        "UPDATE",
        f"NEW.state <> OLD.state AND NOT ({A_STEP}) OR {changes(LEFT)}",
        "a standing order stays as it was left, and goes on one step at a time",
    ),
    (
        "standing_order_counts",
        "standing_order",
        "UPDATE",
        f"NEW.filled <> OLD.filled AND NEW.filled <> {ORDERED}",
        "what is filled of a standing order is what is ordered of it",
    ),
    (
        "standing_part_fits",
        "standing_part",
        "INSERT",
        f"NOT {FITS}",
        "an order of a standing order is what its buyer wants, at no higher price",
    ),
)
# What 0020 and 0026 say of any order, but for the use of one that waits to be paid for a standing order.
AGREED = "id buyer_id placed_at means currency premium verification_share registry_fee subtotal tax_ppm tax total"
ENDED = "OLD.state IN ('cancelled', 'refunded')"
BACK = "OLD.state <> 'open' AND NEW.state = 'open'"
UNDELIVERED = "OLD.state = 'delivered' AND NEW.state NOT IN ('delivered', 'refunded')"
CHOSEN = """OLD.state = 'awaiting_payment' AND NEW.state = 'awaiting_payment'
    AND EXISTS (SELECT 1 FROM standing_part p WHERE p.order_id = NEW.id)"""
RETIRED = """OLD.state = 'delivered' AND NEW.state = 'delivered' AND OLD.use = 'retire' AND {retired} = (
    SELECT count(*) FROM purchase_line l WHERE l.order_id = NEW.id)"""
STANDS = f"{ENDED} OR {BACK} OR {UNDELIVERED} OR OLD.state <> 'open' AND ({changes(AGREED)}"
USES = changes("use")
CLAIMS = f"OLD.state <> 'open' AND {changes('claim')} AND NOT coalesce({RETIRED}, FALSE)"
AS_AGREED = "an order stays as it was agreed, and ends once"
IN_WHOSE_NAME = "in whose name an order is retired stands still"
USE_BEFORE = (
    ("purchase_goes_on", "purchase", "UPDATE", f"{STANDS} OR {USES})", AS_AGREED),
    ("purchase_keeps_claim", "purchase", "UPDATE", CLAIMS, IN_WHOSE_NAME),
)
USE_NOW = (
    ("purchase_goes_on", "purchase", "UPDATE", f"{STANDS} OR {USES} AND NOT ({CHOSEN}))", AS_AGREED),
    ("purchase_keeps_claim", "purchase", "UPDATE", f"{CLAIMS} AND NOT ({CHOSEN})", IN_WHOSE_NAME),
)
COUNT_UP = """UPDATE standing_order SET filled = filled + NEW.quantity,
    state = CASE WHEN filled + NEW.quantity = quantity THEN 'fulfilled' ELSE state END
    WHERE id = NEW.standing_id AND state = 'waiting'"""
COUNT_DOWN = """UPDATE standing_order SET
    filled = filled - (SELECT p.quantity FROM standing_part p WHERE p.order_id = NEW.id),
    state = CASE WHEN state IN ('waiting', 'fulfilled') THEN 'paused' ELSE state END
    WHERE id = (SELECT p.standing_id FROM standing_part p WHERE p.order_id = NEW.id)"""
NOT_WAITING = "the standing order waits no more"
DIALECTS = {
    "sqlite": {
        "differs": "IS NOT",
        "retired": """CASE WHEN json(OLD.claim) = json(json_remove(NEW.claim, '$.retirements'))
            THEN json_array_length(NEW.claim, '$.retirements') END""",
    },
    "postgresql": {
        "differs": "IS DISTINCT FROM",
        "retired": """CASE WHEN CAST(OLD.claim AS jsonb) = CAST(NEW.claim AS jsonb) - 'retirements'
            AND jsonb_typeof(CAST(NEW.claim AS jsonb) -> 'retirements') = 'array'
            THEN jsonb_array_length(CAST(NEW.claim AS jsonb) -> 'retirements') END""",
    },
}


def guards(dialect: str, schema: str, wanted: tuple[tuple[str, ...], ...] = GUARDS) -> list[str]:
    statements = []
    for name, table, act, refused, says in wanted:
        condition = refused.format(**DIALECTS[dialect])
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
    return statements


def counting(dialect: str, schema: str) -> list[str]:
    """The triggers that count. On PostgreSQL somebody may have ended it while we waited for its row."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER standing_part_counts AFTER INSERT ON standing_part BEGIN {COUNT_UP}; END",
            f"""CREATE TRIGGER standing_order_gets_back AFTER UPDATE OF state ON purchase
                WHEN NEW.state = 'cancelled' AND OLD.state <> 'cancelled' BEGIN {COUNT_DOWN}; END""",
        ]
    begins = f"RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$ BEGIN"
    return [
        f"""CREATE FUNCTION standing_part_counts() {begins}
            {COUNT_UP};
            IF NOT FOUND THEN
                RAISE EXCEPTION 'registry: {NOT_WAITING}' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL; END $$""",
        """CREATE TRIGGER standing_part_counts AFTER INSERT ON standing_part
            FOR EACH ROW EXECUTE FUNCTION standing_part_counts()""",
        f"CREATE FUNCTION standing_order_gets_back() {begins} {COUNT_DOWN}; RETURN NULL; END $$",
        """CREATE TRIGGER standing_order_gets_back AFTER UPDATE OF state ON purchase FOR EACH ROW
            WHEN (NEW.state = 'cancelled' AND OLD.state <> 'cancelled') EXECUTE FUNCTION standing_order_gets_back()""",
    ]


def whole_tables(dialect: str) -> list[str]:
    """Nobody empties a table, or writes past its triggers."""
    if dialect == "postgresql":
        return [
            f"""CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}
                EXECUTE FUNCTION ledger_refuse('{table} is final')"""
            for table in NEWEST_FIRST
        ]
    return [
        f"""CREATE TRIGGER {table}_carefully_{act.lower()} BEFORE {act} ON {table} WHEN NOT ({CAREFUL})
            BEGIN SELECT RAISE(ABORT, 'registry: this connection keeps no rules; see credits/db.py'); END"""
        for table in NEWEST_FIRST
        for act in ("INSERT", "UPDATE")
    ]


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    schema = schema_of(dialect)
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    for statement in (*guards(dialect, schema), *counting(dialect, schema), *whole_tables(dialect)):
        op.execute(statement)
    guard_use(USE_NOW)


def schema_of(dialect: str) -> str:
    if dialect == "sqlite":
        return "main"
    return str(op.get_bind().scalar(text("SELECT quote_ident(current_schema())")))


def guard_use(wanted: tuple[tuple[str, ...], ...]) -> None:
    """Put these in the place of the triggers that have their names."""
    dialect = op.get_bind().dialect.name
    for name, table, *_rest in wanted:
        op.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if dialect == "postgresql" else ""))
        if dialect == "postgresql":
            op.execute(f"DROP FUNCTION {name}()")
    for statement in guards(dialect, schema_of(dialect), wanted):
        op.execute(statement)


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    guard_use(USE_BEFORE)
    op.execute(f"DROP TRIGGER standing_order_gets_back{' ON purchase' if postgresql else ''}")
    for table in NEWEST_FIRST:
        op.execute(f"DROP TABLE {table}")
    if postgresql:
        for name in (*(name for name, *_rest in GUARDS), "standing_part_counts", "standing_order_gets_back"):
            op.execute(f"DROP FUNCTION {name}()")
