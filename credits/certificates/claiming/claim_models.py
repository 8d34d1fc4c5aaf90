"""What companies have published about their retirements, where and when. What is said later is added beside it."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model, Word, one_of
from credits.participants.models import Language, Organisation, User
from credits.registry.models import Retirement


class EntryKind(StrEnum):
    PLACED = "placed"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


class PublishedClaim(Model):
    """One claim about some of the quantity of one or several retirements, wherever it is placed.

    about: for what it is made, such as a product line.
    """

    __tablename__ = "published_claim"
    __table_args__ = (
        CheckConstraint("trim(about) <> ''", name="about_not_blank"),
        Index("ix_published_claim_organisation_id", "organisation_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    about: Mapped[str]
    made_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship()
    parts: Mapped[list["ClaimedQuantity"]] = relationship(order_by="ClaimedQuantity.retirement_id")
    entries: Mapped[list["ClaimEntry"]] = relationship(order_by="ClaimEntry.id", foreign_keys="ClaimEntry.claim_id")

    @property
    def number(self) -> str:
        return f"CLAIM-{self.id:06d}"

    @property
    def withdrawn(self) -> "ClaimEntry | None":
        return next((entry for entry in self.entries if entry.kind is EntryKind.WITHDRAWN), None)

    @property
    def standing(self) -> "list[ClaimEntry]":
        """The texts that stand where they were placed: none of them corrected since."""
        corrected = {entry.corrects_id for entry in self.entries}
        return [entry for entry in self.entries if entry.text is not None and entry.id not in corrected]


class ClaimedQuantity(Model):
    """How much of a retirement a claim is about, in base units: with all others never more than was retired."""

    __tablename__ = "claimed_quantity"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        Index("ix_claimed_quantity_retirement_id", "retirement_id"),
    )

    claim_id: Mapped[int] = mapped_column(ForeignKey("published_claim.id"), primary_key=True, autoincrement=False)
    retirement_id: Mapped[int] = mapped_column(ForeignKey("retirement.id"), primary_key=True, autoincrement=False)
    quantity: Mapped[int]

    retirement: Mapped[Retirement] = relationship()
    claim: Mapped[PublishedClaim] = relationship(back_populates="parts")


class ClaimEntry(Model):
    """A text placed somewhere, the text that corrects it, or the withdrawal of the claim with its reason."""

    __tablename__ = "claim_entry"
    __table_args__ = (
        one_of("kind", EntryKind),
        one_of("language", Language),
        CheckConstraint("(kind = 'corrected') = (corrects_id IS NOT NULL)", name="corrects_something"),
        CheckConstraint("(kind = 'withdrawn') = (reason IS NOT NULL)", name="withdrawn_for_a_reason"),
        CheckConstraint(
            "(kind = 'withdrawn') = (text IS NULL) AND (text IS NULL) = (medium IS NULL)"
            " AND (text IS NULL) = (published_on IS NULL) AND (text IS NULL) = (language IS NULL)",
            name="placed_whole",
        ),
        CheckConstraint("address IS NULL OR text IS NOT NULL", name="address_of_a_text"),
        UniqueConstraint("claim_id", "id"),
        UniqueConstraint("corrects_id"),
        ForeignKeyConstraint(["claim_id", "corrects_id"], ["claim_entry.claim_id", "claim_entry.id"]),
        Index(
            "uq_claim_entry_withdrawn",
            "claim_id",
            unique=True,
            sqlite_where=text("kind = 'withdrawn'"),
            postgresql_where=text("kind = 'withdrawn'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("published_claim.id"))
    kind: Mapped[EntryKind] = mapped_column(Word(EntryKind))
    corrects_id: Mapped[int | None]
    medium: Mapped[str | None]
    address: Mapped[str | None]
    published_on: Mapped[date | None]
    language: Mapped[Language | None] = mapped_column(Word(Language))
    text: Mapped[str | None]
    reason: Mapped[str | None]
    said_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    said_at: Mapped[datetime]

    claim: Mapped[PublishedClaim] = relationship(back_populates="entries", foreign_keys=[claim_id])
    said_by: Mapped[User] = relationship()
