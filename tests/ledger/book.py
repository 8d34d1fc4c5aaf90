"""A small ledger to write in: accounts, issuances, movements, and what stands where."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import ledger
from credits.journal.events import drafted
from credits.ledger import invariants
from credits.ledger.balances import balance
from credits.ledger.models import Account, AccountKind, Block
from credits.ledger.posting import Posted, Record
from credits.ledger.serials import SerialRange

AT = datetime(2026, 7, 1, 12, tzinfo=UTC)

Held = tuple[int, int, int]


def open_account(session: Session, kind: AccountKind = AccountKind.AVAILABLE) -> int:
    account = Account(kind=kind)
    session.add(account)
    session.flush()
    return account.id


def recording(session: Session) -> Record:
    """Writes the event of a movement as the registry would, as short as can be."""

    def record(moves: Sequence[ledger.Move]) -> ledger.Told:
        moved = [[move.issuance_id, move.units.first, move.units.last] for move in moves]
        return drafted(session, kind="test.moved", subject="TEST-1", actor="system", at=AT, facts={"moved": moved})

    return record


def issue(session: Session, quantity: int, target: int) -> int:
    """Issue serials 1 to `quantity` into `target`; the id of the issuance."""
    posting = ledger.issue(session, quantity=quantity, target=target, at=AT, record=lambda _: recording(session))
    return next(iter(posting.ranges))


def post(session: Session, issuance_id: int, source: int, target: int, quantity: int) -> Posted:
    return ledger.post(
        session,
        issuance_id=issuance_id,
        source=source,
        target=target,
        quantity=quantity,
        at=AT,
        record=recording(session),
    )


def move(session: Session, issuance_id: int, units: tuple[int, int], source: int, target: int) -> Posted:
    named = ledger.Move(issuance_id, SerialRange(*units), source, target)
    return ledger.move(session, [named], at=AT, record=recording(session))


def holdings(session: Session, issuance_id: int) -> list[Held]:
    """(first, last, account) of every block, fresh from the database."""
    rows = session.execute(
        select(Block.first, Block.last, Block.account_id).where(Block.issuance_id == issuance_id).order_by(Block.first)
    )
    return [(first, last, account) for first, last, account in rows]


def broken(session: Session) -> dict[str, list[str]]:
    """The promises of the ledger that do not hold, and where."""
    return {promise.name: promise.broken for promise in invariants.check(session) if not promise.holds}


def balance_of(session: Session, account: int) -> int:
    return balance(session, accounts=[account])
