"""A batch above its ceiling, let through by two administrators."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from credits.journal.models import Event
from credits.participants.permissions import WrongRole
from credits.registry.decisions import SamePerson
from credits.registry.doubts import plausibility
from credits.registry.doubts.plausibility import AboveCeiling
from credits.registry.doubts.plausibility_override import NotAbove
from credits.registry.doubts.screened import PlausibilityCheck
from tests.registry.doubts.deciding import approve, propose, verify


class TestLetThrough:
    @pytest.fixture
    def stopped(self, stage, limit):
        site = stage.site()
        limit(site)
        return stage.in_review(site)

    def test_takes_two_administrators_and_a_reason_that_is_public(self, stage, stopped):
        decision = propose(stage, stopped)
        approve(stage, decision)
        verify(stage, stopped)
        made = stage.issue(stopped)

        assert made.quantity == 2_500
        override = plausibility.overrides_of(stage.session, stopped)[0]
        assert (override.ceiling, override.most, override.reason) == (2_000, 2_500, decision.reason)
        event = stage.session.scalars(select(Event).where(Event.kind == "batch.let_through")).one()
        assert b"The verifier saw the new washing plant run." in event.body
        assert stage.issuer.number.encode() in event.body

    def test_is_not_for_the_one_who_proposed_it(self, stage, stopped):
        decision = propose(stage, stopped)

        with pytest.raises(SamePerson):
            approve(stage, decision, by=stage.issuer)

    def test_is_not_for_verifiers_or_producers(self, stage, stopped):
        for person in (stage.lead, stage.manager):
            with pytest.raises(WrongRole):
                propose(stage, stopped, by=person)

    def test_changes_nothing_before_the_second_person(self, stage, stopped):
        propose(stage, stopped)

        with pytest.raises(AboveCeiling):
            verify(stage, stopped)

    def test_is_only_for_a_batch_above_its_ceiling(self, stage):
        batch = stage.in_review()

        with pytest.raises(NotAbove):
            propose(stage, batch)

    def test_holds_for_no_more_than_both_people_saw(self, stage, stopped):
        approve(stage, propose(stage, stopped))
        with stage.session.no_autoflush:  # the database would not let it pass
            stopped.contained_ng += 10**15
            found = plausibility.of_batch(stage.session, stopped)
            assert plausibility.override_for(stage.session, found) is None
        stage.session.expire(stopped)

    def test_is_refused_by_the_database_without_a_decision(self, stage, stopped):
        decision = propose(stage, stopped)
        stage.session.execute(
            text(
                "INSERT INTO ceiling_override (batch_id, decision_id, ceiling, most, reason, made_at)"
                " VALUES (:batch, :decision, 1, 9999, :reason, '2026-07-01T12:00:00.000000Z')"
            ),
            {"batch": stopped.id, "decision": decision.id, "reason": decision.reason},
        )
        override = plausibility.overrides_of(stage.session, stopped)[0]
        check = PlausibilityCheck(
            batch=stopped, contained_ng=stopped.contained_ng, claimed=2_500, ceiling=2_000, bounds=[], figures="x",
            override=override, checked_by_id=stage.lead.id, checked_at=stage.at,
        )  # fmt: skip
        stage.session.add(check)

        with pytest.raises(IntegrityError, match="let through by two people"):
            stage.session.flush()
