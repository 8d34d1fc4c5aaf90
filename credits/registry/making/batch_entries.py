"""The table of batches that are being entered: what somebody has typed so far, step by step."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model, Word, one_of
from credits.participants.models import User
from credits.registry.minerals import Mineral, mineral_of
from credits.registry.production import Batch, Site


class EntryState(StrEnum):
    OPEN = "open"
    FINISHED = "finished"
    DROPPED = "dropped"


class BatchEntry(Model):
    """A batch before it is one: incomplete, perhaps wrong, and nobody's business but its producer's.

    typed: what stands in the fields, by their names, as it was typed. step: the furthest one that was saved sound.
    """

    __tablename__ = "batch_entry"
    __table_args__ = (
        one_of("state", EntryState),
        CheckConstraint("(state = 'finished') = (batch_id IS NOT NULL)", name="finished_as_batch"),
        CheckConstraint("step BETWEEN 1 AND 4", name="step_sound"),
        Index("ix_batch_entry_site_id", "site_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    mineral_code: Mapped[str]
    typed: Mapped[dict[str, Any]]
    step: Mapped[int]
    state: Mapped[EntryState] = mapped_column(Word(EntryState))
    begun_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    begun_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("batch.id"))  # the first one that it became

    site: Mapped[Site] = relationship()
    begun_by: Mapped[User] = relationship()
    batch: Mapped[Batch | None] = relationship()

    @property
    def number(self) -> str:
        return f"ENTRY-{self.id:06d}"

    @property
    def mineral(self) -> Mineral:
        return mineral_of(self.mineral_code)
