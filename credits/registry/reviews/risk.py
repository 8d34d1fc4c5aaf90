"""How closely a batch should be looked at, and why: a stated rule, no score.

High where one of the grave reasons holds, raised where another one does, ordinary where none does. A reason is a fact
that the reviewer can look up on the page of the batch; nothing is weighed against anything else.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from credits.db import inserting
from credits.registry.assurance.assurance_models import SiteFinding
from credits.registry.doubts import plausibility, screening_questions
from credits.registry.doubts.plausibility import Plausibility
from credits.registry.mines import site_states
from credits.registry.papers.evidence_likeness import likenesses_of
from credits.registry.policy import Policy
from credits.registry.production import Answer, AssuranceState, Batch, BatchState, Site
from credits.registry.reviews.assigned import Assignment
from credits.registry.reviews.review_models import Level, ReviewRisk

# Questions about what ends an engagement at once under Annex II.
GRAVE_QUESTIONS = ("armed_interference", "forced_labour", "children_under_15", "same_ground")
GRAVE = ("above_ceiling", "grave_question", "zero_tolerance", "site_suspended")
ISSUED = (BatchState.ISSUED, BatchState.SUSPENDED)


@dataclass(frozen=True)
class Reason:
    """One reason. code: which; figures: what its sentence names."""

    code: str
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def is_grave(self) -> bool:
        return self.code in GRAVE


@dataclass(frozen=True)
class Risk:
    """A level with all its reasons, the grave ones first."""

    level: Level
    reasons: list[Reason]


def of_batch(session: Session, batch: Batch, policy: Policy, at: datetime) -> Risk:
    """The risk of a batch as things stand now."""
    found = _of_quantity(plausibility.of_batch(session, batch), policy)
    found += _of_questions(session, batch)
    found += _of_site(session, batch.site, policy, at)
    found += _of_producer(session, batch)
    found.sort(key=lambda reason: not reason.is_grave)
    return Risk(level_of(found), found)


def level_of(reasons: list[Reason]) -> Level:
    """The rule itself."""
    if any(reason.is_grave for reason in reasons):
        return Level.HIGH
    return Level.RAISED if reasons else Level.ORDINARY


def _of_quantity(weighed: Plausibility, policy: Policy) -> list[Reason]:
    found = []
    if weighed.ceiling is None:
        found.append(Reason("no_bound"))
    elif weighed.exceeded:
        found.append(Reason("above_ceiling", {"bound": weighed.exceeded[0].name.value}))
    elif weighed.claimed * 100 > weighed.ceiling * (100 - policy.headroom_percent):
        left = 100 - weighed.claimed * 100 // weighed.ceiling
        found.append(Reason("little_headroom", {"percent": left, "least": policy.headroom_percent}))
    if weighed.warnings:
        found.append(Reason("above_warning", {"bounds": [bound.name.value for bound in weighed.warnings]}))
    return found


def _of_questions(session: Session, batch: Batch) -> list[Reason]:
    wanting = screening_questions.open_questions(session, batch)
    grave = [each for each in wanting if each.code in GRAVE_QUESTIONS]
    found = []
    if grave:
        found.append(Reason("grave_question", {"questions": [each.code for each in grave]}))
    if len(wanting) > len(grave):
        found.append(Reason("open_question", {"number": len(wanting) - len(grave)}))
    if alike := [each for each in likenesses_of(session, batch) if not each.answer]:
        found.append(Reason("like_papers", {"number": len(alike)}))
    return found


def _of_site(session: Session, site: Site, policy: Policy, at: datetime) -> list[Reason]:
    found = []
    wanted = select(SiteFinding.severity).where(SiteFinding.site_id == site.id, SiteFinding.closed_at.is_(None))
    severities = [severity.value for severity in session.scalars(wanted)]
    if "zero_tolerance" in severities:
        found.append(Reason("zero_tolerance", {"number": severities.count("zero_tolerance")}))
    if "major" in severities:
        found.append(Reason("major_finding", {"number": severities.count("major")}))
    state = site_states.standing(session, site, at.date(), policy).state
    if state is AssuranceState.SUSPENDED:
        found.append(Reason("site_suspended"))
    elif state is AssuranceState.PROBATION:
        found.append(Reason("site_on_probation"))
    if site.conflict_affected is Answer.YES:
        found.append(Reason("conflict_area", {"source": site.conflict_source}))
    return found


def _of_producer(session: Session, batch: Batch) -> list[Reason]:
    others = select(Batch.id).join(Batch.site).where(Site.producer_id == batch.site.producer_id, Batch.id != batch.id)
    found = []
    if not session.scalar(select(exists(others.where(Batch.state.in_(ISSUED))))):
        found.append(Reason("first_batch"))
    if session.scalar(select(exists(others.where(Batch.state == BatchState.REJECTED)))):
        found.append(Reason("rejected_before"))
    drawn = select(Assignment.id).where(Assignment.batch_id == Batch.id)
    withdrawn = others.where(Batch.state == BatchState.WITHDRAWN, drawn.exists())
    if number := session.scalar(select(func.count()).select_from(withdrawn.subquery())):
        found.append(Reason("withdrawn_before", {"number": number}))
    return found


def assess(session: Session, batch: Batch, policy: Policy, at: datetime) -> Risk:
    """Write the risk of a batch down for the queue, in place of what was there. Flushes."""
    risk = of_batch(session, batch, policy, at)
    values = {"level": risk.level, "reasons": told(risk.reasons), "assessed_at": at}
    written = inserting(session, ReviewRisk).values(batch_id=batch.id, **values)
    session.execute(written.on_conflict_do_update(index_elements=[ReviewRisk.batch_id], set_=values))
    return risk


def told(reasons: list[Reason]) -> list[Any]:
    return [[reason.code, reason.figures] for reason in reasons]


def read(row: ReviewRisk) -> Risk:
    """What was written down."""
    return Risk(row.level, [Reason(code, figures) for code, figures in row.reasons])
