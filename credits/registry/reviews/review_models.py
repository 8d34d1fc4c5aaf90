"""The tables of a review: the life of each question to the producer, and how a batch stands in the queue."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Document, Model, Word, one_of
from credits.participants.models import Language, User
from credits.registry.production import Batch, Remark


class ReviewPoint(Model):
    """A question to the producer: a remark of the kind "request", and what became of it. Settled once.

    ready: which of the ready remarks it is, if it is one. language: in which it was written.
    """

    __tablename__ = "review_point"
    __table_args__ = (
        one_of("language", Language),
        CheckConstraint("ready <> ''", name="ready_not_blank"),
        CheckConstraint("(settled_by_id IS NULL) = (settled_at IS NULL)", name="settled_by_somebody"),
    )

    remark_id: Mapped[int] = mapped_column(ForeignKey("remark.id"), primary_key=True, autoincrement=False)
    ready: Mapped[str | None]
    language: Mapped[Language] = mapped_column(Word(Language))
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    settled_at: Mapped[datetime | None]

    remark: Mapped[Remark] = relationship()
    settled_by: Mapped[User | None] = relationship()


class ReviewReply(Model):
    """Which question an answer answers: one answer may answer several. Never edited."""

    __tablename__ = "review_reply"
    __table_args__ = (Index("ix_review_reply_point_id", "point_id"),)

    remark_id: Mapped[int] = mapped_column(ForeignKey("remark.id"), primary_key=True, autoincrement=False)
    point_id: Mapped[int] = mapped_column(ForeignKey("review_point.remark_id"), primary_key=True, autoincrement=False)


class Level(StrEnum):
    """How closely a batch should be looked at."""

    HIGH = "high"
    RAISED = "raised"
    ORDINARY = "ordinary"


class ReviewRisk(Model):
    """The risk of a batch when it was last assessed, so that the queue can be sorted by it. Written anew each time.

    reasons: the codes and figures of `credits.registry.reviews.risk.Reason`.
    """

    __tablename__ = "review_risk"
    __table_args__ = (one_of("level", Level),)

    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), primary_key=True, autoincrement=False)
    level: Mapped[Level] = mapped_column(Word(Level))
    reasons: Mapped[list[Any]] = mapped_column(Document())
    assessed_at: Mapped[datetime]

    batch: Mapped[Batch] = relationship()
