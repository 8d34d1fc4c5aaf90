"""The market's work over the network, against the stand-in without a network between."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from credits import market_jobs, market_rounds
from credits.journal import events
from credits.market_jobs import Till
from credits.payments import acts, bank, receiving
from credits.payments.gateway import CheckoutState, ProviderUnreachable
from credits.payments.going_back import refunding, sending_back
from credits.payments.models import Means, OrderState, PaymentState, ProviderEvent, RefundState
from credits.registry.movements import DecisionKind
from tests.market_stage import certify
from tests.stripe_standin.deliveries import as_sent, signature
from tests.stripe_standin.in_process import SECRET, standin_at
from tests.stripe_standin.server import Fault


class Shop:
    """An order of a tonne of cobalt, to be paid by the provider, on a clock that the test moves."""

    def __init__(self, stage):
        self.stage, self.at = stage, stage.at
        self.session = stage.session
        self.standin, gateway = standin_at(self.clock)
        self.till = Till(
            gateway, stage.policy, lambda number: (f"http://localhost/{number}?paid=1", "http://localhost"), certify
        )
        self.order = stage.ordered((stage.for_sale(stage.issued(), 1_000), 1_000), means=Means.STRIPE)
        self.payment = stage.begun(self.order)
        self.session.commit()

    def clock(self):
        return self.at.timestamp()

    def open(self):
        return market_jobs.open_checkout(self.session, payment_id=self.payment.id, till=self.till, at=self.at)

    def pay(self, how="card"):
        self.standin.provider.pay(self.payment.reference, how)

    def pass_time(self, **time):
        self.at += timedelta(**time)
        self.standin.provider.catch_up()

    def told(self, kind):
        """What the provider would post of its newest event of a kind, read as the door does."""
        event = [each for each in self.standin.provider.things["event"].values() if each["type"] == kind][-1]
        body = json.dumps(as_sent(event)).encode()
        return self.till.gateway.read_event(body, signature(body, SECRET, int(self.at.timestamp())), self.at)

    def take_in(self, kind):
        return market_jobs.take_in(self.session, told=self.told(kind), till=self.till, at=self.at)

    def poll(self, **asked):
        return market_rounds.poll(self.session, till=self.till, at=self.at, **asked)


@pytest.fixture
def shop(stage):
    return Shop(stage)


class TestOpenCheckout:
    def test_gives_the_same_page_however_often(self, shop):
        url = shop.open()

        assert url == shop.open() == shop.payment.url
        assert shop.payment.state is PaymentState.OPEN
        assert len(shop.standin.provider.things["checkout.session"]) == 1

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_is_taken_up_after_a_lost_answer(self, shop, when):
        shop.standin.faults = [Fault("POST", "lose", when)]
        with pytest.raises(ProviderUnreachable):
            shop.open()
        shop.pass_time(minutes=5)

        assert shop.poll() == 1
        assert (shop.payment.state, shop.payment.reference) == (PaymentState.OPEN, "cs_test_00000001")

    def test_ends_the_order_that_the_provider_refuses(self, shop):
        shop.standin.faults = [Fault("POST", status=400)]

        assert shop.open() is None
        assert (shop.order.state, shop.payment.state) == (OrderState.CANCELLED, PaymentState.FAILED)

    @pytest.mark.parametrize("status, made", [(500, 1), (409, 0)])
    def test_ends_in_time_what_the_provider_never_answers(self, shop, status, made):
        shop.standin.faults = [Fault("POST /v1/checkout", "lose", "after" if made else "before", times=9)]
        with pytest.raises(ProviderUnreachable):
            shop.open()
        shop.pass_time(minutes=61)

        assert shop.poll() == 1
        assert shop.order.state is OrderState.CANCELLED


class TestTakeIn:
    def test_delivers_once_however_often_it_is_told(self, shop):
        shop.open()
        shop.pay()

        effects = [shop.take_in("checkout.session.completed") for _ in range(3)]

        assert effects == ["delivered"] * 3
        assert shop.order.state is OrderState.DELIVERED
        assert shop.session.query(ProviderEvent).count() == 1

    def test_awaits_money_that_clears_later(self, shop):
        shop.open()
        shop.pay("debit")
        assert shop.take_in("checkout.session.completed") == "processing"
        told_late = shop.told("checkout.session.completed")
        shop.pass_time(days=4)

        assert shop.take_in("checkout.session.async_payment_succeeded") == "delivered"
        market_jobs.take_in(shop.session, told=replace(told_late, id="evt_late"), till=shop.till, at=shop.at)
        assert shop.order.state is OrderState.DELIVERED

    def test_releases_what_the_bank_has_refused(self, shop):
        shop.open()
        shop.pay("debit_fails")
        shop.pass_time(days=4)

        assert shop.take_in("checkout.session.async_payment_failed") == "released"
        assert (shop.order.state, shop.payment.state) == (OrderState.CANCELLED, PaymentState.FAILED)

    def test_believes_a_signed_event_while_the_provider_is_silent(self, shop):
        shop.open()
        shop.pay()
        shop.standin.faults = [Fault("GET", "lose", times=9)]

        assert shop.take_in("checkout.session.completed") == "delivered"

    @pytest.mark.parametrize(
        "bent",
        [
            {"amount": 1},
            {"currency": "EUR"},
            {"livemode": True},
            {"account": "acct_1"},
            {"order_number": "ORDER-000099"},
        ],
    )
    def test_moves_nothing_on_an_event_that_differs_from_the_order(self, shop, bent):
        shop.open()
        shop.pay()
        told = shop.told("checkout.session.completed")
        shop.standin.faults = [Fault("GET", "lose", times=9)]
        told = replace(told, seen=replace(told.seen, **bent))

        assert market_jobs.take_in(shop.session, told=told, till=shop.till, at=shop.at) == "mismatch"
        assert shop.order.state is OrderState.AWAITING_PAYMENT

    def test_asks_what_became_of_a_refund_and_a_dispute(self, shop):
        shop.open()
        shop.pay()
        shop.take_in("checkout.session.completed")
        dispute = shop.standin.provider.dispute(shop.payment.reference)

        assert shop.take_in("charge.dispute.created") == "disputed"
        shop.standin.provider.close_dispute(dispute["id"], "won")
        assert shop.take_in("charge.dispute.closed") == "dispute_won"
        shop.standin.faults = [Fault("GET", "lose")]
        with pytest.raises(ProviderUnreachable):
            shop.take_in("charge.dispute.funds_reinstated")


class TestPoll:
    def test_finds_what_no_event_told_of(self, shop):
        shop.open()
        shop.pay()
        shop.pass_time(minutes=5)

        assert shop.poll() == 1
        assert shop.order.state is OrderState.DELIVERED
        assert shop.poll() == 0

    def test_leaves_an_open_checkout_alone_until_its_time_is_over(self, shop):
        shop.open()
        shop.pass_time(minutes=59)
        assert shop.poll() == 0
        shop.pass_time(minutes=2)

        assert shop.poll() == 1
        assert shop.order.state is OrderState.CANCELLED

    def test_looks_after_debits_apart(self, shop):
        shop.open()
        shop.pay("debit")
        shop.pass_time(minutes=5)
        shop.poll()
        shop.pass_time(days=4)

        assert shop.poll() == 0
        assert shop.poll(states=[PaymentState.PROCESSING]) == 1
        assert shop.order.state is OrderState.DELIVERED


class TestEndCheckout:
    def test_releases_what_nobody_has_paid(self, shop):
        shop.open()

        assert (
            market_jobs.end_checkout(shop.session, payment_id=shop.payment.id, till=shop.till, at=shop.at) == "released"
        )
        assert shop.till.gateway.look(shop.payment.reference).state is CheckoutState.EXPIRED
        assert shop.order.reason == "Cancelled by the buyer."  # whoever tells us of the end

    def test_delivers_what_somebody_has_paid_a_moment_before(self, shop):
        shop.open()
        shop.pay()

        assert (
            market_jobs.end_checkout(shop.session, payment_id=shop.payment.id, till=shop.till, at=shop.at)
            == "delivered"
        )


class TestGoOn:
    def test_without_what_nobody_foresaw(self, shop, monkeypatch):
        shop.open()
        other = shop.stage.ordered((shop.stage.for_sale(shop.order.lines[0].issuance, 500), 500), means=Means.STRIPE)
        second = shop.stage.begun(other)
        shop.session.commit()
        market_jobs.open_checkout(shop.session, payment_id=second.id, till=shop.till, at=shop.at)
        shop.pay()
        shop.standin.provider.pay(second.reference, "card")
        shop.pass_time(minutes=5)
        settle = receiving.settle_seen

        def broken(session, *, payment, **asked):
            if payment.id == shop.payment.id:
                raise LookupError("nobody foresaw this")
            return settle(session, payment=payment, **asked)

        monkeypatch.setattr(receiving, "settle_seen", broken)
        assert shop.poll() == 1
        assert (shop.order.state, other.state) == (OrderState.AWAITING_PAYMENT, OrderState.DELIVERED)
        assert market_rounds.catch_up(shop.session, till=shop.till, at=shop.at) == 0

    def test_to_the_next_transfer_that_has_not_come(self, shop, monkeypatch):
        stage = shop.stage
        offer = stage.for_sale(shop.order.lines[0].issuance, 500)
        payments = [stage.begun(stage.ordered((offer, 100))) for _ in range(2)]
        shop.session.commit()
        lapse, first = bank.lapse, payments[0].id

        def broken(session, *, payment_id, at):
            if payment_id == first:
                raise LookupError("nobody foresaw this")
            return lapse(session, payment_id=payment_id, at=at)

        monkeypatch.setattr(bank, "lapse", broken)
        assert market_rounds.lapse_transfers(shop.session, at=shop.at + timedelta(days=15)) == 1
        assert [each.state for each in payments] == [PaymentState.OPEN, PaymentState.EXPIRED]

    def test_to_the_next_refund_where_the_provider_refuses_one(self, shop):
        acts.register(certify)
        shop.open()
        shop.pay()
        shop.pass_time(minutes=5)
        shop.poll()
        shop.stage.decided(DecisionKind.REFUND, shop.order.number)
        shop.session.commit()
        number = shop.order.number
        shop.pass_time(days=4)

        def kinds():
            found = market_rounds.reconcile(shop.session, gateway=shop.till.gateway, at=shop.at)
            assert {each.subject for each in found.disagreements} <= {number}
            return [each.kind for each in found.disagreements]

        assert kinds() == ["refund_overdue"]
        shop.standin.faults = [Fault("POST /v1/refunds", status=400)]
        assert market_rounds.send_refunds(shop.session, gateway=shop.till.gateway, at=shop.at) == 0
        (refund,) = refunding.refunds_of(shop.session, shop.order)
        assert refund.state is RefundState.FAILED
        assert "refund.failed" in [event.kind for event in events.story(shop.session, number)]
        assert kinds() == ["not_refunded"]
        again = sending_back.ask_again(shop.session, refund=refund, by=shop.stage.issuer, at=shop.at)
        shop.session.commit()
        assert market_rounds.send_refunds(shop.session, gateway=shop.till.gateway, at=shop.at) == 1
        assert again.state is RefundState.DONE
        assert kinds() == []


class TestReconcile:
    def look(self, shop):
        found = market_rounds.reconcile(shop.session, gateway=shop.till.gateway, at=shop.at)
        return found.counts, [(each.kind, each.subject) for each in found.disagreements]

    def test_agrees_with_a_paid_and_delivered_order(self, shop):
        shop.open()
        shop.pay()
        shop.take_in("checkout.session.completed")

        assert self.look(shop) == ({"orders": 1, "payments": 1, "delivered": 1, "refunded": 0}, [])

    def test_names_what_no_event_told_of_until_it_is_caught_up(self, shop):
        shop.open()
        shop.pay()
        number = shop.order.number
        assert self.look(shop)[1] == [("paid_at_provider", number)]

        assert market_rounds.catch_up(shop.session, till=shop.till, at=shop.at) == 1
        assert self.look(shop)[1] == []
        shop.standin.provider.dispute(shop.payment.reference)
        assert self.look(shop)[1] == [("other_dispute", number)]

    def test_names_what_the_provider_does_not_know(self, shop):
        shop.open()
        shop.standin.provider.things["checkout.session"].clear()

        assert self.look(shop)[1] == [("unknown_to_provider", shop.order.number)]

    def test_finds_what_went_back_long_after_it_was_paid(self, shop):
        shop.open()
        shop.pay()
        shop.take_in("checkout.session.completed")
        number, catch_up = shop.order.number, partial(market_rounds.catch_up, shop.session, till=shop.till)
        shop.pass_time(days=200)
        dispute = shop.standin.provider.dispute(shop.payment.reference)
        assert self.look(shop)[1] == [("other_dispute", number)]
        assert catch_up(at=shop.at) == 1
        assert self.look(shop)[1] == []

        shop.pass_time(days=100)  # nothing tells of the dispute's end, and it began long ago
        shop.standin.provider.close_dispute(dispute["id"], "lost")
        assert self.look(shop)[1] == [("other_dispute", number)]
        assert catch_up(at=shop.at) == 1
        assert self.look(shop)[1] == []
        assert shop.order.state is OrderState.REFUNDED
