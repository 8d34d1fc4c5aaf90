"""The certificates' table."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model
from credits.registry.models import Retirement


class Certificate(Model):
    """What a retirement's certificate says (`facts`, exact bytes) and, once drawn, the hash of its document.

    The facts are frozen in the retirement's own transaction; the document is stored under its hash and never redrawn.
    """

    __tablename__ = "certificate"
    __table_args__ = (CheckConstraint("(document_sha256 IS NULL) = (drawn_at IS NULL)", name="drawn_whole"),)

    retirement_id: Mapped[int] = mapped_column(ForeignKey("retirement.id"), primary_key=True, autoincrement=False)
    number: Mapped[str] = mapped_column(unique=True)
    facts: Mapped[bytes]
    document_sha256: Mapped[str | None]
    drawn_at: Mapped[datetime | None]

    retirement: Mapped[Retirement] = relationship()
