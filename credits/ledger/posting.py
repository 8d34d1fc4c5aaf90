"""The only writer of the ledger: issue, pick, move, post.

An `entry` is inserted, and the database moves the blocks. All that is decided here is which serials move,
and that nobody else moves them meanwhile.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Row, Select, insert, select
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid
from credits.ledger.balances import balance
from credits.ledger.models import Block, Entry, Issuance, Posting
from credits.ledger.serials import LARGEST, SerialRange, lowest, tidied

BLOCKS_AT_FIRST = 4

Record = Callable[[Sequence["Move"]], int]
"""Writes the journal's event for these moves and gives its id: no serial moves without one."""


class InsufficientBalance(Conflict):
    """The account does not hold so many serials of this issuance."""

    code = "insufficient_balance"


class NotHeld(Conflict):
    """A named serial is not in the account it should come from."""

    code = "not_held"


class BadQuantity(Invalid):
    """A quantity is a whole number of base units, at least 1 and below 2⁵³."""

    code = "bad_quantity"


@dataclass(frozen=True)
class Move:
    """Serials of one issuance that go from `source` (None: they are issued) to `target`; both are account ids."""

    issuance_id: int
    units: SerialRange
    source: int | None
    target: int


def checked_quantity(quantity: object) -> int:
    """`quantity` if it is a sound number of base units. Raises BadQuantity."""
    if not isinstance(quantity, int) or isinstance(quantity, bool) or not 1 <= quantity <= LARGEST:
        raise BadQuantity(
            "A quantity is a whole number of base units, at least 1.",
            asked=str(quantity)[:60],
        )
    return quantity


def issue(
    session: Session,
    *,
    quantity: int,
    target: int,
    at: datetime,
    record: Callable[[int], Record],
) -> Posting:
    """Create an issuance of serials 1 to `quantity`, all of them in the account `target`.

    quantity: base units, at least 1. record: given the new issuance's id, how its event is written.
    Flushes, never commits. Raises BadQuantity. Invariants 1, 2 and 3.
    """
    checked_quantity(quantity)
    issuance_id = session.scalars(insert(Issuance).values(first=1, quantity=quantity).returning(Issuance.id)).one()
    moves = [Move(issuance_id, SerialRange(1, quantity), None, target)]
    return write(session, moves, at=at, record=record(issuance_id))


def post(
    session: Session,
    *,
    issuance_id: int,
    source: int,
    target: int,
    quantity: int,
    at: datetime,
    record: Record,
) -> Posting:
    """Move serials of one issuance from account `source` to account `target`, lowest first.

    quantity: base units of the mineral (1 mg gold, 1 kg cobalt), at least 1. at: aware UTC time of the decision.
    Flushes, never commits. Raises BadQuantity, InsufficientBalance. Invariants 1, 2, 3, 12 and 14.
    """
    ranges = pick(session, issuance_id=issuance_id, source=source, quantity=quantity)
    moves = [Move(issuance_id, units, source, target) for units in ranges]
    return write(session, moves, at=at, record=record)


def move(session: Session, moves: Sequence[Move], *, at: datetime, record: Record) -> Posting:
    """Move exactly these serials, all or nothing. Flushes, never commits.

    Raises NotHeld where one of them is no longer in its source, BadSerial where one is named twice.
    """
    for issuance_id in {each.issuance_id for each in moves}:
        tidied(each.units for each in moves if each.issuance_id == issuance_id)
    pieces = lock_named(session, sorted(moves, key=lambda named: (named.issuance_id, named.units)))
    return write(session, pieces, at=at, record=record)


def pick(session: Session, *, issuance_id: int, source: int, quantity: int) -> list[SerialRange]:
    """Lock and return the lowest `quantity` serials of an issuance in account `source`.

    Raises BadQuantity, InsufficientBalance.
    """
    checked_quantity(quantity)
    while True:
        attempt = session.begin_nested()
        held = lock_lowest(session, issuance_id=issuance_id, source=source, quantity=quantity)
        if sum(units.quantity for units in held) >= quantity:
            attempt.commit()
            return lowest(held, quantity)
        # A block carved up while we waited for its lock is gone from our sight. Only a plain reading of one moment
        # may say that there is too little; otherwise look again, and hold nothing while waiting for a lower serial.
        attempt.rollback()
        available = balance(session, accounts=[source], issuance_id=issuance_id)
        if available < quantity:
            raise InsufficientBalance(
                f"Only {available} base units are available, {quantity} were asked for.",
                asked=quantity,
                available=available,
            )


def lock_lowest(session: Session, *, issuance_id: int, source: int, quantity: int) -> list[SerialRange]:
    """Lock the lowest blocks of `source` until they hold `quantity`, and return them as they are once locked."""
    held: list[SerialRange] = []
    found = after = 0
    at_a_time = BLOCKS_AT_FIRST
    while found < quantity:
        # Always in serial order: two postings can then never wait for each other.
        rows = session.execute(
            select(Block.first, Block.last)
            .where(Block.account_id == source, Block.issuance_id == issuance_id, Block.first > after)
            .order_by(Block.first)
            .limit(at_a_time)
            .with_for_update(key_share=True)
        ).all()
        held.extend(SerialRange(first, last) for first, last in rows)
        # Blocks that went elsewhere while we waited are locked too, and may lie behind the last one found.
        if len(rows) < at_a_time:
            break
        found = sum(units.quantity for units in held)
        after = rows[-1].first
        at_a_time *= 4
    return held


def lock_named(session: Session, moves: Sequence[Move]) -> list[Move]:
    """Lock the blocks that hold these serials; the moves, cut where one block ends. Raises NotHeld."""
    while True:
        attempt = session.begin_nested()
        pieces = [
            cut(named, session.execute(blocks_of(named).with_for_update(key_share=True)).all()) for named in moves
        ]
        if all(pieces):
            attempt.commit()
            return [piece for parts in pieces for piece in parts]
        # As in `pick`: what changed while we waited is judged by a plain reading alone.
        attempt.rollback()
        for named in moves:
            if not cut(named, session.execute(blocks_of(named)).all()):
                raise NotHeld(
                    "These serials have moved in the meantime.", first=named.units.first, last=named.units.last
                )


def blocks_of(named: Move) -> Select[int, int, int]:
    """Where the serials of a move stand now, lowest first."""
    return (
        select(Block.first, Block.last, Block.account_id)
        .where(Block.issuance_id == named.issuance_id, Block.last >= named.units.first, Block.first <= named.units.last)
        .order_by(Block.first)
    )


def cut(named: Move, blocks: Sequence[Row[int, int, int]]) -> list[Move]:
    """The move as one part for each of `blocks`, or nothing where they do not hold all of it in its source."""
    parts = [
        SerialRange(max(first, named.units.first), min(last, named.units.last))
        for first, last, account_id in blocks
        if account_id == named.source
    ]
    if sum(part.quantity for part in parts) != named.units.quantity:
        return []
    return [replace(named, units=part) for part in parts]


def write(session: Session, moves: Sequence[Move], *, at: datetime, record: Record) -> Posting:
    """Event, posting and entries of moves whose blocks are locked."""
    posting = session.scalars(insert(Posting).values(event_id=record(moves), at=at).returning(Posting)).one()
    rows = [
        {
            "posting_id": posting.id,
            "issuance_id": each.issuance_id,
            "first": each.units.first,
            "last": each.units.last,
            "from_account_id": each.source,
            "to_account_id": each.target,
        }
        for each in moves
    ]
    # Not `.values(rows)`: such a statement would be compiled anew each time.
    session.execute(insert(Entry), rows)
    return posting


def ranges_of(session: Session, posting_id: int) -> dict[int, list[SerialRange]]:
    """The serials that a posting moved, by issuance, lowest first and joined where they touch."""
    rows = session.execute(
        select(Entry.issuance_id, Entry.first, Entry.last)
        .where(Entry.posting_id == posting_id)
        .order_by(Entry.issuance_id, Entry.first)
    )
    moved: dict[int, list[SerialRange]] = {}
    for issuance_id, first, last in rows:
        moved.setdefault(issuance_id, []).append(SerialRange(first, last))
    return {issuance_id: tidied(ranges) for issuance_id, ranges in moved.items()}
