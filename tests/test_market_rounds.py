"""The market's regular work, which finds what no event told of, against the stand-in."""

from datetime import timedelta
from functools import partial

import pytest

from credits import market_jobs, market_rounds
from credits.journal import events
from credits.ledger.models import AccountKind
from credits.payments import acts, bank, delivering, receiving, reconciling
from credits.payments.gateway import ProviderAtFault
from credits.payments.going_back import bypassing, refunding, sending_back
from credits.payments.going_back.disputes import TAKEN_BACK
from credits.payments.going_back.going_back_models import RefundState
from credits.payments.models import Means, OrderState, PaymentState, Use
from credits.registry.movements import DecisionKind
from tests.market_stage import certify
from tests.shop import Shop
from tests.stage import CLAIM
from tests.stripe_standin.server import Fault


@pytest.fixture
def shop(stage):
    return Shop(stage)


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


class TestMoneyThatIsGoneAlready:
    """What the provider says of it counts before anything is delivered, and retired for ever."""

    @pytest.fixture
    def shop(self, stage):
        acts.register(certify)
        shop = Shop(stage, use=Use.RETIRE, claim=CLAIM)
        shop.open()
        shop.pay()
        shop.pass_time(hours=72)
        return shop

    @pytest.fixture(params=["event", "poller"])
    def find(self, shop, request):
        """How the money is found: by an event that comes days late, or by the poller."""
        return shop.poll if request.param == "poller" else partial(shop.take_in, "checkout.session.completed")

    def deliver(self, shop):
        return market_rounds.deliver_waiting(shop.session, policy=shop.stage.policy, certify=certify, at=shop.at)

    def test_keeps_from_delivery_until_its_dispute_is_won(self, shop, find):
        dispute = shop.standin.provider.dispute(shop.payment.reference)
        find()
        assert (shop.order.state, self.deliver(shop)) == (OrderState.PAID, 0)
        assert shop.stage.balance(shop.order.lines[0].issuance, shop.stage.buyer.organisation) == {}

        shop.standin.provider.close_dispute(dispute["id"], "won")
        assert shop.take_in("charge.dispute.closed") == "dispute_won"
        assert self.deliver(shop) == 1
        assert len(delivering.retirements_in(shop.order)) == 1
        shop.stage.must_be_sound()

    def test_is_never_delivered_for_once_its_dispute_is_lost(self, shop, find):
        shop.standin.provider.close_dispute(shop.standin.provider.dispute(shop.payment.reference)["id"], "lost")
        find()

        assert (shop.order.state, shop.order.reason) == (OrderState.REFUNDED, TAKEN_BACK)
        assert shop.stage.balance(shop.order.lines[0].issuance) == {AccountKind.AVAILABLE: 2_500}
        assert market_rounds.reconcile(shop.session, gateway=shop.till.gateway, at=shop.at).agrees
        shop.stage.must_be_sound()

    def test_is_not_delivered_for_where_the_provider_has_sent_it_back(self, shop, find):
        payment = shop.till.gateway.look(shop.payment.reference).payment
        shop.till.gateway.refund(payment, shop.order.total, "by hand", "past the registry")
        find()
        assert (shop.order.state, self.deliver(shop)) == (OrderState.PAID, 0)
        told = [event.kind for event in events.story(shop.session, shop.order.number)]
        assert told[-3:] == ["order.paid", "refund.not_ours", "order.waits"]

        shop.stage.decided(DecisionKind.REFUND, shop.order.number)  # so it ends as it should have
        shop.session.commit()
        market_rounds.send_refunds(shop.session, gateway=shop.till.gateway, at=shop.at)
        (refund,) = refunding.refunds_of(shop.session, shop.order)
        assert (shop.order.state, refund.state) == (OrderState.REFUNDED, RefundState.DONE)
        assert market_rounds.reconcile(shop.session, gateway=shop.till.gateway, at=shop.at).agrees
        shop.stage.must_be_sound()

    @pytest.mark.parametrize("learnt", ["event", "catching up"])
    def test_is_delivered_for_once_where_it_comes_back_to_us(self, shop, find, learnt):
        payment = shop.till.gateway.look(shop.payment.reference).payment
        shop.standin.provider.let_refunds_fail(True, after=3600)
        shop.till.gateway.refund(payment, shop.order.total, "by hand", "past the registry")
        find()
        assert (shop.order.state, self.deliver(shop)) == (OrderState.PAID, 0)

        shop.pass_time(hours=2)
        if learnt == "event":
            assert {shop.take_in("refund.failed") for _ in "12"} == {"refund_not_ours_failed"}
        assert market_rounds.catch_up(shop.session, till=shop.till, at=shop.at) == (learnt != "event")
        assert [self.deliver(shop) for _ in "12"] == [1, 0]
        assert len(delivering.retirements_in(shop.order)) == 1
        assert [event.kind for event in events.story(shop.session, shop.order.number)].count("order.delivered") == 1
        assert market_rounds.reconcile(shop.session, gateway=shop.till.gateway, at=shop.at).agrees
        shop.stage.must_be_sound()

    def test_keeps_from_delivery_where_a_part_of_it_alone_comes_back(self, shop, find):
        payment = shop.till.gateway.look(shop.payment.reference).payment
        for number, fails in enumerate((True, False)):
            shop.standin.provider.let_refunds_fail(fails, after=3600)
            shop.till.gateway.refund(payment, 100 + number, f"by hand {number}", "past the registry")
        find()
        shop.pass_time(hours=2)

        assert shop.take_in("refund.failed") == "refund_not_ours_failed"
        assert (shop.order.state, self.deliver(shop)) == (OrderState.PAID, 0)

    def test_is_still_sent_back_by_us_where_that_was_decided_before_it_came_back(self, shop, find):
        payment = shop.till.gateway.look(shop.payment.reference).payment
        shop.standin.provider.let_refunds_fail(True, after=3600)
        shop.till.gateway.refund(payment, shop.order.total, "by hand", "past the registry")
        find()
        shop.stage.decided(DecisionKind.REFUND, shop.order.number)
        shop.session.commit()
        shop.standin.provider.let_refunds_fail(False)
        shop.pass_time(hours=2)
        shop.take_in("refund.failed")
        (refund,) = refunding.refunds_of(shop.session, shop.order)
        assert (refund.state, refund.reference) == (RefundState.ASKED, None)

        assert market_rounds.send_refunds(shop.session, gateway=shop.till.gateway, at=shop.at) == 1
        assert (shop.order.state, refund.state) == (OrderState.REFUNDED, RefundState.DONE)
        assert market_rounds.reconcile(shop.session, gateway=shop.till.gateway, at=shop.at).agrees
        shop.stage.must_be_sound()


class TestGoOn:
    @pytest.fixture
    def other(self, shop):
        """A second order, which is paid at the provider; the first one's page is open."""
        shop.open()
        order = shop.stage.ordered((shop.stage.for_sale(shop.order.lines[0].issuance, 500), 500), means=Means.STRIPE)
        payment = shop.stage.begun(order)
        shop.session.commit()
        market_jobs.open_checkout(shop.session, payment_id=payment.id, till=shop.till, at=shop.at)
        shop.standin.provider.pay(payment.reference, "card")
        shop.pass_time(minutes=5)
        return order

    def test_to_the_next_order_where_an_answer_cannot_be_read(self, shop, other):
        shop.standin.provider.find("checkout.session", shop.payment.reference).update(amount_total=None, currency=None)

        assert shop.poll() == 1
        assert (shop.order.state, other.state) == (OrderState.AWAITING_PAYMENT, OrderState.DELIVERED)
        assert market_rounds.catch_up(shop.session, till=shop.till, at=shop.at) == 0

    def test_to_the_next_order_where_the_provider_has_a_fault_with_one(self, shop, other, monkeypatch):
        shop.pay()
        shop.standin.faults = [Fault(f"GET /v1/checkout/sessions/{shop.payment.reference}", times=99)]

        assert shop.poll() == 1
        assert (shop.order.state, other.state) == (OrderState.AWAITING_PAYMENT, OrderState.DELIVERED)
        shop.standin.asked.clear()
        monkeypatch.setattr(market_rounds, "MOST_FAULTS", 1)
        shop.stage.begun(
            shop.stage.ordered((shop.stage.for_sale(other.lines[0].issuance, 100), 100), means=Means.STRIPE)
        )
        shop.session.commit()
        shop.pass_time(minutes=5)
        assert shop.poll() == 0  # so many faults in a row are of all that it is asked
        assert {*shop.standin.asked} == {f"GET /v1/checkout/sessions/{shop.payment.reference}"}

    @pytest.mark.parametrize("fault", [{"status": 500}, {"status": 409}])
    def test_to_the_next_refund_where_the_provider_has_a_fault_with_one(self, shop, other, fault):
        acts.register(certify)
        shop.pay()
        assert shop.poll() == 2
        for order in (shop.order, other):
            shop.stage.decided(DecisionKind.REFUND, order.number)
        shop.session.commit()
        shop.standin.faults = [Fault("POST /v1/refunds", when="after", **fault)]  # and so with its key for a day

        assert [market_rounds.send_refunds(shop.session, gateway=shop.till.gateway, at=shop.at) for _ in "12"] == [1, 0]
        states = [refunding.refunds_of(shop.session, order)[0].state for order in (shop.order, other)]
        assert states == [RefundState.ASKED, RefundState.DONE]

    def test_without_what_nobody_foresaw(self, shop, other, monkeypatch):
        shop.pay()
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

    @pytest.mark.parametrize("ago", [{"minutes": 5}, {"days": 200}], ids=str)
    def test_goes_on_where_the_provider_has_a_fault_with_one_payment(self, shop, monkeypatch, ago):
        shop.open()
        shop.pay()
        shop.take_in("checkout.session.completed")
        number, gateway, reference = shop.order.number, shop.till.gateway, shop.payment.reference
        shop.pass_time(**ago)
        shop.stage.at = shop.at
        shop.standin.provider.dispute(reference)
        second = shop.stage.begun(
            shop.stage.ordered((shop.stage.for_sale(shop.order.lines[0].issuance, 500), 500), means=Means.STRIPE)
        )
        shop.session.commit()
        market_jobs.open_checkout(shop.session, payment_id=second.id, till=shop.till, at=shop.at)
        shop.standin.provider.pay(second.reference, "card")
        seen_of = gateway._seen

        def at_fault(session, **asked):
            if session["id"] == reference:
                raise ProviderAtFault("It has a fault.")
            return seen_of(session, **asked)

        monkeypatch.setattr(gateway, "_seen", at_fault)
        assert market_rounds.catch_up(shop.session, till=shop.till, at=shop.at) == 1
        assert second.order.state is OrderState.DELIVERED
        assert self.look(shop)[1] == [("provider_at_fault", number)]
        monkeypatch.setattr(reconciling, "MOST_FAULTS", 1)
        with pytest.raises(ProviderAtFault):
            self.look(shop)

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

    @pytest.mark.parametrize("is_whole", [False, True])
    def test_names_a_part_that_went_back_past_the_registry_until_it_is_noted(self, shop, is_whole):
        shop.open()
        shop.pay()
        shop.take_in("checkout.session.completed")
        number, gateway = shop.order.number, shop.till.gateway
        payment = gateway.look(shop.payment.reference).payment
        made = gateway.refund(payment, shop.order.total if is_whole else 100, "by hand", "past the registry")
        assert shop.take_in("refund.created") == "refund_not_ours"
        assert self.look(shop)[1] == [("other_refund", number)]

        known = {"reason": "Agreed by telephone.", "by": shop.stage.issuer, "at": shop.at}
        bypassing.acknowledge(shop.session, order=shop.order, name=made.reference, **known)
        shop.session.commit()
        assert self.look(shop)[1] == ([("other_refund", number)] if is_whole else [])
        if not is_whole:
            gateway.refund(payment, 50, "by hand again", "past the registry")
            assert self.look(shop)[1] == [("other_refund", number)]
        shop.stage.must_be_sound()
