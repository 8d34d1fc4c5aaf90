"""The registry's tables: what serials stand for, whose they are, and what was done with them.

Sites, batches and their evidence stand in `production.py`.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Document, Model, Word, one_of
from credits.ledger.models import AccountKind, Posting
from credits.participants.models import Organisation, User
from credits.registry.minerals import Mineral, mineral_of
from credits.registry.production import Batch

REGISTRY_CODE = "ASMC"  # how every serial and retirement number begins


class Holding(Model):
    """Whose an account of the ledger is; the registry's own where `organisation_id` is empty."""

    __tablename__ = "holding"
    __table_args__ = (
        one_of("kind", AccountKind),
        UniqueConstraint("organisation_id", "kind"),
        Index(
            "uq_holding_registry_kind",
            "kind",
            unique=True,
            sqlite_where=text("organisation_id IS NULL"),
            postgresql_where=text("organisation_id IS NULL"),
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, autoincrement=False)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[AccountKind] = mapped_column(Word(AccountKind))

    organisation: Mapped[Organisation | None] = relationship()


class Issuance(Model):
    """What the serials of one issuance stand for. Never edited (invariant 10).

    facts: producer, site, period, assurance and verifier as they were when the serials were issued.
    """

    __tablename__ = "issuance_attributes"
    __table_args__ = (
        ForeignKeyConstraint(["id", "quantity"], ["issuance.id", "issuance.quantity"]),
        CheckConstraint(
            "submitter_id <> verifier_id AND verifier_id <> issuer_id AND submitter_id <> issuer_id",
            name="three_people",
        ),
        CheckConstraint(
            "producer_id <> verifier_organisation_id AND verifier_organisation_id <> issuer_organisation_id"
            " AND producer_id <> issuer_organisation_id",
            name="three_organisations",
        ),
        UniqueConstraint("site_id", "vintage", "sequence"),
        Index("ix_issuance_attributes_producer_id", "producer_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    quantity: Mapped[int]
    number: Mapped[str] = mapped_column(unique=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), unique=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    vintage: Mapped[int]
    sequence: Mapped[int]
    mineral_code: Mapped[str]
    producer_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    submitter_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    verifier_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    verifier_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    issuer_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    issuer_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    posting_id: Mapped[int] = mapped_column(ForeignKey("posting.id"), unique=True)
    issued_at: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(Document())

    batch: Mapped[Batch] = relationship()
    producer: Mapped[Organisation] = relationship(foreign_keys=[producer_id])

    @property
    def mineral(self) -> Mineral:
        return mineral_of(self.mineral_code)


class BulkKind(StrEnum):
    RETIREMENT = "retirement"
    TRANSFER = "transfer"


class Bulk(Model):
    """Many lines moved as one: all of them or none, one posting and one event. Never edited.

    lines_sha256: of the canonical JSON of the lines as they were carried out, which the event names too.
    """

    __tablename__ = "bulk"
    __table_args__ = (
        one_of("kind", BulkKind),
        CheckConstraint("lines BETWEEN 1 AND 10000", name="lines_counted"),
        CheckConstraint("length(lines_sha256) = 64", name="lines_sha256_whole"),
        Index("ix_bulk_organisation_id", "organisation_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[BulkKind] = mapped_column(Word(BulkKind))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    lines: Mapped[int]
    lines_sha256: Mapped[str]
    posting_id: Mapped[int] = mapped_column(ForeignKey("posting.id"), unique=True)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship()

    @property
    def number(self) -> str:
        return f"BULK-{self.id:06d}"


class TransferState(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Transfer(Model):
    """Serials on their way to another holder. The recipient must accept; until then they are frozen."""

    __tablename__ = "transfer"
    __table_args__ = (
        one_of("state", TransferState),
        CheckConstraint("sender_id <> recipient_id", name="two_parties"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("(state = 'pending') = (closing_posting_id IS NULL)", name="closed_by_posting"),
        CheckConstraint("(closing_posting_id IS NULL) = (closed_at IS NULL)", name="closed_at_a_time"),
        Index("ix_transfer_sender_id", "sender_id", "id"),
        Index("ix_transfer_sender_id_proposed_at", "sender_id", "proposed_at"),
        Index("ix_transfer_recipient_id", "recipient_id", "id"),
        Index("ix_transfer_state_expires_at", "state", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    issuance_id: Mapped[int] = mapped_column(ForeignKey("issuance_attributes.id"))
    quantity: Mapped[int]
    sender_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    recipient_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    note: Mapped[str]
    state: Mapped[TransferState] = mapped_column(Word(TransferState))
    opening_posting_id: Mapped[int] = mapped_column(ForeignKey("posting.id"), index=True)
    closing_posting_id: Mapped[int | None] = mapped_column(ForeignKey("posting.id"), index=True)
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    closed_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    bulk_id: Mapped[int | None] = mapped_column(ForeignKey("bulk.id"), index=True)

    issuance: Mapped[Issuance] = relationship()
    sender: Mapped[Organisation] = relationship(foreign_keys=[sender_id])
    recipient: Mapped[Organisation] = relationship(foreign_keys=[recipient_id])
    ranges: Mapped[list["TransferRange"]] = relationship(order_by="TransferRange.first")
    guard: Mapped["TransferGuard | None"] = relationship(back_populates="transfer")

    @property
    def number(self) -> str:
        return f"TRANSFER-{self.id:06d}"


class Cause(StrEnum):
    """Why a transfer needs a second person and a delay."""

    FIRST = "first"  # to this recipient
    LARGE = "large"


class TransferGuard(Model):
    """That a transfer needs a second person and a delay. Without them the database lets nobody accept it."""

    __tablename__ = "transfer_guard"
    __table_args__ = (
        one_of("cause", Cause),
        CheckConstraint("approved_by_id <> proposed_by_id", name="two_people"),
        CheckConstraint("(approved_by_id IS NULL) = (approved_at IS NULL)", name="approved_at_a_time"),
        CheckConstraint("(approved_by_id IS NULL) = (open_from IS NULL)", name="open_once_approved"),
        CheckConstraint("open_from >= approved_at", name="open_after_approval"),
    )

    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfer.id"), primary_key=True, autoincrement=False)
    cause: Mapped[Cause] = mapped_column(Word(Cause))
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    approved_at: Mapped[datetime | None]
    open_from: Mapped[datetime | None]

    transfer: Mapped[Transfer] = relationship(back_populates="guard")
    proposed_by: Mapped[User] = relationship(foreign_keys=[proposed_by_id])
    approved_by: Mapped[User | None] = relationship(foreign_keys=[approved_by_id])


class TransferRange(Model):
    """Which serials a transfer is about. Several transfers may leave in one posting."""

    __tablename__ = "transfer_range"
    __table_args__ = (CheckConstraint("first >= 1 AND first <= last", name="range_sound"),)

    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfer.id"), primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


def retirement_number(retirement_id: int) -> str:
    """How a retirement and its certificate are named in public: ASMC-R-000042."""
    return f"{REGISTRY_CODE}-R-{retirement_id:06d}"


class Retirement(Model):
    """Credits taken out of circulation for good, in somebody's name. Never edited (invariants 14 and 15)."""

    __tablename__ = "retirement"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("claim_from <= claim_to", name="claim_period_sound"),
        Index("ix_retirement_holder_id", "holder_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    issuance_id: Mapped[int] = mapped_column(ForeignKey("issuance_attributes.id"))
    quantity: Mapped[int]
    posting_id: Mapped[int] = mapped_column(ForeignKey("posting.id"), index=True)
    holder_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    beneficiary: Mapped[str]
    beneficiary_country: Mapped[str]
    beneficiary_identifier: Mapped[str]
    purpose: Mapped[str]
    claim_from: Mapped[date]
    claim_to: Mapped[date]
    retired_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    retired_at: Mapped[datetime]
    bulk_id: Mapped[int | None] = mapped_column(ForeignKey("bulk.id"), index=True)

    issuance: Mapped[Issuance] = relationship()
    holder: Mapped[Organisation] = relationship()
    posting: Mapped[Posting] = relationship()
    retired_by: Mapped[User] = relationship()
    use: Mapped["RetirementUse | None"] = relationship(back_populates="retirement")

    @property
    def number(self) -> str:
        """The public number, also the certificate's: ASMC-R-000017."""
        return retirement_number(self.id)


class RetirementUse(Model):
    """How a retirement counts against what its beneficiary declared to use (invariant 17). Written once, beside it.

    party: by what the beneficiary is known again. declared: base units at that moment, None where nothing was.
    surplus: those of its base units that lie beyond.
    """

    __tablename__ = "retirement_use"
    __table_args__ = (
        CheckConstraint("surplus BETWEEN 0 AND quantity", name="surplus_sound"),
        CheckConstraint("declared >= 0 OR (declared IS NULL AND surplus = 0)", name="surplus_over_declared"),
        Index("ix_retirement_use_party", "party", "mineral_code", "year"),
    )

    retirement_id: Mapped[int] = mapped_column(ForeignKey("retirement.id"), primary_key=True, autoincrement=False)
    party: Mapped[str]
    mineral_code: Mapped[str]
    year: Mapped[int]
    quantity: Mapped[int]
    declared: Mapped[int | None]
    surplus: Mapped[int]

    retirement: Mapped[Retirement] = relationship(back_populates="use")


class RetiredRange(Model):
    """Which retirement a serial went into: one index probe from any serial."""

    __tablename__ = "retired_range"
    __table_args__ = (UniqueConstraint("issuance_id", "last"), Index("ix_retired_range_retirement_id", "retirement_id"))

    issuance_id: Mapped[int] = mapped_column(ForeignKey("issuance_attributes.id"), primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]
    retirement_id: Mapped[int] = mapped_column(ForeignKey("retirement.id"))
