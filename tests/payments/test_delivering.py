import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from credits import market_rounds
from credits.certificates.pdf import Undrawable
from credits.errors import NotAllowed
from credits.journal import events
from credits.ledger.models import AccountKind
from credits.participants.models import Kyc, User
from credits.participants.wording import UnsoundText
from credits.payments import bank, cancelling, delivering, receiving, settling
from credits.payments.bank import BadValueDate, SeenBefore, WrongAmount
from credits.payments.delivering import retirements_in
from credits.payments.going_back.going_back_models import Refund, RefundState
from credits.payments.lapsing import NEVER_BEGUN
from credits.payments.limiting import TooManyUnpaid
from credits.payments.models import Means, Order, OrderState, PaymentState, Use
from credits.payments.orders import OrderClosed
from credits.payments.premiums import premium
from credits.registry import decisions
from credits.registry.models import Retirement
from credits.registry.movements import DecisionKind
from credits.registry.second_person import SamePerson
from tests.market_stage import certify
from tests.stage import CLAIM


@pytest.fixture
def issuance(stage):
    return stage.issued()


@pytest.fixture
def offer(stage, issuance):
    return stage.for_sale(issuance)


class TestConfirm:
    def test_delivers_once_a_second_person_has_seen_the_money(self, stage, issuance, offer):
        order = stage.ordered((offer, 100))
        payment = stage.begun(order)
        decision = stage.money_seen(order)
        assert order.state is OrderState.AWAITING_PAYMENT
        (told,) = events.story(stage.session, decision.number)
        assert json.loads(told.body)["facts"]["request"] == {}  # amount and reference are nobody else's business
        with pytest.raises(SamePerson):
            stage.approve(decision, by=stage.issuer)
        stage.approve(decision)

        assert (order.state, payment.state, payment.payment) == (
            OrderState.DELIVERED,
            PaymentState.PAID,
            "BANK:LINEORDER000001",
        )
        assert stage.balance(issuance, stage.buyer.organisation) == {AccountKind.AVAILABLE: 100}
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_400}
        assert premium.sale_of(stage.session, order) is not None
        kinds = [event.kind for event in events.story(stage.session, order.number)]
        assert kinds[:4] == ["order.placed", "order.reserved", "order.paid", "order.delivered"]
        stage.must_be_sound()

    def test_takes_exactly_what_it_costs(self, stage, offer):
        order = stage.ordered((offer, 100))
        stage.begun(order)
        for bent in ({"amount": order.total - 1}, {"amount": order.total * 2}, {"currency": "EUR"}):
            with pytest.raises(WrongAmount, match=r"costs exactly USD 520\.00"):
                stage.money_seen(order, **bent)
        for day in ("yesterday", "1970-01-01", *(str(order.placed_at.date() + timedelta(days=off)) for off in (-1, 1))):
            with pytest.raises(BadValueDate):
                stage.money_seen(order, value_date=day)

    def test_lets_one_line_of_the_statement_pay_one_order(self, stage, offer):
        first, second = stage.ordered((offer, 100)), stage.ordered((offer, 100))
        for order in (first, second):
            stage.begun(order)
        waits = stage.money_seen(first, reference="TX 1")
        for spelt in ("tx1", "TX–1", "ＴＸ-1.", "T\u2044X 1"):
            with pytest.raises(SeenBefore, match=waits.number):
                stage.money_seen(second, reference=spelt)
        for spelt in ("ТX1", "٣", "--"):
            with pytest.raises(UnsoundText):
                stage.money_seen(second, reference=spelt)
        with pytest.raises(SeenBefore):
            stage.money_seen(first, reference="TX 2")
        stage.approve(waits)
        with pytest.raises(SeenBefore, match=first.number):
            stage.money_seen(second, reference="TX1")

    def test_is_refused_before_the_payment_begins_and_after_it(self, stage, offer):
        order = stage.ordered((offer, 100))
        with pytest.raises(OrderClosed):
            stage.money_seen(order)
        stage.begun(order)
        stage.approve(stage.money_seen(order))
        with pytest.raises(OrderClosed):
            stage.money_seen(order, reference="ANOTHER")
        with pytest.raises(NotAllowed):
            bank.check(stage.session, order.number, {}, stage.buyer)

    def test_sends_back_what_comes_too_late(self, stage, issuance, offer):
        order = stage.ordered((offer, 100))
        payment = stage.begun(order)
        waits = stage.money_seen(order)
        cancelling.cancel(stage.session, order=order, by=stage.buyer, at=stage.at)
        stage.approve(waits)

        assert (order.state, payment.state) == (OrderState.CANCELLED, PaymentState.SURPLUS)
        refund = stage.session.scalars(select(Refund)).one()
        assert (refund.state, refund.amount) == (RefundState.ASKED, order.total)
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_500}

    def test_delivers_once_where_two_approve_at_once(self, stage, issuance, offer, at_once):
        order = stage.ordered((offer, 100))
        stage.begun(order)
        waits, second = stage.money_seen(order).id, stage.colleague.id
        stage.session.commit()

        def approve(session, number):
            asked = {"policy": stage.policy, "key": f"click {number}", "at": stage.at}
            by = session.get_one(User, second)
            decisions.approve(session, decision=session.get_one(decisions.Decision, waits), by=by, **asked)

        refusals = at_once(2, approve)

        assert sorted(type(each).__name__ for each in refusals) == ["DecidedAlready", "NoneType"]
        assert stage.balance(issuance, stage.buyer.organisation) == {AccountKind.AVAILABLE: 100}
        stage.must_be_sound()

    def test_or_the_buyer_who_cancels_at_that_moment_wins(self, stage, issuance, offer, at_once):
        order = stage.ordered((offer, 100))
        payment = stage.begun(order)
        waits, people, number = stage.money_seen(order).id, (stage.colleague.id, stage.buyer.id), order.id
        stage.session.commit()

        def act(session, place):
            by = session.get_one(User, people[place])
            if place:
                cancelling.cancel(session, order=session.get_one(Order, number), by=by, at=stage.at)
                return "cancelled"
            asked = {"policy": stage.policy, "key": "approve", "at": stage.at}
            decisions.approve(session, decision=session.get_one(decisions.Decision, waits), by=by, **asked)
            return "confirmed"

        came = at_once(2, act)

        stage.session.expire_all()
        if "cancelled" in came:
            assert (order.state, payment.state) == (OrderState.CANCELLED, PaymentState.SURPLUS)
        else:
            assert (order.state, payment.state) == (OrderState.DELIVERED, PaymentState.PAID)
        stage.must_be_sound()


class TestLimit:
    def test_keeps_no_more_for_who_does_not_pay(self, stage, offer):
        few = replace(stage.policy, market=replace(stage.policy.market, unpaid_transfers=2))
        first, second, third, fourth = (stage.ordered((offer, 1)) for _ in range(4))
        stage.begun(first, policy=few)
        cancelling.cancel(stage.session, order=first, by=stage.buyer, at=stage.at)
        stage.begun(second, policy=few)
        with pytest.raises(TooManyUnpaid, match=r"2 transfers of .* are awaited or have not come"):
            stage.begun(third, policy=few, at=stage.at + timedelta(days=13))
        assert third.state is OrderState.OPEN
        stage.begun(third, policy=few, at=stage.at + timedelta(days=14))  # the first one is forgotten
        stage.approve(stage.money_seen(second))
        stage.begun(fourth, policy=few, at=stage.at + timedelta(days=14))

    def test_counts_what_is_paid_by_card_by_itself(self, stage, offer):
        few = replace(stage.policy, market=replace(stage.policy.market, unpaid_transfers=1, unpaid_checkouts=2))
        by_card = [stage.ordered((offer, 1), means=Means.STRIPE) for _ in range(4)]
        refused = stage.begun(by_card[0], policy=few)
        receiving.refused(stage.session, payment=refused, why="No page.", at=stage.at)  # nobody could have paid it
        for order in by_card[1:3]:
            stage.begun(order, policy=few)
        with pytest.raises(TooManyUnpaid, match="2 payments by card"):
            stage.begun(by_card[3], policy=few)
        stage.begun(stage.ordered((offer, 1)), policy=few)

    def test_ends_in_time_what_nobody_begins_to_pay(self, stage, offer):
        order, begun = stage.ordered((offer, 1)), stage.ordered((offer, 1))
        stage.begun(begun)
        stage.session.commit()
        ended = [
            market_rounds.lapse_orders(stage.session, policy=stage.policy, at=stage.at + timedelta(days=days))
            for days in (29, 30, 31)
        ]

        assert ended == [0, 1, 0]
        assert (order.state, order.reason) == (OrderState.CANCELLED, NEVER_BEGUN)
        assert begun.state is OrderState.AWAITING_PAYMENT
        assert offer.remaining == offer.quantity - 1
        stage.must_be_sound()


class TestLapse:
    def test_ends_what_was_not_paid_in_time_and_warns_once_before(self, stage, issuance, offer):
        order = stage.ordered((offer, 100))
        payment = stage.begun(order)
        nearly, late = stage.at + timedelta(days=12), stage.at + timedelta(days=14)

        assert bank.awaited(stage.session, before=bank.soon(stage.at)) == []
        assert bank.awaited(stage.session, before=bank.soon(nearly)) == [payment.id]
        assert [bank.warn(stage.session, payment_id=payment.id, at=nearly) for _ in range(2)] == [True, False]
        assert not bank.lapse(stage.session, payment_id=payment.id, at=nearly)
        assert bank.lapse(stage.session, payment_id=payment.id, at=late)
        assert (order.state, order.reason, offer.remaining) == (OrderState.CANCELLED, bank.LAPSED, 2_500)
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_500}

    def test_waits_for_the_second_person(self, stage, offer):
        order = stage.ordered((offer, 100))
        payment = stage.begun(order)
        waits = stage.money_seen(order)
        assert not bank.lapse(stage.session, payment_id=payment.id, at=stage.at + timedelta(days=20))
        stage.approve(waits, at=stage.at + timedelta(days=20))
        assert order.state is OrderState.DELIVERED


class TestDeliver:
    def test_retires_at_once_what_was_bought_and_nothing_else(self, stage, issuance, offer):
        stage.handed_over(issuance, 50)  # the lowest serials are the buyer's already
        order = stage.bought((offer, 100), use=Use.RETIRE, claim=CLAIM)

        (made,) = stage.session.scalars(select(Retirement)).all()
        assert retirements_in(order) == [made.number]
        assert (made.quantity, made.beneficiary, made.retired_by_id) == (100, CLAIM.beneficiary, stage.buyer.id)
        assert stage.serials(issuance, stage.buyer.organisation) == [("available", 1, 50)]
        stage.must_be_sound()

    def test_keeps_what_cannot_be_retired_any_more(self, stage, issuance, offer):
        order = stage.ordered((offer, 100), use=Use.RETIRE, claim=CLAIM)
        stage.begun(order)
        waits = stage.money_seen(order)
        stricter = replace(stage.policy, beyond_declared_use="refuse")
        stage.approve(waits, policy=stricter)

        assert order.state is OrderState.DELIVERED
        assert order.reason.startswith("The credits are yours and were not retired:")
        assert stage.balance(issuance, stage.buyer.organisation) == {AccountKind.AVAILABLE: 100}
        assert "order.kept" in [event.kind for event in events.story(stage.session, order.number)]

    def test_keeps_what_no_certificate_can_be_written_for(self, stage, issuance, offer):
        def undrawable(session, order):
            raise Undrawable("No typeface has these letters.")

        order = stage.ordered((offer, 100), means=Means.STRIPE, use=Use.RETIRE, claim=CLAIM)
        payment = stage.begun(order)
        asked = {"policy": stage.policy, "certify": undrawable, "by": None, "at": stage.at}
        assert settling.cleared(stage.session, order=order, payment=payment, **asked) == "delivered"

        assert (retirements_in(order), order.reason[-30:]) == ([], "No typeface has these letters.")
        assert stage.session.scalars(select(Retirement)).all() == []
        assert stage.balance(issuance, stage.buyer.organisation) == {AccountKind.AVAILABLE: 100}

    @pytest.mark.parametrize("forbids", ["suspended", "held", "expired", "buyer", "seller"])
    def test_waits_while_the_registry_forbids_it(self, stage, issuance, offer, forbids):
        order = stage.ordered((offer, 100))
        stage.begun(order)
        waits, at = stage.money_seen(order), stage.at
        if forbids == "suspended":
            stage.suspended(issuance)
        elif forbids == "held":
            held = stage.frozen(issuance).hold
        elif forbids == "expired":
            at = stage.at.replace(year=2029, month=7)
        else:
            party = order.buyer if forbids == "buyer" else order.lines[0].seller
            party.kyc, party.kyc_reason = Kyc.SUSPENDED, "Under review."
            stage.session.flush()
        stage.approve(waits, at=at)
        delivering.try_again(stage.session, order_id=order.id, policy=stage.policy, certify=certify, at=at)

        assert (order.state, order.posting_id) == (OrderState.PAID, None)
        assert order.reason
        kinds = [event.kind for event in events.story(stage.session, order.number)]
        assert kinds.count("order.waits") == 1
        if forbids == "held":
            stage.decided(DecisionKind.RELEASE, held.number)
            assert delivering.waiting(stage.session) == [order.id]
            assert delivering.try_again(stage.session, order_id=order.id, policy=stage.policy, certify=certify, at=at)
            assert (order.state, order.reason) == (OrderState.DELIVERED, None)
        stage.must_be_sound()


class TestReleaseLeftovers:
    def test_gives_back_what_the_registry_held_when_the_order_ended(self, stage, issuance, offer):
        order = stage.ordered((offer, 100))
        stage.begun(order)
        held = stage.frozen(issuance).hold
        cancelling.cancel(stage.session, order=order, by=stage.buyer, at=stage.at)
        stage.session.commit()
        assert market_rounds.release_leftovers(stage.session, at=stage.at) == 0
        stage.decided(DecisionKind.RELEASE, held.number)
        assert stage.balance(issuance)[AccountKind.RESERVED] == 100
        stage.session.commit()

        assert market_rounds.release_leftovers(stage.session, at=stage.at) == 1
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_500}
        stage.must_be_sound()
