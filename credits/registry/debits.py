"""Debits: what was issued by mistake and cannot be taken back is missing from the producer's next issuance."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from credits.db import inserting
from credits.errors import Missing
from credits.registry.issuance_counts import CarriedRemainder
from credits.registry.movements import Debit, DebitSettlement
from credits.registry.queries import digits_of


class NoSuchDebit(Missing):
    code = "no_such_debit"


def open_debits(producer_id: int, mineral_code: str) -> Select[Debit]:
    """The open debits of a producer for one mineral, oldest first."""
    return (
        select(Debit)
        .where(Debit.producer_id == producer_id, Debit.mineral_code == mineral_code, Debit.still_open > 0)
        .order_by(Debit.id)
    )


def owed(session: Session, producer_id: int, mineral_code: str) -> int:
    """Base units that the producer's next issuance of this mineral lacks."""
    found = open_debits(producer_id, mineral_code).order_by(None).subquery()
    return int(session.scalars(select(func.coalesce(func.sum(found.c.still_open), 0))).one())


def lock_carry(session: Session, producer_id: int, mineral_code: str) -> CarriedRemainder:
    """Lock the producer's carried remainder of one mineral, begun where there is none: one issuance at a time.

    Whoever opens debits or makes them good locks it first, before any debit and any serial.
    """
    key = {"producer_id": producer_id, "mineral_code": mineral_code}
    session.execute(inserting(session, CarriedRemainder).values(**key, nanograms=0).on_conflict_do_nothing())
    return session.get_one(CarriedRemainder, tuple(key.values()), with_for_update=True, populate_existing=True)


def lock_open(session: Session, producer_id: int, mineral_code: str) -> Sequence[Debit]:
    """Lock the open debits of a producer for one mineral, oldest first, as they are now. After `lock_carry`."""
    wanted = open_debits(producer_id, mineral_code).with_for_update().execution_options(populate_existing=True)
    return session.scalars(wanted).all()


def pay_off(session: Session, debits: Iterable[Debit], quantity: int, *, posting_id: int, at: datetime) -> None:
    """Write down that this posting made good `quantity` base units of these debits, oldest first. Flushes."""
    for debit in debits:
        part = min(quantity, debit.still_open)
        if part == 0:
            continue
        quantity -= part
        debit.still_open -= part
        session.add(DebitSettlement(debit_id=debit.id, quantity=part, posting_id=posting_id, settled_at=at))
    session.flush()


def debit_numbered(session: Session, number: str) -> Debit:
    """The debit with this number. Raises NoSuchDebit."""
    found = session.get(Debit, digits_of(number, "DEBIT-"))
    if found is None:
        raise NoSuchDebit("There is no such debit.")
    return found
