"""Cancelling: by the buyer, before the money has come. A provider's checkout is ended by the provider first."""

from datetime import datetime

from sqlalchemy.orm import Session

from credits.participants.models import User
from credits.participants.permissions import may_buy
from credits.payments import orders, settling
from credits.payments.models import Means, Order, OrderState, PaymentState
from credits.payments.orders import OrderClosed
from credits.payments.settling import UNDER_WAY

BY_BUYER = orders.CANCELLED_BY_BUYER


class AskProviderFirst(OrderClosed):
    """Somebody may be paying this very moment: the provider ends the checkout, and then the order ends by itself."""

    code = "ask_provider_first"


def must_be_cancellable(order: Order, *, by: User) -> None:
    """Raise NotAllowed or OrderClosed unless `by` could still cancel it, as far as we know."""
    may_buy(by, order.buyer)
    if order.state not in (OrderState.OPEN, OrderState.AWAITING_PAYMENT):
        raise OrderClosed(f"{order.number} is {order.state.value} already.", state=order.state.value)


def note_wish(session: Session, *, order: Order) -> None:
    """Write down that the buyer cancels, before the provider ends the checkout: whoever tells us, it says so. Flushes.

    Somebody may still be paying: then the order is paid.
    """
    session.refresh(order, with_for_update=True)
    if order.state is OrderState.AWAITING_PAYMENT:
        order.reason = BY_BUYER
        session.flush()


def cancel(session: Session, *, order: Order, by: User, at: datetime) -> None:
    """Cancel an order that is open or awaits a transfer. Flushes. Raises NotAllowed, OrderClosed, AskProviderFirst."""
    may_buy(by, order.buyer)
    orders.lock(session, order, OrderState.OPEN, OrderState.AWAITING_PAYMENT)
    for payment in order.payments:
        session.refresh(payment, with_for_update=True)
        if payment.state not in UNDER_WAY:
            continue
        if payment.means is not Means.BANK_TRANSFER:
            raise AskProviderFirst("The payment page is still open. It is closed first.", order=order.number)
        payment.state, payment.settled_at = PaymentState.EXPIRED, at
        session.flush()
    settling.end(session, order, BY_BUYER, by, at)
