from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from credits.journal import events
from credits.ledger.models import AccountKind
from credits.payments import receiving
from credits.payments.gateway import CheckoutState, Disputed, EventKind, Seen, Told
from credits.payments.going_back.going_back_models import Dispute, DisputeState, Refund
from credits.payments.models import Means, OrderState, PaymentState, ProviderEvent
from credits.payments.receiving import Terms
from tests.market_stage import certify


@pytest.fixture
def issuance(stage):
    return stage.issued()


@pytest.fixture
def order(stage, issuance):
    return stage.ordered((stage.for_sale(issuance), 100), means=Means.STRIPE)


@pytest.fixture
def payment(stage, order):
    return stage.begun(order)


@pytest.fixture
def seen(order, payment):
    """The checkout, paid."""
    return Seen(
        reference="cs_1",
        order_number=order.number,
        attempt=1,
        state=CheckoutState.PAID,
        amount=order.total,
        currency="USD",
        payment="pi_1",
        livemode=False,
        account=None,
        created=payment.opened_at,
    )


def told(seen: Seen, number: int = 1, **bent) -> Told:
    asked = {"id": f"evt_{number}", "kind": EventKind.COMPLETED, "reference": seen.reference, "payment": seen.payment}
    asked |= {"order_number": seen.order_number, "livemode": seen.livemode, "account": None, "seen": seen}
    return Told(**asked | {"created": seen.created} | bent)


@pytest.fixture
def receive(stage):
    def taken_in(seen: Seen, number: int = 1, *, told_as: Seen | bool | None = True, **bent):
        told_as = seen if told_as is True else told_as
        at = bent.pop("at", stage.at)
        event = replace(told(seen, number, **bent), seen=told_as)
        asked = {"seen": seen, "terms": Terms(False, stage.policy, certify), "at": at}
        return receiving.receive(stage.session, told=event, **asked)

    return taken_in


def kinds(stage, order):
    return [event.kind for event in events.story(stage.session, order.number)]


class TestReceive:
    def test_delivers_once_however_often_it_comes(self, stage, issuance, order, payment, seen, receive):
        effects = [receive(seen, number) for number in (1, 1, 2, 1)]

        assert effects == ["delivered", "delivered", "nothing", "delivered"]
        assert (order.state, payment.state, payment.payment) == (OrderState.DELIVERED, PaymentState.PAID, "pi_1")
        assert stage.balance(issuance, stage.buyer.organisation) == {AccountKind.AVAILABLE: 100}
        assert kinds(stage, order).count("order.delivered") == 1
        assert len(stage.session.scalars(select(ProviderEvent)).all()) == 2
        stage.must_be_sound()

    def test_moves_nothing_where_it_is_not_what_was_ordered(self, stage, order, payment, seen, receive):
        payment.reference = "cs_1"
        stage.session.flush()
        others = (
            {"amount": 1},
            {"currency": "EUR"},
            {"livemode": True},
            {"account": "acct_other"},
            {"attempt": 2},
            {"order_number": "ORDER-000099"},
        )
        for number, bent in enumerate(others):
            other = replace(seen, **bent)
            assert [receive(other, 2 * number), receive(other, 2 * number + 1)] == ["mismatch", "mismatch"]

        assert (order.state, payment.state) == (OrderState.AWAITING_PAYMENT, PaymentState.OPENING)
        assert kinds(stage, order).count("payment.mismatch") == len(others)
        unknown = replace(seen, order_number="ORDER-000099", reference="cs_9", payment="pi_9")
        assert receive(unknown, 99) == "unknown_order"

    def test_moves_nothing_where_the_signed_event_tells_of_another_payment(self, stage, order, payment, seen, receive):
        for number, bent in enumerate(({"amount": 1}, {"currency": "EUR"}, {"order_number": "ORDER-000099"})):
            assert receive(seen, number, told_as=replace(seen, **bent)) == "mismatch"

        assert (order.state, payment.state) == (OrderState.AWAITING_PAYMENT, PaymentState.OPENING)
        assert kinds(stage, order).count("payment.mismatch") == 3
        assert receive(seen, 8, told_as=None) == "delivered"  # as of a refund, which carries no figures of the checkout

    def test_moves_nothing_where_the_payment_is_another_orders(self, stage, order, payment, seen, receive):
        other = stage.ordered((order.lines[0].offer, 100), means=Means.STRIPE)
        second = stage.begun(other)
        second.reference = "cs_2"
        stage.session.flush()
        assert receive(seen) == "delivered"
        assert receive(replace(seen, reference="cs_2", order_number=other.number, amount=other.total), 2) == "mismatch"

        assert (other.state, second.payment) == (OrderState.AWAITING_PAYMENT, None)
        assert kinds(stage, other)[-1] == "payment.mismatch"

    def test_passes_over_a_dispute_about_nothing(self, stage, order, payment, seen, receive):
        nothing = Disputed(reference="du_1", amount=0, state=DisputeState.OPEN)

        assert receive(replace(seen, disputes=(nothing,))) == "delivered"
        assert kinds(stage, order).count("payment.mismatch") == 1
        assert stage.session.scalars(select(Dispute)).all() == []

    def test_frees_what_waits_for_a_page_of_ours_that_differs_once_nobody_can_pay_it(
        self, stage, issuance, order, payment, seen, receive
    ):
        payment.reference = "cs_1"
        stage.session.flush()
        other = replace(seen, amount=1, payment=None)
        ended = replace(other, state=CheckoutState.EXPIRED)
        theirs = replace(ended, livemode=True)
        asked = {"payment": payment, "terms": Terms(False, stage.policy, certify), "at": stage.at}
        effects = [receiving.settle_seen(stage.session, seen=each, **asked) for each in (other, theirs, ended)]

        assert effects == ["mismatch", "mismatch", "released"]
        assert order.state is OrderState.CANCELLED
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_500}

    def test_waits_while_the_money_clears(self, stage, order, payment, seen, receive):
        clearing = replace(seen, state=CheckoutState.PROCESSING)
        assert receive(clearing) == "processing"
        assert (order.state, payment.state) == (OrderState.AWAITING_PAYMENT, PaymentState.PROCESSING)
        days_later = stage.at + timedelta(days=4)
        assert receive(seen, 2, at=days_later) == "delivered"
        assert receive(clearing, 3, at=days_later) == "nothing"  # told late
        assert order.state is OrderState.DELIVERED

    @pytest.mark.parametrize("state", [CheckoutState.EXPIRED, CheckoutState.FAILED])
    def test_releases_what_nobody_can_pay_any_more(self, stage, issuance, order, payment, seen, receive, state):
        ended = replace(seen, state=state, payment=None)
        assert receive(ended) == "released"

        assert (order.state, payment.state) == (OrderState.CANCELLED, PaymentState(state.value))
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_500}
        assert receive(replace(seen, state=CheckoutState.OPEN), 2) == "nothing"
        stage.must_be_sound()

    def test_sends_back_what_comes_after_the_end(self, stage, issuance, order, payment, seen, receive):
        receive(replace(seen, state=CheckoutState.EXPIRED, payment=None))
        assert [receive(seen, number) for number in (2, 3)] == ["surplus", "nothing"]

        refund = stage.session.scalars(select(Refund)).one()
        assert (refund.amount, refund.payment_id) == (order.total, payment.id)
        assert (order.state, payment.state) == (OrderState.CANCELLED, PaymentState.SURPLUS)
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_500}

    def test_has_one_outcome_where_everything_comes_at_once(self, stage, issuance, order, payment, seen, at_once):
        stage.session.commit()
        expired = replace(seen, state=CheckoutState.EXPIRED, payment=None)

        def take_in(session, number):
            # Two payments' events, each three times, and two of the end.
            now, event = (expired, 100 + number) if number % 4 == 3 else (seen, number // 4)
            asked = {"seen": now, "terms": Terms(False, stage.policy, certify), "at": stage.at}
            return receiving.receive(session, told=told(now, event), **asked)

        effects = at_once(8, take_in)

        stage.session.expire_all()
        delivered = order.state is OrderState.DELIVERED
        assert ("released" in effects) is not delivered
        assert ("delivered" in effects) is delivered
        assert order.state in (OrderState.DELIVERED, OrderState.CANCELLED)
        bought = stage.balance(issuance, stage.buyer.organisation).get(AccountKind.AVAILABLE, 0)
        assert bought == (100 if delivered else 0)
        assert payment.state is (PaymentState.PAID if delivered else PaymentState.SURPLUS)
        stage.must_be_sound()
