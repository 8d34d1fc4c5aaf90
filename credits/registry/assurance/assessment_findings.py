"""What the answers of an assessment make of findings: opened, confirmed, or closed because the requirement is met."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid
from credits.participants.models import User
from credits.registry import finders
from credits.registry.assurance import findings
from credits.registry.assurance.assessed import answers_of
from credits.registry.assurance.assurance_models import (
    Assessment,
    AssessmentAnswer,
    Certainty,
    Severity,
    SiteFinding,
    Source,
    StandardEdition,
)
from credits.registry.assurance.findings import FindingFacts
from credits.registry.assurance.standards import MET, Answers, Word
from credits.registry.policy import Policy


class FindingFirst(Conflict):
    """An open finding of zero tolerance says otherwise: it is closed first."""

    code = "finding_first"


def weigh(
    session: Session, row: AssessmentAnswer, concerns: tuple[date, date] | None, policy: Policy, by: User, at: datetime
) -> SiteFinding | None:
    """What the answer to a requirement of zero tolerance does at once; the finding that it has opened or confirmed.

    concerns: the days of production that it is about, of what is found. Lock the site before. Flushes.
    Raises FindingFirst, Invalid, WrongRole.
    """
    known = open_about(session, row.assessment, row.requirement, zero_tolerance=True)
    if row.answer not in (Word.SUSPECTED, Word.FOUND):
        if known and row.answer is not None:
            raise FindingFirst(f"{known[0].number} is open about it: it is closed first.", finding=known[0].number)
        return None
    found = row.answer is Word.FOUND
    if not (row.finding or row.evidence):
        raise Invalid("Say what was seen or heard.", requirement=row.requirement)
    if not known:
        facts = FindingFacts(
            severity=Severity.ZERO_TOLERANCE,
            certainty=Certainty.FOUND if found else Certainty.SUSPECTED,
            text=row.finding or row.evidence,
            plan=row.plan,
            due_on=max(row.due_on or at.date(), at.date()),
            concerns=concerns,
            source=Source.ASSESSMENT,
            assessment=row.assessment,
            edition=row.assessment.edition,
            requirement=row.requirement,
        )
        return findings.enter(session, site=row.assessment.site, facts=facts, policy=policy, by=by, at=at)
    if known[0].certainty is Certainty.FOUND:
        if not found:
            raise FindingFirst(f"{known[0].number} says that it was found.", finding=known[0].number)
        return None
    if not found:
        return None
    if concerns is None:
        raise Invalid("Say which days of production the finding is about.", requirement=row.requirement)
    findings.establish(session, known[0], concerns=concerns, policy=policy, by=by, at=at)
    return known[0]


def follow_up(session: Session, assessment: Assessment, policy: Policy, by: User, at: datetime) -> None:
    """A finding for each requirement that is not met and has none open; an end to those that are met now."""
    answers = answers_of(assessment)
    for code, (module, _) in assessment.edition.standard.requirements.items():
        row = answers[code]
        known = open_about(session, assessment, code, zero_tolerance=False)
        if row.answer in MET:
            for finding in (each for each in known if not finders.is_of_registry(each)):
                evidence = row.evidence or f"{row.paper.filename if row.paper else ''} ({row.assessment.batch.number})"
                reason = f"Met when it was assessed anew ({assessment.number})."
                findings.end(session, finding, evidence=evidence, reason=reason, by=by, at=at)
        elif module.answers is not Answers.ZERO_TOLERANCE and not known:
            assert row.severity is not None
            assert row.due_on is not None
            facts = FindingFacts(
                severity=row.severity,
                text=row.finding,
                plan=row.plan,
                due_on=row.due_on,
                source=Source.ASSESSMENT,
                assessment=assessment,
                edition=assessment.edition,
                requirement=code,
            )
            findings.enter(session, site=assessment.site, facts=facts, policy=policy, by=by, at=at)


def open_about(
    session: Session, assessment: Assessment, requirement: str, *, zero_tolerance: bool
) -> Sequence[SiteFinding]:
    """The open findings about one requirement of the site, by the same standard, whatever its edition."""
    severe = SiteFinding.severity == Severity.ZERO_TOLERANCE
    wanted = (
        select(SiteFinding)
        .join(StandardEdition, StandardEdition.id == SiteFinding.edition_id)
        .where(
            SiteFinding.site_id == assessment.site_id,
            SiteFinding.requirement == requirement,
            StandardEdition.code == assessment.edition.code,
            SiteFinding.closed_at.is_(None),
            severe if zero_tolerance else ~severe,
        )
    )
    return session.scalars(wanted.order_by(SiteFinding.id)).all()
