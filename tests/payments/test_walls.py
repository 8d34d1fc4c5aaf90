"""What the database itself refuses of the market, whoever asks it past the operations."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy.exc import DBAPIError

from credits.payments.models import Means, Order, Use
from tests.stage import CLAIM

TERMS = """buyer_id, placed_by_id, placed_at, revision, means, use, claim, billing, open_to_public, currency, premium,
    verification_share, registry_fee, subtotal, tax_ppm, tax, total, policy_version"""
ANOTHER_ORDER = f"INSERT INTO purchase ({TERMS}, state, paid_at, delivered_at, posting_id) SELECT {TERMS}, "
ANOTHER_PAYMENT = """INSERT INTO payment (order_id, attempt, means, opened_at, expires_at, state, currency, amount)
    SELECT order_id, 9, means, opened_at, expires_at, 'open', """
PAID_AT_ONCE = """INSERT INTO payment (order_id, attempt, means, opened_at, expires_at, settled_at, state, currency,
    amount) SELECT order_id, 9, means, opened_at, expires_at, opened_at, """
VALUED = "UPDATE payment SET state = 'paid', settled_at = opened_at, value_date = "
A_REFUND = """INSERT INTO refund (payment_id, reason, asked_at, settled_at, state, amount)
    SELECT id, 'Trial', opened_at, opened_at, 'done', """
A_DISPUTE = """INSERT INTO dispute (payment_id, reference, state, shortfall, opened_at, closed_at, amount)
    SELECT id, 'DP-1', 'lost', 0, opened_at, opened_at, 1000 FROM payment WHERE order_id = {delivered}"""
RETIRED = """', "retirements": ["X"]}}')"""
WALLS = {
    "begins open": (
        ANOTHER_ORDER + "'paid', placed_at, NULL, NULL FROM purchase WHERE id = {awaiting}",
        ANOTHER_ORDER + "'delivered', placed_at, placed_at, 1 FROM purchase WHERE id = {awaiting}",
        ANOTHER_ORDER + "'open', placed_at, NULL, NULL FROM purchase WHERE id = {awaiting}",
        ANOTHER_ORDER + "'open', NULL, placed_at, 1 FROM purchase WHERE id = {awaiting}",
    ),
    "one step at a time|ends once|cleared money|money goes back|can pay it": (
        "UPDATE purchase SET state = 'paid', paid_at = placed_at WHERE id = {open}",
        "UPDATE purchase SET state = 'refunded', closed_at = placed_at, paid_at = placed_at WHERE id = {open}",
        "UPDATE purchase SET state = 'refunded', closed_at = placed_at, paid_at = placed_at WHERE id = {awaiting}",
        "UPDATE purchase SET state = 'open' WHERE id = {awaiting}",
        "UPDATE purchase SET state = 'awaiting_payment' WHERE id = {delivered}",
        "UPDATE purchase SET state = 'paid' WHERE id = {delivered}",
        "UPDATE purchase SET state = 'cancelled', closed_at = placed_at WHERE id = {delivered}",
    ),
    "when money goes back": ("UPDATE purchase SET state = 'refunded', closed_at = placed_at WHERE id = {delivered}",),
    "while somebody can pay it": (
        "UPDATE purchase SET state = 'cancelled', closed_at = placed_at WHERE id = {awaiting}",
    ),
    "stands still": (
        "UPDATE purchase SET posting_id = 1 WHERE id = {delivered}",
        "UPDATE purchase SET delivered_at = pay_until WHERE id = {delivered}",
        "UPDATE purchase SET paid_at = pay_until WHERE id = {delivered}",
        "UPDATE purchase SET billing = '{{}}' WHERE id = {delivered}",
        "UPDATE purchase SET billing = '{{}}' WHERE id = {awaiting}",
        "UPDATE purchase SET open_to_public = NOT open_to_public WHERE id = {delivered}",
        "UPDATE purchase SET open_to_public = NOT open_to_public WHERE id = {awaiting}",
        "UPDATE purchase SET placed_by_id = 1 WHERE id = {delivered}",
        "UPDATE purchase SET claim = replace(claim, 'SWE', 'NOR') WHERE id = {awaiting}",
        "UPDATE purchase SET claim = replace(claim, 'SWE', 'NOR') WHERE id = {delivered}",
        "UPDATE purchase SET claim = replace(claim, '[\"', '[\"9') WHERE id = {delivered}",
        "UPDATE purchase SET claim = replace(claim, '}}', " + RETIRED + " WHERE id = {awaiting}",
        "UPDATE purchase SET claim = '{{\"retirements\": [1]}}' WHERE id = {delivered}",
    ),
    "what its lines cost": (
        """UPDATE purchase SET state = 'awaiting_payment', premium = 1, verification_share = 0, registry_fee = 0,
        subtotal = 1, tax = 0, total = 1 WHERE id = {open}""",
        """UPDATE purchase SET state = 'awaiting_payment', premium = premium - 1, registry_fee = registry_fee + 1
        WHERE id = {open}""",
    ),
    "shares of a line": (
        "UPDATE purchase_line SET premium = premium - 1, registry_fee = registry_fee + 1 WHERE order_id = {open}",
    ),
    "what its order costs": (
        ANOTHER_PAYMENT + "currency, 1 FROM payment WHERE order_id = {awaiting}",
        ANOTHER_PAYMENT + "'JPY', amount FROM payment WHERE order_id = {awaiting}",
    ),
    "begins unpaid": (
        PAID_AT_ONCE + "'paid', currency, amount FROM payment WHERE order_id = {awaiting}",
        PAID_AT_ONCE + "'surplus', currency, amount FROM payment WHERE order_id = {awaiting}",
        ANOTHER_PAYMENT + "currency, amount FROM payment WHERE order_id = {delivered}",
    ),
    "is called stays so": (
        "UPDATE payment SET reference = 'ORDER-000009' WHERE order_id = {awaiting}",
        "UPDATE payment SET reference = NULL WHERE order_id = {awaiting}",
    ),
    "between the order and its confirmation": (
        "UPDATE payment SET value_date = '2026-07-01' WHERE order_id = {awaiting}",
    ),
    "value date of a settled": ("UPDATE payment SET value_date = NULL WHERE order_id = {delivered}",),
    "keeps its page": (
        "UPDATE payment SET expires_at = opened_at WHERE order_id = {awaiting}",
        "UPDATE payment SET url = 'https://other.example' WHERE order_id = {by_card}",
        "UPDATE payment SET url = NULL WHERE order_id = {by_card}",
    ),
    "waits for is not": ("UPDATE payment SET state = 'surplus', settled_at = opened_at WHERE order_id = {by_card}",),
    "its orders do not keep": ("UPDATE offer SET remaining = quantity", "UPDATE offer SET remaining = quantity - 29"),
    "what was paid": (
        A_REFUND + "amount * 5 FROM payment WHERE order_id = {delivered}",
        A_REFUND + "amount - 1 FROM payment WHERE order_id = {delivered}",
        A_REFUND + "amount FROM payment WHERE order_id = {awaiting}",
    ),
}
REPLACED = (
    "payment SET payment = (SELECT payment FROM payment WHERE order_id = {delivered}) WHERE order_id = {awaiting}",
    "purchase SET posting_id = 1, delivered_at = placed_at WHERE id = {awaiting}",
    "purchase_line SET earmark_id = 1 WHERE order_id = {open}",
    "offer SET id = 1",
    "premium_floor SET id = 1",
    "money_account SET id = 1",
    "money_posting SET id = 1",
    "money_entry SET id = 1",
)


@pytest.fixture
def orders(stage):
    """The ids of a delivered order that is retired at once, one that awaits its money, one by card, and an open one."""
    offer = stage.for_sale(stage.issued())
    retired = {"use": Use.RETIRE, "claim": CLAIM}
    delivered, awaiting = stage.bought((offer, 10), **retired), stage.ordered((offer, 20), **retired)
    stage.begun(awaiting)
    still_open, by_card = stage.ordered((offer, 30)), stage.ordered((offer, 40), means=Means.STRIPE)
    stage.begun(by_card).url = "https://pay.example/1"
    stage.session.commit()
    return {"delivered": delivered.id, "awaiting": awaiting.id, "open": still_open.id, "by_card": by_card.id}


@pytest.fixture
def run(session):
    """Do something in SQL, whole or not at all."""

    def do(statement: str) -> int:
        with session.begin_nested():
            return session.connection().exec_driver_sql(statement).rowcount

    return do


class TestWalls:
    def test_stand_against_every_statement_past_the_operations(self, orders, run):
        for said, statements in WALLS.items():
            for statement in statements:
                with pytest.raises(DBAPIError, match=said):
                    pytest.fail(f"{run(statement.format(**orders))} rows: {statement}")

    def test_let_a_transfer_pay_what_two_people_have_confirmed(self, stage, orders, run):
        waits = stage.money_seen(stage.session.get_one(Order, orders["awaiting"]))
        decided = f"UPDATE decision SET decided_at = proposed_at, {{}} WHERE id = {waits.id}"
        line = f", payment = '{waits.request['reference']}'"
        paid = f"{VALUED} '{waits.request['value_date']}'{line} WHERE order_id = {orders['awaiting']}"
        again = f"state = 'approved', decided_by_id = {stage.issuer.id}"
        for said, statements in (
            ("confirmed by two people|is not too much", (paid, paid.replace("'paid'", "'surplus'"))),
            ("two_people", (decided.format(again),)),
        ):
            for statement in statements:
                with pytest.raises(DBAPIError, match=said):
                    pytest.fail(f"{run(statement)} rows: {statement}")
        run(decided.format(f"state = 'approved', decided_by_id = {stage.colleague.id}"))

        for bent in (
            paid.replace("payment = '", "payment = 'X"),
            paid.replace(f"'{waits.request['value_date']}'", "NULL"),
            paid.replace(line, ""),
        ):
            with pytest.raises(DBAPIError, match="confirmed by two people"):
                pytest.fail(f"{run(bent)} rows: {bent}")
        assert run(paid) == 1

    def test_let_no_day_be_the_value_date_that_cannot_be(self, stage, orders, run):
        stage.take_away("payment_confirmed_by_two", "payment")
        for day in ("2026-07-02", "2026-06-30"):
            with pytest.raises(DBAPIError, match="between the order and its confirmation"):
                run(f"{VALUED} '{day}' WHERE order_id = {orders['awaiting']}")

    def test_let_nothing_that_has_ended_be_paid(self, stage, orders, run):
        stage.take_away("payment_confirmed_by_two", "payment")
        ended = "UPDATE payment SET state = 'expired', settled_at = opened_at WHERE order_id = {awaiting}"
        run(ended.format(**orders))
        with pytest.raises(DBAPIError, match="one step at a time"):
            run("UPDATE payment SET state = 'paid' WHERE order_id = {awaiting}".format(**orders))
        assert run("UPDATE payment SET state = 'surplus' WHERE order_id = {awaiting}".format(**orders)) == 1

    def test_let_no_order_skip_a_step(self, stage, orders, run):
        stage.take_away("payment_confirmed_by_two", "payment")
        run("UPDATE payment SET state = 'paid', settled_at = opened_at WHERE order_id = {awaiting}".format(**orders))
        with pytest.raises(DBAPIError, match="one step at a time"):
            run(
                """UPDATE purchase SET state = 'delivered', paid_at = placed_at, delivered_at = placed_at,
                posting_id = 1 WHERE id = {awaiting}""".format(**orders)
            )

    def test_let_only_the_provider_take_back_a_refund_that_was_done(self, stage, orders, run):
        by_card = stage.begun(stage.ordered((stage.for_sale(stage.issued()), 10), means=Means.STRIPE))
        for state in ("expired", "surplus"):
            run(f"UPDATE payment SET state = '{state}', settled_at = opened_at WHERE id = {by_card.id}")
        for order in (orders["delivered"], by_card.order_id):
            run(f"{A_REFUND} amount FROM payment WHERE order_id = {order}")
        mine, theirs = (
            f"(SELECT id FROM payment WHERE order_id = {each})" for each in (orders["delivered"], by_card.order_id)
        )

        for change, payment in (
            ("state = 'failed'", mine),
            ("state = 'asked', settled_at = NULL", theirs),
            ("state = 'failed', reference = 'another'", theirs),
            ("reason = 'Another'", theirs),
        ):
            with pytest.raises(DBAPIError, match="done once"):
                run(f"UPDATE refund SET {change} WHERE payment_id = {payment}")
        assert run(f"UPDATE refund SET state = 'failed' WHERE payment_id = {theirs}") == 1

    def test_let_what_a_dispute_has_left_go_back(self, orders, run):
        run(A_DISPUTE.format(**orders))
        with pytest.raises(DBAPIError, match="what was paid"):
            run(f"{A_REFUND} amount - 999 FROM payment WHERE order_id = {orders['delivered']}")
        assert run(f"{A_REFUND} amount - 1000 FROM payment WHERE order_id = {orders['delivered']}") == 1
        ended = "UPDATE purchase SET state = 'refunded', closed_at = placed_at WHERE id = {delivered}"
        assert run(ended.format(**orders)) == 1

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    def test_stand_against_a_connection_that_keeps_no_rules(self, orders, database):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as bare:
            for replaced in REPLACED:
                with pytest.raises(sqlite3.IntegrityError, match="keeps no rules"):
                    bare.execute("UPDATE OR REPLACE " + replaced.format(**orders))
