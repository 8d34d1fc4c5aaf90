from dataclasses import replace
from datetime import timedelta

import pytest

from credits import jobs
from credits.registry.assurance import findings
from credits.registry.assurance.assurance_models import Certainty, Severity, Source
from credits.registry.assurance.findings import FindingFacts
from credits.registry.doubts import screening_questions
from credits.registry.making import batches
from credits.registry.production import Answer
from credits.registry.reviews import risk, verification
from credits.registry.reviews.review_models import Level
from credits.registry.reviews.review_queue import Order, Wanted, due_of, page_of
from credits.registry.reviews.risk import Reason, level_of


@pytest.fixture
def reasons(stage):
    def found(batch, **policy):
        return {
            each.code for each in risk.of_batch(stage.session, batch, replace(stage.policy, **policy), stage.at).reasons
        }

    return found


class TestLevelOf:
    def test_is_the_stated_rule(self):
        assert level_of([]) is Level.ORDINARY
        assert level_of([Reason("first_batch"), Reason("conflict_area", {"source": "x"})]) is Level.RAISED
        assert level_of([Reason("first_batch"), Reason("zero_tolerance", {"number": 1})]) is Level.HIGH


class TestOfBatch:
    def test_names_each_reason_and_no_other(self, stage, reasons):
        stage.issued()
        batch = stage.submitted(stage.site(name="Musonoi", latitude="-10.5", longitude="25.9"))

        before = reasons(batch)
        batch.site.conflict_affected, batch.site.conflict_source = Answer.YES, "Barometer"
        batch.site.conflict_checked_on = stage.at.date()

        assert "first_batch" not in before
        assert reasons(batch) - before == {"conflict_area", "open_question"}

    def test_is_raised_for_who_never_had_credits_or_was_rejected(self, stage, reasons):
        batch = stage.in_review()
        assert "first_batch" in reasons(batch)
        other = stage.in_review(
            batch.site, produced_from=stage.at.date() - timedelta(20), produced_to=stage.at.date() - timedelta(10)
        )
        verification.reject(stage.session, batch=other, text="No.", by=stage.lead, key="r", at=stage.at)

        assert "rejected_before" in reasons(batch)

    def test_counts_what_was_withdrawn_after_a_verifier_was_drawn(self, stage):
        site = stage.site()
        for batch in (stage.submitted(site), stage.draft(site)):
            batches.withdraw(stage.session, batch=batch, by=stage.clerk, at=stage.at)

        found = risk.of_batch(stage.session, stage.submitted(site), stage.policy, stage.at).reasons
        assert Reason("withdrawn_before", {"number": 1}) in found

    def test_follows_the_policy_for_what_is_little_room(self, stage, reasons):
        batch = stage.submitted()

        assert "little_headroom" not in reasons(batch, headroom_percent=1)
        assert reasons(batch, headroom_percent=99) & {"little_headroom", "no_bound"}

    def test_is_high_while_a_zero_tolerance_finding_is_open(self, stage):
        batch = stage.submitted()
        facts = FindingFacts(
            severity=Severity.ZERO_TOLERANCE, certainty=Certainty.SUSPECTED, text="Armed men.", source=Source.REGISTRY,
            due_on=stage.at.date() + timedelta(30),
        )  # fmt: skip
        findings.enter(stage.session, site=batch.site, facts=facts, policy=stage.policy, by=None, at=stage.at)

        found = risk.of_batch(stage.session, batch, stage.policy, stage.at)

        assert found.level is Level.HIGH
        assert found.reasons[0].code == "zero_tolerance"

    def test_counts_a_question_until_it_is_answered(self, stage, reasons):
        site = stage.site(
            conflict_affected=Answer.YES, conflict_source="Barometer", conflict_checked_on=stage.at.date()
        )
        batch = stage.in_review(site)
        assert screening_questions.open_questions(stage.session, batch)
        assert "open_question" in reasons(batch)
        stage.answered(batch)

        assert "open_question" not in reasons(batch)


class TestQueue:
    def test_has_what_is_due_first_and_narrows_and_sorts(self, stage, monkeypatch):
        site = stage.site()
        asked = {"by": stage.lead, "policy": stage.policy, "at": stage.at + timedelta(days=12)}
        older = stage.submitted(
            site, produced_from=stage.at.date() - timedelta(40), produced_to=stage.at.date() - timedelta(30)
        )
        stage.at += timedelta(days=5)
        newer = stage.submitted(
            site, produced_from=stage.at.date() - timedelta(20), produced_to=stage.at.date() - timedelta(10)
        )
        facts = FindingFacts(
            severity=Severity.ZERO_TOLERANCE, certainty=Certainty.SUSPECTED, text="Armed men.", source=Source.REGISTRY,
            due_on=stage.at.date() + timedelta(30),
        )  # fmt: skip
        other = stage.submitted(stage.site(name="Musonoi", latitude="-10.5", longitude="25.9"))
        findings.enter(stage.session, site=other.site, facts=facts, policy=stage.policy, by=None, at=stage.at)

        def listed(**wanted):
            found, _page, _pages = page_of(stage.session, wanted=Wanted(**wanted), **asked)
            return [each.batch for each in found]

        assert listed() == [older, newer, other]
        assert listed(overdue=True) == [older]
        assert listed(level=Level.HIGH) == [other]
        assert listed(order=Order.RISK)[0] is other
        assert listed(order=Order.NEWEST) == [other, newer, older]
        assert listed(mineral="AU") == []
        assert listed(country="COD", text="Musonoi") == [other]
        look, work = risk.of_batch, {"policy": stage.policy, "at": asked["at"]}
        stage.session.commit()
        with monkeypatch.context() as patched:
            patched.setattr(
                risk, "of_batch", lambda session, batch, *more: batch is newer or look(session, batch, *more)
            )
            assert jobs.assess_risks(stage.session, **work) == 2  # what cannot be assessed keeps no other waiting
        assert jobs.assess_risks(stage.session, **work) == 1
        assert jobs.assess_risks(stage.session, **work) == 0
        assert listed(level=Level.HIGH) == [other]

    def test_counts_days_by_whose_turn_it_is(self, stage):
        batch = stage.in_review()
        review = due_of(batch.state, stage.at, stage.policy)
        verification.request_information(stage.session, batch=batch, text="Why?", by=stage.lead, key="a", at=stage.at)

        assert review == stage.at + timedelta(days=stage.policy.days_to_review)
        assert due_of(batch.state, stage.at, stage.policy) == stage.at + timedelta(days=stage.policy.days_for_producer)
