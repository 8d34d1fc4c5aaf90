import pytest
from sqlalchemy.exc import IntegrityError

from credits.journal import events
from credits.participants.models import Kind, RoleName
from credits.participants.permissions import WrongRole
from credits.participants.wording import UnsoundText
from credits.registry import decisions
from credits.registry.decisions import DecidedAlready, NoSuchDecision, NotTheProposer, SamePerson
from credits.registry.movements import Decision, DecisionKind, DecisionState
from tests.factories import UserFactory


@pytest.fixture
def waiting(stage) -> Decision:
    """The release of a hold, proposed by the issuer."""
    return stage.proposed(DecisionKind.RELEASE, stage.held(stage.issued(), 5).number)


class TestPropose:
    def test_changes_nothing_yet(self, stage, waiting):
        assert (waiting.state, waiting.decided_by, waiting.posting_id) == (DecisionState.WAITING, None, None)
        assert [event.kind for event in events.story(stage.session, waiting.number)] == ["decision.proposed"]

    def test_happens_once_a_key(self, stage):
        held = stage.held(stage.issued(), 5)
        asked = {"kind": DecisionKind.RELEASE, "subject": held.number, "request": {}, "reason": "Cleared."}
        asked |= {"by": stage.issuer, "key": "once", "at": stage.at}

        assert decisions.propose(stage.session, **asked).id == decisions.propose(stage.session, **asked).id

    @pytest.mark.parametrize("kind", list(DecisionKind))
    def test_is_for_who_may(self, stage, kind):
        made = stage.issued()
        stranger = UserFactory(organisation=stage.issuer.organisation, may=[RoleName.AUDITOR])
        request = {"holder": stage.issuer.organisation.number, "quantity": 1, "registry": "R", "reference": "1"}
        with pytest.raises(WrongRole):
            stage.proposed(kind, made.number, stranger, **request)

    def test_needs_a_reason(self, stage):
        held = stage.held(stage.issued(), 5)
        asked = {"kind": DecisionKind.RELEASE, "subject": held.number, "request": {}, "reason": " \n"}
        with pytest.raises(UnsoundText):
            decisions.propose(stage.session, **asked, by=stage.issuer, key="k", at=stage.at)


class TestApprove:
    def test_carries_the_act_out(self, stage, waiting):
        stage.approve(waiting)

        assert (waiting.state, waiting.decided_by_id) == (DecisionState.APPROVED, stage.colleague.id)
        assert waiting.posting_id is not None

    def test_is_for_another_person(self, stage, waiting):
        with pytest.raises(SamePerson):
            stage.approve(waiting, by=stage.issuer)

    def test_is_kept_to_two_people_by_the_database_too(self, stage, waiting):
        waiting.state, waiting.decided_by, waiting.decided_at = DecisionState.APPROVED, stage.issuer, stage.at
        with pytest.raises(IntegrityError):
            stage.session.flush()

    @pytest.mark.parametrize("kind", [Kind.COOPERATIVE, Kind.VERIFIER, Kind.MANUFACTURER])
    def test_is_for_issuers(self, stage, waiting, kind):
        with pytest.raises(WrongRole):
            stage.approve(waiting, by=UserFactory(kind=kind))

    def test_happens_once_a_key(self, stage, waiting):
        stage.approve(waiting, key="once")
        stage.approve(waiting, key="once")

        assert waiting.state is DecisionState.APPROVED

    def test_happens_once(self, stage, waiting):
        stage.approve(waiting)
        for step in (decisions.decline, lambda session, **asked: stage.approve(**asked)):
            with pytest.raises(DecidedAlready):
                step(stage.session, decision=waiting, by=stage.colleague, key=stage.key(), at=stage.at)


class TestDecline:
    def test_ends_the_matter(self, stage, waiting):
        decisions.decline(stage.session, decision=waiting, by=stage.colleague, key=stage.key(), at=stage.at)

        assert waiting.state is DecisionState.DECLINED
        with pytest.raises(DecidedAlready):
            stage.approve(waiting)
        stage.must_be_sound()

    def test_is_for_another_person(self, stage, waiting):
        with pytest.raises(SamePerson):
            decisions.decline(stage.session, decision=waiting, by=stage.issuer, key=stage.key(), at=stage.at)


class TestWithdraw:
    def test_is_the_proposer_s(self, stage, waiting):
        with pytest.raises(NotTheProposer):
            decisions.withdraw(stage.session, decision=waiting, by=stage.colleague, key=stage.key(), at=stage.at)
        decisions.withdraw(stage.session, decision=waiting, by=stage.issuer, key=stage.key(), at=stage.at)

        assert (waiting.state, waiting.decided_by_id) == (DecisionState.WITHDRAWN, None)
        with pytest.raises(DecidedAlready):
            stage.approve(waiting)


class TestDecisionsOf:
    def test_shows_what_waits_first(self, stage, waiting):
        decided = stage.decided(DecisionKind.RELEASE, stage.held(stage.issued(), 5).number)

        assert stage.session.scalars(decisions.decisions_of(stage.colleague)).all() == [waiting, decided]

    def test_shows_others_only_their_own(self, stage, waiting):
        assert stage.session.scalars(decisions.decisions_of(stage.manager)).all() == []
        with pytest.raises(NoSuchDecision):
            decisions.decision_numbered(stage.session, stage.manager, waiting.number)
        assert decisions.decision_numbered(stage.session, stage.colleague, waiting.number) is waiting


class TestDecision:
    @pytest.mark.parametrize(
        "change",
        [
            {"reason": "Another."},
            {"request": {"quantity": 9}},
            {"subject": "HOLD-000009"},
            {"state": DecisionState.APPROVED},
            {"proposed_by_id": 1},
        ],
    )
    def test_keeps_what_was_proposed(self, stage, waiting, change):
        stage.session.commit()
        for name, value in change.items():
            setattr(waiting, name, value)
        with pytest.raises(IntegrityError):
            stage.session.flush()

    def test_is_never_opened_again(self, stage, waiting):
        stage.approve(waiting)
        waiting.state, waiting.decided_by, waiting.decided_at, waiting.posting_id = (
            DecisionState.WAITING,
            None,
            None,
            None,
        )
        with pytest.raises(IntegrityError):
            stage.session.flush()

    def test_is_never_deleted(self, stage, waiting):
        stage.session.delete(waiting)
        with pytest.raises(IntegrityError):
            stage.session.flush()
