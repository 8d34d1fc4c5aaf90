"""What came of offers: who has ordered from them, and what of it was delivered."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, contains_eager

from credits.payments.models import Currency, Offer, Order, OrderLine, OrderState

UNDER_WAY = (OrderState.AWAITING_PAYMENT, OrderState.PAID)
COUNTING = (*UNDER_WAY, OrderState.DELIVERED)
TOLD = (*COUNTING, OrderState.REFUNDED)  # what a seller is shown; nothing was promised before, or is any more


@dataclass(frozen=True)
class Sold:
    """Base units of one offer in orders that wait for their payment or delivery, delivered, and refunded.

    premium: minor units to the site, of what was delivered.
    """

    under_way: int = 0
    delivered: int = 0
    premium: int = 0
    back: int = 0


def sold_of(session: Session, offers: Collection[Offer]) -> dict[int, Sold]:
    """What was sold of each of these offers so far, by its id."""
    rows = session.execute(
        select(OrderLine.offer_id, Order.state, func.sum(OrderLine.quantity), func.sum(OrderLine.premium))
        .join(Order, Order.id == OrderLine.order_id)
        .where(OrderLine.offer_id.in_([offer.id for offer in offers]), Order.state.in_(TOLD))
        .group_by(OrderLine.offer_id, Order.state)
    )
    found = {offer.id: Sold() for offer in offers}
    for offer_id, state, quantity, premium in rows:
        before = found[offer_id]
        if state is OrderState.DELIVERED:
            found[offer_id] = replace(before, delivered=int(quantity), premium=int(premium))
        elif state is OrderState.REFUNDED:
            found[offer_id] = replace(before, back=int(quantity))
        else:
            found[offer_id] = replace(before, under_way=before.under_way + int(quantity))
    return found


@dataclass(frozen=True)
class Earned:
    """What delivered sales in one currency came to, in minor units before tax, and how much of it was premium."""

    currency: Currency
    lines: int
    amount: int
    premium: int


def earned(session: Session, sales: Select[OrderLine]) -> list[Earned]:
    """The sums of the delivered ones among these sales, by currency."""
    among = sales.where(Order.state == OrderState.DELIVERED).order_by(None)
    sums = among.with_only_columns(
        Order.currency, func.count(), func.sum(OrderLine.amount), func.sum(OrderLine.premium)
    ).group_by(Order.currency)
    rows = session.execute(sums.order_by(Order.currency))
    return [Earned(currency, lines, int(amount), int(premium)) for currency, lines, amount, premium in rows]


def lines_from(offer: Offer) -> Select[OrderLine]:
    """The lines of orders from one offer, for its seller, the newest first."""
    return (
        select(OrderLine)
        .join(OrderLine.order)
        .options(contains_eager(OrderLine.order).joinedload(Order.buyer))
        .where(OrderLine.offer_id == offer.id, Order.state.in_(TOLD))
        .order_by(OrderLine.order_id.desc())
    )
