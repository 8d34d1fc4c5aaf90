from dataclasses import replace
from datetime import date

import pytest

from credits.errors import Invalid
from credits.participants.models import Kind, RoleName
from credits.participants.permissions import WrongRole
from credits.registry.making.batches import WrongState
from credits.registry.production import BatchState
from credits.registry.reviews import verification
from credits.registry.reviews.verification import NotIndependent, NotTheReviewer
from tests.batch_stage import FINDING
from tests.factories import UserFactory


class TestTake:
    def test_begins_the_review(self, stage):
        batch = stage.in_review()

        assert (batch.state, batch.reviewer_id) == (BatchState.IN_REVIEW, stage.lead.id)

    def test_happens_once(self, stage):
        with pytest.raises(WrongState):
            verification.take(stage.session, batch=stage.in_review(), by=stage.lead, at=stage.at)

    @pytest.mark.parametrize("kind", [Kind.COOPERATIVE, Kind.MANUFACTURER, Kind.REGISTRY])
    def test_is_for_verifiers(self, stage, kind):
        with pytest.raises(WrongRole):
            verification.take(stage.session, batch=stage.submitted(), by=UserFactory(kind=kind), at=stage.at)


class TestRequestInformation:
    def test_is_for_the_organisation_that_reviews(self, stage):
        with pytest.raises(NotTheReviewer):
            verification.request_information(
                stage.session,
                batch=stage.in_review(),
                text="?",
                by=UserFactory(kind=Kind.VERIFIER),
                key="ask",
                at=stage.at,
            )

    def test_may_be_done_by_a_colleague_and_counts_once(self, stage):
        batch = stage.in_review()
        colleague = UserFactory(organisation=stage.lead.organisation, may=[RoleName.REVIEWER])
        asked = {"batch": batch, "text": "The invoice, please.", "by": colleague, "key": "ask", "at": stage.at}
        first = verification.request_information(stage.session, **asked)

        assert verification.request_information(stage.session, **asked).id == first.id
        assert batch.state is BatchState.INFORMATION_REQUESTED

    @pytest.mark.parametrize("text", ["", "   ", "x" * 4001, "a\x00b"])
    def test_needs_words(self, stage, text):
        with pytest.raises(Invalid):
            verification.request_information(
                stage.session, batch=stage.in_review(), text=text, by=stage.lead, key="ask", at=stage.at
            )


class TestVerify:
    def test_gives_the_site_its_assurance(self, stage):
        batch = stage.verified()

        assert batch.state is BatchState.VERIFIED
        assert batch.site.assurances == [batch.assurance]
        assert batch.assurance.verifier is stage.lead

    def test_is_the_lead_s(self, stage):
        reviewer = UserFactory(organisation=stage.lead.organisation, may=[RoleName.REVIEWER])
        with pytest.raises(WrongRole):
            stage.verify(stage.in_review(), by=reviewer)

    def test_says_why_there_was_no_visit(self, stage):
        remote = replace(FINDING, visited_from=None, visited_to=None, remote_reason="Road washed away")

        assert stage.verified(finding=remote).assurance.remote_reason == "Road washed away"

    @pytest.mark.parametrize(
        "bent",
        [
            {"visited_to": None},
            {"visited_from": None, "visited_to": None, "remote_reason": " "},
            {"visited_from": date(2026, 6, 4)},
            {"visited_to": date(2026, 7, 2)},
            {"valid_to": date(2025, 12, 31)},
            {"valid_from": date(2026, 4, 2)},
            {"valid_to": date(2026, 5, 30)},
            {"opinion": ""},
        ],
        ids=str,
    )
    def test_refuses_a_finding_that_cannot_be(self, stage, bent):
        with pytest.raises(Invalid):
            stage.verified(finding=replace(FINDING, **bent))

    def test_waits_while_information_is_requested(self, stage):
        batch = stage.in_review()
        verification.request_information(stage.session, batch=batch, text="?", by=stage.lead, key="ask", at=stage.at)
        with pytest.raises(WrongState):
            stage.verify(batch)


class TestReject:
    def test_is_final_and_says_why(self, stage):
        batch = stage.in_review()
        verification.reject(
            stage.session, batch=batch, text="The assay is another mine's.", by=stage.lead, key="r", at=stage.at
        )

        assert batch.state is BatchState.REJECTED
        assert batch.remarks[-1].text == "The assay is another mine's."
        with pytest.raises(WrongState):
            stage.verify(batch)


class TestMustBeIndependent:
    def test_keeps_a_group_manager_out_of_its_group(self, stage):
        batch = stage.submitted()
        stage.coop.group_manager_id = stage.lead.organisation_id
        with stage.session.no_autoflush, pytest.raises(NotIndependent):  # the database would not have it either
            verification.must_be_independent(stage.lead, batch)
