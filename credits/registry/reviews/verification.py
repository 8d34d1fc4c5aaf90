"""Batches on the verifier's side: taken into review, asked about, verified or rejected."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session, object_session

from credits.errors import Conflict, Invalid, NotAllowed
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import OwnAffair, WrongRole, is_lead, must_verify
from credits.participants.wording import day_shown, printed
from credits.registry.assurance.assessed import current
from credits.registry.assurance.assurance_models import Assessment, AssuranceBasis
from credits.registry.calendar import checked_period, outside
from credits.registry.doubts.plausibility import hold_against, keep_ground_still
from credits.registry.doubts.screening_questions import ask, must_be_answered
from credits.registry.making.batches import lock_in, remark, tell
from credits.registry.making.revisions import must_be_as_seen
from credits.registry.mines.site_states import state_on
from credits.registry.mines.standing import refuse_stopped
from credits.registry.papers.evidence import free
from credits.registry.papers.evidence_likeness import refuse_open_questions
from credits.registry.production import Assurance, AssuranceState, Batch, BatchState, Remark, RemarkKind
from credits.registry.reviews import declaring, review_threads
from credits.registry.reviews.assigned import AssignmentState
from credits.registry.reviews.assigning import NotDrawn, must_be_drawn, taken_by, ties_of
from credits.registry.reviews.cycles import must_have_turn


class NotIndependent(NotAllowed):
    """The verifier has a part in what is to be verified (invariant 9)."""

    code = "not_independent"


class NotAssessed(Conflict):
    """The site has no completed assessment of this verifier that counts: the level comes from there."""

    code = "not_assessed"


class NoLevelReached(Conflict):
    """The assessment reaches no step of the standard: it gives no assurance."""

    code = "no_level_reached"


class NotTheReviewer(NotAllowed):
    """Another verifier's organisation has taken this batch into review."""

    code = "not_the_reviewer"


@dataclass(frozen=True)
class Finding:
    """What a verifier found when visiting, or at a distance and then why.

    Standard, version and level come from the assessment of the site.
    """

    visited_from: date | None
    visited_to: date | None
    remote_reason: str
    valid_from: date
    valid_to: date
    opinion: str


def take(session: Session, *, batch: Batch, by: User, at: datetime) -> None:
    """Declare to have no tie, begin the review of a batch that was drawn, and ask what the data raise.

    Who has a tie declines instead; see reassigning.py.
    Flushes. Raises NotAllowed, NotIndependent, NotDrawn, WrongState.
    """
    must_be_independent(by, batch)
    lock_in(session, batch, BatchState.SUBMITTED)
    assignment = must_be_drawn(by, batch)
    declaring.declare(session, assignment, ties="", by=by, at=at)
    assignment.state = AssignmentState.TAKEN
    assignment.taken_by, assignment.taken_at = by, at
    session.flush()
    batch.state = BatchState.IN_REVIEW
    batch.reviewer_id = by.id
    ask(session, batch, at)
    tell(session, "batch.review_begun", batch, by, at, {"verifier": by.organisation.number})


def declare(session: Session, *, batch: Batch, by: User, at: datetime) -> None:
    """Declare to have no tie, as a colleague of who has taken the batch: whoever decides has declared it too.

    Flushes. Raises NotAllowed, NotIndependent, NotTheReviewer, WrongState.
    """
    must_review(by, batch)
    lock_in(session, batch, BatchState.IN_REVIEW, BatchState.INFORMATION_REQUESTED)
    declaring.declare(session, must_be_drawn(by, batch), ties="", by=by, at=at)


def request_information(session: Session, *, batch: Batch, text: str, by: User, key: str, at: datetime) -> Remark:
    """Ask the producer for a paper or an explanation. Flushes. Raises NotAllowed, WrongState, UnsoundText."""
    must_review(by, batch)
    asked = {"act": "batch.request_information", "batch": batch.number, "text": text}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Remark, earlier["remark"])
    lock_in(session, batch, BatchState.IN_REVIEW)
    batch.state = BatchState.INFORMATION_REQUESTED
    made = remark(session, batch, RemarkKind.REQUEST, text, by, at)
    review_threads.begin(session, made, language=review_threads.language_of(batch))
    tell(
        session, "batch.information_requested", batch, by, at, {"verifier": by.organisation.number}, {"text": made.text}
    )
    settle(session, {"remark": made.id})
    return made


def verify(
    session: Session, *, batch: Batch, seen: str, finding: Finding, by: User, key: str, at: datetime
) -> Assurance:
    """Confirm a batch and give its site's assurance. Only a lead may, and only one without a part in it.

    seen: the revision of the batch that the lead looked at, see revisions.py.
    Flushes. Raises NotAllowed, NotIndependent, NotDeclared, TooManyCycles, WrongState, ChangedMeanwhile, OpenQuestions,
    ZeroToleranceOpen, SiteSuspended, NotAssessed, NoLevelReached, Invalid.
    """
    must_review(by, batch)
    if not is_lead(by):
        raise WrongRole("A lead verifier decides.")
    asked = {name: str(value) for name, value in vars(finding).items()}
    asked |= {"act": "batch.verify", "batch": batch.number, "seen": seen}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Assurance, earlier["assurance"])
    keep_ground_still(session, batch.site)
    session.refresh(batch.site)
    lock_in(session, batch, BatchState.IN_REVIEW)
    must_be_as_seen(batch, seen)
    refuse_stopped(session, batch.site, at.date())
    refuse_open_questions(session, batch)
    if by.id == batch.submitted_by_id:
        raise NotIndependent("Who submitted a batch does not verify it.")
    assignment = must_be_drawn(by, batch)
    must_have_turn(session, batch, by, assignment.most_cycles)
    declared = declaring.must_have_declared(session, assignment, by)
    must_be_answered(session, batch)
    hold_against(session, batch, by=by, at=at)
    assessment = assessment_for(session, batch, by, at)
    assurance = assured(batch, finding, assessment, state_on(session, batch.site, at.date()), by, at)
    session.add(assurance)
    session.flush()
    session.add(AssuranceBasis(assurance_id=assurance.id, assessment_id=assessment.id))
    session.flush()
    batch.state = BatchState.VERIFIED
    batch.verified_by_id, batch.verified_at = by.id, at
    batch.independence = declared.text
    batch.assurance_id = assurance.id
    opinion = remark(session, batch, RemarkKind.DECISION, finding.opinion, by, at)
    for point in review_threads.unsettled(session, batch):  # the decision settles what was asked on the way to it
        point.settled_by, point.settled_at = by, at
    facts = _facts_of(assurance, assessment, by) | {"mercury": batch.site.mercury.value}
    private = {"opinion": opinion.text, "independence": batch.independence}
    tell(session, "batch.verified", batch, by, at, facts, private)
    settle(session, {"assurance": assurance.id})
    return assurance


def _facts_of(assurance: Assurance, assessment: Assessment, by: User) -> dict[str, str]:
    """What everybody may know of an assurance that was given."""
    return {
        "verifier": by.organisation.number,
        "standard": assurance.standard,
        "version": assurance.version,
        "level": assurance.level,
        "assessment": assessment.number,
        "valid_from": str(assurance.valid_from),
        "valid_to": str(assurance.valid_to),
    }


def reject(session: Session, *, batch: Batch, text: str, by: User, key: str, at: datetime) -> Remark:
    """Turn a batch down for good, with the reasons, at any time before its credits are issued.

    Flushes. Raises NotAllowed, WrongState, UnsoundText.
    """
    must_review(by, batch)
    if not is_lead(by):
        raise WrongRole("A lead verifier decides.")
    asked = {"act": "batch.reject", "batch": batch.number, "text": text}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Remark, earlier["remark"])
    lock_in(session, batch, BatchState.IN_REVIEW, BatchState.INFORMATION_REQUESTED, BatchState.VERIFIED)
    batch.state = BatchState.REJECTED
    free(session, batch)
    made = remark(session, batch, RemarkKind.DECISION, text, by, at)
    tell(session, "batch.rejected", batch, by, at, {"verifier": by.organisation.number}, {"text": made.text})
    settle(session, {"remark": made.id})
    return made


def assessment_for(session: Session, batch: Batch, by: User, at: datetime) -> Assessment:
    """The assessment on which `by` can give the batch's site an assurance. Raises NotAssessed, NoLevelReached."""
    found = current(session, batch.site, by.organisation_id, at.date())
    if found is None:
        raise NotAssessed("Complete the assessment of the site first: the level comes from there.")
    if not found.level_number:
        raise NoLevelReached(f"{found.number} reaches no step of the standard: it gives no assurance.")
    return found


def assured(
    batch: Batch, finding: Finding, assessment: Assessment, state: AssuranceState, by: User, at: datetime
) -> Assurance:
    """The assurance that `finding` gives the batch's site. Raises Invalid, BadPeriod, UnsoundText."""
    checked_period(finding.valid_from, finding.valid_to, "Validity of the assurance")
    if left_out := outside((finding.valid_from, finding.valid_to), (batch.produced_from, batch.produced_to)):
        # A batch confirmed so could never be issued, nor be rejected any more.
        raise Invalid(
            f"The assurance must cover the whole production period, {day_shown(batch.produced_from)} to "
            f"{day_shown(batch.produced_to)}: {day_shown(left_out)} lies outside it.",
            day=str(left_out),
        )
    assert assessment.next_due is not None
    if finding.valid_to > assessment.next_due:
        raise Invalid(
            f"The site is to be assessed again by {day_shown(assessment.next_due)}: the assurance counts no longer "
            "than that.",
            next_due=str(assessment.next_due),
        )
    visited = finding.visited_from is not None and finding.visited_to is not None
    if visited:
        checked_period(finding.visited_from, finding.visited_to, "Visit")  # type: ignore[arg-type]
        if finding.visited_to > at.date():  # type: ignore[operator]
            raise Invalid("The visit lies in the future.")
    elif finding.visited_from or finding.visited_to:
        raise Invalid("Give the first and the last day of the visit, or neither.")
    return Assurance(
        site=batch.site,
        verifier=by,
        standard=assessment.edition.name,
        version=assessment.edition.version,
        level=assessment.level,
        visited_from=finding.visited_from,
        visited_to=finding.visited_to,
        remote_reason="" if visited else printed(finding.remote_reason, "Why there was no visit", 500),
        valid_from=finding.valid_from,
        valid_to=finding.valid_to,
        state=state,
        given_at=at,
    )


def must_be_independent(by: User, batch: Batch) -> None:
    """Raise WrongRole or NotIndependent unless `by` verifies and has no part in producer, group or concession."""
    must_verify(by)
    for tie in ties_of(by, batch):
        if tie.certain:
            raise NotIndependent(tie.sentence, about=tie.about)


def must_review(by: User, batch: Batch) -> None:
    """Raise unless the organisation of `by` has this batch in review."""
    must_be_independent(by, batch)
    session = object_session(batch)
    assert session is not None
    if taken_by(session, by, batch) is None:
        raise NotTheReviewer("Take the batch into review first.")


def may_take(by: User, batch: Batch) -> bool:
    """Whether `by` could begin the review now: what the panel offers."""
    try:
        must_be_independent(by, batch)
        must_be_drawn(by, batch)
    except (WrongRole, NotIndependent, NotDrawn, OwnAffair):
        return False
    return batch.state is BatchState.SUBMITTED
