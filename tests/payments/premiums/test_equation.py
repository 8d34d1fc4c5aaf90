"""Whatever happens and whoever tries, premium paid out and held is what was collected less what went back."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from credits.errors import CreditsError
from credits.payments import invariants
from credits.payments.booking import Part, account_of, enter
from credits.payments.models import Currency, Order
from credits.payments.money_models import MoneyKind, MoneyPosting, MoneyPostingKind
from credits.payments.premiums import committees, disbursing, following, premium, spending
from credits.payments.premiums.premium_models import Minute, Payout, PayoutState, PremiumUse
from credits.registry.movements import Decision
from tests.payments.house import House
from tests.payments.selling import disputed, refunded

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["sell", "refund", "lose", "decide", "ask", "pay", "use", "take_back", "revoke", "withdraw"]),
        st.integers(1, 120_000),
        st.integers(0, 7),
    ),
    max_size=14,
)


class TestEquation:
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(steps=STEPS)
    def test_holds_whatever_happens(self, house, steps):
        """Each sequence goes on from where the one before it has ended."""
        for step, amount, which in steps:
            with house.session.begin_nested() as attempt:
                try:
                    take(house, step, amount, which)
                except CreditsError:
                    attempt.rollback()
            assert all(each.holds and each.held >= 0 for each in invariants.equations(house.session))
        house.must_be_sound()
        whole = following.follow(house.session, house.site.id, Currency.USD)
        for each in whole[::3]:
            line = (each.collected.order_id, each.collected.line)
            alone = following.followed_lines(house.session, house.site.id, Currency.USD, {line})
            assert alone == {line: each}


def take(house: House, step: str, amount: int, which: int) -> None:
    """One step with whatever there is to take it with."""
    if step == "sell":
        house.sold(amount, 1)
    elif step == "decide":
        house.decided(income=amount, health_and_safety=amount // 3)
    else:
        table, taken = TAKEN[step]
        there = list(house.session.scalars(select(table).order_by(table.id)))
        if there:
            taken(house, there[which % len(there)], amount)


def refund(house: House, order: Order, amount: int) -> None:
    if not gone_back(house, order):
        premium.book_refund(house.session, refund=refunded(house.stage, order), at=house.at)


def lose(house: House, order: Order, amount: int) -> None:
    if not gone_back(house, order):
        lost = disputed(house.stage, order, min(amount, order.total))
        premium.book_shortfall(house.session, dispute=lost, at=house.at)


def gone_back(house: House, order: Order) -> bool:
    wanted = select(MoneyPosting.id).where(MoneyPosting.order_id == order.id, MoneyPosting.kind != "sale")
    return house.session.scalars(wanted).first() is not None


TAKEN: dict[str, tuple[Any, Callable[[House, Any, int], object]]] = {
    "refund": (Order, refund),
    "lose": (Order, lose),
    "ask": (Minute, lambda house, minute, amount: house.asked(minute, amount)),
    "revoke": (
        Minute,
        lambda house, minute, amount: committees.revoke(
            house.session, minute=minute, reason="Changed.", **house.by_manager()
        ),
    ),
    "pay": (Payout, lambda house, payout, amount: house.stage.approve(house.recorded(payout))),
    "use": (Payout, lambda house, payout, amount: house.used(payout, amount)),
    "withdraw": (
        Payout,
        lambda house, payout, amount: disbursing.withdraw(house.session, payout=payout, **house.by_manager()),
    ),
    "take_back": (
        PremiumUse,
        lambda house, wrong, amount: spending.take_back(
            house.session, wrong=wrong, reason="Wrong.", **house.by_manager()
        ),
    ),
}


ATTACKS = {
    "an amount that nobody agreed": "INSERT INTO money_entry (posting_id, line, from_account_id, to_account_id, amount)"
    " SELECT posting_id, line + 1, from_account_id, to_account_id, amount FROM money_entry",
    "premium for the registry": "INSERT INTO money_entry (posting_id, line, from_account_id, to_account_id, amount)"
    " SELECT p.id, 0, h.id, f.id, 1 FROM money_posting p, money_account h, money_account f"
    " WHERE h.kind = 'premium_held' AND f.kind = 'registry_fee'",
    "another amount": "UPDATE money_entry SET amount = amount + 1",
    "no entries": "DELETE FROM money_entry",
    "another site's money": "UPDATE money_account SET kind = 'tax', site_id = NULL WHERE kind = 'premium_held'",
    "a decision of more": "UPDATE premium_decision SET amount = amount + 1, income = income + 1",
    "a payout beyond the decision": "INSERT INTO disbursement (decision_id, amount, means, payee, asked_by_id,"
    " asked_at, state) SELECT decision_id, 40000, means, payee, asked_by_id, asked_at, 'asked' FROM disbursement",
    "a payout that was never asked for": "INSERT INTO disbursement (decision_id, amount, means, payee, asked_by_id,"
    " asked_at, state, reference, paid_on, proposed_by_id, approved_by_id, approved_at) SELECT decision_id, 1, means,"
    " payee, asked_by_id, asked_at, 'paid', 'X', paid_on, proposed_by_id, approved_by_id, approved_at"
    " FROM disbursement",
    "a payout of more": "UPDATE disbursement SET amount = 1",
    "one pair of hands": "INSERT INTO disbursement (decision_id, amount, means, payee, asked_by_id, asked_at, state,"
    " proposed_by_id, approved_by_id) SELECT decision_id, 1, means, payee, asked_by_id, asked_at, 'asked', 1, 1"
    " FROM disbursement",
    "a use of more": "INSERT INTO premium_use (disbursement_id, theme, amount, bought, bought_on, entered_by_id,"
    " entered_at) SELECT disbursement_id, theme, 15001, bought, bought_on, entered_by_id, entered_at FROM premium_use",
    "a use taken back in part": "INSERT INTO premium_use (disbursement_id, theme, amount, bought, bought_on,"
    " corrects_id, entered_by_id, entered_at) SELECT disbursement_id, theme, 1, bought, bought_on, id, entered_by_id,"
    " entered_at FROM premium_use",
    "a sale twice": "INSERT INTO money_posting (kind, event_id, order_id, at)"
    " SELECT 'sale', max(e.id), max(p.order_id), max(p.at) FROM event e, money_posting p",
    "another paper": "UPDATE premium_paper SET sha256 = 'a'",
    "no committee": "DELETE FROM premium_committee",
    "a stranger's vote": "INSERT INTO premium_decision (site_id, committee_id, currency, amount, health_and_safety,"
    " child_rights, governance, environment, income, other, women, men, said, decided_on, entered_by_id, entered_at)"
    " SELECT site_id, committee_id, currency, 1, 0, 0, 0, 0, 1, 0, 99, men, said, decided_on, entered_by_id,"
    " entered_at FROM premium_decision",
}


class TestDatabase:
    def test_refuses_what_no_operation_would_do(self, house):
        house.sold()
        payout = house.paid(house.decided(income=20_000))
        house.used(payout, 5_000)

        passed = [what for what, statement in ATTACKS.items() if gets_through(house, statement)]

        assert passed == []
        house.must_be_sound()

    def test_pays_out_nothing_that_is_not_held(self, house):
        """Past every rule above it: the payout is decided, the money went back."""
        order = house.sold()
        payout = house.asked(house.decided(income=80_000), 80_000)
        decision = house.recorded(payout)
        premium.book_refund(house.session, refund=refunded(house.stage, order), at=house.at)
        with pytest.raises(DatabaseError, match="no account gives more money than it holds"):
            paid_past_the_rules(house, payout, decision)


def gets_through(house: House, statement: str) -> bool:
    try:
        with house.session.begin_nested():
            house.session.execute(text(statement))
    except DatabaseError:
        return False
    return True


def paid_past_the_rules(house: House, payout: Payout, decision: Decision) -> None:
    payout.state, payout.reference, payout.paid_on = PayoutState.PAID, "X", house.at.date()
    payout.proposed_by_id, payout.approved_by_id = decision.proposed_by_id, house.stage.colleague.id
    payout.approved_at = house.at
    house.session.flush()
    held, out = (
        account_of(house.session, kind, Currency.USD, house.site.id)
        for kind in (MoneyKind.PREMIUM_HELD, MoneyKind.PREMIUM_DISBURSED)
    )
    event = disbursing.tell(house.session, "premium.disbursed", payout, "system", house.at, {}, None)
    posting = MoneyPosting(kind=MoneyPostingKind.DISBURSEMENT, payout=payout, event_id=event, at=house.at)
    enter(house.session, posting, [Part(held, out, 0, payout.amount)])
