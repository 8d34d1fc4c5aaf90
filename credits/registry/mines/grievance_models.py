"""The tables of grievances: what anybody may say about a site, and what was answered."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model, Word, one_of
from credits.participants.models import User
from credits.registry.production import Site


class GrievanceState(StrEnum):
    OPEN = "open"  # somebody waits for an answer
    ANSWERED = "answered"
    CLOSED = "closed"


class Grievance(Model):
    """What somebody has to say about a site. Who holds its code may follow it; only the code's hash is kept.

    contact: how to reach them, if they said; for the registry alone.
    finding_id: of the finding that it opened.
    """

    __tablename__ = "grievance"
    __table_args__ = (
        one_of("state", GrievanceState),
        CheckConstraint("length(code_sha256) = 64", name="code_sha256_whole"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_at_a_time"),
        CheckConstraint("(closed_by_id IS NULL) = (closed_at IS NULL)", name="closed_by_somebody"),
        Index("ix_grievance_site_id", "site_id", "state"),
        Index("ix_grievance_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    code_sha256: Mapped[str] = mapped_column(unique=True)
    contact: Mapped[str | None]
    state: Mapped[GrievanceState] = mapped_column(Word(GrievanceState))
    finding_id: Mapped[int | None] = mapped_column(ForeignKey("finding.id"))
    filed_at: Mapped[datetime]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    closed_at: Mapped[datetime | None]

    site: Mapped[Site] = relationship()
    closed_by: Mapped[User | None] = relationship()
    messages: Mapped[list["GrievanceMessage"]] = relationship(
        back_populates="grievance", order_by="GrievanceMessage.id"
    )

    @property
    def number(self) -> str:
        return f"GRIEVANCE-{self.id:06d}"


class GrievanceMessage(Model):
    """One word of a grievance: of who filed it where there is no author, else of who answers. Never edited."""

    __tablename__ = "grievance_message"
    __table_args__ = (
        CheckConstraint("trim(text) <> ''", name="text_not_blank"),
        Index("ix_grievance_message_grievance_id", "grievance_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    grievance_id: Mapped[int] = mapped_column(ForeignKey("grievance.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    text: Mapped[str]
    written_at: Mapped[datetime]

    grievance: Mapped[Grievance] = relationship(back_populates="messages")
    author: Mapped[User | None] = relationship()
