import pytest
from sqlalchemy import select

from credits.ledger.models import AccountKind
from credits.payments import delivering
from credits.payments.going_back.going_back_models import Refund, RefundState
from credits.payments.going_back.refunding import NotAllThere, NotRefundable
from credits.payments.models import OrderState, Use
from credits.payments.money_models import MoneyPosting, MoneyPostingKind
from credits.payments.premiums import premium
from credits.registry import decisions, retirement
from credits.registry.movements import Decision, DecisionKind
from tests.market_stage import certify
from tests.stage import CLAIM


def refunded(stage, order):
    stage.decided(DecisionKind.REFUND, order.number)
    return stage.session.scalars(select(Refund)).one()


class TestRefund:
    def test_gives_the_credits_back_with_the_second_approval(self, stage, issuance, order):
        refund = refunded(stage, order)

        assert (order.state, order.reason) == (OrderState.REFUNDED, "The assay was wrong.")
        assert (refund.amount, refund.state, refund.posting_id is not None) == (order.total, RefundState.ASKED, True)
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_500}
        assert stage.balance(issuance, stage.buyer.organisation) == {}
        kinds = stage.session.scalars(select(MoneyPosting.kind)).all()
        assert kinds == [MoneyPostingKind.SALE, MoneyPostingKind.REFUND]
        assert premium.open_shares(stage.session, order) == []
        with pytest.raises(NotRefundable):
            stage.proposed(DecisionKind.REFUND, order.number)
        stage.must_be_sound()

    @pytest.mark.parametrize("way", ["retired", "passed on", "held"])
    def test_needs_all_of_them_unretired(self, stage, issuance, order, way):
        waits = stage.proposed(DecisionKind.REFUND, order.number)
        if way == "retired":
            stage.retired(issuance, 1)
        elif way == "passed on":
            stage.offered(issuance, 1, stage.second, sender=stage.buyer.organisation, by=stage.buyer)
        else:
            stage.held(issuance, 1, holder=stage.buyer.organisation)
        with pytest.raises(NotAllThere, match="whole or not"):
            stage.proposed(DecisionKind.REFUND, order.number)
        with pytest.raises(NotAllThere), stage.session.begin_nested():
            stage.approve(waits)

        assert order.state is OrderState.DELIVERED
        stage.must_be_sound()

    def test_never_undoes_a_retirement(self, stage, issuance):
        order = stage.bought((stage.for_sale(issuance), 100), use=Use.RETIRE, claim=CLAIM)
        with pytest.raises(NotAllThere):
            stage.proposed(DecisionKind.REFUND, order.number)

    def test_helps_where_it_cannot_be_delivered(self, stage, issuance):
        order = stage.ordered((stage.for_sale(issuance), 100))
        stage.begun(order)
        waits = stage.money_seen(order)
        stage.suspended(issuance)
        stage.approve(waits)
        assert order.state is OrderState.PAID
        refund = refunded(stage, order)

        assert (order.state, refund.posting_id) == (OrderState.REFUNDED, None)
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_500}
        assert not delivering.try_again(
            stage.session, order_id=order.id, policy=stage.policy, certify=certify, at=stage.at
        )
        stage.must_be_sound()

    def test_or_retirement_wins_where_both_come_at_once(self, stage, issuance, order, at_once):
        waits = stage.proposed(DecisionKind.REFUND, order.number).id
        number, buyer, second = issuance.id, stage.buyer.id, stage.colleague.id
        stage.session.commit()

        def act(session, place):
            user, at = type(stage.buyer), stage.at
            if place:
                asked = {"decision": session.get_one(Decision, waits), "by": session.get_one(user, second)}
                decisions.approve(session, policy=stage.policy, key="approve", at=at, **asked)
                return "refunded"
            by = session.get_one(user, buyer)
            made = session.get_one(type(issuance), number)
            asked = {"issuance": made, "holder": by.organisation, "quantity": 1, "claim": CLAIM, "by": by}
            retirement.retire(session, policy=stage.policy, key="retire", at=at, **asked)
            return "retired"

        came = [each for each in at_once(2, act) if isinstance(each, str)]

        assert len(came) == 1
        stage.session.expire_all()
        assert (order.state is OrderState.REFUNDED) is (came == ["refunded"])
        stage.must_be_sound()
