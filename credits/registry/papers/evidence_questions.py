"""The questions that a batch's papers raise, on the side of whoever answers them."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict, Missing
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import is_issuer
from credits.participants.wording import paragraphs
from credits.registry.papers.evidence_models import Likeness
from credits.registry.production import Batch, BatchState, Evidence
from credits.registry.queries import batches_of
from credits.registry.reviews.verification import must_review

ANSWERABLE = (BatchState.IN_REVIEW, BatchState.INFORMATION_REQUESTED)


class NoSuchQuestion(Missing):
    code = "no_such_question"


class QuestionClosed(Conflict):
    """The question has its answer, or the batch is in nobody's review."""

    code = "question_closed"


def answer(session: Session, *, likeness: Likeness, text: str, by: User, key: str, at: datetime) -> Likeness:
    """Write down what a person found out about two papers that are alike. Who reviews the batch may, and the registry.

    Flushes. Raises NotAllowed, QuestionClosed, UnsoundText.
    """
    batch = likeness.paper.batch
    if not is_issuer(by):
        must_review(by, batch)
    asked = {"act": "evidence.answer", "likeness": likeness.id, "text": text}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Likeness, earlier["likeness"])
    session.refresh(batch, with_for_update=True)
    session.refresh(likeness)
    if batch.state not in ANSWERABLE or likeness.answer is not None:
        raise QuestionClosed("This question is answered, or the batch is not in review.")
    likeness.answer = paragraphs(text, "Answer", 2000)
    likeness.answered_by_id, likeness.answered_at = by.id, at
    session.flush()
    events.append(
        session,
        kind="evidence.question_answered",
        subject=batch.number,
        actor=by.number,
        at=at,
        facts={"sha256": likeness.paper.sha256, "ground": likeness.ground.value, "bits": likeness.bits},
        private={"answer": likeness.answer, "other": likeness.other.sha256},
    )
    settle(session, {"likeness": likeness.id})
    return likeness


def question_of(session: Session, batch: Batch, likeness_id: int) -> Likeness:
    """A question about a paper of `batch`, which was looked up for the person. Raises NoSuchQuestion."""
    mine = select(Evidence.id).where(Evidence.batch_id == batch.id)
    found = session.scalars(
        select(Likeness).where(Likeness.id == likeness_id, Likeness.evidence_id.in_(mine))
    ).one_or_none()
    if found is None:
        raise NoSuchQuestion("There is no such question.")
    return found


def may_answer(by: User, batch: Batch) -> bool:
    """Whether `by` could answer the questions about the papers of `batch` now: what a page offers."""
    reviews = batch.reviewer is not None and batch.reviewer.organisation_id == by.organisation_id
    return batch.state in ANSWERABLE and (reviews or is_issuer(by))


def others_seen(session: Session, by: User, likenesses: list[Likeness]) -> set[int]:
    """The ids of the papers on the other side of these questions that `by` may see, with their batches."""
    batches = {each.other.batch_id for each in likenesses}
    seen = set(session.scalars(batches_of(by).with_only_columns(Batch.id).where(Batch.id.in_(batches)).order_by(None)))
    return {each.other_id for each in likenesses if each.other.batch_id in seen}
