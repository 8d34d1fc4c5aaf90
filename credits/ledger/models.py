"""The ledger's tables. The present is `block`, the history `posting` and `entry`; the database derives the present.

Inserting an `entry` moves the serials: a trigger carves, moves and merges the blocks in the same statement, and
no other statement may touch a block. Triggers and deferrable constraints stand in migrations/versions/0001_ledger.py.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from credits.db import Document, Model, Word, one_of


def only(condition: str) -> dict[str, Any]:
    """Keyword arguments of an index over the rows of which this is true."""
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}


class AccountKind(StrEnum):
    """What it means that a serial stands in an account."""

    AVAILABLE = "available"
    RESERVED = "reserved"
    PENDING = "pending"
    HELD = "held"
    BUFFER = "buffer"
    RETIRED = "retired"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    EXPORTED = "exported"


TERMINAL = (
    AccountKind.RETIRED,
    AccountKind.CANCELLED,
    AccountKind.EXPIRED,
    AccountKind.EXPORTED,
)


class Account(Model):
    """A place for serials. Whose it is, the registry knows (`holding`)."""

    __tablename__ = "account"
    __table_args__ = (one_of("kind", AccountKind),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[AccountKind] = mapped_column(Word(AccountKind))


class Issuance(Model):
    """Serials 1 to `quantity`, issued once. What they stand for, the registry knows (`issuance_attributes`)."""

    __tablename__ = "issuance"
    __table_args__ = (
        CheckConstraint("first = 1", name="first_is_one"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        UniqueConstraint("id", "quantity"),
        ForeignKeyConstraint(
            ["id", "first"],
            ["block.issuance_id", "block.first"],
            deferrable=True,
            initially="DEFERRED",
            use_alter=True,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    first: Mapped[int]
    quantity: Mapped[int]


class Block(Model):
    """A range of serials of one issuance that stand in one account. The blocks of an issuance tile 1…quantity."""

    __tablename__ = "block"
    __table_args__ = (
        CheckConstraint("first >= 1 AND first <= last AND last <= issued", name="inside_issuance"),
        CheckConstraint("next_first = last + 1", name="next_follows"),
        CheckConstraint("(next_first IS NULL) = (last = issued)", name="last_ends_issuance"),
        # `next_first` is `last` + 1: ends are unique, and one block alone has no successor.
        Index(
            "uq_block_issuance_id_next_first",
            "issuance_id",
            "next_first",
            unique=True,
            **only("next_first IS NOT NULL"),
        ),
        Index("uq_block_issuance_id", "issuance_id", unique=True, **only("next_first IS NULL")),
        ForeignKeyConstraint(
            ["issuance_id", "issued"],
            ["issuance.id", "issuance.quantity"],
            deferrable=True,
            initially="DEFERRED",
        ),
        ForeignKeyConstraint(
            ["issuance_id", "next_first"],
            ["block.issuance_id", "block.first"],
            deferrable=True,
            initially="DEFERRED",
        ),
        # What an account holds is read from this alone.
        Index("ix_block_account_id_issuance_id_first_last", "account_id", "issuance_id", "first", "last"),
        # SQLite keeps the rows in the tree of their key, not beside it: a page less for each posting.
        {"sqlite_with_rowid": False},
    )

    issuance_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issued: Mapped[int]
    first: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    next_first: Mapped[int | None]


class Posting(Model):
    """One movement of serials, all or nothing. Never edited: it stands under one event of the journal."""

    __tablename__ = "posting"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), unique=True)
    at: Mapped[datetime]


class Entry(Model):
    """A range of serials that a posting moved. `from_account_id` is empty where they were issued.

    That all these exist is seen to by the trigger that moves the block, and by the block's own references.
    """

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("first >= 1 AND first <= last", name="range_sound"),
        CheckConstraint("from_account_id <> to_account_id", name="moves"),
        Index("ix_entry_issuance_id_posting_id", "issuance_id", "posting_id", "first"),
        {"sqlite_with_rowid": False},  # as those of `block`
    )

    posting_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issuance_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]
    from_account_id: Mapped[int | None]
    to_account_id: Mapped[int]


class RequestClaim(Model):
    """An idempotency key that its caller has used, what was asked under it and what was answered. Kept for ever."""

    __tablename__ = "request_claim"

    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[dict[str, Any]] = mapped_column(Document())
    answer: Mapped[dict[str, Any] | None] = mapped_column(Document())
