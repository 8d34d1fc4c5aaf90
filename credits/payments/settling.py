"""What becomes of an order when money comes, or does not: the one place where payments are settled.

Both rows are locked, the order first.
"""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.participants.models import User
from credits.payments import delivering, reserving
from credits.payments.delivering import Certify
from credits.payments.going_back.going_back_models import Refund, RefundState
from credits.payments.models import Order, OrderState, Payment, PaymentState
from credits.payments.offering import standing
from credits.payments.orders import tell
from credits.payments.prices import written
from credits.registry.policy import Policy

UNDER_WAY = (PaymentState.OPENING, PaymentState.OPEN, PaymentState.PROCESSING)
UNWANTED = "It came when the order wanted no money any more."


def locked(session: Session, payment: Payment) -> Order:
    """Lock a payment's order and then the payment; both read anew."""
    order = session.scalars(
        select(Order).where(Order.id == payment.order_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    session.refresh(payment, with_for_update=True)
    return order


def cleared(
    session: Session,
    *,
    order: Order,
    payment: Payment,
    policy: Policy,
    certify: Certify,
    by: User | None,
    at: datetime,
    value_date: date | None = None,
) -> str:
    """The money of a payment has cleared: deliver, or where the order wants none any more, send it back. Flushes.

    A word for what it came to: delivered, paid, surplus.
    """
    came = note_cleared(session, order=order, payment=payment, by=by, at=at, value_date=value_date)
    done = came == "paid" and delivering.deliver(session, order=order, policy=policy, certify=certify, at=at)
    return "delivered" if done else came


def note_cleared(
    session: Session, *, order: Order, payment: Payment, by: User | None, at: datetime, value_date: date | None = None
) -> str:
    """What `cleared` does before anything is delivered: the order is paid, or its money goes back. Flushes.

    A word for what it came to: paid, surplus.
    """
    payment.settled_at, payment.value_date = at, value_date
    if order.state is not OrderState.AWAITING_PAYMENT or payment.state not in UNDER_WAY:
        payment.state = PaymentState.SURPLUS
        session.flush()
        note_surplus(session, order, payment, by, at)
        return "surplus"
    payment.state = PaymentState.PAID
    session.flush()  # before the order: the database asks for it
    order.state, order.paid_at = OrderState.PAID, at
    session.flush()
    tell(session, order, "order.paid", by, at)
    return "paid"


def note_surplus(session: Session, order: Order, payment: Payment, by: User | None, at: datetime) -> None:
    """Money that an order wants no more is asked to be sent back, whole. Flushes."""
    refund = Refund(payment=payment, amount=payment.amount, reason=UNWANTED, state=RefundState.ASKED, asked_at=at)
    session.add(refund)
    session.flush()
    private = {"amount": written(payment.amount, payment.currency)}
    tell(session, order, "payment.surplus", by, at, private, attempt=payment.attempt)


def came_to_nothing(
    session: Session,
    *,
    order: Order,
    payment: Payment,
    state: PaymentState,
    why: str,
    by: User | None,
    at: datetime,
) -> str:
    """Nobody can pay this attempt any more: release what was reserved and end the order. Flushes.

    state: EXPIRED or FAILED. why: what the buyer reads. To be called once the provider has confirmed it.
    """
    payment.state, payment.settled_at = state, at
    session.flush()
    if order.state is OrderState.AWAITING_PAYMENT:
        end(session, order, order.reason or why, by, at)  # its own: the buyer has cancelled it
        return "released"
    return state.value


def end(session: Session, order: Order, why: str, by: User | None, at: datetime) -> None:
    """Cancel an order that was not paid. Flushes."""
    waiting = standing.lock_waiting(session, order)
    order.state, order.closed_at, order.reason = OrderState.CANCELLED, at, why
    session.flush()  # before the offers: the database gives them back only what no order keeps
    reserving.release(session, order, at)
    tell(session, order, "order.cancelled", by, at)
    standing.follow_cancelled(session, order, waiting, at)
