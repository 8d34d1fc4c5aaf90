from datetime import timedelta

import pytest
from sqlalchemy import select

from credits.payments import comparing, settling
from credits.payments.gateway import Refunded
from credits.payments.going_back import refunding, sending_back
from credits.payments.going_back.going_back_models import Refund, RefundState
from credits.payments.going_back.refunding import NotRefundable
from credits.payments.models import Means
from credits.registry.movements import DecisionKind
from tests.market_stage import certify


def refunded(stage, order):
    stage.decided(DecisionKind.REFUND, order.number)
    return stage.session.scalars(select(Refund)).one()


class TestSettle:
    def test_is_done_once_by_the_bank_or_the_provider(self, stage, order):
        refund = refunded(stage, order)
        assert sending_back.due(stage.session) == []  # no provider is asked about a transfer
        sending_back.sent(stage.session, refund=refund, reference="OUT 7", by=stage.issuer, at=stage.at)

        assert (refund.state, refund.reference) == (RefundState.DONE, "BANK:OUT7")
        with pytest.raises(NotRefundable):
            sending_back.sent(stage.session, refund=refund, reference="OUT 8", by=stage.issuer, at=stage.at)

    def test_counts_one_line_of_the_statement_once(self, stage, issuance, order):
        refund, other = refunded(stage, order), stage.bought((stage.for_sale(issuance, 10), 10))
        sending_back.sent(stage.session, refund=refund, reference="OUT-7", by=stage.issuer, at=stage.at)
        stage.decided(DecisionKind.REFUND, other.number)
        (second,) = refunding.refunds_of(stage.session, other)
        with pytest.raises(NotRefundable, match=order.number):
            sending_back.sent(stage.session, refund=second, reference="out 7", by=stage.issuer, at=stage.at)

    def test_is_sent_once_more_where_it_came_back(self, stage, order):
        refund, later = refunded(stage, order), stage.at + timedelta(days=2)
        failed = Refunded(reference="re_1", amount=order.total, state=RefundState.FAILED)
        sending_back.note(stage.session, refund_id=refund.id, refunded=failed, at=later)
        assert refund.state is RefundState.FAILED
        again = sending_back.ask_again(stage.session, refund=refund, by=stage.issuer, at=later)

        assert (again.state, again.amount) == (RefundState.ASKED, order.total)
        with pytest.raises(NotRefundable):
            sending_back.ask_again(stage.session, refund=refund, by=stage.issuer, at=later)

    def test_is_sent_once_more_where_a_bank_gives_it_back_days_after(self, stage, issuance):
        order = stage.ordered((stage.for_sale(issuance), 100), means=Means.STRIPE)
        payment = stage.begun(order)
        settling.cleared(
            stage.session, order=order, payment=payment, policy=stage.policy, certify=certify, by=None, at=stage.at
        )
        refund, later = refunded(stage, order), stage.at + timedelta(days=9)

        def told(state):
            said = Refunded(reference="re_1", amount=order.total, state=state)
            sending_back.note(stage.session, refund_id=refund.id, refunded=said, at=later)
            return refund.state

        assert told(RefundState.DONE) is RefundState.DONE
        assert told(RefundState.ASKED) is RefundState.DONE  # an old word
        assert told(RefundState.FAILED) is RefundState.FAILED
        assert told(RefundState.DONE) is told(RefundState.ASKED) is RefundState.FAILED
        assert [each.kind for each in comparing.disagreements(stage.session)] == ["not_refunded"]
        sending_back.ask_again(stage.session, refund=refund, by=stage.issuer, at=later)
        assert [each.kind for each in comparing.disagreements(stage.session)] == []
