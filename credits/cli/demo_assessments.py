"""What the verifier of the demo world answers at its sites: everything met but three things, each with a plan."""

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from credits.participants.models import User
from credits.registry.assurance import assessed, assessing
from credits.registry.assurance.assessing import Given
from credits.registry.assurance.assurance_models import Severity
from credits.registry.assurance.standards import Word
from credits.registry.mines.site_states import months_on
from credits.registry.policy import Policy
from credits.registry.production import Batch

SEEN = "Seen on the visit, and heard from miners who were asked alone."
# requirement: answer, severity, what was found, what is done, days to do it
GAPS = {
    "4.4": (
        Word.PROGRESSING,
        Severity.MAJOR,
        "Royalties are paid by the depot, and the receipts of two months are missing.",
        "The cooperative asks the depot for every receipt and files it with the batch.",
        120,
    ),
    "5.2": (
        Word.PROGRESSING,
        Severity.MINOR,
        "Helmets are worn underground by about half of the miners.",
        "Helmets for all, and a briefing before each shift.",
        180,
    ),
    "5.4": (
        Word.PROGRESSING,
        Severity.MINOR,
        "Two worked-out shafts near the path stand open.",
        "Worked-out shafts are fenced at once and filled before the rains.",
        150,
    ),
}


def assess(session: Session, *, batch: Batch, policy: Policy, by: User, key: str, at: datetime) -> None:
    """Assess the site of a batch in review, unless that was done already. Flushes."""
    if assessed.current(session, batch.site, by.organisation_id, at.date()):
        return
    assessment = assessing.begin(session, batch=batch, policy=policy, by=by, at=at)
    for module in assessment.edition.standard.modules:
        given = {each.code: answer(each.code, module.answers.words[0], at.date()) for each in module.requirements}
        assessing.save_module(
            session, assessment=assessment, module=module, given=given, seen=None, policy=policy, by=by, at=at
        )
    next_due = months_on(at.date(), policy.months_to_next_assessment)
    assessing.complete(session, assessment=assessment, next_due=next_due, policy=policy, by=by, key=key, at=at)


def answer(requirement: str, best: Word, today: date) -> Given:
    if requirement not in GAPS:
        return Given(best, evidence=SEEN)
    word, severity, found, plan, days = GAPS[requirement]
    due_on = today + timedelta(days=days)
    return Given(word, evidence=SEEN, finding=found, severity=severity, plan=plan, due_on=due_on)
