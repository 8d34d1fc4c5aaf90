import pytest

from credits.journal import events
from credits.participants.permissions import WrongRole
from credits.participants.wording import UnsoundText
from credits.registry.making.batches import WrongState
from credits.registry.movements import DecisionKind
from credits.registry.production import BatchState
from credits.registry.transfer import Suspended


class TestSuspend:
    def test_stops_every_use_at_once(self, stage):
        made = stage.issued()
        stage.handed_over(made, 10)
        stage.suspended(made)

        assert made.batch.state is BatchState.SUSPENDED
        for step in (lambda: stage.offered(made, 1), lambda: stage.retired(made, 1)):
            with pytest.raises(Suspended):
                step()

    def test_says_why_where_the_batch_is_read(self, stage):
        made = stage.suspended(stage.issued())

        assert made.batch.remarks[-1].text == "Under review."
        assert events.story(stage.session, made.number)[-1].kind == "issuance.suspended"

    def test_is_for_issuers(self, stage):
        with pytest.raises(WrongRole):
            stage.suspended(stage.issued(), by=stage.lead)

    def test_needs_a_reason(self, stage):
        with pytest.raises(UnsoundText):
            stage.suspended(stage.issued(), reason="")

    def test_happens_once(self, stage):
        made = stage.issued()
        stage.suspended(made, key="once")
        stage.suspended(made, key="once")
        with pytest.raises(WrongState):
            stage.suspended(made)


class TestLift:
    def test_lets_the_credits_move_again(self, stage):
        made = stage.suspended(stage.issued())
        stage.decided(DecisionKind.LIFT, made.number)

        assert made.batch.state is BatchState.ISSUED
        stage.offered(made, 1)
        stage.must_be_sound()

    def test_needs_a_suspension(self, stage):
        with pytest.raises(WrongState):
            stage.proposed(DecisionKind.LIFT, stage.issued().number)

    def test_happens_once(self, stage):
        made = stage.suspended(stage.issued())
        again = stage.proposed(DecisionKind.LIFT, made.number)
        stage.decided(DecisionKind.LIFT, made.number)
        with pytest.raises(WrongState):
            stage.approve(again)
