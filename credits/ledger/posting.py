"""The only writer of the ledger: issue, pick, move, post.

An `entry` is inserted, and the database moves the blocks. All that is decided here is which serials move,
and that nobody else moves them meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from credits.db import Work, dialect_of
from credits.errors import Conflict, Invalid
from credits.ledger import statements
from credits.ledger.balances import balance
from credits.ledger.serials import LARGEST, SerialRange, lowest, tidied

BLOCKS_AT_A_TIME = 16  # read from SQLite until they are enough


@dataclass(frozen=True)
class Told:
    """What the journal says of a movement: a row of its table `event`, written together with the posting.

    private: whether more is written once the event is there. entered: to be called with the event's id and its bytes
    once it has been written.
    """

    row: Mapping[str, Any]
    private: bool
    entered: Callable[[int, bytes], None]


Record = Callable[[Sequence["Move"]], Told]
"""Says what the journal tells of these moves: no serial moves without an event."""


class InsufficientBalance(Conflict):
    """The account does not hold so many serials of this issuance."""

    code = "insufficient_balance"

    @property
    def available(self) -> int:
        """Base units that there are."""
        return cast(int, self.detail["available"])


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


@dataclass(frozen=True)
class Posted:
    """A posting as it was written: its id, and what it moved.

    again: what the same request came to before, where it was asked again and nothing has moved now.
    """

    id: int
    moves: Sequence[Move]
    again: Mapping[str, Any] | None = None

    @property
    def ranges(self) -> dict[int, list[SerialRange]]:
        """The serials that it moved, by issuance, lowest first and joined where they touch."""
        issuances = dict.fromkeys(move.issuance_id for move in self.moves)
        return {each: tidied(move.units for move in self.moves if move.issuance_id == each) for each in issuances}


def checked_quantity(quantity: object) -> int:
    """`quantity` if it is a sound number of base units. Raises BadQuantity."""
    if not isinstance(quantity, int) or isinstance(quantity, bool) or not 1 <= quantity <= LARGEST:
        raise BadQuantity(
            "A quantity is a whole number of base units, at least 1.",
            asked=str(quantity)[:60],
        )
    return quantity


def issue(
    work: Work,
    *,
    quantity: int,
    target: int,
    at: datetime,
    record: Callable[[int], Record],
) -> Posted:
    """Create an issuance of serials 1 to `quantity`, all of them in the account `target`.

    quantity: base units, at least 1. record: given the new issuance's id, how its event is written.
    Flushes, never commits. Raises BadQuantity. Invariants 1, 2 and 3.
    """
    checked_quantity(quantity)
    issuance_id = work.scalars(statements.OPEN_ISSUANCE, {"quantity": quantity}).one()
    moves = [Move(issuance_id, SerialRange(1, quantity), None, target)]
    return write(work, moves, at=at, record=record(issuance_id))


def post(
    work: Work,
    *,
    issuance_id: int,
    source: int,
    target: int,
    quantity: int,
    at: datetime,
    record: Record,
) -> Posted:
    """Move serials of one issuance from account `source` to account `target`, lowest first.

    quantity: base units of the mineral (1 mg gold, 1 kg cobalt), at least 1. at: aware UTC time of the decision.
    Flushes, never commits. Raises BadQuantity, InsufficientBalance. Invariants 1, 2, 3, 12 and 14.
    """
    ranges = pick(work, issuance_id=issuance_id, source=source, quantity=quantity)
    moves = [Move(issuance_id, units, source, target) for units in ranges]
    return write(work, moves, at=at, record=record)


def move(work: Work, moves: Sequence[Move], *, at: datetime, record: Record) -> Posted:
    """Move exactly these serials, all or nothing. Flushes, never commits.

    Raises NotHeld where one of them is no longer in its source, BadSerial where one is named twice.
    """
    for issuance_id in {each.issuance_id for each in moves}:
        tidied(each.units for each in moves if each.issuance_id == issuance_id)
    pieces = lock_named(work, sorted(moves, key=lambda each: (each.issuance_id, each.units)))
    return write(work, pieces, at=at, record=record)


def pick(work: Work, *, issuance_id: int, source: int, quantity: int) -> list[SerialRange]:
    """Lock and return the lowest `quantity` serials of an issuance in account `source`.

    Raises BadQuantity, InsufficientBalance.
    """
    checked_quantity(quantity)
    asked = {"issuance": issuance_id, "source": source}
    while True:
        if writes_alone(work):
            held = enough(work, asked, quantity)
        else:
            rows = work.execute(statements.PICK, asked | {"quantity": quantity})
            held = [SerialRange(first, last) for first, last in rows]
        if sum(units.quantity for units in held) >= quantity:
            return lowest(held, quantity)
        available = balance(work, accounts=[source], issuance_id=issuance_id)
        if available < quantity:
            raise too_little(quantity, available)
        # Somebody gave some back between the two looks: nobody is told of too little where there is enough.


def too_little(quantity: int, available: int) -> InsufficientBalance:
    """What is to be said where an account does not hold as many serials as were asked for."""
    return InsufficientBalance(
        f"Only {available} base units are available, {quantity} were asked for.",
        asked=quantity,
        available=available,
    )


def enough(work: Work, asked: dict[str, int], quantity: int) -> list[SerialRange]:
    """The lowest blocks that hold `quantity` together, or all there are."""
    held: list[SerialRange] = []
    found = 0
    with work.execute(statements.HELD, asked, execution_options={"yield_per": BLOCKS_AT_A_TIME}) as rows:
        for first, last in rows:
            held.append(SerialRange(first, last))
            found += held[-1].quantity
            if found >= quantity:
                break
    return held


def lock_named(work: Work, moves: Sequence[Move]) -> list[Move]:
    """Lock the blocks that hold these serials; the moves, cut where one block ends. Raises NotHeld."""
    if writes_alone(work):
        pieces = [replace(each, units=part) for each in moves for part in blocks_of(work, each)]
    else:
        rows = work.execute(statements.LOCK, columns(moves))
        pieces = [replace(moves[place - 1], units=SerialRange(first, last)) for place, first, last in rows]
    if sum(piece.units.quantity for piece in pieces) < sum(each.units.quantity for each in moves):
        gone = next((each for each in moves if blocks_of(work, each) != [each.units]), moves[0]).units
        raise NotHeld("These serials have moved in the meantime.", first=gone.first, last=gone.last)
    return pieces


def blocks_of(work: Work, named: Move) -> list[SerialRange]:
    """What the source of a move holds of its serials, block by block, lowest first."""
    first, last = named.units.first, named.units.last
    asked = {"issuance": named.issuance_id, "source": named.source, "from_serial": first, "to_serial": last}
    rows = work.execute(statements.HELD_NAMED, asked)
    return [SerialRange(max(begin, first), min(end, last)) for begin, end in rows if end >= first]


def write(work: Work, moves: Sequence[Move], *, at: datetime, record: Record) -> Posted:
    """Event, posting and entries of moves whose blocks are locked."""
    told = record(moves)
    if writes_alone(work):
        event_id: int = work.scalars(statements.TELL, told.row).one()
        posting_id: int = work.scalars(statements.OPEN, {"event_id": event_id, "at": at}).one()
        work.execute(statements.ENTER, [entry_of(each, posting_id) for each in moves])
    else:
        asked = {**told.row, "posted_at": at, **columns(moves)}
        posting_id, event_id = work.execute(statements.WRITE, asked).all()[0]
    told.entered(event_id, told.row["body"])
    return Posted(posting_id, tuple(moves))


def entry_of(moved: Move, posting_id: int) -> dict[str, int | None]:
    return {
        "posting_id": posting_id,
        "issuance_id": moved.issuance_id,
        "first": moved.units.first,
        "last": moved.units.last,
        "from_account_id": moved.source,
        "to_account_id": moved.target,
    }


def columns(moves: Sequence[Move]) -> dict[str, list[Any]]:
    """The moves as one list for each column, as PostgreSQL takes many rows in one trip."""
    return {
        "issuances": [each.issuance_id for each in moves],
        "firsts": [each.units.first for each in moves],
        "lasts": [each.units.last for each in moves],
        "sources": [each.source for each in moves],
        "targets": [each.target for each in moves],
    }


def writes_alone(work: Work) -> bool:
    """Whether nobody else can write while this unit of work does, as on SQLite."""
    return dialect_of(work) != "postgresql"
