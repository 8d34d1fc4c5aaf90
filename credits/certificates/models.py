"""The certificates' table."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model, Word, one_of
from credits.participants.models import Language
from credits.registry.models import Retirement
from credits.registry.production import Batch


class Certificate(Model):
    """What a retirement's certificate says (`facts`, exact bytes) and, once drawn, the hash of its document.

    The facts are frozen in the retirement's own transaction; the document is stored under its hash and never redrawn.
    event_id: the event that carries the root over the facts, inclusion: the way there, exact bytes; language: in which
    the document speaks. The earliest certificates have none of the three.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        CheckConstraint("(document_sha256 IS NULL) = (drawn_at IS NULL)", name="drawn_whole"),
        one_of("language", Language),
        Index(
            "ix_certificate_undrawn",
            "retirement_id",
            sqlite_where=text("document_sha256 IS NULL"),
            postgresql_where=text("document_sha256 IS NULL"),
        ),
    )

    retirement_id: Mapped[int] = mapped_column(ForeignKey("retirement.id"), primary_key=True, autoincrement=False)
    number: Mapped[str] = mapped_column(unique=True)
    facts: Mapped[bytes]
    document_sha256: Mapped[str | None]
    drawn_at: Mapped[datetime | None]
    language: Mapped[Language | None] = mapped_column(Word(Language))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"))
    inclusion: Mapped[bytes | None]

    retirement: Mapped[Retirement] = relationship()


class VerificationStatement(Model):
    """What a verifier confirmed about a batch (`facts`, exact bytes) and, once drawn, the hash of the signed document.

    The facts are frozen in the transaction of the verification. language: in which the document speaks.
    """

    __tablename__ = "verification_statement"
    __table_args__ = (
        one_of("language", Language),
        CheckConstraint("(document_sha256 IS NULL) = (drawn_at IS NULL)", name="drawn_whole"),
        Index(
            "ix_verification_statement_undrawn",
            "batch_id",
            sqlite_where=text("document_sha256 IS NULL"),
            postgresql_where=text("document_sha256 IS NULL"),
        ),
    )

    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), primary_key=True, autoincrement=False)
    number: Mapped[str] = mapped_column(unique=True)
    language: Mapped[Language] = mapped_column(Word(Language))
    facts: Mapped[bytes]
    document_sha256: Mapped[str | None]
    drawn_at: Mapped[datetime | None]

    batch: Mapped[Batch] = relationship()
