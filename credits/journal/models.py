"""The journal's tables. None of their rows is ever changed or deleted: the database refuses it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from credits.db import Model


class RegistryIdentity(Model):
    """Which registry this database is, and the key that salts its private fields. One row, made with the table."""

    __tablename__ = "registry_identity"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    registry_id: Mapped[str]
    salt_key: Mapped[bytes]


class Event(Model):
    """One change of the registry. `body` holds the exact bytes that anybody may later check."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_subject", "subject", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime]
    body: Mapped[bytes]


class EventSecret(Model):
    """A private field of an event. The body carries SHA-256(salt‖value) alone."""

    __tablename__ = "event_secret"

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True, autoincrement=False)
    field: Mapped[str] = mapped_column(primary_key=True)
    salt: Mapped[bytes]
    value: Mapped[str]
