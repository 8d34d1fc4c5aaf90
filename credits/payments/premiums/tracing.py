"""In which sale a unit was bought: the newest one that stands, by the serials that each line of an order was given.

Units that went back to their seller, with a refund or a dispute that was lost, were not bought there in the end: the
next sale of the same serials is theirs, and the money of the first one is not told twice.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVarTuple

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from credits.journal.models import Event
from credits.ledger.models import Entry, Posting
from credits.ledger.serials import SerialRange, tidied
from credits.payments.models import Order, OrderLine, order_number
from credits.registry.earmarks import ranges_of
from credits.registry.models import Holding, Issuance
from credits.registry.movements import EarmarkRange

Columns = TypeVarTuple("Columns")
Line = tuple[int, int]  # an order's id and the number of its line
MOST_LINES = 100  # purchases that anybody is shown at once, and rows that are looked at in one go


def standing(wanted: Select[*Columns]) -> Select[*Columns]:
    """The same of lines of delivered orders that stand and were given any of the serials that `of` names."""
    return (
        wanted.select_from(Order)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(EarmarkRange, EarmarkRange.earmark_id == OrderLine.earmark_id)
        .where(
            Order.posting_id.is_not(None),
            EarmarkRange.issuance_id == bindparam("issuance_id"),
            EarmarkRange.first <= bindparam("last"),
            EarmarkRange.last >= bindparam("first"),
        )
    )


COUNTED = standing(select(func.count(Order.id.distinct())))
NEWEST = standing(select(Order.id)).order_by(Order.id.desc()).limit(MOST_LINES)
SOLD = standing(select(Order.id, OrderLine.line, EarmarkRange.first, EarmarkRange.last)).order_by(
    Order.posting_id.desc(), OrderLine.line, EarmarkRange.first
)
SOURCE, TARGET = aliased(Holding), aliased(Holding)
BACK = (
    select(Event.subject, Entry.first, Entry.last)
    .join(Posting, Posting.event_id == Event.id)
    .join(Entry, Entry.posting_id == Posting.id)
    .join(SOURCE, SOURCE.account_id == Entry.from_account_id)
    .join(TARGET, TARGET.account_id == Entry.to_account_id)
    .where(
        Event.subject.in_(bindparam("subjects", expanding=True)),
        Event.kind != "order.delivered",
        Entry.issuance_id == bindparam("issuance_id"),
        SOURCE.organisation_id.is_distinct_from(TARGET.organisation_id),
    )
)


@dataclass(frozen=True)
class Purchase:
    """Base units that were bought in a line. kept: how many of the line did not go back; its money is for those."""

    line: OrderLine
    units: int
    kept: int


def bought_in(
    session: Session, issuance: Issuance, ranges: Iterable[SerialRange], most: int | None = None
) -> dict[Line, int]:
    """In which lines of orders these units were bought: base units by line. Nothing of units never sold here.

    most: no more lines than these, the newest.
    """
    wanted = tidied(ranges)
    bought: dict[Line, int] = {}
    if not wanted:
        return bought
    around = SerialRange(wanted[0].first, wanted[-1].last)
    for rows in session.execute(SOLD, of(issuance, around)).partitions(MOST_LINES):
        back = gone_back(session, {order_id for order_id, *_ in rows}, issuance)
        for order_id, line, first, last in rows:
            sold = common(wanted, without([SerialRange(first, last)], back.get(order_id, [])))
            if not sold:
                continue
            if most is not None and len(bought) == most and (order_id, line) not in bought:
                return bought
            bought[order_id, line] = bought.get((order_id, line), 0) + quantity_of(sold)
            if not (wanted := without(wanted, sold)):
                return bought
    return bought


def of(issuance: Issuance, units: SerialRange) -> dict[str, int]:
    """What the statements above are asked with."""
    return {"issuance_id": issuance.id, "first": units.first, "last": units.last}


def sales_of(session: Session, issuance: Issuance, units: SerialRange) -> tuple[int, int]:
    """In how many orders these units were bought; and where in none, how many of them were sold and went back.

    Above MOST_LINES also sales count that another one has followed.
    """
    every = session.scalars(COUNTED, of(issuance, units)).one()
    if not 0 < every <= MOST_LINES:
        return every, 0
    bought = len({order for order, _ in bought_in(session, issuance, [units])})
    return bought, 0 if bought else went_back(session, issuance, units)


def went_back(session: Session, issuance: Issuance, units: SerialRange) -> int:
    """How many of these units were sold in an order and went back with its money, whatever came after."""
    back = gone_back(session, set(session.scalars(NEWEST, of(issuance, units))), issuance)
    return quantity_of(common([units], tidied(each for ranges in back.values() for each in ranges)))


def purchases_of(
    session: Session, issuance: Issuance, ranges: Iterable[SerialRange], most: int | None = None
) -> list[Purchase]:
    """The purchases in which these units were bought, the oldest first. most: of the newest so many."""
    bought = bought_in(session, issuance, ranges, most)
    orders = {order_id for order_id, _ in bought}
    lines = session.scalars(
        select(OrderLine)
        .where(OrderLine.order_id.in_(orders), OrderLine.issuance_id == issuance.id)
        .order_by(OrderLine.order_id, OrderLine.line)
        .options(joinedload(OrderLine.order))
    ).all()
    back = gone_back(session, orders, issuance)
    return [
        Purchase(line, units, line.quantity - returned(session, line, back.get(line.order_id, [])))
        for line in lines
        if (units := bought.get((line.order_id, line.line)))
    ]


def gone_back(session: Session, order_ids: Collection[int], issuance: Issuance) -> dict[int, list[SerialRange]]:
    """Which serials went from the buyers of these orders to somebody else by a refund or dispute of the order."""
    subjects = {order_number(order_id): order_id for order_id in order_ids}
    if not subjects:
        return {}
    found: dict[int, list[SerialRange]] = {}
    for subject, first, last in session.execute(BACK, {"subjects": list(subjects), "issuance_id": issuance.id}):
        found.setdefault(subjects[subject], []).append(SerialRange(first, last))
    return {order_id: tidied(each) for order_id, each in found.items()}


def returned(session: Session, line: OrderLine, back: Sequence[SerialRange]) -> int:
    """Base units of a line among serials that went back."""
    if not back or line.earmark is None:
        return 0
    given = tidied(SerialRange(each.first, each.last) for each in ranges_of(session, line.earmark))
    return quantity_of(common(given, back))


def quantity_of(ranges: Iterable[SerialRange]) -> int:
    return sum(units.quantity for units in ranges)


def common(some: Sequence[SerialRange], others: Sequence[SerialRange]) -> list[SerialRange]:
    """The serials in both, each given lowest first and without overlaps. Pure."""
    found, others_left = [], iter(others)
    other = next(others_left, None)
    for units in some:
        while other is not None and other.last < units.first:
            other = next(others_left, None)
        while other is not None and other.first <= units.last:
            found.append(SerialRange(max(units.first, other.first), min(units.last, other.last)))
            if other.last > units.last:
                break
            other = next(others_left, None)
    return found


def without(some: Sequence[SerialRange], others: Sequence[SerialRange]) -> list[SerialRange]:
    """The serials of `some` that are not among `others`, each given lowest first and without overlaps. Pure."""
    left = []
    for units in some:
        first = units.first
        for gone in common([units], others):
            if first < gone.first:
                left.append(SerialRange(first, gone.first - 1))
            first = gone.last + 1
        if first <= units.last:
            left.append(SerialRange(first, units.last))
    return left
