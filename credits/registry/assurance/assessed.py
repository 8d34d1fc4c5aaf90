"""What is known of a site's assessments: the one that counts, what is missing in one, the level and the plan."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.registry.assurance.assurance_models import (
    Assessment,
    AssessmentAnswer,
    AssuranceBasis,
    Certainty,
    SiteFinding,
)
from credits.registry.assurance.standards import MET, Answers, Module, Word
from credits.registry.mines.site_states import months_on
from credits.registry.policy import Policy
from credits.registry.production import Assurance, Site
from credits.registry.queries import digits_of

NO_LEVEL = "No step reached"


def current(session: Session, site: Site, organisation_id: int, day: date) -> Assessment | None:
    """The newest completed assessment of a site by one verifier's organisation, if it is not to be renewed yet."""
    wanted = select(Assessment).where(
        Assessment.site_id == site.id,
        Assessment.verifier_organisation_id == organisation_id,
        Assessment.completed_at.is_not(None),
    )
    newest = session.scalars(wanted.order_by(Assessment.id.desc()).limit(1)).one_or_none()
    return newest if newest is not None and newest.next_due is not None and newest.next_due >= day else None


def open_one(session: Session, site: Site, organisation_id: int) -> Assessment | None:
    """The assessment of a site that a verifier's organisation is working on."""
    wanted = select(Assessment).where(
        Assessment.site_id == site.id,
        Assessment.verifier_organisation_id == organisation_id,
        Assessment.completed_at.is_(None),
    )
    return session.scalars(wanted).one_or_none()


def completed_of(session: Session, site: Site) -> Sequence[Assessment]:
    """The completed assessments of a site, newest first."""
    wanted = select(Assessment).where(Assessment.site_id == site.id, Assessment.completed_at.is_not(None))
    return session.scalars(wanted.order_by(Assessment.completed_at.desc(), Assessment.id.desc())).all()


def assessment_numbered(session: Session, number: str) -> Assessment | None:
    """The assessment with this number; the door sees to who may know of it."""
    found = session.get(Assessment, digits_of(number, "ASSESSMENT-"))
    return found if found is not None and found.number == number else None


def answers_of(assessment: Assessment) -> dict[str, AssessmentAnswer]:
    """The answers by requirement."""
    return {each.requirement: each for each in assessment.answers}


def words_of(assessment: Assessment) -> dict[str, Word]:
    """What was answered, by requirement; what is open is not in it."""
    return {each.requirement: each.answer for each in assessment.answers if each.answer is not None}


def missing(assessment: Assessment, policy: Policy, today: date) -> list[tuple[int, str]]:
    """What must still be written before an assessment is complete: number of the module, and a sentence."""
    answers = answers_of(assessment)
    wanted = []
    for code, (module, requirement) in assessment.edition.standard.requirements.items():
        wanted += [
            (module.number, f"{code} {requirement.title}: {what}")
            for what in _missing_in(answers.get(code), module, policy, today)
        ]
    return wanted


def _missing_in(given: AssessmentAnswer | None, module: Module, policy: Policy, today: date) -> list[str]:
    if given is None or given.answer is None:
        return ["no answer yet."]
    wanted = []
    if not given.evidence and given.paper_id is None:
        wanted.append("say what it rests on, or choose a paper.")
    if given.answer in MET or module.answers is Answers.ZERO_TOLERANCE:
        return wanted
    if not given.finding:
        wanted.append("say what was found.")
    if given.severity is None:
        wanted.append("say whether it is minor or major.")
    if not given.plan:
        wanted.append("say what is done about it.")
    if given.due_on is None or given.due_on < today:
        wanted.append("say by which day to come it is put right.")
    elif given.severity is not None and given.due_on > latest_day(given.severity.value, policy, today):
        latest = latest_day(given.severity.value, policy, today)
        wanted.append(f"a {given.severity.value} finding is put right by {latest} at the latest.")
    return wanted


def latest_day(severity: str, policy: Policy, today: date) -> date:
    """The last day by which a finding of this severity that is made today is put right."""
    return months_on(today, policy.months_to_next_assessment if severity == "minor" else policy.months_to_mitigate)


def plan_of(session: Session, site: Site) -> list[dict[str, Any]]:
    """The improvement plan of a site as everybody may read it: its open findings, the most pressing first.

    Without what is only suspected: that is nobody's business before somebody has looked into it.
    """
    wanted = select(SiteFinding).where(
        SiteFinding.site_id == site.id,
        SiteFinding.closed_at.is_(None),
        SiteFinding.certainty == Certainty.FOUND,
    )
    return [point_of(finding) for finding in session.scalars(wanted.order_by(SiteFinding.due_on, SiteFinding.id))]


def point_of(finding: SiteFinding) -> dict[str, Any]:
    """One point of the plan, as plain values."""
    return {
        "finding": finding.number,
        "requirement": finding.requirement,
        "title": finding.title,
        "severity": finding.severity.value,
        "plan": finding.plan,
        "due": str(finding.due_on),
    }


def basis_of(session: Session, assurance: Assurance) -> Assessment | None:
    """The assessment on which an assurance rests; the earliest assurances have none."""
    basis = session.get(AssuranceBasis, assurance.id)
    return basis.assessment if basis else None


def frozen_of(session: Session, assurance: Assurance) -> dict[str, Any]:
    """What an issuance keeps for ever of the assessment behind it: the step reached and the plan as it is now."""
    assessment = basis_of(session, assurance)
    if assessment is None:
        return {}
    return {
        "assessment": assessment.number,
        "standard_sha256": assessment.edition.sha256,
        "level_number": assessment.level_number,
        "next_due": str(assessment.next_due),
        "plan": plan_of(session, assurance.site),
    }
