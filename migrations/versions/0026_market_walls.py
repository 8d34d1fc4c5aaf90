"""What no statement past the operations does to the market either.

An order begins open and goes on one step at a time. It leaves `open` with the sums of its lines, ends cancelled only
when nobody can pay it any more, and refunded only when money goes back. What was agreed, paid and delivered stands
still. A payment is of its order's total. A refund is of its payment, and less only after a dispute, at most what is
left. One that is done comes back only by the provider's word.
"""

from alembic import op
from sqlalchemy import text

revision = "0026_market_walls"
down_revision = "0025_documents"
branch_labels = None
depends_on = None

TABLES = (
    "premium_floor",
    "offer",
    "purchase",
    "purchase_line",
    "payment",
    "provider_event",
    "refund",
    "dispute",
    "premium_committee",
    "premium_decision",
    "premium_revocation",
    "disbursement",
    "premium_use",
    "premium_paper",
    "money_account",
    "money_posting",
    "money_entry",
)
# A bare connection's UPDATE OR REPLACE would delete rows past their triggers.
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""


def changes(columns: str) -> str:
    return " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split())


STEPS = (
    ("open", "awaiting_payment"),
    ("open", "cancelled"),
    ("awaiting_payment", "paid"),
    ("awaiting_payment", "cancelled"),
    ("paid", "delivered"),
    ("paid", "refunded"),
    ("delivered", "refunded"),
)
A_STEP = " OR ".join(f"OLD.state = '{before}' AND NEW.state = '{after}'" for before, after in STEPS)
ONCE = " OR ".join(
    f"OLD.{column} IS NOT NULL AND NEW.{column} {{differs}} OLD.{column}"
    for column in ("paid_at", "delivered_at", "posting_id")
)
AGREED = "placed_by_id billing open_to_public policy_version"
# What the delivery has retired at once is written beside the claim: once, a number for each line.
RETIRED = """OLD.state = 'delivered' AND NEW.state = 'delivered' AND OLD.use = 'retire' AND {retired} = (
    SELECT count(*) FROM purchase_line l WHERE l.order_id = NEW.id)"""
SUMS = """SELECT 1 FROM purchase_line l WHERE l.order_id = NEW.id
    GROUP BY l.order_id HAVING sum(l.premium) = NEW.premium AND sum(l.verification_share) = NEW.verification_share
    AND sum(l.registry_fee) = NEW.registry_fee AND sum(l.amount) = NEW.subtotal"""
PAYABLE = """SELECT 1 FROM payment p WHERE p.order_id = NEW.id
    AND p.state IN ('opening', 'open', 'processing', 'paid')"""
GOES_BACK = """SELECT 1 FROM payment p JOIN refund r ON r.payment_id = p.id
    WHERE p.order_id = NEW.id AND r.state IN ('asked', 'done')"""
TAKEN_BACK = """SELECT 1 FROM payment p JOIN dispute d ON d.payment_id = p.id
    WHERE p.order_id = NEW.id AND d.state = 'lost'"""
OF_ORDER = """SELECT 1 FROM purchase o WHERE o.id = NEW.order_id AND o.total = NEW.amount
    AND o.currency = NEW.currency"""
OF_PAYMENT = """SELECT 1 FROM payment p WHERE p.id = NEW.payment_id AND p.state IN ('paid', 'surplus')
    AND (NEW.amount = p.amount OR EXISTS (SELECT 1 FROM dispute d WHERE d.payment_id = p.id) AND NEW.amount <=
        p.amount - (SELECT coalesce(sum(d.amount), 0) FROM dispute d WHERE d.payment_id = p.id AND d.state = 'lost'))"""
DECIDED = "id payment_id amount asked_at"
BY_PROVIDER = "EXISTS (SELECT 1 FROM payment p WHERE p.id = OLD.payment_id AND p.means = 'stripe')"
STAYS_DONE = f"NEW.state <> 'failed' OR NOT {BY_PROVIDER} OR {changes('reason decision_id posting_id reference')}"
DONE_ONCE = "a refund stays as it was decided, and is done once"
# (trigger, table, act, when it is refused, what is said then)
GUARDS = (
    (
        "purchase_begins_open",
        "purchase",
        "INSERT",
        "NEW.state <> 'open' OR NEW.paid_at IS NOT NULL OR NEW.posting_id IS NOT NULL",
        "an order begins open",
    ),
    (
        "purchase_step_by_step",
        "purchase",
        "UPDATE",
        f"NEW.state <> OLD.state AND NOT ({A_STEP})",
        "an order goes on one step at a time",
    ),
    (
        "purchase_keeps_what_was",
        "purchase",
        "UPDATE",
        f"{ONCE} OR OLD.state <> 'open' AND ({changes(AGREED)})",
        "what was agreed, paid and delivered stands still",
    ),
    (
        "purchase_keeps_claim",
        "purchase",
        "UPDATE",
        f"OLD.state <> 'open' AND {changes('claim')} AND NOT coalesce({RETIRED}, FALSE)",
        "in whose name an order is retired stands still",
    ),
    (
        "purchase_of_its_lines",
        "purchase",
        "UPDATE",
        f"OLD.state = 'open' AND NEW.state = 'awaiting_payment' AND NOT EXISTS ({SUMS})",
        "an order costs what its lines cost",
    ),
    (
        "purchase_cancelled_unpayable",
        "purchase",
        "UPDATE",
        f"NEW.state = 'cancelled' AND EXISTS ({PAYABLE})",
        "no order is cancelled while somebody can pay it",
    ),
    (
        "purchase_refunded_grounded",
        "purchase",
        "UPDATE",
        f"NEW.state = 'refunded' AND NOT EXISTS ({GOES_BACK}) AND NOT EXISTS ({TAKEN_BACK})",
        "an order is refunded when money goes back",
    ),
    (
        "purchase_line_keeps_shares",
        "purchase_line",
        "UPDATE",
        changes("premium verification_share registry_fee"),
        "the shares of a line stay as they were agreed",
    ),
    (
        "payment_of_its_order",
        "payment",
        "INSERT",
        f"NOT EXISTS ({OF_ORDER})",
        "a payment is of what its order costs",
    ),
    (
        "refund_of_its_payment",
        "refund",
        "INSERT",
        f"NOT EXISTS ({OF_PAYMENT})",
        "a refund is of what was paid",
    ),
)
SETTLED_BEFORE = (
    "refund_settled_once",
    "refund",
    "UPDATE",
    f"OLD.state = 'done' OR {changes(DECIDED)}",
    DONE_ONCE,
)
SETTLED_NOW = (
    "refund_settled_once",
    "refund",
    "UPDATE",
    f"OLD.state = 'done' AND ({STAYS_DONE}) OR {changes(DECIDED)}",
    DONE_ONCE,
)
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


def no_guard(dialect: str, name: str, table: str) -> list[str]:
    if dialect == "sqlite":
        return [f"DROP TRIGGER {name}"]
    return [f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"]


def schema_of(dialect: str) -> str:
    if dialect == "sqlite":
        return "main"
    return str(op.get_bind().scalar(text("SELECT quote_ident(current_schema())")))


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    schema = schema_of(dialect)
    statements = no_guard(dialect, "refund_settled_once", "refund")
    for each in (*GUARDS, SETTLED_NOW):
        statements += guard(dialect, schema, *each)
    if dialect == "sqlite":
        statements += [
            f"""CREATE TRIGGER {table}_carefully_update BEFORE UPDATE ON {table} WHEN NOT ({CAREFUL})
                BEGIN SELECT RAISE(ABORT, 'registry: this connection keeps no rules; see credits/db.py'); END"""
            for table in TABLES
        ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    statements = [drop for name, table, *_ in (*GUARDS, SETTLED_NOW) for drop in no_guard(dialect, name, table)]
    statements += guard(dialect, schema_of(dialect), *SETTLED_BEFORE)
    if dialect == "sqlite":
        statements += [f"DROP TRIGGER {table}_carefully_update" for table in TABLES]
    for statement in statements:
        op.execute(statement)
