"""Standards as data, assessments of sites, and how a site stands."""

from datetime import date
from typing import Any

from flask import current_app

from credits.api.blueprint import Area
from credits.api.doing import With, once
from credits.api.schemas.assurance import (
    AnswersRequest,
    Assessment,
    CompletionRequest,
    DayQuery,
    SiteAssurance,
    Standard,
)
from credits.errors import Invalid, Missing
from credits.extensions import db
from credits.identity import current_user, now
from credits.registry import public, queries
from credits.registry.assurance import assessed, assessing, standards
from credits.registry.assurance.assurance_models import Assessment as Assessing
from credits.registry.mines.site_states import history_of, standing
from credits.registry.policy import Policy

area = Area("assurance", "Standards as data, assessments of sites, and how a site stands.")


class NoSuchAssessment(Missing):
    code = "no_such_assessment"


@area.get("/standards", gives=Standard(many=True), public=True)
def list_standards() -> list[standards.Standard]:
    """The standards in force, the first of which new assessments are made against."""
    return list(policy().standards.in_force)


@area.get("/sites/<number>/assurance", takes=DayQuery, gives=SiteAssurance, public=True)
def show_assurance(asked: dict[str, date | None], number: str) -> dict[str, Any]:
    """The state of a site on any day; its level, plan and history as they are now."""
    site = public.site_known_as(db.session(), number)
    day = asked["on"] or now().date()
    stands = standing(db.session(), site, day, policy())
    completed = assessed.completed_of(db.session(), site)
    return {
        "site": number,
        "day": day,
        "state": stands.state.value,
        "since": stands.since,
        "until": stands.until,
        "level": completed[0] if completed else None,
        "plan": assessed.plan_of(db.session(), site),
        "history": history_of(db.session(), site),
    }


@area.post("/batches/<number>/assessment", takes=AnswersRequest, gives=Assessment)
def save_answers(key: str, asked: dict[str, Any], number: str) -> With:
    """Begin to assess the site of a batch in your review, or go on: keep these answers, as many as you have."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    assessment = assessing.begin(db.session(), batch=batch, policy=policy(), by=user, at=now())
    once(key, "assessment.save", number, lambda: save(assessment, asked["answers"]), answers=str(asked["answers"]))
    db.session.commit()
    return told(assessment)


@area.get("/batches/<number>/assessment", gives=Assessment)
def show_assessment(number: str) -> With:
    """The assessment that your organisation is working on for the site of a batch, or the one that counts."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    return told(open_or_current(batch, user.organisation_id))


@area.post("/batches/<number>/assessment/complete", takes=CompletionRequest, gives=Assessment)
def complete_assessment(key: str, asked: dict[str, date], number: str) -> With:
    """Complete it for good: its level is computed from the answers. A lead's decision."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    assessment = open_or_current(batch, user.organisation_id)
    assessing.complete(
        db.session(), assessment=assessment, next_due=asked["next_due"], policy=policy(), by=user, key=key, at=now()
    )
    db.session.commit()
    return told(assessment)


def save(assessment: Assessing, answers: list[dict[str, Any]]) -> None:
    """Keep the answers, module by module."""
    given = {}
    for each in answers:
        ends = each.pop("concerns_from"), each.pop("concerns_to")
        paper, due, code = each.pop("paper"), each.pop("due"), each.pop("requirement")
        concerns = (ends[0], ends[1]) if all(ends) else None
        given[code] = assessing.Given(**each, paper_id=paper, due_on=due, concerns=concerns)
    known = assessment.edition.standard
    if strange := sorted(set(given) - set(known.requirements)):
        raise Invalid(f"The standard has no requirement {strange[0]}.", requirement=strange[0])
    for module in known.modules:
        codes = [requirement.code for requirement in module.requirements if requirement.code in given]
        if not codes:
            continue
        assessing.save_module(
            db.session(),
            assessment=assessment,
            module=module,
            given={code: given[code] for code in codes},
            seen=assessing.last_saved(assessment, module),
            policy=policy(),
            by=current_user(),
            at=now(),
        )


def open_or_current(batch: Any, organisation_id: int) -> Assessing:
    """Raises NoSuchAssessment."""
    found = assessed.open_one(db.session(), batch.site, organisation_id)
    found = found or assessed.current(db.session(), batch.site, organisation_id, now().date())
    if found is None:
        raise NoSuchAssessment("Your organisation has not assessed this site.")
    return found


def told(assessment: Assessing) -> With:
    wanting = assessed.missing(assessment, policy(), now().date()) if assessment.completed_at is None else []
    return With(assessment, missing=[sentence for _, sentence in wanting])


def policy() -> Policy:
    found: Policy = current_app.extensions["policy"]
    return found
