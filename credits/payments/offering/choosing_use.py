"""Saying what credits are for while their order awaits its payment: for what a standing order has found.

Whoever orders by hand says so before. Here the order was there first, and its buyer is asked when paying.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from credits.participants.models import Language, User
from credits.participants.permissions import may_buy
from credits.payments.models import Order, OrderState, PaymentState, Use
from credits.payments.offering.standing import standing_of
from credits.payments.orders import OrderClosed, claim_in, lock, tell
from credits.payments.placing import claimed, must_be_retirable
from credits.registry.policy import Policy
from credits.registry.retirement import Claim, tidy
from credits.registry.use.uses import Counted, foretold

UNPAID = (PaymentState.OPENING, PaymentState.OPEN)
BEFORE_PAYMENT = (OrderState.OPEN, OrderState.AWAITING_PAYMENT)


def may_be_chosen(session: Session, order: Order) -> bool:
    """Whether its use can still be said: it was placed for a standing order, and nobody has promised money yet."""
    unpaid = all(payment.state in UNPAID for payment in order.payments)
    return order.state is OrderState.AWAITING_PAYMENT and unpaid and standing_of(session, order) is not None


def foretold_use(session: Session, order: Order) -> list[Counted]:
    """How what is retired at once would count against the declared use, a mineral each; empty where nothing is, or
    the money is there: then the certificate says it.
    """
    claim = claim_in(order)
    if claim is None or order.state not in BEFORE_PAYMENT:
        return []
    amounts: dict[str, int] = {}
    for line in order.lines:
        amounts[line.offer.mineral_code] = amounts.get(line.offer.mineral_code, 0) + line.quantity
    return foretold(session, order.buyer, claim, amounts)


def choose_use(
    session: Session,
    *,
    order: Order,
    claim: Claim | None,
    language: Language | None,
    policy: Policy,
    by: User,
    at: datetime,
) -> None:
    """Have the credits retired at once when they are paid, under `claim`, or kept where that is None. Flushes.

    language: of the certificate. Raises NotAllowed, OrderClosed, UnsoundText, UnknownCountry, OutsideClaimWindow,
    BeyondDeclaredUse.
    """
    may_buy(by, order.buyer)
    lock(session, order, OrderState.AWAITING_PAYMENT)
    for payment in order.payments:
        session.refresh(payment)
    if not may_be_chosen(session, order):
        raise OrderClosed(f"What {order.number} is for was agreed, or its money is on its way.", order=order.number)
    sound = tidy(claim) if claim is not None else None
    if sound is not None:
        lines = [(line.issuance, line.quantity) for line in order.lines]
        must_be_retirable(session, order.buyer, lines, sound, policy, at)
    order.use = Use.RETIRE if sound is not None else Use.KEEP
    order.claim = claimed(sound, language)
    session.flush()
    tell(session, order, "order.changed", by, at)
