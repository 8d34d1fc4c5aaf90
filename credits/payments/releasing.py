"""A hold that is released while a payment is disputed: what comes free of it is held or taken in the same moment."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.ledger.posting import Posted
from credits.participants.models import User
from credits.payments import disputes, recovering
from credits.payments.models import Order
from credits.registry import holds
from credits.registry.movements import Decision
from credits.registry.policy import Policy


def release(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> Posted:
    """What `holds.release` does, but what a dispute is about does not come free. Flushes. Raises LetGoAlready."""
    holder = holds.hold_numbered(session, decision.subject).holder_id
    concerned = recovering.to_follow(session, buyer_id=holder)
    # The orders before the hold, as everybody locks them.
    locked = session.scalars(
        select(Order)
        .where(Order.id.in_(concerned))
        .order_by(Order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    posting = holds.release(session, decision, policy, by, at)
    for order in locked:
        disputes.follow(session, order=order, at=at)
    return posting
