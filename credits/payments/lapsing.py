"""Orders that were put together, and that nobody begins to pay: after some days they end."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.payments import settling
from credits.payments.models import Order, OrderState
from credits.registry.policy import Policy

NEVER_BEGUN = "Nobody has begun to pay it in time."
AT_A_TIME = 100


def never_begun(session: Session, after: int = 0, *, policy: Policy, at: datetime) -> list[int]:
    """The next ids above `after` of orders that were placed and not begun to be paid in time, oldest first."""
    wanted = select(Order.id).where(
        Order.state == OrderState.OPEN,
        Order.placed_at <= at - timedelta(days=policy.market.days_open),
        Order.id > after,
    )
    return list(session.scalars(wanted.order_by(Order.id).limit(AT_A_TIME)))


def end_unbegun(session: Session, *, order_id: int, at: datetime) -> bool:
    """End an order that is still only put together; whether it was. Flushes."""
    order = session.get_one(Order, order_id)
    session.refresh(order, with_for_update=True)
    if order.state is not OrderState.OPEN:
        return False
    settling.end(session, order, NEVER_BEGUN, None, at)
    return True
