"""What stands where. A balance is a sum over an index, never a stored total."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.ledger.models import Block, Entry, Posting
from credits.ledger.serials import SerialRange


@dataclass(frozen=True)
class Standing:
    """A block as it stands now: which serials of which issuance are in which account."""

    issuance_id: int
    units: SerialRange
    account_id: int


@dataclass(frozen=True)
class Movement:
    """One entry of the history: which serials a posting moved from where (None: issued) to where."""

    posting_id: int
    event_id: int
    units: SerialRange
    source: int | None
    target: int


def balance(session: Session, *, accounts: Collection[int], issuance_id: int | None = None) -> int:
    """Base units in `accounts`, of one issuance or of all. Only sums of one mineral mean something."""
    wanted = select(func.coalesce(func.sum(Block.last - Block.first + 1), 0)).where(Block.account_id.in_(accounts))
    if issuance_id is not None:
        wanted = wanted.where(Block.issuance_id == issuance_id)
    return int(session.scalars(wanted).one())


def balances_by_issuance(session: Session, *, accounts: Collection[int]) -> dict[tuple[int, int], int]:
    """Base units by (account id, issuance id)."""
    rows = session.execute(
        select(Block.account_id, Block.issuance_id, func.sum(Block.last - Block.first + 1))
        .where(Block.account_id.in_(accounts))
        .group_by(Block.account_id, Block.issuance_id)
    )
    return {(account_id, issuance_id): int(quantity) for account_id, issuance_id, quantity in rows}


def standing_at(session: Session, *, issuance_id: int, serial: int) -> Standing | None:
    """The block that holds one serial, found by one index probe; None where it was never issued."""
    row = session.execute(
        select(Block.first, Block.last, Block.account_id)
        .where(Block.issuance_id == issuance_id, Block.first <= serial)
        .order_by(Block.first.desc())
        .limit(1)
    ).one_or_none()
    if row is None or row.last < serial:
        return None
    return Standing(issuance_id, SerialRange(row.first, row.last), row.account_id)


def standings(session: Session, *, issuance_id: int, units: SerialRange, limit: int) -> list[Standing]:
    """The blocks, at most `limit`, that hold the serials `units`, cut to that range, lowest first."""
    rows = session.execute(
        select(Block.first, Block.last, Block.account_id)
        .where(
            Block.issuance_id == issuance_id,
            Block.last >= units.first,
            Block.first <= units.last,
        )
        .order_by(Block.first)
        .limit(limit)
    )
    return [
        Standing(
            issuance_id,
            SerialRange(max(first, units.first), min(last, units.last)),
            account_id,
        )
        for first, last, account_id in rows
    ]


def movements(session: Session, *, issuance_id: int, units: SerialRange, limit: int) -> list[Movement]:
    """The newest `limit` movements of any of the serials `units`, newest first, whole as they were entered."""
    rows = session.execute(
        select(Entry, Posting.event_id)
        .join(Posting, Posting.id == Entry.posting_id)
        .where(
            Entry.issuance_id == issuance_id,
            Entry.first <= units.last,
            Entry.last >= units.first,
        )
        .order_by(Entry.posting_id.desc(), Entry.first)
        .limit(limit)
    )
    return [
        Movement(
            entry.posting_id,
            event_id,
            SerialRange(entry.first, entry.last),
            entry.from_account_id,
            entry.to_account_id,
        )
        for entry, event_id in rows
    ]
