"""How much one buyer keeps reserved without having paid: so many transfers and checkouts, and no more."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.participants.models import Organisation
from credits.payments.models import Means, Order, Payment, PaymentState
from credits.registry.policy import Policy

ENDED = (PaymentState.EXPIRED, PaymentState.FAILED)


class TooManyUnpaid(Conflict):
    """So many payments of one buyer are awaited that no more is reserved for it."""

    code = "too_many_unpaid"


def wait_for_turn(session: Session, buyer_id: int) -> None:
    """Let one buyer reserve one thing after the other: two at the same moment would be counted without each other.

    To be locked before the offers.
    """
    locked = select(Organisation.id).where(Organisation.id == buyer_id)
    session.execute(locked.with_for_update(key_share=True))


def must_not_keep_too_much(session: Session, buyer: Organisation, means: Means, policy: Policy, at: datetime) -> None:
    """Raise TooManyUnpaid where no further payment of this buyer by these means is awaited. Locks the buyer's row.

    One that has lapsed or was cancelled counts for as long again as a transfer could have waited: nobody keeps a
    seller's credits from others by ordering anew what is never paid. What no provider has made a page for does not.
    """
    wait_for_turn(session, buyer.id)
    since = at - timedelta(days=policy.market.days_to_pay)
    ended = Payment.state.in_(ENDED) & Payment.reference.is_not(None) & (Payment.settled_at > since)
    counted = (
        select(func.count(Payment.id))
        .join(Order, Order.id == Payment.order_id)
        .where(Order.buyer_id == buyer.id, Payment.means == means, Payment.settled_at.is_(None) | ended)
    )
    unpaid = session.scalars(counted).one()
    transfers = means is Means.BANK_TRANSFER
    most = policy.market.unpaid_transfers if transfers else policy.market.unpaid_checkouts
    if unpaid >= most:
        awaited, instead = ("transfers", "by card") if transfers else ("payments by card", "by bank transfer")
        raise TooManyUnpaid(
            f"{unpaid} {awaited} of {buyer.name} are awaited or have not come lately, and nothing more is "
            f"reserved before they do. Pay {instead}, or ask the registry.",
            unpaid=unpaid,
            most=most,
        )
