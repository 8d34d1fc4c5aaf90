"""How much one buyer keeps reserved without having paid: so many transfers are awaited of it, and no more."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.participants.models import Organisation
from credits.payments.models import Means, Order, Payment, PaymentState
from credits.registry.policy import Policy


class TooManyUnpaid(Conflict):
    """So many transfers of one buyer are awaited that no more is reserved for it."""

    code = "too_many_unpaid"


def wait_for_turn(session: Session, buyer_id: int) -> None:
    """Let one buyer reserve one thing after the other: two at the same moment would be counted without each other.

    To be locked before the offers.
    """
    locked = select(Organisation.id).where(Organisation.id == buyer_id)
    session.execute(locked.with_for_update(key_share=True))


def must_not_keep_too_much(session: Session, order: Order, policy: Policy, at: datetime) -> None:
    """Raise TooManyUnpaid where no further transfer of this order's buyer is awaited. Locks the buyer's row.

    One that has lapsed or was cancelled counts for as long again as it could have waited: nobody keeps a seller's
    credits from others by ordering anew what is never paid.
    """
    wait_for_turn(session, order.buyer_id)
    since = at - timedelta(days=policy.market.days_to_pay)
    ended = (Payment.state == PaymentState.EXPIRED) & (Payment.settled_at > since)
    counted = (
        select(func.count(Payment.id))
        .join(Order, Order.id == Payment.order_id)
        .where(
            Order.buyer_id == order.buyer_id,
            Payment.means == Means.BANK_TRANSFER,
            (Payment.state == PaymentState.OPEN) | ended,
        )
    )
    unpaid = session.scalars(counted).one()
    if unpaid >= policy.market.unpaid_transfers:
        raise TooManyUnpaid(
            f"{unpaid} transfers of {order.buyer.name} are awaited or have not come lately, and nothing more is "
            "reserved before they do. Pay this order by card, or ask the registry.",
            unpaid=unpaid,
            most=policy.market.unpaid_transfers,
        )
