from dataclasses import replace

import pytest

from credits.journal import events
from credits.ledger.models import AccountKind
from credits.ledger.serials import LARGEST, SerialRange
from credits.payments import acts, comparing, receiving
from credits.payments.delivering import Disputed as UnderDispute
from credits.payments.gateway import Disputed, Refunded
from credits.payments.going_back import refunding, sending_back
from credits.payments.going_back.disputes import TAKEN_BACK, disputes_of
from credits.payments.going_back.going_back_models import DisputeState, RefundState
from credits.payments.models import Means, OrderState, Use
from credits.payments.money_models import MoneyPosting, MoneyPostingKind
from credits.payments.premiums import following, premium
from credits.payments.receiving import Terms
from credits.registry import public
from credits.registry.movements import DecisionKind
from tests.market_stage import certify
from tests.payments.house import House
from tests.payments.selling import checkout_of
from tests.stage import CLAIM


class TestTakeIn:
    def test_holds_what_is_left_and_lets_it_go_when_won(self, stage, issuance, buy, tell):
        order, payment, seen = buy()
        buyer = stage.buyer.organisation
        tell(payment, seen)
        stage.retired(issuance, 30)
        assert [tell(payment, seen, DisputeState.OPEN) for _ in range(2)] == ["disputed", "nothing"]

        (dispute,) = disputes_of(stage.session, order)
        assert (dispute.amount, dispute.state) == (order.total, DisputeState.OPEN)
        assert stage.serials(issuance, buyer) == [("held", 31, 100)]
        with pytest.raises(UnderDispute):
            stage.proposed(DecisionKind.REFUND, order.number)
        assert tell(payment, seen, DisputeState.WON) == "dispute_won"
        assert stage.serials(issuance, buyer) == [("available", 31, 100)]
        assert (dispute.state, dispute.shortfall) == (DisputeState.WON, 0)
        stage.must_be_sound()

    def test_gives_back_what_is_left_when_lost_and_books_the_rest(self, stage, issuance, buy, tell):
        order, payment, seen = buy()
        tell(payment, seen)
        stage.retired(issuance, 33)
        tell(payment, seen, DisputeState.OPEN)
        tell(payment, seen, DisputeState.LOST)

        (dispute,) = disputes_of(stage.session, order)
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_467}
        assert stage.balance(issuance, stage.buyer.organisation) == {}
        assert (dispute.state, dispute.shortfall) == (DisputeState.LOST, 17_160)  # 33 % of USD 520.00
        assert (order.state, order.reason) == (OrderState.REFUNDED, TAKEN_BACK)
        (trail,) = following.trails_of(stage.session, issuance, [SerialRange(1, 33)])
        assert (trail.order, trail.units, trail.share) == (order, 33, 15_101)  # 33 % of USD 457.60, which stays
        assert [each.kind for each in comparing.disagreements(stage.session)] == []
        posted = stage.session.query(MoneyPosting).filter_by(kind=MoneyPostingKind.SHORTFALL).count()
        assert posted == 1
        (back, *_) = public.history(stage.session, issuance, SerialRange(34, 100), before=LARGEST, limit=1)
        assert (back.event, back.target.organisation_id) == ("dispute.closed", stage.coop.id)
        stage.must_be_sound()

    def test_never_undoes_a_retirement(self, stage, issuance, buy, tell):
        order, payment, seen = buy(use=Use.RETIRE, claim=CLAIM)
        tell(payment, seen)
        tell(payment, seen, DisputeState.LOST)  # that it was opened was never told

        (dispute,) = disputes_of(stage.session, order)
        assert (dispute.earmark, dispute.shortfall) == (None, order.total)
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_400}
        assert [event.kind for event in events.story(stage.session, order.number)][-4:] == [
            "dispute.opened",
            "dispute.closed",
            "order.charged_back",
            "premium.returned",
        ]
        stage.must_be_sound()

    def test_concerns_the_part_that_is_disputed(self, stage, issuance, buy, tell):
        order, payment, seen = buy()
        tell(payment, seen)
        tell(payment, seen, DisputeState.OPEN, order.total // 3)
        assert stage.serials(issuance, stage.buyer.organisation) == [("held", 1, 34), ("available", 35, 100)]
        tell(payment, seen, DisputeState.LOST, order.total // 3)

        assert stage.serials(issuance, stage.buyer.organisation) == [("available", 35, 100)]
        assert disputes_of(stage.session, order)[0].shortfall == 0
        assert order.state is OrderState.DELIVERED  # two thirds of it are paid
        stage.must_be_sound()

    def test_keeps_from_delivery_what_waits(self, stage, issuance, buy, tell):
        order, payment, seen = buy()
        stage.suspended(issuance)
        tell(payment, seen)
        assert order.state is OrderState.PAID
        tell(payment, seen, DisputeState.OPEN)
        tell(payment, seen, DisputeState.LOST)

        assert order.state is OrderState.REFUNDED
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_500}
        stage.must_be_sound()

    def test_takes_no_more_of_what_waits_than_is_disputed(self, stage, issuance, buy, tell):
        order, payment, seen = buy()
        stage.suspended(issuance)
        tell(payment, seen)
        tell(payment, seen, DisputeState.OPEN, 1_000)
        assert order.state is OrderState.PAID
        tell(payment, seen, DisputeState.LOST, 1_000)

        (rest,) = refunding.refunds_of(stage.session, order)
        assert (order.state, rest.amount, rest.state) == (OrderState.REFUNDED, order.total - 1_000, RefundState.ASKED)
        assert [each.amount for each in sending_back.due(stage.session)] == [rest.amount]
        assert [each.kind for each in comparing.disagreements(stage.session)] == []
        sending_back.refused(stage.session, refund_id=rest.id, at=stage.at)
        assert [each.kind for each in comparing.disagreements(stage.session)] == ["not_refunded"]
        again = sending_back.ask_again(stage.session, refund=rest, by=stage.issuer, at=stage.at)
        assert again.amount == rest.amount
        stage.must_be_sound()

    @pytest.mark.parametrize("part", [1, 4])
    def test_is_booked_once_with_a_refund_that_was_not_sent(self, stage, buy, tell, part):
        order, payment, seen = buy()
        tell(payment, seen)
        stage.decided(DecisionKind.REFUND, order.number)
        (refund,) = refunding.refunds_of(stage.session, order)
        tell(payment, seen, DisputeState.OPEN, order.total // part)
        assert sending_back.due(stage.session) == []  # the bank may take the same money
        tell(payment, seen, DisputeState.LOST, order.total // part)

        assert refund.state is RefundState.FAILED
        rest = order.total - order.total // part
        assert [each.amount for each in sending_back.due(stage.session)] == ([rest] if rest else [])
        with pytest.raises(refunding.NotRefundable):
            sending_back.ask_again(stage.session, refund=refund, by=stage.issuer, at=stage.at)
        kinds = [posting.kind for posting in stage.session.query(MoneyPosting).order_by(MoneyPosting.id)]
        assert kinds == [MoneyPostingKind.SALE, MoneyPostingKind.REFUND]
        assert [each.kind for each in comparing.disagreements(stage.session)] == []
        stage.must_be_sound()

    def test_is_a_loss_where_the_refund_was_sent_before(self, stage, buy, tell):
        order, payment, seen = buy()
        tell(payment, seen)
        stage.decided(DecisionKind.REFUND, order.number)
        tell(payment, replace(seen, refunds=(Refunded(reference="re_1", amount=order.total, state=RefundState.DONE),)))
        tell(payment, seen, DisputeState.LOST)

        kinds = [posting.kind for posting in stage.session.query(MoneyPosting).order_by(MoneyPosting.id)]
        assert kinds == [MoneyPostingKind.SALE, MoneyPostingKind.REFUND, MoneyPostingKind.SHORTFALL]
        assert sending_back.due(stage.session) == []
        stage.must_be_sound()


def test_never_sells_twice_what_is_paid_out(stage):
    acts.register(certify)
    house = House(stage)
    order = stage.ordered((stage.for_sale(house.made, 2_500), 100), means=Means.STRIPE)
    payment = stage.begun(order)
    seen = checkout_of(order, payment)
    asked = {"payment": payment, "terms": Terms(False, stage.policy, certify), "at": stage.at}
    receiving.settle_seen(stage.session, seen=seen, **asked)
    house.paid(house.decided(income=order.premium // 4), order.premium // 4)
    assert premium.paid_out(stage.session, order) == order.premium // 4
    lost = Disputed(reference="du_1", amount=order.total, state=DisputeState.LOST)
    receiving.settle_seen(stage.session, seen=replace(seen, disputes=(lost,)), **asked)

    assert stage.serials(house.made, stage.buyer.organisation) == []
    assert stage.balance(house.made) == {AccountKind.AVAILABLE: 2_475}  # 25 are in the registry's buffer
    told = [event for event in events.story(stage.session, order.number) if event.kind == "dispute.closed"]
    assert b'"to_buffer":25' in told[0].body
    assert house.figures[3] == 0
    house.must_be_sound()
    stage.must_be_sound()
