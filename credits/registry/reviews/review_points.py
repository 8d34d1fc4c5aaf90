"""Several questions to a producer at once: asked by the reviewer, answered one by one, and settled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from credits.errors import Invalid, Missing
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import may_register_for
from credits.registry.making.batches import lock_in, remark, tell
from credits.registry.making.completeness import Incomplete, missing, refuse_hopeless
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState, RemarkKind
from credits.registry.reviews import review_threads
from credits.registry.reviews.ready_remarks import sentences
from credits.registry.reviews.review_models import ReviewPoint
from credits.registry.reviews.verification import must_review

MOST_AT_ONCE = 20
OPEN = (BatchState.IN_REVIEW, BatchState.INFORMATION_REQUESTED)


class NoSuchPoint(Missing):
    code = "no_such_question"


@dataclass(frozen=True)
class Asked:
    """One question. ready: the code of a ready remark, whose sentence is then the text."""

    text: str = ""
    ready: str | None = None


def ask(session: Session, *, batch: Batch, points: Sequence[Asked], by: User, key: str, at: datetime) -> None:
    """Ask the producer several things at once; ready remarks in the language of who submitted.

    Flushes. Raises NotAllowed, WrongState, Invalid, UnsoundText.
    """
    must_review(by, batch)
    if not 1 <= len(points) <= MOST_AT_ONCE:
        raise Invalid(f"Ask at least one question and at most {MOST_AT_ONCE} at once.", asked=len(points))
    said = [[point.ready or "", point.text] for point in points]
    asked = {"act": "batch.ask", "batch": batch.number, "points": said}
    if claim(session, caller=by.number, key=key, request=asked):
        return
    lock_in(session, batch, *OPEN)
    language = review_threads.language_of(batch)
    ready = sentences(language)
    texts = []
    for point in points:
        if point.ready is not None and point.ready not in ready:
            raise Invalid("There is no such ready remark.", ready=point.ready[:40])
        text = ready[point.ready] if point.ready is not None else point.text
        made = remark(session, batch, RemarkKind.REQUEST, text, by, at)
        review_threads.begin(session, made, language=language, ready=point.ready)
        texts.append(made.text)
    batch.state = BatchState.INFORMATION_REQUESTED
    facts = {"verifier": by.organisation.number, "questions": len(texts)}
    tell(session, "batch.information_requested", batch, by, at, facts, {"text": "\n\n".join(texts)})
    settle(session, {"questions": len(texts)})


def answer(
    session: Session, *, batch: Batch, answers: Mapping[int, str], policy: Policy, by: User, key: str, at: datetime
) -> int:
    """Answer questions about a batch by the ids of their remarks; how many still wait.

    With the last one the batch goes back into review. Flushes. Raises NotAllowed, WrongState, Incomplete, NoSuchPoint.
    """
    may_register_for(by, batch.site.producer)
    asked = {"act": "batch.answer_points", "batch": batch.number, "answers": [[str(i), answers[i]] for i in answers]}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return int(earlier["waiting"])
    lock_in(session, batch, BatchState.INFORMATION_REQUESTED)
    waiting = {point.remark_id: point for point in review_threads.waiting(session, batch)}
    if not answers:
        raise Invalid("Write an answer to at least one question.")
    texts = []
    for point_id, text in answers.items():
        if point_id not in waiting:
            raise NoSuchPoint("This question does not wait for an answer any more. Look at the batch again.")
        made = remark(session, batch, RemarkKind.ANSWER, text, by, at)
        review_threads.reply(session, made, [waiting.pop(point_id)])
        texts.append(made.text)
    if waiting:
        said = {"answered": len(texts), "waiting": len(waiting)}
        tell(session, "batch.question_answered", batch, by, at, said, {"text": "\n\n".join(texts)})
    else:
        if wanted := missing(batch, policy):
            raise Incomplete("Before you can answer: " + " ".join(wanted), missing=wanted)
        refuse_hopeless(session, batch, policy, at.date())
        batch.state = BatchState.IN_REVIEW
        papers = [paper.sha256 for paper in batch.evidence]
        tell(session, "batch.answered", batch, by, at, {"evidence": papers}, {"text": "\n\n".join(texts)})
    settle(session, {"waiting": len(waiting)})
    return len(waiting)


def mark_settled(session: Session, *, batch: Batch, point_id: int, by: User, at: datetime) -> ReviewPoint:
    """Say that a question is settled, answered or not; done twice it is done once.

    Where the producer owes no other answer the batch comes back into review. Flushes. Raises NotAllowed, WrongState,
    NoSuchPoint.
    """
    must_review(by, batch)
    lock_in(session, batch, *OPEN)
    point = session.get(ReviewPoint, point_id, populate_existing=True)
    if point is None or point.remark.batch_id != batch.id:
        raise NoSuchPoint("There is no such question about this batch.")
    if point.settled_at is not None:
        return point
    point.settled_by, point.settled_at = by, at
    session.flush()
    back = batch.state is BatchState.INFORMATION_REQUESTED and not review_threads.waiting(session, batch)
    if back:
        batch.state = BatchState.IN_REVIEW
    facts = {"verifier": by.organisation.number, "back_in_review": back}
    tell(session, "batch.question_settled", batch, by, at, facts, {"question": point.remark.text})
    return point
