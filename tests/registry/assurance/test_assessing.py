from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from credits.errors import Invalid
from credits.journal import events
from credits.ledger.models import AccountKind
from credits.participants.models import Kind, RoleName
from credits.participants.permissions import WrongRole
from credits.registry import issuance
from credits.registry.assurance import assessed, assessing, findings
from credits.registry.assurance.assessing import Completed, Given, Unfinished
from credits.registry.assurance.assessment_findings import FindingFirst
from credits.registry.assurance.assurance_models import Certainty, Severity
from credits.registry.assurance.standards import Word
from credits.registry.making import batches
from credits.registry.making.batches import ChangedMeanwhile
from credits.registry.making.completeness import Incomplete
from credits.registry.mines import site_states
from credits.registry.mines.standing import ZeroToleranceOpen
from credits.registry.production import AssuranceState, BatchState
from credits.registry.reviews import verification
from credits.registry.reviews.verification import NoLevelReached, NotAssessed, NotTheReviewer
from tests.factories import UserFactory

DUE = date(2026, 10, 1)
GAP = Given(
    Word.PROGRESSING,
    evidence="Receipts seen.",
    finding="Two months of royalties are not paid.",
    severity=Severity.MAJOR,
    plan="The depot pays what is owed.",
    due_on=DUE,
)


@pytest.fixture
def batch(stage):
    """In review at a site that nobody has assessed."""
    made = stage.submitted()
    verification.take(stage.session, batch=made, by=stage.lead, at=stage.at)
    return made


@pytest.fixture
def assessment(stage, batch):
    return assessing.begin(stage.session, batch=batch, policy=stage.policy, by=stage.lead, at=stage.at)


def save(stage, assessment, number, given, **bent):
    module = assessment.edition.standard.module(number)
    asked = {"assessment": assessment, "module": module, "given": given, "policy": stage.policy}
    asked |= {"seen": assessing.last_saved(assessment, module), "by": stage.lead, "at": stage.at}
    return assessing.save_module(stage.session, **asked | bent)


def answer_all(stage, assessment, **bent):
    for module in assessment.edition.standard.modules:
        best = Given(module.answers.words[0], evidence="Seen.")
        given = {each.code: bent.get(f"r{each.code.replace('.', '_')}", best) for each in module.requirements}
        save(stage, assessment, module.number, given)


def complete(stage, assessment, **bent):
    asked = {"assessment": assessment, "next_due": date(2027, 6, 30), "policy": stage.policy}
    asked |= {"by": stage.lead, "key": stage.key(), "at": stage.at}
    return assessing.complete(stage.session, **asked | bent)


class TestBegin:
    def test_goes_on_with_what_a_colleague_has_begun(self, stage, batch, assessment):
        colleague = UserFactory(organisation=stage.lead.organisation, may=[RoleName.REVIEWER])

        again = assessing.begin(stage.session, batch=batch, policy=stage.policy, by=colleague, at=stage.at)

        assert again is assessment
        assert assessment.edition.sha256 == stage.policy.standards.default.sha256

    def test_is_for_who_reviews(self, stage, batch):
        with pytest.raises(NotTheReviewer):
            assessing.begin(
                stage.session, batch=batch, policy=stage.policy, by=UserFactory(kind=Kind.VERIFIER), at=stage.at
            )


class TestSaveModule:
    def test_keeps_what_is_half_written_and_never_overwrites_a_colleague_unseen(self, stage, assessment):
        save(stage, assessment, 1, {"1.1": Given(None, evidence="To be asked on Tuesday.")})

        assert assessed.answers_of(assessment)["1.1"].evidence == "To be asked on Tuesday."
        with pytest.raises(ChangedMeanwhile):
            save(stage, assessment, 1, {"1.1": Given(Word.CONFORM)}, seen=None)

    def test_leaves_an_event_that_tells_no_text(self, stage, assessment):
        save(stage, assessment, 1, {"1.2": Given(Word.CONFORM, evidence="Mrs Kabwe answers for it.")})
        *_, told = events.story(stage.session, assessment.number)

        assert (told.kind, b"Kabwe" in told.body, b"1.2" in told.body) == ("assessment.saved", False, False)
        assert events.private_of(stage.session, [told])[told.id]["requirements"] == "1.2"

    def test_is_for_as_long_as_a_batch_of_the_site_is_in_review(self, stage, batch, assessment):
        batches.withdraw(stage.session, batch=batch, by=stage.clerk, at=stage.at)
        with pytest.raises(NotTheReviewer):
            save(stage, assessment, 1, {"1.1": Given(Word.CONFORM)})
        stage.in_review(batch.site)
        save(stage, assessment, 1, {"1.1": Given(Word.CONFORM)})

    @pytest.mark.parametrize(
        "number, code, given",
        [
            (1, "1.1", Given(Word.CONTROLLED)),
            (1, "3.1", Given(Word.NONE)),
            (4, "4.1", Given(Word.PROGRESSING, severity=Severity.ZERO_TOLERANCE)),
            (4, "4.1", Given(Word.CONTROLLED, paper_id=999_999)),
            (4, "4.1", Given(Word.CONTROLLED, plan="x" * 201)),
            (3, "3.1", Given(Word.SUSPECTED)),
            (3, "3.1", Given(Word.FOUND, evidence="Seen.")),
        ],
    )
    def test_refuses_what_is_no_answer(self, stage, assessment, number, code, given):
        with pytest.raises(Invalid):
            save(stage, assessment, number, {code: given})

    def test_refuses_a_paper_of_another_site(self, stage, assessment):
        strange = stage.complete(
            stage.site(name="Mutoshi"), produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 9)
        )
        with pytest.raises(Invalid, match="not one of the site's batches"):
            save(stage, assessment, 1, {"1.1": Given(Word.CONFORM, paper_id=strange.evidence[0].id)})


class TestZeroTolerance:
    def test_suspected_blocks_the_batch_and_touches_nothing_else(self, stage, batch, assessment):
        (finding,) = save(stage, assessment, 3, {"3.1": Given(Word.SUSPECTED, evidence="A neighbour says so.")})

        assert (finding.severity, finding.certainty) == (Severity.ZERO_TOLERANCE, Certainty.SUSPECTED)
        standing = site_states.standing(stage.session, batch.site, stage.at.date(), stage.policy)
        assert standing.state is AssuranceState.ACTIVE
        with pytest.raises(ZeroToleranceOpen, match=finding.number):
            stage.verify(batch)
        with pytest.raises(FindingFirst):
            save(stage, assessment, 3, {"3.1": Given(Word.NONE)})

    def test_found_stops_holds_and_suspends_in_one_go(self, stage):
        issued = stage.issued()
        site = issued.batch.site
        waiting = stage.in_review(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 20))
        offer = stage.offered(issued, 500)
        assessment = assessing.begin(stage.session, batch=waiting, policy=stage.policy, by=stage.lead, at=stage.at)
        concerns = (issued.batch.produced_from, stage.at.date())
        (finding,) = save(stage, assessment, 3, {"3.2": Given(Word.FOUND, finding="Debt bondage.", concerns=concerns)})

        assert stage.balance(issued) == {AccountKind.HELD: 2_500}
        stage.session.refresh(offer)
        assert offer.state.value == "withdrawn"
        standing = site_states.standing(stage.session, site, stage.at.date(), stage.policy)
        assert (standing.state, standing.until) == (AssuranceState.SUSPENDED, date(2027, 1, 1))
        assert [event.kind for event in events.story(stage.session, waiting.number)][-1] == "batch.stopped"
        (held,) = [event for event in events.story(stage.session, "COD-KAM001") if event.kind == "hold.zero_tolerance"]
        assert (held.actor, finding.number.encode() in held.body) == (stage.lead.number, True)
        stage.must_be_sound()

    def test_found_is_said_by_a_lead(self, stage, assessment):
        reviewer = UserFactory(organisation=stage.lead.organisation, may=[RoleName.REVIEWER])
        concerns = (date(2026, 4, 1), date(2026, 5, 31))
        with pytest.raises(WrongRole):
            save(stage, assessment, 3, {"3.2": Given(Word.FOUND, finding="x", concerns=concerns)}, by=reviewer)

    def test_is_kept_by_the_database_too(self, stage):
        verified = stage.verified()
        facts = findings.FindingFacts(
            severity=Severity.ZERO_TOLERANCE,
            certainty=Certainty.SUSPECTED,
            text="Armed men at the gate.",
            due_on=DUE,
            source=findings.Source.GRIEVANCE,
            reference="GRIEVANCE-000001",
        )
        findings.enter(stage.session, site=verified.site, facts=facts, policy=stage.policy, by=None, at=stage.at)
        with pytest.raises(issuance.NotIssuable, match="Zero tolerance"):
            stage.issue(verified)
        with pytest.raises(IntegrityError, match="zero-tolerance finding"):
            issuance.enter(stage.session, verified, 100, stage.issuer, stage.at)


class TestComplete:
    def test_names_everything_that_is_missing(self, stage, assessment):
        save(stage, assessment, 4, {"4.4": Given(Word.PROGRESSING, evidence="Seen.", due_on=date(2026, 6, 30))})
        with pytest.raises(Unfinished) as refusal:
            complete(stage, assessment)

        said = refusal.value.detail["missing"]
        assert "1.1 Description of the operation: no answer yet." in said
        assert "4.4 Taxes, fees and royalties: say by which day to come it is put right." in said
        assert "4.4 Taxes, fees and royalties: say whether it is minor or major." in said

    def test_gives_the_level_opens_the_findings_and_stays_as_it_is(self, stage, batch, assessment):
        answer_all(stage, assessment, r4_4=GAP)
        complete(stage, assessment)

        assert (assessment.level_number, assessment.level) == (3, "Step 3: Annex II risks under mitigation")
        (finding,) = findings.findings_of(stage.session, batch.site)
        assert (finding.severity, finding.due_on, finding.title) == (Severity.MAJOR, DUE, "Taxes, fees and royalties")
        with pytest.raises(Completed):
            save(stage, assessment, 1, {"1.1": Given(Word.NOT_YET)})
        stage.session.commit()
        with pytest.raises(IntegrityError, match="answers stay as they were"):
            stage.session.execute(text("UPDATE assessment_answer SET answer = 'controlled' WHERE requirement = '4.4'"))

    def test_is_printed_with_its_plan_on_what_is_issued(self, stage, batch, assessment):
        answer_all(stage, assessment, r4_4=GAP)
        complete(stage, assessment)
        stage.answered(batch)
        stage.verify(batch)
        printed = stage.issue(batch).facts["assurance"]

        assert (printed["level"], printed["level_number"]) == ("Step 3: Annex II risks under mitigation", 3)
        (point,) = printed["plan"]
        assert (point["requirement"], point["plan"], point["due"]) == ("4.4", GAP.plan, "2026-10-01")
        stage.must_be_sound()

    def test_closes_what_is_met_by_now_and_keeps_the_day_of_what_is_not(self, stage, batch, assessment):
        gap = Given(**vars(GAP) | {"severity": Severity.MINOR})
        answer_all(stage, assessment, r4_4=GAP, r5_2=gap)
        complete(stage, assessment)
        stage.at += timedelta(days=30)
        again = assessing.begin(stage.session, batch=batch, policy=stage.policy, by=stage.lead, at=stage.at)
        answer_all(stage, again, r5_2=Given(**vars(gap) | {"due_on": date(2026, 12, 1)}))
        complete(stage, again, next_due=date(2027, 7, 31))

        still, closed = findings.findings_of(stage.session, batch.site)
        assert (still.requirement, still.is_open, still.due_on) == ("5.2", True, DUE)
        assert (closed.requirement, closed.closing_evidence) == ("4.4", "Seen.")
        assert again.number in closed.closing_reason

    def test_without_a_level_gives_no_assurance(self, stage, batch, assessment):
        answer_all(stage, assessment, r3_5=Given(Word.SUSPECTED, evidence="Rumours."))
        complete(stage, assessment)
        (finding,) = findings.findings_of(stage.session, batch.site)
        findings.close(
            stage.session, finding=finding, evidence="Nothing.", reason="No.", by=stage.issuer, key="c", at=stage.at
        )

        assert (assessment.level_number, assessment.level) == (0, "No step reached")
        stage.answered(batch)
        with pytest.raises(NoLevelReached):
            stage.verify(batch)

    @pytest.mark.parametrize("day", [date(2026, 7, 1), date(2027, 7, 2)])
    def test_is_followed_by_another_within_a_year(self, stage, assessment, day):
        answer_all(stage, assessment)
        with pytest.raises(Invalid):
            complete(stage, assessment, next_due=day)


class TestVerify:
    def test_needs_an_assessment_of_this_verifier(self, stage, batch):
        with pytest.raises(NotAssessed):
            stage.verify(batch)

    def test_counts_no_longer_than_until_the_next_assessment(self, stage, batch, assessment):
        answer_all(stage, assessment)
        complete(stage, assessment, next_due=date(2026, 12, 30))
        stage.answered(batch)
        with pytest.raises(Invalid, match="assessed again by 30 Dec 2026"):
            stage.verify(batch)

    def test_is_refused_by_the_database_without_an_assessment(self, stage, batch):
        batch.independence, batch.verified_by_id, batch.verified_at = "None.", stage.lead.id, stage.at
        batch.state = BatchState.VERIFIED
        with pytest.raises(IntegrityError):
            stage.session.flush()


def test_a_licence_that_ends_one_day_early_is_named_at_submission_and_at_issuance(stage):
    """Invariant 8, end to end: the last production day is 31 May."""
    site = stage.site()
    site.licences[0].valid_to = date(2026, 5, 30)
    stage.session.flush()
    with pytest.raises(Incomplete, match="ends on 30 May 2026, one day before the last production day, 31 May 2026"):
        stage.submitted(site)

    site.licences[0].valid_to = date(2026, 5, 31)
    stage.session.flush()
    verified = stage.verified(site)
    site.licences[0].valid_to = date(2026, 5, 30)
    stage.session.flush()
    with pytest.raises(issuance.NotIssuable, match="30 May 2026"):
        stage.issue(verified)
