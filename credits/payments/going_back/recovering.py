"""What a buyer still has of an order, wherever it stands, brought within reach of a dispute about its payment.

Offers that nobody has accepted yet end, and own reservations, where a dispute needs their serials. What the registry
holds comes when that hold is released, and what others send back is found by the worker.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.ledger.models import AccountKind, Block
from credits.ledger.serials import SerialRange, lowest
from credits.payments.going_back.going_back_models import Dispute, DisputeState
from credits.payments.models import Order, OrderLine, Payment, PaymentState
from credits.payments.premiums.tracing import gone_back, quantity_of, without
from credits.registry import reservation, sale, transfer
from credits.registry.earmarks import ranges_of
from credits.registry.models import Holding, Transfer, TransferState
from credits.registry.movements import Earmark, EarmarkKind, EarmarkRange
from credits.registry.reservation import OnHold
from credits.registry.stillness import keep_still

ENDED = "The payment of these credits is disputed."
REACHABLE = (AccountKind.AVAILABLE, AccountKind.PENDING, AccountKind.RESERVED)
AT_A_TIME = 100
UNCOVERED = (Dispute.state == DisputeState.OPEN) | (Dispute.state == DisputeState.LOST) & (Dispute.shortfall > 0)


def within_reach(
    session: Session, order: Order, wanted: Mapping[int, int], at: datetime
) -> dict[int, list[SerialRange]]:
    """The buyer's available serials of each line, by its number: the lowest, at most `wanted` base units. Flushes.

    Nobody moves serials of these issuances before the transaction ends. What has gone back of this order is not of it
    any more, even where the buyer has bought it anew.
    """
    pending = keep_still(session, sorted({line.issuance_id for line in order.lines}))
    there = available(session, order, wanted)
    short = [line for line in order.lines if quantity_of(there[line.line]) < wanted[line.line]]
    if short and (end_offers(session, order, short, pending, at) + end_reservations(session, order, short, at)):
        there = available(session, order, wanted)
    return there


def available(session: Session, order: Order, wanted: Mapping[int, int]) -> dict[int, list[SerialRange]]:
    lines = [(line, line.earmark) for line in order.lines if line.earmark is not None]
    there = sale.still_there(session, [earmark for _, earmark in lines], order.buyer)
    found = {}
    for (line, _), ranges in zip(lines, there, strict=True):
        gone = gone_back(session, [order.id], line.issuance).get(order.id, [])
        found[line.line] = cut(without(ranges, gone), wanted[line.line])
    return found


def end_offers(
    session: Session, order: Order, lines: Sequence[OrderLine], pending: Sequence[Transfer], at: datetime
) -> int:
    """End the buyer's transfers that nobody has accepted, of serials of these lines; how many. Flushes."""
    mine = [each for each in pending if each.sender_id == order.buyer_id]
    ended = [
        each
        for each in mine
        if touches(session, lines, ((each.issuance_id, units.first, units.last) for units in each.ranges))
    ]
    for each in ended:
        each.reason = ENDED
        transfer.close(session, each, TransferState.WITHDRAWN, actor=None, at=at)
    return len(ended)


def end_reservations(session: Session, order: Order, lines: Sequence[OrderLine], at: datetime) -> int:
    """Let the buyer's own reservations of serials of these lines go; how many. Flushes."""
    concerned = select(EarmarkRange.earmark_id).where(
        EarmarkRange.issuance_id.in_({line.issuance_id for line in lines})
    )
    mine = session.scalars(
        select(Earmark)
        .where(
            Earmark.kind == EarmarkKind.RESERVED,
            Earmark.holder_id == order.buyer_id,
            Earmark.closing_posting_id.is_(None),
            Earmark.id.in_(concerned),
        )
        .order_by(Earmark.id)
    ).all()
    ended = 0
    for each in mine:
        ranges = ((units.issuance_id, units.first, units.last) for units in ranges_of(session, each))
        if not touches(session, lines, ranges):
            continue
        try:
            with session.begin_nested():
                reservation.release(session, reservation=each, by=None, at=at)
        except OnHold:
            continue  # the registry holds some of it: what is released then is found
        ended += 1
    return ended


def touches(session: Session, lines: Sequence[OrderLine], ranges: Iterable[tuple[int, int, int]]) -> bool:
    """Whether any of these ranges has serials that one of the lines has delivered."""
    delivered = [each for line in lines if line.earmark is not None for each in ranges_of(session, line.earmark)]
    return any(
        each.issuance_id == issuance_id and each.first <= last and first <= each.last
        for issuance_id, first, last in ranges
        for each in delivered
    )


def cut(ranges: Sequence[SerialRange], quantity: int) -> list[SerialRange]:
    """The lowest `quantity` serials of these, or all there are."""
    there = quantity_of(ranges)
    return lowest(list(ranges), min(quantity, there)) if quantity > 0 and there else []


def to_follow(session: Session, after: int = 0, buyer_id: int | None = None) -> list[int]:
    """The next orders above the id `after` whose buyer may have something again that a dispute is about.

    That is: the dispute is open, or was lost with a shortfall. buyer_id: of this buyer alone.
    """
    wanted = (
        select(Order.id)
        .distinct()
        .join(Payment, Payment.order_id == Order.id)
        .join(Dispute, Dispute.payment_id == Payment.id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(EarmarkRange, EarmarkRange.earmark_id == OrderLine.earmark_id)
        .join(Holding, Holding.organisation_id == Order.buyer_id)
        .join(Block, (Block.account_id == Holding.account_id) & (Block.issuance_id == EarmarkRange.issuance_id))
        .where(
            Order.delivered_at.is_not(None),
            Order.id > after,
            Payment.state == PaymentState.PAID,
            UNCOVERED,
            Holding.kind.in_(REACHABLE if buyer_id is None else (*REACHABLE, AccountKind.HELD)),
            Block.first <= EarmarkRange.last,
            Block.last >= EarmarkRange.first,
        )
    )
    if buyer_id is not None:
        wanted = wanted.where(Order.buyer_id == buyer_id)
    return list(session.scalars(wanted.order_by(Order.id).limit(AT_A_TIME)))


def disputed_with(session: Session, *, buyer_id: int, issuance_id: int) -> list[int]:
    """The ids of the orders that have given this buyer credits of this issuance which a dispute is still about."""
    wanted = (
        select(Order.id)
        .distinct()
        .join(Payment, Payment.order_id == Order.id)
        .join(Dispute, Dispute.payment_id == Payment.id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            Order.buyer_id == buyer_id,
            Order.delivered_at.is_not(None),
            OrderLine.issuance_id == issuance_id,
            Payment.state == PaymentState.PAID,
            UNCOVERED,
        )
    )
    return list(session.scalars(wanted.order_by(Order.id)))


def locked_orders(session: Session, ids: Sequence[int]) -> Sequence[Order]:
    """These orders, locked in the order of their ids and read anew."""
    wanted = select(Order).where(Order.id.in_(ids)).order_by(Order.id).with_for_update()
    return session.scalars(wanted.execution_options(populate_existing=True)).all()
