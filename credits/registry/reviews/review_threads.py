"""Questions to the producer with their answers: asked, answered, settled. Reading and writing down alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, selectinload

from credits.participants.models import Language, User
from credits.registry.production import Batch, Remark
from credits.registry.reviews.review_models import ReviewPoint, ReviewReply


@dataclass(frozen=True)
class Thread:
    """One question and what was said to it, oldest first."""

    point: ReviewPoint
    answers: list[Remark] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        """Whether the producer still has to answer."""
        return not self.answers and self.point.settled_at is None


def language_of(batch: Batch) -> Language:
    """The language in which the producer is written to: that of the person who submitted the batch."""
    return batch.submitted_by.language if batch.submitted_by else Language.EN


def begin(session: Session, question: Remark, *, language: Language, ready: str | None = None) -> ReviewPoint:
    """Let a request be a question with a life of its own. Flushes."""
    point = ReviewPoint(remark=question, ready=ready, language=language)
    session.add(point)
    session.flush()
    return point


def reply(session: Session, answer: Remark, points: Iterable[ReviewPoint]) -> None:
    """Write down which questions an answer answers. Flushes."""
    session.add_all(ReviewReply(remark_id=answer.id, point_id=point.remark_id) for point in points)
    session.flush()


def waiting(session: Session, batch: Batch) -> list[ReviewPoint]:
    """The questions that the producer has neither answered nor been let off, oldest first."""
    answered = exists().where(ReviewReply.point_id == ReviewPoint.remark_id)
    wanted = (
        select(ReviewPoint)
        .join(ReviewPoint.remark)
        .where(Remark.batch_id == batch.id, ReviewPoint.settled_at.is_(None), ~answered)
        .order_by(ReviewPoint.remark_id)
    )
    return list(session.scalars(wanted))


def threads_of(session: Session, batch: Batch) -> list[Thread]:
    """Every question about a batch with its answers, oldest first."""
    wanted = (
        select(ReviewPoint)
        .join(ReviewPoint.remark)
        .where(Remark.batch_id == batch.id)
        .options(
            selectinload(ReviewPoint.remark).selectinload(Remark.author).selectinload(User.organisation),
            selectinload(ReviewPoint.settled_by).selectinload(User.organisation),
        )
        .order_by(ReviewPoint.remark_id)
    )
    threads = {point.remark_id: Thread(point) for point in session.scalars(wanted)}
    if not threads:
        return []
    said = (
        select(ReviewReply.point_id, Remark)
        .join(Remark, Remark.id == ReviewReply.remark_id)
        .where(Remark.batch_id == batch.id)
        .options(selectinload(Remark.author).selectinload(User.organisation))
        .order_by(Remark.id)
    )
    for point_id, answer in session.execute(said):
        threads[point_id].answers.append(answer)
    return list(threads.values())


def unsettled(session: Session, batch: Batch) -> list[ReviewPoint]:
    """The questions that nobody has marked as settled, oldest first."""
    wanted = (
        select(ReviewPoint)
        .join(ReviewPoint.remark)
        .where(Remark.batch_id == batch.id, ReviewPoint.settled_at.is_(None))
        .order_by(ReviewPoint.remark_id)
    )
    return list(session.scalars(wanted))
