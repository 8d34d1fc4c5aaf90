"""Disputes: the payer's bank asks for the money back. What is left of the credits is held, and goes back if it is lost.

What was retired stays retired, and what was passed on stays with who has it: the money that this leaves uncovered, the
shortfall, is booked and shown. Where a part of the money is disputed, the same part of the credits is concerned.
"""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from math import ceil
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import ledger
from credits.ledger.models import AccountKind
from credits.ledger.serials import SerialRange, lowest
from credits.payments import orders, premium, refunding, reserving
from credits.payments.gateway import Disputed, Seen
from credits.payments.models import Dispute, DisputeState, Order, OrderLine, OrderState, Payment, PaymentState
from credits.payments.orders import tell
from credits.registry import earmarks, sale
from credits.registry.accounts import account_of
from credits.registry.movements import Earmark, EarmarkKind
from credits.registry.telling import recorded

TAKEN_BACK = "The payer's bank has taken the money back."
THE_REST = "The payer's bank has taken a part of the money back, so the order was not delivered. This is the rest."


def take_in(session: Session, *, order: Order, payment: Payment, seen: Seen, at: datetime) -> str | None:
    """Let what a checkout says of its disputes have its effect; a word if any is new. Both rows are locked. Flushes."""
    came = None
    for each in seen.disputes:
        found = session.scalars(select(Dispute).where(Dispute.reference == each.reference)).one_or_none()
        if found is None:
            found, came = opened(session, order, payment, each, at), "disputed"
        if found.state is DisputeState.OPEN and each.state is not DisputeState.OPEN:
            close(session, order, found, each.state, at)
            came = f"dispute_{each.state.value}"
    return came


def opened(session: Session, order: Order, payment: Payment, disputed: Disputed, at: datetime) -> Dispute:
    """Write a dispute down and hold what is left of what it concerns. Flushes."""
    dispute = Dispute(
        payment=payment,
        reference=disputed.reference,
        amount=disputed.amount,
        state=DisputeState.OPEN,
        shortfall=0,
        opened_at=at,
    )
    if payment.state is PaymentState.PAID and order.state is OrderState.DELIVERED:
        dispute.earmark = hold(session, order, dispute, at)
    session.add(dispute)
    session.flush()
    if dispute.earmark is None:
        tell(session, order, "dispute.opened", None, at, None, attempt=payment.attempt)
    return dispute


def hold(session: Session, order: Order, dispute: Dispute, at: datetime) -> Earmark | None:
    """Hold what the buyer still has of the order, as far as the dispute goes; None where nothing is left. Flushes."""
    there = left(session, order, dispute, AccountKind.AVAILABLE)
    source, target = (account_of(session, order.buyer, kind) for kind in (AccountKind.AVAILABLE, AccountKind.HELD))
    moves = [
        ledger.Move(line.issuance_id, units, source, target)
        for line, ranges in zip(order.lines, there, strict=True)
        for units in ranges
    ]
    if not moves:
        return None
    numbers = {line.issuance_id: line.issuance.number for line in order.lines}
    facts = orders.facts_of(order) | {"holder": order.buyer.number}
    return earmarks.set_apart(
        session,
        kind=EarmarkKind.HELD,
        holder=order.buyer,
        why=f"The payment of {order.number} is disputed.",
        moves=moves,
        record=recorded(session, "dispute.opened", order.number, numbers, facts, "", None, at),
        by=order.placed_by,  # nobody of the registry: it follows from their payment
        at=at,
    )


def close(session: Session, order: Order, dispute: Dispute, state: DisputeState, at: datetime) -> None:
    """The dispute has ended: what was held is the buyer's own again, or goes back to the sellers. Flushes."""
    held = dispute.earmark
    if held is not None:
        session.refresh(held, with_for_update=True)
    if state is DisputeState.WON:
        give_free(session, order, held, at)
    elif order.state is OrderState.DELIVERED and dispute.payment.state is PaymentState.PAID:
        dispute.shortfall = take_back(session, order, dispute, held, at)
    else:
        tell(session, order, "dispute.closed", None, at, None, outcome=state.value)
    dispute.state, dispute.closed_at = state, at
    session.flush()  # before the order: the database asks for it
    if state is DisputeState.LOST:
        lose(session, order, dispute, at)
    refunding.send_the_rest(session, order=order, payment=dispute.payment, reason=THE_REST, at=at)


def lose(session: Session, order: Order, dispute: Dispute, at: datetime) -> None:
    """What a lost dispute means for an order that waits, which ends by it, and for the books."""
    if order.state is OrderState.PAID and dispute.payment.state is PaymentState.PAID:
        reserving.give_back(session, order, at)
        order.state, order.closed_at, order.reason = OrderState.REFUNDED, at, TAKEN_BACK
        session.flush()
    premium.book_shortfall(session, dispute=dispute, at=at)


def give_free(session: Session, order: Order, held: Earmark | None, at: datetime) -> None:
    """A dispute that was won: what was held is where it was."""
    if held is None or held.closing_posting_id is not None:
        tell(session, order, "dispute.closed", None, at, None, outcome=DisputeState.WON.value)
        return
    earmarks.let_go(session, held, record=closing(session, order, DisputeState.WON, at), by=None, at=at)


def take_back(session: Session, order: Order, dispute: Dispute, held: Earmark | None, at: datetime) -> int:
    """A dispute that was lost: what is left goes back to the sellers; the shortfall, in minor units. Flushes."""
    kept = held if held is not None and held.closing_posting_id is None else None
    free = left(session, order, dispute, AccountKind.AVAILABLE)
    available, frozen = (account_of(session, order.buyer, kind) for kind in (AccountKind.AVAILABLE, AccountKind.HELD))
    moves: list[ledger.Move] = []
    back: dict[int, int] = {}
    for line, ranges in zip(order.lines, free, strict=True):
        target = account_of(session, line.seller, AccountKind.AVAILABLE)
        mine = held_of(session, line, kept) if kept is not None else []
        more = cut(ranges, concerned(dispute, line) - sum(units.quantity for units in mine))
        moves += [ledger.Move(line.issuance_id, units, frozen, target) for units in mine]
        moves += [ledger.Move(line.issuance_id, units, available, target) for units in more]
        back[line.line] = sum(units.quantity for units in (*mine, *more))
    if not moves:
        tell(session, order, "dispute.closed", None, at, None, outcome=DisputeState.LOST.value)
        return shortfall(order, dispute, back)
    posting = ledger.move(session, moves, at=at, record=closing(session, order, DisputeState.LOST, at))
    if kept is not None:
        kept.closing_posting_id, kept.closed_at = posting.id, at
    return shortfall(order, dispute, back)


def held_of(session: Session, line: OrderLine, held: Earmark) -> list[SerialRange]:
    """What of a hold are serials of this line."""
    assert line.earmark is not None
    delivered = earmarks.ranges_of(session, line.earmark)
    return [
        SerialRange(each.first, each.last)
        for each in earmarks.ranges_of(session, held)
        if any(one.issuance_id == each.issuance_id and one.first <= each.first <= one.last for one in delivered)
    ]


def closing(session: Session, order: Order, state: DisputeState, at: datetime) -> Any:
    numbers = {line.issuance_id: line.issuance.number for line in order.lines}
    facts = orders.facts_of(order) | {"outcome": state.value}
    return recorded(session, "dispute.closed", order.number, numbers, facts, "", None, at)


def concerned(dispute: Dispute, line: OrderLine) -> int:
    """Base units of a line that a dispute is about: in proportion to the money, rounded up."""
    return min(line.quantity, -(-line.quantity * dispute.amount // dispute.payment.amount))


def left(session: Session, order: Order, dispute: Dispute, kind: AccountKind) -> list[list[SerialRange]]:
    """Which serials of each line the buyer still has in this account, as far as the dispute goes."""
    delivered = [line.earmark for line in order.lines if line.earmark is not None]
    there = sale.still_there(session, delivered, order.buyer, kind)
    return [cut(ranges, concerned(dispute, line)) for line, ranges in zip(order.lines, there, strict=True)]


def cut(ranges: Sequence[SerialRange], quantity: int) -> list[SerialRange]:
    """The lowest `quantity` serials of these, or all there are."""
    there = sum(units.quantity for units in ranges)
    return lowest(list(ranges), min(quantity, there)) if quantity > 0 and there else []


def shortfall(order: Order, dispute: Dispute, back: dict[int, int]) -> int:
    """Minor units of the disputed amount that what came back does not cover: in proportion, rounded up."""
    share = sum(
        (Fraction(line.amount) * (1 - Fraction(back[line.line], concerned(dispute, line))) for line in order.lines),
        Fraction(0),
    )
    return ceil(share * dispute.amount / order.subtotal)


def disputes_of(session: Session, order: Order) -> list[Dispute]:
    """All disputes about an order's payments, oldest first."""
    wanted = select(Dispute).join(Payment, Payment.id == Dispute.payment_id).where(Payment.order_id == order.id)
    return list(session.scalars(wanted.order_by(Dispute.id)))
