"""The tables of the rarer movements: acts of two people, serials set apart, debits, warnings before expiry."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Document, Model, Word, one_of
from credits.participants.models import Organisation, User
from credits.registry.models import Issuance


class DecisionKind(StrEnum):
    """An act that one person proposes and another one decides on."""

    RELEASE = "release"  # of a hold
    CANCELLATION = "cancellation"
    EXPORT = "export"
    BUFFER_DRAW = "buffer_draw"
    ROLL_BACK = "roll_back"  # of an issuance
    DEBIT = "debit"
    LIFT = "lift"  # of a suspension
    CEILING = "ceiling"  # a batch let through above it
    REINSTATEMENT = "reinstatement"  # of a site
    BANK_PAYMENT = "bank_payment"  # of an order, seen on the bank's statement
    REFUND = "refund"
    DISBURSEMENT = "disbursement"  # of premium
    ANNOTATION = "annotation"  # of a certificate
    ANNULMENT = "annulment"  # of a certificate


class DecisionState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Decision(Model):
    """What one person proposed and another one decided. The act happens with the approval, in one transaction.

    subject: the public number of what it is about. request: what else the act needs to know.
    """

    __tablename__ = "decision"
    __table_args__ = (
        one_of("kind", DecisionKind),
        one_of("state", DecisionState),
        CheckConstraint("trim(reason) <> ''", name="reason_not_blank"),
        CheckConstraint("decided_by_id <> proposed_by_id", name="two_people"),
        CheckConstraint(
            "(state IN ('approved', 'declined')) = (decided_by_id IS NOT NULL)", name="decided_by_somebody"
        ),
        CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided_at_a_time"),
        CheckConstraint("posting_id IS NULL OR state = 'approved'", name="moves_once_approved"),
        Index("ix_decision_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DecisionKind] = mapped_column(Word(DecisionKind))
    subject: Mapped[str] = mapped_column(index=True)
    request: Mapped[dict[str, Any]] = mapped_column(Document())
    reason: Mapped[str]
    state: Mapped[DecisionState] = mapped_column(Word(DecisionState))
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    proposed_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    posting_id: Mapped[int | None] = mapped_column(ForeignKey("posting.id"), unique=True)

    proposed_by: Mapped[User] = relationship(foreign_keys=[proposed_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])

    @property
    def number(self) -> str:
        return f"DECISION-{self.id:06d}"


class CertificateAnnotation(Model):
    """What two people said of a certificate after it was issued. Never changed; at most one annulment each."""

    __tablename__ = "certificate_annotation"
    __table_args__ = (
        CheckConstraint("kind IN ('annotation', 'annulment')", name="kind_known"),
        CheckConstraint("trim(text) <> ''", name="text_not_blank"),
        Index(
            "uq_certificate_annotation_annulled",
            "retirement_id",
            unique=True,
            sqlite_where=text("kind = 'annulment'"),
            postgresql_where=text("kind = 'annulment'"),
        ),
        Index("ix_certificate_annotation_retirement_id", "retirement_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    retirement_id: Mapped[int] = mapped_column(ForeignKey("retirement.id"))
    kind: Mapped[DecisionKind] = mapped_column(Word(DecisionKind))
    text: Mapped[str]
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), unique=True)
    said_at: Mapped[datetime]


class EarmarkKind(StrEnum):
    RESERVED = "reserved"
    HELD = "held"


class Earmark(Model):
    """Serials of one holder set apart: reserved for a buyer, or held by the registry. Let go once, whole."""

    __tablename__ = "earmark"
    __table_args__ = (
        one_of("kind", EarmarkKind),
        CheckConstraint("trim(why) <> ''", name="why_not_blank"),
        CheckConstraint("(closing_posting_id IS NULL) = (closed_at IS NULL)", name="closed_at_a_time"),
        CheckConstraint("closed_by_id IS NULL OR closing_posting_id IS NOT NULL", name="closed_by_posting"),
        Index("ix_earmark_holder_id", "holder_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[EarmarkKind] = mapped_column(Word(EarmarkKind))
    holder_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    why: Mapped[str]
    opening_posting_id: Mapped[int] = mapped_column(ForeignKey("posting.id"), unique=True)
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    opened_at: Mapped[datetime]
    closing_posting_id: Mapped[int | None] = mapped_column(ForeignKey("posting.id"), index=True)
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    closed_at: Mapped[datetime | None]

    holder: Mapped[Organisation] = relationship()
    opened_by: Mapped[User] = relationship(foreign_keys=[opened_by_id])

    @property
    def number(self) -> str:
        return f"{'HOLD' if self.kind is EarmarkKind.HELD else 'RESERVATION'}-{self.id:06d}"


class EarmarkRange(Model):
    """Serials that were set apart together. `from_account_id`: where they go when they are let go."""

    __tablename__ = "earmark_range"
    __table_args__ = (
        CheckConstraint("first >= 1 AND first <= last", name="range_sound"),
        Index("ix_earmark_range_issuance_id", "issuance_id", "first"),
    )

    earmark_id: Mapped[int] = mapped_column(ForeignKey("earmark.id"), primary_key=True)
    issuance_id: Mapped[int] = mapped_column(ForeignKey("issuance_attributes.id"), primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]
    from_account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))


class Debit(Model):
    """Base units issued by mistake that cannot be taken back: the producer's next issuance is so much smaller."""

    __tablename__ = "debit"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("still_open BETWEEN 0 AND quantity", name="still_open_sound"),
        Index("ix_debit_producer_id_mineral_code", "producer_id", "mineral_code"),
        Index("ix_debit_issuance_id", "issuance_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    mineral_code: Mapped[str]
    issuance_id: Mapped[int] = mapped_column(ForeignKey("issuance_attributes.id"))  # the mistaken one
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), unique=True)
    quantity: Mapped[int]
    still_open: Mapped[int]
    opened_at: Mapped[datetime]

    issuance: Mapped[Issuance] = relationship()
    producer: Mapped[Organisation] = relationship()

    @property
    def number(self) -> str:
        return f"DEBIT-{self.id:06d}"


class DebitSettlement(Model):
    """How much of a debit an issuance, or a draw from the buffer, made good."""

    __tablename__ = "debit_settlement"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        UniqueConstraint("debit_id", "posting_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    debit_id: Mapped[int] = mapped_column(ForeignKey("debit.id"))
    quantity: Mapped[int]
    posting_id: Mapped[int] = mapped_column(ForeignKey("posting.id"))
    settled_at: Mapped[datetime]


class ExpiryWarning(Model):
    """That a holder was told so many days before credits expire. Given once."""

    __tablename__ = "expiry_warning"
    __table_args__ = (CheckConstraint("days_before > 0", name="days_positive"),)

    issuance_id: Mapped[int] = mapped_column(ForeignKey("issuance_attributes.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    days_before: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    given_at: Mapped[datetime]

    issuance: Mapped[Issuance] = relationship()
    organisation: Mapped[Organisation] = relationship()
