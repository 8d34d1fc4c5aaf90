"""Refunds: decided by two issuers while nothing was retired or passed on; the credits go back in the same moment.

The money follows by the provider, or by the registry's bank. Partial refunds are not offered.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict
from credits.journal import events
from credits.ledger.posting import NotHeld, Posted
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.payments import delivering, orders, reserving, settling
from credits.payments.going_back.going_back_models import Refund, RefundState
from credits.payments.looking import order_known_as
from credits.payments.models import Order, OrderState, Payment, PaymentState
from credits.payments.premiums import premium
from credits.registry import sale
from credits.registry.movements import Decision, Earmark
from credits.registry.policy import Policy
from credits.registry.telling import both_people, recorded


class NotRefundable(Conflict):
    """Nothing was paid, or it goes back already."""

    code = "not_refundable"


class NotAllThere(Conflict):
    """Some of the credits were retired, passed on or are held: an order is refunded whole or not at all."""

    code = "not_all_there"


def check(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """Whether the order `subject` could be refunded now. Raises NotAllowed, NoSuchOrder, NotRefundable, NotAllThere."""
    must_issue(by)
    order = order_known_as(session, subject)
    paid_for(session, order)
    delivering.must_be_undisputed(session, order)
    if order.state is OrderState.DELIVERED:
        must_be_all_there(session, order)
    return {"amount": order.total, "currency": order.currency.value}


def refund(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> Posted | None:
    """Give the credits back to their sellers and ask for the money to be sent back, whole. Flushes.

    Raises NotRefundable, NotAllThere, Disputed.
    """
    order = order_known_as(session, decision.subject)
    payment = paid_for(session, order)
    order = settling.locked(session, payment)
    paid_for(session, order)
    delivering.must_be_undisputed(session, order)
    posting = None
    facts = orders.facts_of(order) | both_people(decision)
    if order.state is OrderState.DELIVERED:
        posting = taken_back(session, order, facts, decision.reason, by, at)
    else:
        reserving.give_back(session, order, at)
        events.append(
            session,
            kind="order.refunded",
            subject=order.number,
            actor=by.number,
            at=at,
            facts=facts,
            private={"reason": decision.reason},
        )
    made = Refund(
        payment=payment,
        amount=payment.amount,
        reason=decision.reason,
        state=RefundState.ASKED,
        decision_id=decision.id,
        posting_id=posting.id if posting else None,
        asked_at=at,
    )
    session.add(made)
    session.flush()  # before the order: the database asks for it
    order.state, order.closed_at, order.reason = OrderState.REFUNDED, at, decision.reason
    session.flush()
    premium.book_refund(session, refund=made, at=at)
    return posting


def taken_back(session: Session, order: Order, facts: dict[str, Any], reason: str, by: User, at: datetime) -> Posted:
    """Move what was delivered back to the sellers, in one posting. Flushes. Raises NotAllThere."""
    moves = [move for line_moves in sale.ways_back(session, delivered(order), order.buyer) for move in line_moves]
    numbers = {line.issuance_id: line.issuance.number for line in order.lines}
    record = recorded(session, "order.refunded", order.number, numbers, facts, reason, by, at)
    try:
        return ledger.move(session, moves, at=at, record=record)
    except NotHeld:
        raise not_all_there(order) from None


def must_be_all_there(session: Session, order: Order) -> None:
    there = sale.still_there(session, delivered(order), order.buyer)
    if any(
        sum(units.quantity for units in ranges) < line.quantity for line, ranges in zip(order.lines, there, strict=True)
    ):
        raise not_all_there(order)


def delivered(order: Order) -> list[Earmark]:
    """The reservations whose serials were delivered, in the order of the lines."""
    return [line.earmark for line in order.lines if line.earmark is not None]


def not_all_there(order: Order) -> NotAllThere:
    return NotAllThere(
        f"Some of the credits of {order.number} were retired, passed on or are held. An order is refunded whole or not "
        "at all, and what is retired stays retired.",
        order=order.number,
    )


def paid_for(session: Session, order: Order) -> Payment:
    """The payment that an order was paid with and that could go back. Raises NotRefundable."""
    paid = session.scalars(
        select(Payment).where(Payment.order_id == order.id, Payment.state == PaymentState.PAID)
    ).one_or_none()
    if paid is None or order.state not in (OrderState.PAID, OrderState.DELIVERED):
        said = order.state.value.replace("_", " ")
        raise NotRefundable(f"{order.number} is {said}: there is nothing to refund.", state=order.state.value)
    return paid


def refunds_of(session: Session, order: Order) -> list[Refund]:
    """All that goes or went back of an order, oldest first."""
    wanted = select(Refund).join(Payment, Payment.id == Refund.payment_id).where(Payment.order_id == order.id)
    return list(session.scalars(wanted.order_by(Refund.id)))
