"""Disputes: the payer's bank asks for the money back. What is left of the credits is held, and goes back if it is lost.

What was retired stays retired, and what was passed on stays with who has it: the money that this leaves uncovered, the
shortfall, is booked and shown. Where a part of the money is disputed, the same part of the credits is concerned.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.payments import reserving
from credits.payments.gateway import Disputed, Seen
from credits.payments.going_back import holding, sending_back, taking_back
from credits.payments.going_back.concerning import lost_of
from credits.payments.going_back.going_back_models import Dispute, DisputeState
from credits.payments.models import Order, OrderState, Payment, PaymentState
from credits.payments.orders import tell
from credits.payments.premiums import premium

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
        dispute.earmark = holding.hold(session, order, dispute, at)
    session.add(dispute)
    session.flush()
    if dispute.earmark is None:
        tell(session, order, "dispute.opened", None, at, None, attempt=payment.attempt)
    return dispute


def follow(session: Session, *, order: Order, at: datetime) -> bool:
    """Hold or take what has come back to the buyer since, as far as disputes go; whether anything had. Flushes.

    While a dispute is open it is held with the rest. After a lost one it is the registry's, in its buffer: the registry
    bears the shortfall. The order's row is locked.
    """
    if order.delivered_at is None:
        return False
    mine = [each for each in disputes_of(session, order) if each.payment.state is PaymentState.PAID]
    lost = [each for each in mine if each.state is DisputeState.LOST]
    came = taking_back.take_more(session, order, lost, at) if lost else False
    for dispute in mine:
        if dispute.state is DisputeState.OPEN:
            came = holding.hold_more(session, order, dispute, at) or came
    return came


def close(session: Session, order: Order, dispute: Dispute, state: DisputeState, at: datetime) -> None:
    """The dispute has ended: what was held is the buyer's own again, or goes back to the sellers. Flushes."""
    if state is DisputeState.WON:
        holding.give_free(session, order, dispute.earmark, at)
    elif order.state is OrderState.DELIVERED and dispute.payment.state is PaymentState.PAID:
        dispute.shortfall = taking_back.take_back(session, order, dispute, at)
    else:
        tell(session, order, "dispute.closed", None, at, None, outcome=state.value)
    dispute.state, dispute.closed_at = state, at
    session.flush()  # before the order: the database asks for it
    if state is DisputeState.LOST:
        lose(session, order, dispute, at)
    else:
        follow(session, order=order, at=at)  # what was held may be what another one could not reach
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


def is_charged_back(order: Order) -> bool:
    """Whether an order has ended because the payer's bank has taken the money back."""
    return order.state is OrderState.REFUNDED and order.reason == TAKEN_BACK


def disputes_of(session: Session, order: Order) -> list[Dispute]:
    """All disputes about an order's payments, oldest first."""
    wanted = select(Dispute).join(Payment, Payment.id == Dispute.payment_id).where(Payment.order_id == order.id)
    return list(session.scalars(wanted.order_by(Dispute.id)))
