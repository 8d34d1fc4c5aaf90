"""Which base units a dispute is about: of each line in proportion to the money, whichever serials they are.

Rounded up once for all disputes of a payment, those that are lost first.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.ledger.serials import SerialRange
from credits.payments import orders
from credits.payments.going_back.going_back_models import Dispute, DisputeState
from credits.payments.models import Order, OrderLine, Payment
from credits.registry import earmarks
from credits.registry.movements import Earmark
from credits.registry.telling import recorded


def concerned(order: Order, dispute: Dispute, before: int) -> dict[int, int]:
    """Base units that a dispute is about, by line, besides what `before` minor units of its payment are about.

    Rounded up once for all of them, so that two disputes of a part each take no unit that one of both would not.
    """
    payment = dispute.payment
    return {
        line.line: share_of(line, before + dispute.amount, payment) - share_of(line, before, payment)
        for line in order.lines
    }


def ahead_of(session: Session, dispute: Dispute) -> int:
    """Minor units of a payment that are lost, or disputed since before this dispute of it."""
    earlier = Dispute.state == DisputeState.OPEN
    if dispute.id is not None:
        earlier &= Dispute.id < dispute.id
    wanted = select(func.coalesce(func.sum(Dispute.amount), 0)).where(Dispute.payment_id == dispute.payment.id)
    return int(session.scalars(wanted.where(earlier | (Dispute.state == DisputeState.LOST))).one())


def lost_of(session: Session, payment: Payment) -> int:
    """Minor units of a payment that the payer's bank has taken back for good."""
    wanted = select(func.coalesce(func.sum(Dispute.amount), 0)).where(
        Dispute.payment_id == payment.id, Dispute.state == DisputeState.LOST
    )
    return int(session.scalars(wanted).one())


def share_of(line: OrderLine, amount: int, payment: Payment) -> int:
    """Base units of a line that so much of its payment is of: in proportion to the money, rounded up."""
    return min(line.quantity, -(-line.quantity * amount // payment.amount))


def held_of(session: Session, line: OrderLine, held: Earmark) -> list[SerialRange]:
    """What of a hold are serials of this line."""
    assert line.earmark is not None
    delivered = earmarks.ranges_of(session, line.earmark)
    return [
        SerialRange(each.first, each.last)
        for each in earmarks.ranges_of(session, held)
        if any(one.issuance_id == each.issuance_id and one.first <= each.first <= one.last for one in delivered)
    ]


def moves_of(order: Order, ranges: Mapping[int, Sequence[SerialRange]], source: int, target: int) -> list[ledger.Move]:
    """The moves of ranges that are given by line."""
    return [ledger.Move(line.issuance_id, units, source, target) for line in order.lines for units in ranges[line.line]]


def told(session: Session, order: Order, kind: str, facts: dict[str, Any], at: datetime) -> Any:
    """How an event of this order is written once its serials are known."""
    numbers = {line.issuance_id: line.issuance.number for line in order.lines}
    return recorded(session, kind, order.number, numbers, orders.facts_of(order) | facts, "", None, at)
