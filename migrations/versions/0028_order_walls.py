"""What plain SQL could still change about an order's offer and payment.

An offer gets back no more than what its orders do not keep. A payment begins unpaid, for an order that awaits one; the
provider's or the bank's name for it is written once, and it goes on one step at a time: what has expired or failed is
never paid, and money that comes then is one too many. A transfer's value date is a day from the order's own to the one
on which it was confirmed.
"""

from alembic import op
from sqlalchemy import text

revision = "0028_order_walls"
down_revision = "0027_standing_orders"
branch_labels = None
depends_on = None

KEPT = """(SELECT coalesce(sum(l.quantity), 0) FROM purchase_line l JOIN purchase o ON o.id = l.order_id
    WHERE l.offer_id = NEW.id AND o.state IN ('awaiting_payment', 'paid', 'delivered'))"""
AWAITED = "SELECT 1 FROM purchase o WHERE o.id = NEW.order_id AND o.state IN ('open', 'awaiting_payment')"
NAMED = " OR ".join(
    f"OLD.{column} IS NOT NULL AND NEW.{column} {{differs}} OLD.{column}" for column in ("reference", "payment")
)
UNDER_WAY = "OLD.state IN ('opening', 'open', 'processing') AND NEW.state <> 'opening'"
TOO_LATE = "OLD.state IN ('expired', 'failed') AND NEW.state = 'surplus'"
ORDERED = "(SELECT {placed} FROM purchase o WHERE o.id = NEW.order_id)"
VALUE_DATE = f"""NEW.value_date IS NOT NULL
    AND (NEW.settled_at IS NULL OR NEW.value_date > {{settled}} OR NEW.value_date < {ORDERED})"""
VALUED = "a value date lies between the order and its confirmation"
# (trigger, table, act, when it is refused, what is said then)
GUARDS = (
    (
        "offer_gets_back_what_is_free",
        "offer",
        "UPDATE",
        f"NEW.remaining > OLD.remaining AND NEW.remaining > NEW.quantity - {KEPT}",
        "an offer gets back no more than its orders do not keep",
    ),
    (
        "payment_begins_unpaid",
        "payment",
        "INSERT",
        f"NEW.state NOT IN ('opening', 'open') OR NOT EXISTS ({AWAITED})",
        "a payment begins unpaid, for an order that awaits one",
    ),
    ("payment_named_once", "payment", "UPDATE", NAMED, "what a payment is called stays so"),
    (
        "payment_step_by_step",
        "payment",
        "UPDATE",
        f"NEW.state <> OLD.state AND NOT ({UNDER_WAY} OR {TOO_LATE})",
        "a payment goes on one step at a time",
    ),
    ("payment_begins_valued", "payment", "INSERT", VALUE_DATE, VALUED),
    ("payment_valued", "payment", "UPDATE", VALUE_DATE, VALUED),
)
DIALECTS = {
    "sqlite": {
        "differs": "IS NOT",
        "placed": "substr(o.placed_at, 1, 10)",
        "settled": "substr(NEW.settled_at, 1, 10)",
    },
    "postgresql": {
        "differs": "IS DISTINCT FROM",
        "placed": "CAST(o.placed_at AT TIME ZONE 'UTC' AS date)",
        "settled": "CAST(NEW.settled_at AT TIME ZONE 'UTC' AS date)",
    },
}


def guard(dialect: str, schema: str, name: str, table: str, act: str, refused: str, says: str) -> list[str]:
    condition = refused.format(**DIALECTS[dialect])
    if dialect == "sqlite":
        return [
            f"""CREATE TRIGGER {name} BEFORE {act} ON {table} WHEN {condition}
                BEGIN SELECT RAISE(ABORT, 'registry: {says}'); END"""
        ]
    return [
        f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
            BEGIN
                IF {condition} THEN
                    RAISE EXCEPTION 'registry: {says}' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
            END $$""",
        f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for each in GUARDS:
        for statement in guard(dialect, str(schema), *each):
            op.execute(statement)


def downgrade() -> None:
    for name, table, *_ in GUARDS:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {name}")
            continue
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {name}()")
