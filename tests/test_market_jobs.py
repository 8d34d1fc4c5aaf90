"""The market's work over the network, against the stand-in without a network between."""

from dataclasses import replace

import pytest

from credits import market_jobs
from credits.payments.gateway import CheckoutState, ProviderUnreachable
from credits.payments.models import OrderState, PaymentState, ProviderEvent
from tests.shop import Shop
from tests.stripe_standin.server import Fault


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

    def test_believes_that_the_bank_has_refused_it_before_the_payment_says_so(self, shop):
        shop.open()
        shop.pay("debit_fails")
        shop.pass_time(days=4)
        (intent,) = shop.standin.provider.things["payment_intent"].values()
        intent["status"] = "processing"

        assert shop.take_in("checkout.session.async_payment_failed") == "released"
        assert (shop.order.state, shop.payment.state) == (OrderState.CANCELLED, PaymentState.FAILED)

    def test_asks_for_the_payment_of_a_charge_where_a_dispute_names_no_other(self, shop):
        shop.open()
        shop.pay()
        shop.take_in("checkout.session.completed")
        shop.standin.provider.dispute(shop.payment.reference)
        told = replace(shop.told("charge.dispute.created"), payment=None)

        assert market_jobs.take_in(shop.session, told=told, till=shop.till, at=shop.at) == "disputed"

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
