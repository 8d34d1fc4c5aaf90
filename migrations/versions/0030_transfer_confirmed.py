"""A transfer from a bank pays only what two people have confirmed: the very line of the statement that they saw.

Their approval stands before the payment is written down. Of money that came too late the same is asked: it goes back.
"""

from alembic import op
from sqlalchemy import text

revision = "0030_transfer_confirmed"
down_revision = "0029_by_the_index"
branch_labels = None
depends_on = None

NAME = "payment_confirmed_by_two"
SAYS = "money by transfer is confirmed by two people"
REFUSED = """NEW.means = 'bank_transfer' AND NEW.state IN ('paid', 'surplus') AND NEW.state <> OLD.state
    AND NOT EXISTS (SELECT 1 FROM decision d
        WHERE d.subject = {order} AND d.kind = 'bank_payment' AND d.state = 'approved'
        AND {reference} = NEW.payment AND {amount} = NEW.amount AND {currency} = NEW.currency
        AND {value_date} = NEW.value_date)"""
WORDS = {
    "sqlite": {"order": "printf('ORDER-%06d', NEW.order_id)"}
    | {name: f"json_extract(d.request, '$.{name}')" for name in ("reference", "amount", "currency", "value_date")},
    "postgresql": {
        "order": "'ORDER-' || lpad(CAST(NEW.order_id AS text), greatest(6, length(CAST(NEW.order_id AS text))), '0')",
        "reference": "(CAST(d.request AS json) ->> 'reference')",
        "amount": "CAST(CAST(d.request AS json) ->> 'amount' AS bigint)",
        "currency": "(CAST(d.request AS json) ->> 'currency')",
        "value_date": "CAST(CAST(d.request AS json) ->> 'value_date' AS date)",
    },
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    refused = REFUSED.format(**WORDS[dialect])
    if dialect == "sqlite":
        op.execute(
            f"""CREATE TRIGGER {NAME} BEFORE UPDATE ON payment WHEN {refused}
                BEGIN SELECT RAISE(ABORT, 'registry: {SAYS}'); END"""
        )
        return
    schema = op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    op.execute(
        f"""CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
            BEGIN
                IF {refused} THEN
                    RAISE EXCEPTION 'registry: {SAYS}' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
            END $$"""
    )
    op.execute(f"CREATE TRIGGER {NAME} BEFORE UPDATE ON payment FOR EACH ROW EXECUTE FUNCTION {NAME}()")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {NAME}")
        return
    op.execute(f"DROP TRIGGER {NAME} ON payment")
    op.execute(f"DROP FUNCTION {NAME}()")
