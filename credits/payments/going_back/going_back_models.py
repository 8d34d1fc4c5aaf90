"""The tables of money that goes back: refunds, and disputes of a payment."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model, Word, one_of
from credits.payments.models import Payment
from credits.registry.movements import Earmark


class RefundState(StrEnum):
    ASKED = "asked"  # decided; the provider or the bank has not done it yet
    DONE = "done"
    FAILED = "failed"


class Refund(Model):
    """Money that goes back to the buyer, whole: the credits are the seller's again (posting), never what was retired.

    reference: the provider's id, or what stands on the bank's statement.
    """

    __tablename__ = "refund"
    __table_args__ = (
        one_of("state", RefundState),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("trim(reason) <> ''", name="reason_not_blank"),
        CheckConstraint("(state = 'asked') = (settled_at IS NULL)", name="settled_at_a_time"),
        UniqueConstraint("reference"),
        Index(
            "uq_refund_of_payment",
            "payment_id",
            unique=True,
            sqlite_where=text("state <> 'failed'"),
            postgresql_where=text("state <> 'failed'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"))
    amount: Mapped[int]
    reason: Mapped[str]
    state: Mapped[RefundState] = mapped_column(Word(RefundState))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))  # none: the credits were never delivered
    posting_id: Mapped[int | None] = mapped_column(ForeignKey("posting.id"))
    reference: Mapped[str | None]
    asked_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    payment: Mapped[Payment] = relationship()


class DisputeState(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Dispute(Model):
    """A payment that the payer's bank takes back: what is left of the credits is held meanwhile (earmark).

    shortfall: minor units that a lost dispute leaves uncovered, because credits were retired or passed on.
    """

    __tablename__ = "dispute"
    __table_args__ = (
        one_of("state", DisputeState),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("shortfall >= 0", name="shortfall_sound"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed_at_a_time"),
        UniqueConstraint("reference"),
        Index("ix_dispute_payment_id", "payment_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"))
    reference: Mapped[str]
    amount: Mapped[int]
    state: Mapped[DisputeState] = mapped_column(Word(DisputeState))
    shortfall: Mapped[int] = mapped_column(default=0)
    earmark_id: Mapped[int | None] = mapped_column(ForeignKey("earmark.id"))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    payment: Mapped[Payment] = relationship()
    earmark: Mapped[Earmark | None] = relationship()
