"""The tables of who verifies what: draws, the assignments that came of them, and the declarations made for each."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Document, Model, Word, one_of
from credits.journal.models import Event
from credits.participants.models import Organisation, User
from credits.registry.production import Batch


class Draw(Model):
    """Lots drawn from a published seed; see draws.py for how to draw them again. Never edited.

    about: the public number of what was drawn for, of a group "ORG-000004/2026/sample". event: the one before it,
    whose leaf hash is in the seed. reason: why it was drawn; of a first draw empty.
    """

    __tablename__ = "draw"
    __table_args__ = (
        CheckConstraint("length(seed) = 64", name="seed_whole"),
        CheckConstraint("take > 0", name="take_positive"),
        UniqueConstraint("about", "round"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    about: Mapped[str]
    round: Mapped[int]
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    seed: Mapped[str]
    candidates: Mapped[list[str]] = mapped_column(Document())
    take: Mapped[int]
    drawn: Mapped[list[str]] = mapped_column(Document())
    reason: Mapped[str]
    made_at: Mapped[datetime]

    event: Mapped[Event] = relationship()

    @property
    def number(self) -> str:
        return f"DRAW-{self.id:06d}"


class AssignmentState(StrEnum):
    OFFERED = "offered"  # drawn, and not taken yet
    TAKEN = "taken"
    NOBODY = "nobody"  # nobody was eligible: the registry draws anew when somebody is
    DECLINED = "declined"  # for a tie
    LAPSED = "lapsed"  # not taken in time
    RELIEVED = "relieved"  # the registry drew anew


STANDING = (AssignmentState.OFFERED, AssignmentState.TAKEN, AssignmentState.NOBODY)


class Assignment(Model):
    """A batch in the hands of the verifier that was drawn for it. One stands at a time; those before stay.

    most_cycles: how many vintages in a row one lead may verify a producer, by the policy of that day.
    """

    __tablename__ = "assignment"
    __table_args__ = (
        one_of("state", AssignmentState),
        CheckConstraint("most_cycles > 0", name="most_cycles_positive"),
        CheckConstraint("organisation_id IS NOT NULL OR state IN ('nobody', 'relieved')", name="somebody_or_nobody"),
        CheckConstraint("state <> 'taken' OR taken_by_id IS NOT NULL", name="taken_by_somebody"),
        CheckConstraint("(taken_by_id IS NULL) = (taken_at IS NULL)", name="taken_at_a_time"),
        CheckConstraint("(state IN ('offered', 'taken', 'nobody')) = (ended_at IS NULL)", name="ended_at_a_time"),
        CheckConstraint("ended_at IS NULL OR trim(coalesce(reason, '')) <> ''", name="ended_with_a_reason"),
        Index(
            "uq_assignment_open",
            "batch_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_assignment_batch_id", "batch_id", "id"),
        Index("ix_assignment_organisation_id", "organisation_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    draw_id: Mapped[int] = mapped_column(ForeignKey("draw.id"), unique=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    state: Mapped[AssignmentState] = mapped_column(Word(AssignmentState))
    most_cycles: Mapped[int]
    due_at: Mapped[datetime]
    taken_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    taken_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]  # why it ended: of a declared tie the tie, which is nobody's business outside

    batch: Mapped[Batch] = relationship()
    draw: Mapped[Draw] = relationship()
    organisation: Mapped[Organisation | None] = relationship()
    taken_by: Mapped[User | None] = relationship(foreign_keys=[taken_by_id])
    ended_by: Mapped[User | None] = relationship(foreign_keys=[ended_by_id])


class Declaration(Model):
    """What a person of the verifier declared before working on a batch. Never edited. ties: empty for none."""

    __tablename__ = "declaration"
    __table_args__ = (
        CheckConstraint("trim(text) <> ''", name="text_not_blank"),
        UniqueConstraint("assignment_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    ties: Mapped[str]
    text: Mapped[str]
    declared_at: Mapped[datetime]

    assignment: Mapped[Assignment] = relationship()
    person: Mapped[User] = relationship()


class KinshipAnswer(Model):
    """What an issuer found out about two parties of a job who look like one. Never edited."""

    __tablename__ = "kinship_answer"
    __table_args__ = (
        CheckConstraint("trim(answer) <> ''", name="answer_not_blank"),
        UniqueConstraint("batch_id", "about"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    about: Mapped[str]
    question: Mapped[str]
    answer: Mapped[str]
    answered_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    answered_at: Mapped[datetime]

    answered_by: Mapped[User] = relationship()
