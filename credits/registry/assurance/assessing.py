"""Assessing a site: begun in the review of a batch, answered module by module, completed with the level it reaches.

What is written is saved as one goes, whole or not. Of zero tolerance, a suspicion is a finding as soon as it is saved,
and what is found stops the site in the same transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, object_session

from credits.errors import Conflict, Invalid
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import WrongRole, is_lead
from credits.participants.wording import paragraphs, printed
from credits.registry.assurance.assessed import NO_LEVEL, answers_of, missing, open_one, words_of
from credits.registry.assurance.assessment_findings import follow_up, weigh
from credits.registry.assurance.assessment_telling import tell_completed, tell_saved
from credits.registry.assurance.assurance_models import (
    Assessment,
    AssessmentAnswer,
    Severity,
    SiteFinding,
    StandardEdition,
)
from credits.registry.assurance.findings import LONGEST_PLAN
from credits.registry.assurance.standards import MET, Answers, Module, Standard, Word
from credits.registry.making.batches import ChangedMeanwhile, WrongState
from credits.registry.mines.jobs_at_sites import REVIEWING, has_job_at
from credits.registry.mines.site_states import months_on
from credits.registry.mines.sites import number_of
from credits.registry.policy import Policy
from credits.registry.production import Batch, Evidence
from credits.registry.reviews.verification import NotTheReviewer, must_review
from credits.registry.stillness import keep_site_still

LONGEST_TEXT = 1_000


class Unfinished(Conflict):
    """Something is missing before the assessment is complete; `missing` lists it."""

    code = "assessment_unfinished"


class Completed(Conflict):
    """The assessment is complete: it stays as it is, and a new one is begun when there is something new."""

    code = "assessment_completed"


@dataclass(frozen=True)
class Given:
    """What a verifier writes about one requirement. Everything may still be missing.

    concerns: of what is found under zero tolerance, the days of production that it is about.
    """

    answer: Word | None
    evidence: str = ""
    paper_id: int | None = None
    finding: str = ""
    severity: Severity | None = None
    plan: str = ""
    due_on: date | None = None
    concerns: tuple[date, date] | None = None


def begin(session: Session, *, batch: Batch, policy: Policy, by: User, at: datetime) -> Assessment:
    """Begin to assess the site of a batch in review, or go on with what one's organisation has begun. Flushes.

    Raises NotAllowed, WrongState.
    """
    must_review(by, batch)
    if batch.state not in REVIEWING:
        raise WrongState(f"{batch.number} is not in review.", state=batch.state.value)
    if begun := open_one(session, batch.site, by.organisation_id):
        return begun
    edition = kept(session, policy.standards.default, at)
    try:
        with session.begin_nested():
            made = Assessment(
                site=batch.site,
                batch=batch,
                edition=edition,
                verifier_organisation_id=by.organisation_id,
                begun_by=by,
                begun_at=at,
            )
            session.add(made)
            session.flush()
    except IntegrityError:  # a colleague has begun at the same moment
        if (begun := open_one(session, batch.site, by.organisation_id)) is None:
            raise
        return begun
    facts = {"site": number_of(batch.site), "batch": batch.number, "verifier": by.organisation.number}
    facts |= {"standard": edition.code, "version": edition.version, "sha256": edition.sha256}
    events.append(session, kind="assessment.begun", subject=made.number, actor=by.number, at=at, facts=facts)
    return made


def kept(session: Session, standard: Standard, at: datetime) -> StandardEdition:
    """The standard as it is now, kept for ever with its content. Flushes."""
    wanted = select(StandardEdition).where(StandardEdition.sha256 == standard.sha256)
    if found := session.scalars(wanted).one_or_none():
        return found
    row = {"code": standard.code, "name": standard.name, "version": standard.version, "sha256": standard.sha256}
    try:
        with session.begin_nested():
            edition = StandardEdition(**row, content=dict(standard.content), kept_at=at)
            session.add(edition)
            session.flush()
    except IntegrityError:  # somebody else has kept it at the same moment
        return session.scalars(wanted).one()
    facts = {name: row[name] for name in ("name", "version", "sha256")}
    events.append(session, kind="standard.kept", subject=standard.code, actor=events.SYSTEM, at=at, facts=facts)
    return edition


def save_module(
    session: Session,
    *,
    assessment: Assessment,
    module: Module,
    given: Mapping[str, Given],
    seen: datetime | None,
    policy: Policy,
    by: User,
    at: datetime,
) -> list[SiteFinding]:
    """Keep what was written about one module, by requirement, as far as it has come; the findings this has opened.

    seen: when the module had last been saved, as the person saw it (`last_saved`), so that nobody's work is lost.
    Flushes. Raises NotAllowed, Completed, ChangedMeanwhile, FindingFirst, Invalid, UnsoundText, WrongRole.
    """
    must_assess(by, assessment)
    keep_site_still(session, assessment.site)
    session.refresh(assessment, with_for_update=True)
    if assessment.completed_at is not None:
        raise Completed(f"{assessment.number} is complete. Begin a new assessment.", assessment=assessment.number)
    if last_saved(assessment, module) != seen:
        raise ChangedMeanwhile("A colleague has saved this module in the meantime. Look at it again before you save.")
    answers = answers_of(assessment)
    known = {requirement.code: requirement.title for requirement in module.requirements}
    changed: dict[str, object] = {}
    opened = []
    for code, each in given.items():
        if code not in known or (each.answer is not None and each.answer not in module.answers.words):
            raise Invalid("This is no answer to that requirement.", requirement=code)
        written = _written(each, f"{code} {known[code]}")
        _must_be_of_the_site(session, assessment, each.paper_id)
        row = answers.get(code) or AssessmentAnswer(assessment=assessment, requirement=code)
        if row in session and all(getattr(row, name) == value for name, value in written.items()):
            continue
        for name, value in written.items():
            setattr(row, name, value)
        row.answered_by_id, row.answered_at = by.id, at
        session.add(row)
        changed[code] = {name: "" if value is None else str(value) for name, value in written.items()}
        if module.answers is Answers.ZERO_TOLERANCE and (made := weigh(session, row, each.concerns, policy, by, at)):
            opened.append(made)
    session.flush()
    if changed:
        tell_saved(session, assessment, module, changed, opened, by, at)
    return opened


def _written(given: Given, where: str) -> dict[str, object]:
    """The columns of an answer. Raises UnsoundText."""
    met = given.answer is None or given.answer in MET
    zero_tolerance = given.answer in (Word.SUSPECTED, Word.FOUND)
    if given.severity is Severity.ZERO_TOLERANCE and not zero_tolerance:
        raise Invalid(f"{where}: choose minor or major.")
    return {
        "answer": given.answer,
        "evidence": paragraphs(given.evidence, f"{where}: evidence", LONGEST_TEXT) if given.evidence.strip() else "",
        "paper_id": given.paper_id,
        "finding": paragraphs(given.finding, f"{where}: finding", LONGEST_TEXT) if given.finding.strip() else "",
        "severity": Severity.ZERO_TOLERANCE if zero_tolerance else None if met else given.severity,
        "plan": printed(given.plan, f"{where}: plan", LONGEST_PLAN) if given.plan.strip() else "",
        "due_on": given.due_on,
    }


def complete(
    session: Session, *, assessment: Assessment, next_due: date, policy: Policy, by: User, key: str, at: datetime
) -> Assessment:
    """Close an assessment for good: compute its level, open findings for what is not met, close those that are met now.

    Only a lead may. Without a level it is kept too, and gives no assurance.
    Flushes. Raises NotAllowed, Unfinished, Completed, Invalid.
    """
    must_assess(by, assessment)
    if not is_lead(by):
        raise WrongRole("A lead verifier completes an assessment.")
    asked = {"act": "assessment.complete", "assessment": assessment.number, "next": str(next_due)}
    if claim(session, caller=by.number, key=key, request=asked) is not None:
        return assessment
    keep_site_still(session, assessment.site)
    session.refresh(assessment, with_for_update=True)
    if assessment.completed_at is not None:
        raise Completed(f"{assessment.number} is complete already.", assessment=assessment.number)
    if wanted := missing(assessment, policy, at.date()):
        raise Unfinished(
            "Before the assessment is complete: " + " ".join(what for _, what in wanted),
            missing=[what for _, what in wanted],
        )
    latest = months_on(at.date(), policy.months_to_next_assessment)
    if not at.date() < next_due <= latest:
        raise Invalid(f"The next assessment is due on a day to come, by {latest} at the latest.", latest=str(latest))
    standard = assessment.edition.standard
    level = standard.reached(words_of(assessment))
    follow_up(session, assessment, policy, by, at)
    assessment.level_number, assessment.level = (level.number, level.title) if level else (0, NO_LEVEL)
    assessment.next_due, assessment.completed_by, assessment.completed_at = next_due, by, at
    session.flush()
    tell_completed(session, assessment, by, at)
    settle(session, {"assessment": assessment.id})
    return assessment


def last_saved(assessment: Assessment, module: Module) -> datetime | None:
    """When somebody last saved something of a module."""
    codes = {requirement.code for requirement in module.requirements}
    return max((each.answered_at for each in assessment.answers if each.requirement in codes), default=None)


def must_assess(by: User, assessment: Assessment) -> None:
    """Raise unless the organisation of `by` has begun this assessment, and has a batch of the site in review now.

    The batch in whose review it was begun may be over: it goes on with the next one.
    """
    if by.organisation_id != assessment.verifier_organisation_id:
        raise NotTheReviewer("This assessment is another verifier's.")
    session = object_session(assessment)
    assert session is not None
    if not has_job_at(session, by, assessment.site, REVIEWING):
        raise NotTheReviewer("No batch of this site is in review with you any more.")


def _must_be_of_the_site(session: Session, assessment: Assessment, paper_id: int | None) -> None:
    """Raise Invalid unless the paper is one of a batch of the assessed site."""
    if paper_id is None:
        return
    wanted = (
        select(Evidence.id).join(Evidence.batch).where(Evidence.id == paper_id, Batch.site_id == assessment.site_id)
    )
    if session.scalars(wanted).one_or_none() is None:
        raise Invalid("This paper is not one of the site's batches.", paper=paper_id)
