"""The premium: what was collected less what went back is paid out or held, whatever happens, in whatever order."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import CreditsError
from credits.journal import events
from credits.journal.models import Event
from credits.ledger.serials import SerialRange
from credits.participants.models import User
from credits.participants.permissions import NoSuchOrganisation, WrongRole
from credits.payments import invariants
from credits.payments.booking import Part, account_of, enter
from credits.payments.models import Currency, DisputeState, Order
from credits.payments.money_models import MoneyKind, MoneyPosting, MoneyPostingKind
from credits.payments.premiums import (
    committees,
    disbursing,
    following,
    premium,
    premium_figures,
    reminding,
    spending,
    tracing,
)
from credits.payments.premiums.committees import BadMinute, Decided, NotHeld, RevokedAlready
from credits.payments.premiums.disbursing import BadPayout, BeyondDecision, PayoutClosed, ReferenceUsed
from credits.payments.premiums.premium_models import Minute, PaperKind, Payout, PayoutState, PremiumUse, Theme
from credits.payments.premiums.premium_papers import PaperUsed
from credits.payments.premiums.site_premium import premium_in, premium_of
from credits.payments.premiums.spending import BadUse, BeyondPayout, NotPaidOut, Shown, TakenBackAlready
from credits.registry import decisions
from credits.registry.movements import Decision, DecisionKind
from credits.registry.papers.evidence_looking import Looked, UnusableFile
from credits.registry.production import Site
from credits.registry.second_person import SamePerson
from tests.factories import UserFactory
from tests.payments.house import House
from tests.payments.selling import disputed, refunded, sold


@pytest.fixture
def house(stage: Any) -> House:
    return House(stage)


class TestBookSale:
    def test_divides_what_was_paid_to_the_last_cent_and_once(self, house):
        order = house.sold(100_001, tax=19_000)

        again = premium.book_sale(house.session, order=order, payment=order.payments[0], at=house.at)

        assert again.order_id == order.id
        assert [(share.kind.value, share.amount) for share in premium.shares_of(house.session, order)] == [
            ("tax", 19_000),
            ("premium_held", 88_001),
            ("verification", 5_000),
            ("registry_fee", 7_000),
        ]
        house.must_be_sound()

    def test_gives_each_line_to_the_site_of_its_own_issuance(self, house):
        other = house.stage.issued(house.stage.site(name="Far hill", latitude="-9.5", longitude="26.5"))

        sold(house.stage, (house.made, 10, 10_000), (other, 10, 20_000))

        site = house.session.get_one(Site, other.site_id)
        assert house.figures == (8_800, 0, 0, 8_800)
        assert [each.held for each in premium_of(house.session, site)] == [17_600]
        house.must_be_sound()


class TestBookRefund:
    def test_takes_every_share_back(self, house):
        order = house.sold(tax=1_000)
        refund = refunded(house.stage, order)

        first = premium.book_refund(house.session, refund=refund, at=house.at)
        again = premium.book_refund(house.session, refund=refund, at=house.at)

        assert first is again
        assert house.figures == (88_000, 88_000, 0, 0)
        assert premium.open_shares(house.session, order) == []
        house.must_be_sound()

    def test_leaves_with_the_miners_what_they_have_and_lets_the_registry_bear_it(self, house):
        order = house.sold()
        house.paid(house.decided(income=50_000), 50_000)

        posting = premium.book_refund(house.session, refund=refunded(house.stage, order), at=house.at)

        assert posting is not None
        assert house.figures == (88_000, 38_000, 50_000, 0)
        house.must_be_sound()

    def test_books_nothing_for_what_was_never_delivered(self, house):
        order = house.sold(booked=False)

        assert premium.book_refund(house.session, refund=refunded(house.stage, order), at=house.at) is None


class TestBookShortfall:
    def test_sends_back_what_is_covered_and_leaves_the_rest_at_the_registry(self, house):
        order = house.sold()

        premium.book_shortfall(house.session, dispute=disputed(house.stage, order, 25_000), at=house.at)

        assert house.figures == (88_000, 66_000, 0, 22_000)
        house.must_be_sound()

    def test_pays_out_nothing_that_a_bank_may_take_back(self, house):
        house.sold()
        order = house.sold()
        minute = house.decided(income=170_000)
        disputed(house.stage, order, 0, state=DisputeState.OPEN, closed_at=None)

        with pytest.raises(NotHeld):
            house.asked(minute, 88_001)


class TestDecide:
    def test_keeps_the_minute_and_what_it_says(self, house):
        house.sold()

        minute = house.decided(health_and_safety=30_000, child_rights=20_000)

        assert minute.by_theme == {Theme.HEALTH_AND_SAFETY: 30_000, Theme.CHILD_RIGHTS: 20_000}
        assert house.files.read(minute.papers[0].sha256)
        assert premium_in(house.session, house.site, Currency.USD).free == 38_000

    def test_refuses_what_cannot_have_been_decided(self, house):
        house.sold()
        sound = Decided(Currency.USD, {Theme.INCOME: 900}, 1, 1, "Lamps.", house.at.date())
        for bent, refusal in (
            ({"by_theme": {Theme.INCOME: 88_001}}, NotHeld),
            ({"by_theme": {Theme.INCOME: 0}}, BadMinute),
            ({"by_theme": {Theme.INCOME: 900, Theme.OTHER: -100}}, BadMinute),
            ({"women": 4}, BadMinute),
            ({"women": 0, "men": 0}, BadMinute),
            ({"decided_on": date(2026, 7, 2)}, BadMinute),
            ({"decided_on": date(2025, 12, 31)}, BadMinute),
            ({"currency": Currency.EUR}, NotHeld),
        ):
            with pytest.raises(refusal):
                house.decided_as(Decided(**vars(sound) | bent))

    def test_is_for_a_manager_of_the_producer(self, house):
        house.sold()
        for by, refusal in ((house.stage.clerk, WrongRole), (house.stage.buyer, NoSuchOrganisation)):
            with pytest.raises(refusal):
                house.committee(by=by)

    def test_takes_a_paper_once_and_no_table(self, house):
        house.sold()
        paper = house.paper()
        house.decided(paper, income=100)

        with pytest.raises(PaperUsed):
            house.decided(paper, income=100)
        with pytest.raises(UnusableFile):
            house.decided(Looked("a.csv", b"a", "text/csv", "0" * 64, None, ()), income=100)

    def test_is_taken_back_by_the_committee_and_frees_what_was_not_asked_for(self, house):
        house.sold()
        minute = house.decided(income=50_000)
        house.asked(minute, 10_000)

        committees.revoke(house.session, minute=minute, reason="Counted wrong.", **house.by_manager())

        assert premium_in(house.session, house.site, Currency.USD).promised == 10_000
        with pytest.raises(RevokedAlready):
            house.asked(minute, 1)
        with pytest.raises(RevokedAlready):
            committees.revoke(house.session, minute=minute, reason="Again.", **house.by_manager())


class TestPayOut:
    def test_needs_two_issuers_and_moves_the_money_once(self, house):
        house.sold()
        payout = house.asked(house.decided(), 20_000)
        decision = house.recorded(payout, reference=" mp 77 a")

        with pytest.raises(SamePerson):
            house.stage.approve(decision, by=house.stage.issuer)
        assert house.figures == (88_000, 0, 0, 88_000)
        house.stage.approve(decision)

        assert (payout.state, payout.reference) == (PayoutState.PAID, "MP77A")
        assert house.figures == (88_000, 0, 20_000, 68_000)
        house.must_be_sound()

    def test_tells_nobody_outside_its_reference(self, house):
        house.sold()
        decision = house.recorded(house.asked(house.decided()), reference="MP-77")

        (told,) = events.story(house.session, decision.number)
        said = json.loads(told.body)
        assert set(said["facts"]["request"]) == {"paid_on", "sha256", "open"}
        assert set(said["hashed"]) == {"reason", "reference"}
        assert "MP77" not in told.body.decode()

    def test_shows_its_proof_to_everybody_only_when_it_is_approved(self, house):
        house.sold()
        payout = house.asked(house.decided())
        declined = house.recorded(payout, open_to_public=True)
        decisions.decline(house.session, decision=declined, by=house.stage.colleague, key="no", at=house.at)
        waits = house.recorded(payout, open_to_public=True)
        house.session.refresh(payout)
        assert [paper.open_to_public for paper in payout.papers] == [False, False]
        house.stage.approve(waits)

        assert [paper.open_to_public for paper in payout.papers] == [False, True]

    def test_takes_a_reference_once_whoever_waits(self, house):
        house.sold()
        minute = house.decided()
        waits = house.recorded(house.asked(minute, 1_000), reference="A-1")
        with pytest.raises(ReferenceUsed):
            house.recorded(house.asked(minute, 1_000), reference="a-1")
        house.stage.approve(waits)

        for spelt in ("A -1", "a1", "Ａ–1", "A.1."):
            with pytest.raises(ReferenceUsed):
                house.recorded(house.asked(minute, 1_000), reference=spelt)

    def test_goes_to_what_was_decided_and_is_held(self, house):
        order = house.sold()
        minute = house.decided(income=80_000)
        with pytest.raises(BeyondDecision):
            house.asked(minute, 80_001)
        waits = house.recorded(house.asked(minute, 80_000))
        premium.book_refund(house.session, refund=refunded(house.stage, order), at=house.at)

        with pytest.raises(NotHeld):
            house.stage.approve(waits)

    def test_is_recorded_once_at_a_time_and_on_a_day_that_can_be(self, house):
        house.sold()
        payout = house.asked(house.decided())
        with pytest.raises(BadPayout):
            house.recorded(payout, paid_on=house.at.date() + timedelta(days=1))
        house.recorded(payout)

        with pytest.raises(PayoutClosed):
            house.recorded(payout)
        with pytest.raises(PayoutClosed):
            disbursing.withdraw(house.session, payout=payout, **house.by_manager())

    def test_cannot_be_proposed_without_its_proof(self, house):
        house.sold()
        payout = house.asked(house.decided())

        with pytest.raises(BadPayout):
            house.stage.proposed(DecisionKind.DISBURSEMENT, payout.number, reference="A-1")

    def test_is_unknown_to_others(self, house):
        house.sold()
        payout = house.asked(house.decided())

        with pytest.raises(disbursing.NoSuchPayout):
            disbursing.payout_numbered(house.session, UserFactory(), payout.number)


class TestUse:
    def test_counts_what_was_bought_and_takes_it_back_whole(self, house):
        house.sold()
        payout = house.paid(house.decided(income=20_000))
        receipt = house.paper()
        wrong = house.used(payout, 5_000, papers=[Shown(PaperKind.RECEIPT, receipt, True)])

        spending.take_back(house.session, wrong=wrong, reason="A nought too few.", **house.by_manager())
        house.used(payout, 20_000, papers=[Shown(PaperKind.RECEIPT, receipt, True)])

        house.session.refresh(payout)
        assert payout.used == 20_000
        with pytest.raises(TakenBackAlready):
            spending.take_back(house.session, wrong=wrong, reason="Again.", **house.by_manager())
        house.must_be_sound()

    def test_refuses_what_was_not_paid_out_for_this(self, house):
        house.sold()
        payout = house.paid(house.decided(income=30_000))

        for bent, refusal in (
            ({"amount": 20_001}, BeyondPayout),
            ({"theme": Theme.OTHER}, BeyondPayout),
            ({"papers": []}, BadUse),
            ({"amount": 0}, BadUse),
        ):
            with pytest.raises(refusal):
                house.used(payout, **bent)

    def test_refuses_what_is_not_paid_yet(self, house):
        house.sold()

        with pytest.raises(NotPaidOut):
            house.used(house.asked(house.decided()))


class TestFollow:
    def test_pays_out_first_what_was_collected_first(self):
        found = following.attributed([("a", 10), ("b", 0), ("c", 5)], [("x", 4), ("y", 8), ("z", 1)])

        assert list(found) == [("a", "x", 4), ("a", "y", 6), ("c", "y", 2), ("c", "z", 1)]

    def test_leads_from_units_to_their_order_payout_and_receipt(self, house):
        order = house.sold(100_000, 100)
        house.sold(100_000, 100)
        payout = house.paid(house.decided(income=44_000), 44_000)
        house.used(payout, 5_000)

        (trail,) = following.trails_of(house.session, house.made, [SerialRange(1, 50)])

        assert (trail.order.id, trail.units, trail.share, trail.held) == (order.id, 50, 44_000, 22_000)
        assert [(piece.payout.number, piece.amount) for piece in trail.pieces] == [(payout.number, 22_000)]
        assert following.trails_of(house.session, house.made, [SerialRange(2_000, 2_400)]) == []

    def test_leads_to_the_newest_purchases_of_very_many(self, house, monkeypatch):
        house.sold(100_000, 100)
        newest = house.sold(100_000, 100)
        for module in (following, tracing):
            monkeypatch.setattr(module, "MOST_LINES", 1)
        both = SerialRange(1, 200)

        assert [each.order for each in following.trails_of(house.session, house.made, [both])] == [newest]
        assert tracing.orders_with(house.session, house.made, both) == 2

    def test_counts_days_to_the_last_payout_and_what_waits_by_age(self, house):
        house.sold(at=house.at - timedelta(days=40))
        house.sold(at=house.at - timedelta(days=35))
        house.paid(house.decided(income=100_000), 88_000)
        found = premium_figures.pace(house.session, [house.site], goal=30, today=house.at.date())

        assert (found.paid_out, found.in_time, found.median_days, found.late) == (1, 0, 40, 1)
        assert [each.payments for each in found.waiting] == [0, 1, 0, 0]
        (late,) = premium_figures.overdue(house.session, [house.site], goal=30, today=house.at.date())
        assert (late.amount, late.payments) == (88_000, 1)


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


class TestTogether:
    def test_a_refund_and_a_payout_never_take_the_same_money(self, house, engine):
        """The payout waits for the refund that has begun, and then finds that the money is gone."""
        order = house.sold()
        payout = house.asked(house.decided(income=80_000), 80_000)
        decision = house.recorded(payout)
        refund = refunded(house.stage, order)
        house.session.commit()
        begin_writing(house.session)
        premium.book_refund(house.session, refund=refund, at=house.at)
        outcome: list[BaseException | None] = []
        paying = Thread(target=lambda: outcome.append(paid_elsewhere(engine, house, decision.id)))
        paying.start()
        paying.join(0.3)
        assert paying.is_alive()  # it waits
        house.session.commit()
        paying.join()

        assert [type(each) for each in outcome] == [NotHeld]
        house.must_be_sound()

    def test_tells_the_issuers_once_of_what_is_late(self, house):
        house.sold(at=house.at - timedelta(days=31))
        for new in (1, 0):
            assert reminding.note_overdue(house.session, goal=30, at=house.at) == new
        told = house.session.scalars(select(Event.body).where(Event.kind == reminding.OVERDUE)).all()
        assert [json.loads(each)["facts"] for each in told] == [{"days": 31, "site": "COD-KAM001"}]


def paid_elsewhere(engine: Engine, house: House, decision_id: int) -> BaseException | None:
    """Approve the payout in a session of its own; what it is refused with."""
    with Session(engine) as session:
        begin_writing(session)
        try:
            decision, by = session.get_one(Decision, decision_id), session.get_one(User, house.stage.colleague.id)
            disbursing.pay(session, decision, house.stage.policy, by, house.at)
        except CreditsError as refusal:
            return refusal
        session.commit()
    return None
