"""The certificates' table."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model, Word, one_of
from credits.participants.models import Language, Organisation
from credits.registry.models import REGISTRY_CODE, Bulk, Issuance, Retirement
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


class RecordKind(StrEnum):
    """What a document besides the certificates tells of."""

    BULK = "bulk"
    ISSUANCE = "issuance"
    ACCOUNT = "account"


class Record(Model):
    """What another document says (`facts`, exact bytes) and, once drawn, the hash of its signed file.

    The facts are frozen when somebody asks for it, under an event that carries the root over them, and stay. Of a bulk
    retirement and of an issuance there is one a language. organisation: whose affairs it tells.
    """

    __tablename__ = "document"
    __table_args__ = (
        one_of("kind", RecordKind),
        one_of("language", Language),
        CheckConstraint("(kind = 'bulk') = (bulk_id IS NOT NULL)", name="of_a_bulk"),
        CheckConstraint("(kind = 'issuance') = (issuance_id IS NOT NULL)", name="of_an_issuance"),
        CheckConstraint("(document_sha256 IS NULL) = (drawn_at IS NULL)", name="drawn_whole"),
        UniqueConstraint("bulk_id", "language"),
        UniqueConstraint("issuance_id", "language"),
        Index("ix_document_organisation_id", "organisation_id", "id"),
        Index(
            "ix_document_undrawn",
            "id",
            sqlite_where=text("document_sha256 IS NULL"),
            postgresql_where=text("document_sha256 IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[RecordKind] = mapped_column(Word(RecordKind))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    bulk_id: Mapped[int | None] = mapped_column(ForeignKey("bulk.id"))
    issuance_id: Mapped[int | None] = mapped_column(ForeignKey("issuance_attributes.id"))
    language: Mapped[Language] = mapped_column(Word(Language))
    facts: Mapped[bytes]
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    inclusion: Mapped[bytes]
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    asked_at: Mapped[datetime]
    document_sha256: Mapped[str | None]
    drawn_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship()
    bulk: Mapped[Bulk | None] = relationship()
    issuance: Mapped[Issuance | None] = relationship()

    @property
    def number(self) -> str:
        return record_number(self.id)


def record_number(record_id: int) -> str:
    """The public number of a document: ASMC-D-000001."""
    return f"{REGISTRY_CODE}-D-{record_id:06d}"
