"""What is known of a paper besides the paper: its numbers, what its pages look like, whom it resembles; and files on
their way."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model, Word, one_of
from credits.participants.models import User
from credits.registry.production import Batch, Evidence, EvidenceKind, once_where_it_counts


class PaperNumber(Model):
    """A number that stands on a paper: of a tag or seal, an assay, an invoice, a ticket of the scale.

    issuer_key, number_key: who gave the number, and the number, as they are compared; see evidence_numbers.
    loose_key: the number as a person could misread it. counts: as the paper does.
    """

    __tablename__ = "paper_number"
    __table_args__ = (
        one_of("kind", EvidenceKind),
        CheckConstraint("number_key <> ''", name="number_key_not_blank"),
        once_where_it_counts("uq_paper_number_kind_issuer_key_number_key", "kind", "issuer_key", "number_key"),
        Index("ix_paper_number_kind_loose_key", "kind", "loose_key"),
        Index("ix_paper_number_evidence_id", "evidence_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    evidence_id: Mapped[int] = mapped_column(ForeignKey("evidence.id", ondelete="CASCADE"))
    kind: Mapped[EvidenceKind] = mapped_column(Word(EvidenceKind))
    number: Mapped[str]
    issuer_key: Mapped[str]
    number_key: Mapped[str]
    loose_key: Mapped[str]
    counts: Mapped[bool] = mapped_column(default=True)


class PagePrint(Model):
    """What a page looks like: 256 bits that stay nearly the same when it is scanned again or saved smaller."""

    __tablename__ = "page_print"
    __table_args__ = (CheckConstraint("length(print) = 64", name="print_whole"),)

    evidence_id: Mapped[int] = mapped_column(ForeignKey("evidence.id", ondelete="CASCADE"), primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True)
    print: Mapped[str]


class PrintBand(Model):
    """One of the sixteen parts of a page's print: pages that look alike share at least one, so an index finds them."""

    __tablename__ = "print_band"

    band: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(primary_key=True)
    evidence_id: Mapped[int] = mapped_column(ForeignKey("evidence.id", ondelete="CASCADE"), primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True)


Index("ix_print_band_evidence_id", PrintBand.evidence_id)


class Ground(StrEnum):
    """In what two papers are alike."""

    PICTURE = "picture"
    NUMBER = "number"


class Likeness(Model):
    """A paper that is nearly one behind another batch: a question that a person answers before the batch is verified.

    Written when the newer paper is added; answered once, never edited.
    """

    __tablename__ = "likeness"
    __table_args__ = (
        one_of("ground", Ground),
        UniqueConstraint("evidence_id", "other_id", "ground"),
        CheckConstraint("evidence_id <> other_id", name="two_papers"),
        CheckConstraint("bits BETWEEN 0 AND 256", name="bits_counted"),
        CheckConstraint(
            "(answer IS NULL) = (answered_by_id IS NULL) AND (answer IS NULL) = (answered_at IS NULL)",
            name="answered_whole",
        ),
        CheckConstraint("answer <> ''", name="answer_not_blank"),
        Index("ix_likeness_other_id", "other_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    evidence_id: Mapped[int] = mapped_column(ForeignKey("evidence.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(ForeignKey("evidence.id", ondelete="CASCADE"))
    ground: Mapped[Ground] = mapped_column(Word(Ground))
    bits: Mapped[int]  # of 256 in which the pages differ; 0 for numbers
    noted_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    answered_at: Mapped[datetime | None]

    paper: Mapped[Evidence] = relationship(foreign_keys=[evidence_id])
    other: Mapped[Evidence] = relationship(foreign_keys=[other_id])
    answered_by: Mapped[User | None] = relationship()


class EvidenceDay(Model):
    """How many bytes of papers the people of an organisation have added on one day (UTC), removed ones too."""

    __tablename__ = "evidence_day"
    __table_args__ = (CheckConstraint("bytes >= 0", name="bytes_counted"),)

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    bytes: Mapped[int]


class Upload(Model):
    """A file that arrives in pieces, for one batch, from one person. How much of it is there, its file says.

    evidence_id: the paper that it has become; its own file is gone then.
    """

    __tablename__ = "upload"
    __table_args__ = (
        UniqueConstraint("handle"),
        CheckConstraint("size > 0", name="size_positive"),
        CheckConstraint("length(handle) = 64", name="handle_whole"),
        Index("ix_upload_begun_by_id", "begun_by_id", "id"),
        Index("ix_upload_begun_at", "begun_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[str]
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    filename: Mapped[str]
    size: Mapped[int]  # bytes, of the whole file
    begun_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    begun_at: Mapped[datetime]
    evidence_id: Mapped[int | None] = mapped_column(ForeignKey("evidence.id", ondelete="CASCADE"))

    batch: Mapped[Batch] = relationship()
