"""Disputes: the payer's bank asks for the money back. What is left of the credits is held, and goes back if it is lost.

What was retired stays retired, and what was passed on stays with who has it: the money that this leaves uncovered, the
shortfall, is booked and shown. Where a part of the money is disputed, the same part of the credits is concerned.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import ceil
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.ledger.models import AccountKind
from credits.ledger.serials import SerialRange
from credits.payments import orders, reserving
from credits.payments.gateway import Disputed, Seen
from credits.payments.going_back import recovering, sending_back
from credits.payments.going_back.recovering import cut
from credits.payments.models import Dispute, DisputeState, Order, OrderLine, OrderState, Payment, PaymentState
from credits.payments.orders import tell
from credits.payments.premiums import premium
from credits.payments.premiums.tracing import gone_back, quantity_of, returned, without
from credits.registry import earmarks
from credits.registry.accounts import account_of, registry_account
from credits.registry.movements import Earmark, EarmarkKind
from credits.registry.stillness import keep_still
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
    wanted = concerned(order, dispute, ahead_of(session, dispute))
    return hold_these(session, order, recovering.within_reach(session, order, wanted, at), "dispute.opened", at)


def hold_these(
    session: Session, order: Order, ranges: Mapping[int, Sequence[SerialRange]], kind: str, at: datetime
) -> Earmark | None:
    """Hold these of the buyer's available serials, given by line; kind: of the event. Flushes."""
    source, target = (account_of(session, order.buyer, kind) for kind in (AccountKind.AVAILABLE, AccountKind.HELD))
    moves = moves_of(order, ranges, source, target)
    if not moves:
        return None
    facts = orders.facts_of(order) | {"holder": order.buyer.number}
    return earmarks.set_apart(
        session,
        kind=EarmarkKind.HELD,
        holder=order.buyer,
        why=f"The payment of {order.number} is disputed.",
        moves=moves,
        record=told(session, order, kind, facts, at),
        by=order.placed_by,  # nobody of the registry: it follows from their payment
        at=at,
    )


def follow(session: Session, *, order: Order, at: datetime) -> bool:
    """Hold or take what has come back to the buyer since, as far as disputes go; whether anything had. Flushes.

    While a dispute is open it is held with the rest. After a lost one it is the registry's, in its buffer: the registry
    bears the shortfall. The order's row is locked.
    """
    if order.delivered_at is None:
        return False
    mine = [each for each in disputes_of(session, order) if each.payment.state is PaymentState.PAID]
    lost = [each for each in mine if each.state is DisputeState.LOST]
    came = take_more(session, order, lost, at) if lost else False
    for dispute in mine:
        if dispute.state is DisputeState.OPEN:
            came = hold_more(session, order, dispute, at) or came
    return came


def hold_more(session: Session, order: Order, dispute: Dispute, at: datetime) -> bool:
    """Hold what is within reach now besides what is held: all of it under one new hold. Flushes."""
    held = dispute.earmark if dispute.earmark is not None and dispute.earmark.closing_posting_id is None else None
    mine = {line.line: held_of(session, line, held) if held else [] for line in order.lines}
    about = concerned(order, dispute, ahead_of(session, dispute))
    wanted = {number: max(0, quantity - quantity_of(mine[number])) for number, quantity in about.items()}
    more = recovering.within_reach(session, order, wanted, at)
    if not any(more.values()):
        return False
    if held is not None:
        session.refresh(held, with_for_update=True)
        earmarks.let_go(session, held, record=told(session, order, "dispute.extended", {}, at), by=None, at=at)
    together = {number: sorted((*mine[number], *ranges)) for number, ranges in more.items()}
    dispute.earmark = hold_these(session, order, together, "dispute.extended", at)
    session.flush()
    return True


def take_more(session: Session, order: Order, lost: Sequence[Dispute], at: datetime) -> bool:
    """Put what is within reach now of what lost disputes are about into the registry's buffer. Flushes."""
    wanted = {}
    for line in order.lines:
        gone = gone_back(session, [order.id], line.issuance).get(order.id, [])
        about = share_of(line, sum(dispute.amount for dispute in lost), lost[0].payment)
        wanted[line.line] = max(0, about - returned(session, line, gone))
    more = recovering.within_reach(session, order, wanted, at)
    buffer = registry_account(session, AccountKind.BUFFER)
    moves = moves_of(order, more, account_of(session, order.buyer, AccountKind.AVAILABLE), buffer)
    if not moves:
        return False
    facts = {"holder": order.buyer.number, "to_buffer": sum(each.units.quantity for each in moves)}
    ledger.move(session, moves, at=at, record=told(session, order, "dispute.recovered", facts, at))
    return True


def moves_of(order: Order, ranges: Mapping[int, Sequence[SerialRange]], source: int, target: int) -> list[ledger.Move]:
    """The moves of ranges that are given by line."""
    return [ledger.Move(line.issuance_id, units, source, target) for line in order.lines for units in ranges[line.line]]


def close(session: Session, order: Order, dispute: Dispute, state: DisputeState, at: datetime) -> None:
    """The dispute has ended: what was held is the buyer's own again, or goes back to the sellers. Flushes."""
    if state is DisputeState.WON:
        give_free(session, order, dispute.earmark, at)
    elif order.state is OrderState.DELIVERED and dispute.payment.state is PaymentState.PAID:
        dispute.shortfall = take_back(session, order, dispute, at)
    else:
        tell(session, order, "dispute.closed", None, at, None, outcome=state.value)
    dispute.state, dispute.closed_at = state, at
    session.flush()  # before the order: the database asks for it
    if state is DisputeState.LOST:
        lose(session, order, dispute, at)
    sending_back.send_the_rest(session, order=order, payment=dispute.payment, reason=THE_REST, at=at)


def lose(session: Session, order: Order, dispute: Dispute, at: datetime) -> None:
    """What a lost dispute means for the order and for the books.

    One that waits ends by it; one that is delivered ends once all of its money is gone. What of it was retired or
    passed on stays where it is.
    """
    delivered, payment = order.state is OrderState.DELIVERED, dispute.payment
    if payment.state is PaymentState.PAID and (
        order.state is OrderState.PAID or (delivered and lost_of(session, payment) >= payment.amount)
    ):
        if not delivered:
            reserving.give_back(session, order, at)
        order.state, order.closed_at, order.reason = OrderState.REFUNDED, at, TAKEN_BACK
        session.flush()
        tell(session, order, "order.charged_back", None, at)
    premium.book_shortfall(session, dispute=dispute, at=at)


def lost_of(session: Session, payment: Payment) -> int:
    """Minor units of a payment that the payer's bank has taken back for good."""
    wanted = select(func.coalesce(func.sum(Dispute.amount), 0)).where(
        Dispute.payment_id == payment.id, Dispute.state == DisputeState.LOST
    )
    return int(session.scalars(wanted).one())


def give_free(session: Session, order: Order, held: Earmark | None, at: datetime) -> None:
    """A dispute that was won: what was held is where it was."""
    if held is not None:
        session.refresh(held, with_for_update=True)
    outcome = {"outcome": DisputeState.WON.value}
    if held is None or held.closing_posting_id is not None:
        tell(session, order, "dispute.closed", None, at, None, **outcome)
        return
    earmarks.let_go(session, held, record=told(session, order, "dispute.closed", outcome, at), by=None, at=at)


def take_back(session: Session, order: Order, dispute: Dispute, at: datetime) -> int:
    """A dispute that was lost: what is left is taken; the shortfall, in minor units. Flushes.

    It goes back to the sellers as far as their sites still hold its premium. What of the premium is paid out is the
    registry's loss, so those credits come into its buffer: else they would be sold, and their premium paid, twice.
    """
    keep_still(session, sorted({line.issuance_id for line in order.lines}))  # before the hold is locked
    if dispute.earmark is not None:
        session.refresh(dispute.earmark, with_for_update=True)
    kept = dispute.earmark if dispute.earmark is not None and dispute.earmark.closing_posting_id is None else None
    about = concerned(order, dispute, lost_of(session, dispute.payment))
    held = {line.line: held_of(session, line, kept) if kept else [] for line in order.lines}
    mine = {number: cut(ranges, about[number]) for number, ranges in held.items()}
    wanted = {number: quantity - quantity_of(mine[number]) for number, quantity in about.items()}
    free = recovering.within_reach(session, order, wanted, at)
    own = shortfall(order, dispute, about, {number: quantity_of([*mine[number], *free[number]]) for number in mine})
    covered = premium.covered(session, dispute=dispute, own=own)
    available, frozen = (account_of(session, order.buyer, kind) for kind in (AccountKind.AVAILABLE, AccountKind.HELD))
    buffer = registry_account(session, AccountKind.BUFFER)
    # What others that were won or lost meanwhile leave over of the hold is the buyer's own.
    spare = {number: without(ranges, mine[number]) for number, ranges in held.items()}
    moves = moves_of(order, spare, frozen, available)
    for line in order.lines:
        seller = account_of(session, line.seller, AccountKind.AVAILABLE)
        there = [(units, frozen) for units in mine[line.line]] + [(units, available) for units in free[line.line]]
        quantity = sum(units.quantity for units, _ in there)
        left = int(quantity * covered.get(line.line, Fraction(1)))  # the seller's own again
        for units, source in there:
            to_seller = cut([units], left)
            left -= quantity_of(to_seller)
            moves += [ledger.Move(line.issuance_id, part, source, seller) for part in to_seller]
            moves += [ledger.Move(line.issuance_id, part, source, buffer) for part in without([units], to_seller)]
    if not moves:
        tell(session, order, "dispute.closed", None, at, None, outcome=DisputeState.LOST.value)
        return own
    kept_back = sum(each.units.quantity for each in moves if each.target == buffer)
    facts = {"outcome": DisputeState.LOST.value} | ({"to_buffer": kept_back} if kept_back else {})
    posting = ledger.move(session, moves, at=at, record=told(session, order, "dispute.closed", facts, at))
    if kept is not None:
        kept.closing_posting_id, kept.closed_at = posting.id, at
    return own


def held_of(session: Session, line: OrderLine, held: Earmark) -> list[SerialRange]:
    """What of a hold are serials of this line."""
    assert line.earmark is not None
    delivered = earmarks.ranges_of(session, line.earmark)
    return [
        SerialRange(each.first, each.last)
        for each in earmarks.ranges_of(session, held)
        if any(one.issuance_id == each.issuance_id and one.first <= each.first <= one.last for one in delivered)
    ]


def told(session: Session, order: Order, kind: str, facts: dict[str, Any], at: datetime) -> Any:
    """How an event of this order is written once its serials are known."""
    numbers = {line.issuance_id: line.issuance.number for line in order.lines}
    return recorded(session, kind, order.number, numbers, orders.facts_of(order) | facts, "", None, at)


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


def share_of(line: OrderLine, amount: int, payment: Payment) -> int:
    """Base units of a line that so much of its payment is of: in proportion to the money, rounded up."""
    return min(line.quantity, -(-line.quantity * amount // payment.amount))


def shortfall(order: Order, dispute: Dispute, about: Mapping[int, int], back: Mapping[int, int]) -> int:
    """Minor units of the disputed amount that what came back does not cover: in proportion, rounded up.

    about, back: base units by line. A line of which nothing is concerned lacks nothing.
    """
    share = sum(
        (
            Fraction(line.amount) * (1 - Fraction(back[line.line], about[line.line]))
            for line in order.lines
            if about[line.line]
        ),
        Fraction(0),
    )
    return ceil(share * dispute.amount / order.subtotal)


def is_charged_back(order: Order) -> bool:
    """Whether an order has ended because the payer's bank has taken the money back."""
    return order.state is OrderState.REFUNDED and order.reason == TAKEN_BACK


def disputes_of(session: Session, order: Order) -> list[Dispute]:
    """All disputes about an order's payments, oldest first."""
    wanted = select(Dispute).join(Payment, Payment.id == Dispute.payment_id).where(Payment.order_id == order.id)
    return list(session.scalars(wanted.order_by(Dispute.id)))
