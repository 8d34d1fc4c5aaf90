"""The tables of the published log. None of their rows is ever changed or deleted: the database refuses it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from credits.db import Model


class LogLeaf(Model):
    """The place of an event in the log, counted from 0 without a gap, and the hash of its entry."""

    __tablename__ = "log_leaf"
    __table_args__ = (CheckConstraint("position >= 0", name="position_counts"),)

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), unique=True)
    hash: Mapped[bytes]


class LogSubtree(Model):
    """The root of the number-th 256**level leaves, entered when they are complete: the hashes of the upper tiles."""

    __tablename__ = "log_subtree"
    __table_args__ = (CheckConstraint("level >= 1 AND number >= 0", name="place_sound"),)

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes]


class LogCheckpoint(Model):
    """A head of the log as it was signed and published. note: the exact text, without cosignatures."""

    __tablename__ = "log_checkpoint"
    __table_args__ = (CheckConstraint("size >= 1", name="size_counts"),)

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[str]
    published_at: Mapped[datetime]


class LogCosignature(Model):
    """That a witness saw a checkpoint. witness: its public key as text; seen_at: POSIX seconds by its own clock."""

    __tablename__ = "log_cosignature"

    size: Mapped[int] = mapped_column(ForeignKey("log_checkpoint.size"), primary_key=True, autoincrement=False)
    witness: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line: Mapped[str]
    received_at: Mapped[datetime]
