"""Questions that the data raise about a batch in review. A reviewer answers each before the decision.

They are questions, not verdicts: what others saw years ago may be over, and what nobody saw may be there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict, Missing
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.wording import day_shown, paragraphs
from credits.registry.doubts import plausibility
from credits.registry.doubts.plausibility import Plausibility
from credits.registry.doubts.plausibility_claims import others_in
from credits.registry.doubts.screened import ReviewQuestion
from credits.registry.doubts.screening import LIKELY_KM, LIKELY_NAME, nearest
from credits.registry.doubts.screening_facts import OLD_DATA, flags_of
from credits.registry.doubts.screening_names import likeness
from credits.registry.mines.ipis import SOURCE
from credits.registry.mines.observations import distance_km
from credits.registry.mines.observed import ObservedSite
from credits.registry.production import Answer, Batch, Site

# Any day: that the data are old is shown beside them, and is no question of its own.
EVER = date.min
REVISION = re.compile(r" \(revision ([1-9]\d*)\)$")
FLAGGED = {
    "armed_interference": "Armed people interfered there. What did you find out about who controls the site today?",
    "armed_interference_earlier": "Armed people interfered there earlier. Why does that not go on?",
    "forced_labour": "Armed people forced others to work there. What did the miners tell you, alone?",
    "forced_labour_earlier": "Armed people forced others to work there earlier. Why does that not go on?",
    "children_under_15": "Children under 15 were seen there. What did you see, and what keeps them away?",
    "children_under_15_earlier": "Children under 15 were seen there earlier. What keeps them away now?",
    "armed_presence": "Armed people were present there. Who are they, and are they there today?",
    "mercury": "Mercury was used there. What is used today, and does the site say so?",
    "qualification_red": "The authorities qualified the site red. By what act may it be worked today?",
    "qualification_yellow": "The authorities qualified the site yellow. What became of the conditions?",
    "itsci_suspended": "The iTSCi programme had suspended the site. Is it traced today, and how?",
}


class Unanswered(Conflict):
    """Questions that the data raise are open: each must be answered before the decision."""

    code = "questions_unanswered"


class NoSuchQuestion(Missing):
    code = "no_such_question"


@dataclass(frozen=True)
class Raised:
    """A question that the data raise now. about: what raised it, and on which figures: others raise it anew."""

    code: str
    about: str
    text: str
    source: str
    seen_on: date | None = None


def ask(session: Session, batch: Batch, at: datetime) -> None:
    """Write down every question that the data raise about a batch and that is not there yet. Flushes."""
    for each in _not_written(session, batch):
        session.add(ReviewQuestion(batch=batch, asked_at=at, **vars(each)))
    session.flush()


def questions_of(session: Session, batch: Batch) -> Sequence[ReviewQuestion]:
    """All questions about a batch that were written down, in the order in which they were asked."""
    wanted = select(ReviewQuestion).where(ReviewQuestion.batch_id == batch.id).order_by(ReviewQuestion.id)
    return session.scalars(wanted).all()


def open_questions(session: Session, batch: Batch) -> list[ReviewQuestion | Raised]:
    """What is still to be answered: what was asked about the figures that stand, and what new data raise since."""
    asked = [
        question
        for question in questions_of(session, batch)
        if question.answer is None and revision_in(question.about) == batch.revision
    ]
    return [*asked, *_not_written(session, batch)]


def answer(session: Session, *, batch: Batch, code: str, text: str, by: User, key: str, at: datetime) -> ReviewQuestion:
    """Answer the open question of this kind, as the batch's reviewer. The door checks that `by` reviews it.

    Flushes. Raises NoSuchQuestion, UnsoundText.
    """
    asked = {"act": "question.answer", "batch": batch.number, "code": code, "text": text}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(ReviewQuestion, earlier["question"])
    ask(session, batch, at)
    wanted = select(ReviewQuestion).where(
        ReviewQuestion.batch_id == batch.id, ReviewQuestion.code == code, ReviewQuestion.answer.is_(None)
    )
    found = session.scalars(wanted.order_by(ReviewQuestion.id).with_for_update())
    question = next((each for each in found.all() if revision_in(each.about) == batch.revision), None)
    if question is None:
        raise NoSuchQuestion("There is no open question of this kind: perhaps a colleague has answered it.")
    question.answer, question.answered_by, question.answered_at = paragraphs(text, "Answer", 2_000), by, at
    session.flush()
    events.append(
        session,
        kind="question.answered",
        subject=batch.number,
        actor=by.number,
        at=at,
        facts={"code": question.code},
        private={"about": question.about, "question": question.text, "answer": question.answer},
    )
    settle(session, {"question": question.id})
    return question


def must_be_answered(session: Session, batch: Batch) -> None:
    """Raise Unanswered where a question about the batch is open."""
    if wanting := open_questions(session, batch):
        listed = " ".join(question.text for question in wanting)
        raise Unanswered(
            f"Before the decision, answer what the data ask: {listed}", questions=[each.code for each in wanting]
        )


def raised(session: Session, batch: Batch) -> list[Raised]:
    """What the data ask about a batch now, gravest first."""
    site = batch.site
    found = _of_observed(site.observed) if site.observed else []
    found += _of_match(session, site)
    if site.conflict_affected is Answer.YES:
        text = "The area is conflict-affected or high-risk. Which risks did you look into, and how?"
        about = f"{site.conflict_source} {site.conflict_checked_on}"
        found.append(Raised("conflict_affected", about, text, site.conflict_source, site.conflict_checked_on))
    weighed = plausibility.of_batch(session, batch)
    found += _of_bounds(weighed) + _of_ground(session, batch, weighed)
    return [replace(each, about=f"{each.about}{_mark(batch.revision)}") for each in found]


def revision_in(about: str) -> int:
    """The revision of the batch on which a question was raised."""
    found = REVISION.search(about)
    return int(found[1]) if found else 1


def _mark(revision: int) -> str:
    return f" (revision {revision})" if revision > 1 else ""


def _not_written(session: Session, batch: Batch) -> list[Raised]:
    written = {(question.code, question.about) for question in questions_of(session, batch)}
    return [each for each in raised(session, batch) if (each.code, each.about) not in written]


def _of_observed(observed: ObservedSite) -> list[Raised]:
    return [
        Raised(flag.code, f"{observed.pcode} {flag.on}", FLAGGED[flag.code], SOURCE, flag.on)
        for flag in flags_of(observed, old_before=EVER)
        if flag.code != OLD_DATA
    ]


def _of_match(session: Session, site: Site) -> list[Raised]:
    """Whether the site is the one that the producer says it is: whoever has a bad record may hide from it."""
    if site.observed is None:
        likeliest = nearest(session, latitude=site.latitude, longitude=site.longitude, name=site.name, limit=1)
        if not likeliest or not likeliest[0].is_likely:
            return []
        other = likeliest[0].site
        if not _of_observed(other):
            return []
        text = (
            f"Others know a mine called {other.name}, {likeliest[0].distance_km:.1f} km away, and the producer has not "
            "said that this is it. Is it, and what was seen there?"
        )
        return [Raised("match_open", other.pcode, text, SOURCE)]
    seen = site.observed
    if seen.latitude is None or seen.longitude is None:
        return []
    away = distance_km((site.latitude, site.longitude), (seen.latitude, seen.longitude))
    if away <= LIKELY_KM or likeness(site.name, seen.name) >= LIKELY_NAME:
        return []
    text = f"The producer says that this is {seen.name}, which lies {away:.1f} km away. Is it the same mine?"
    return [Raised("match_doubtful", seen.pcode, text, SOURCE)]


def _of_bounds(weighed: Plausibility) -> list[Raised]:
    """What explains a claim that no bound forbids, but that is more than one would expect."""
    quantity = weighed.claim.mineral.quantity
    return [
        Raised(
            f"above_{bound.name.value}",
            str(weighed.claimed),
            f"{quantity(weighed.claimed)} are claimed, where {quantity(bound.value or 0)} would be expected "
            f"({bound.name.value.replace('_', ' ')}: {bound.arithmetic}). What explains it, and how was it seen?",
            bound.source,
            bound.dated,
        )
        for bound in weighed.warnings
    ]


def _of_ground(session: Session, batch: Batch, weighed: Plausibility) -> list[Raised]:
    """Whether others have been given credits for the same ground, mineral and days (invariant 5)."""
    shared = [each.id for each in weighed.shared]
    others = others_in(session, weighed.claim, shared, batch.produced_from, batch.produced_to) if shared else []
    if not others:
        return []
    days = ", ".join(f"{day_shown(other.produced_from)} to {day_shown(other.produced_to)}" for other in others[:3])
    text = (
        "Credits of the same mineral were confirmed for another site on the same ground, for days of this batch "
        f"({days}). Are the lots disjoint, and how do you know?"
    )
    about = " ".join(other.number for other in others)
    return [Raised("same_ground", about, text, "Batches of this registry")]
