"""The table of files that bring in many rows: sites, batches or counts of members."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model, Word, one_of
from credits.participants.models import Organisation, User

MOST_ROWS = 10_000


class ImportKind(StrEnum):
    SITES = "sites"
    BATCHES = "batches"
    MEMBERS = "members"


class ImportState(StrEnum):
    CHECKING = "checking"
    WRONG = "wrong"
    SOUND = "sound"  # waits for somebody's word
    ENTERING = "entering"
    ENTERED = "entered"
    REFUSED = "refused"  # what was sound when it was looked at no longer was
    DROPPED = "dropped"


class ImportFile(Model):
    """A file of many rows on its way into the registry: all of them or none.

    lines: the cells of each row below the heading, by column, with its number in the file; emptied when it is closed.
    findings: cells that are wrong, each with row, column and what to do, the first of them only; wrong: how many.
    """

    __tablename__ = "import_file"
    __table_args__ = (
        one_of("kind", ImportKind),
        one_of("state", ImportState),
        CheckConstraint("length(sha256) = 64", name="sha256_whole"),
        CheckConstraint("line_count BETWEEN 1 AND 10000 AND checked BETWEEN 0 AND line_count", name="lines_counted"),
        CheckConstraint("made = CASE WHEN state = 'entered' THEN line_count ELSE 0 END", name="all_or_nothing"),
        CheckConstraint("wrong >= 0 AND (wrong = 0 OR state <> 'entered')", name="entered_without_fault"),
        CheckConstraint(
            "(state IN ('wrong', 'entered', 'refused', 'dropped')) = (closed_at IS NOT NULL)", name="closed_at_a_time"
        ),
        CheckConstraint(
            "state NOT IN ('entering', 'entered') OR confirmed_by_id IS NOT NULL", name="entered_as_confirmed"
        ),
        Index("ix_import_file_organisation_id", "organisation_id", "id"),
        Index("ix_import_file_state", "state"),
        Index(
            "uq_import_file_entered",
            "organisation_id",
            "kind",
            "sha256",
            unique=True,
            sqlite_where=text("state = 'entered'"),
            postgresql_where=text("state = 'entered'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ImportKind] = mapped_column(Word(ImportKind))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    filename: Mapped[str]
    sha256: Mapped[str]
    line_count: Mapped[int]
    lines: Mapped[list[Any]]
    state: Mapped[ImportState] = mapped_column(Word(ImportState))
    checked: Mapped[int]
    made: Mapped[int]
    wrong: Mapped[int]
    findings: Mapped[list[Any]]
    refusal: Mapped[str | None]
    sent_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    sent_at: Mapped[datetime]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    closed_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship()
    sent_by: Mapped[User] = relationship(foreign_keys=[sent_by_id])
    confirmed_by: Mapped[User | None] = relationship(foreign_keys=[confirmed_by_id])

    @property
    def number(self) -> str:
        return f"IMPORT-{self.id:06d}"
