"""The tables of trust: to whom a holder may send credits at once, and which transfers need a second person."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model
from credits.participants.models import Organisation, User


class Trust(Model):
    """That a holder trusts a recipient: proposed by one person, approved by another, in force after a delay."""

    __tablename__ = "trust"
    __table_args__ = (
        CheckConstraint("holder_id <> recipient_id", name="two_parties"),
        CheckConstraint("approved_by_id <> proposed_by_id", name="two_people"),
        CheckConstraint("(approved_by_id IS NULL) = (approved_at IS NULL)", name="approved_at_a_time"),
        CheckConstraint("(approved_by_id IS NULL) = (in_force_from IS NULL)", name="in_force_once_approved"),
        CheckConstraint("in_force_from >= approved_at", name="in_force_after_approval"),
        CheckConstraint("(ended_by_id IS NULL) = (ended_at IS NULL)", name="ended_at_a_time"),
        Index(
            "uq_trust_open",
            "holder_id",
            "recipient_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    holder_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    recipient_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    proposed_at: Mapped[datetime]
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    approved_at: Mapped[datetime | None]
    in_force_from: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[datetime | None]

    holder: Mapped[Organisation] = relationship(foreign_keys=[holder_id])
    recipient: Mapped[Organisation] = relationship(foreign_keys=[recipient_id])
    proposed_by: Mapped[User] = relationship(foreign_keys=[proposed_by_id])
    approved_by: Mapped[User | None] = relationship(foreign_keys=[approved_by_id])

    @property
    def number(self) -> str:
        return f"TRUST-{self.id:06d}"
