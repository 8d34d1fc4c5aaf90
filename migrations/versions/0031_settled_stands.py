"""What plain SQL could still change of a payment that is settled, and of a standing order that goes on.

A settled payment keeps its value date, and every payment the page and the last moment it had. Money is
one too many only where its order wants none any more, or its attempt had ended. What an order of a standing order is
for is said before anybody pays, and names no retirement yet. Such an order is of the country and the level that were
wanted, and its buyer's place among those who wait changes by resuming alone. Safe while the previous version runs.
"""

from alembic import op
from sqlalchemy import text

revision = "0031_settled_stands"
down_revision = "0030_transfer_confirmed"
branch_labels = None
depends_on = None


def changes(columns: str) -> str:
    return " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split())


SETTLED = f"OLD.settled_at IS NOT NULL AND NEW.state = OLD.state AND ({changes('value_date')})"
OF_THE_PAGE = f"{changes('expires_at')} OR OLD.url IS NOT NULL AND ({changes('url')})"
WANTED = """NEW.state = 'surplus' AND OLD.state IN ('opening', 'open', 'processing')
    AND EXISTS (SELECT 1 FROM purchase o WHERE o.id = NEW.order_id AND o.state = 'awaiting_payment')"""
CHOSEN_LATE = f"""OLD.state = 'awaiting_payment' AND NEW.state = 'awaiting_payment' AND ({changes("use claim")})
    AND (coalesce({{names_retirements}}, FALSE) OR EXISTS (
        SELECT 1 FROM payment p WHERE p.order_id = NEW.id AND p.state NOT IN ('opening', 'open')))"""
ELSEWHERE = """EXISTS (SELECT 1 FROM standing_order s
    JOIN purchase_line l ON l.order_id = NEW.order_id
    JOIN issuance_attributes i ON i.id = l.issuance_id
    JOIN site t ON t.id = i.site_id
    JOIN batch b ON b.id = i.batch_id
    LEFT JOIN assurance a ON a.id = b.assurance_id
    WHERE s.id = NEW.standing_id AND (s.country IS NOT NULL AND t.country <> s.country
        OR s.level IS NOT NULL AND (a.level IS NULL OR a.level <> s.level)))"""
RESUMED = f"({changes('acting_id waiting_since')}) AND NOT (OLD.state = 'paused' AND NEW.state = 'waiting')"
# (trigger, table, act, when it is refused, what is said then)
GUARDS = (
    ("payment_settled_stands", "payment", "UPDATE", SETTLED, "the value date of a settled payment stays"),
    ("payment_keeps_its_page", "payment", "UPDATE", OF_THE_PAGE, "a payment keeps its page, and when that ends"),
    ("payment_wanted", "payment", "UPDATE", WANTED, "money that an order waits for is not too much"),
    (
        "purchase_chosen_before_paid",
        "purchase",
        "UPDATE",
        CHOSEN_LATE,
        "what an order is for stands still once somebody pays, and names no retirement before",
    ),
    (
        "standing_part_from_there",
        "standing_part",
        "INSERT",
        ELSEWHERE,
        "an order of a standing order is of the country and the level that its buyer wants",
    ),
    ("standing_order_in_turn", "standing_order", "UPDATE", RESUMED, "a standing order takes its turn by being resumed"),
)
DIALECTS = {
    "sqlite": {"differs": "IS NOT", "names_retirements": "json_type(NEW.claim, '$.retirements') IS NOT NULL"},
    "postgresql": {
        "differs": "IS DISTINCT FROM",
        "names_retirements": "jsonb_exists(CAST(NEW.claim AS jsonb), 'retirements')",
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
