"""Orders as they stand: what one says, how it is locked, and what the log says of each step."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.journal import events
from credits.participants.models import Language, User, organisation_number
from credits.payments.billing import Billing
from credits.payments.models import Offer, Order, OrderState
from credits.payments.prices import written
from credits.registry.retirement import Claim

CANCELLED_BY_BUYER = "Cancelled by the buyer."


class ChangedMeanwhile(Conflict):
    """Somebody has changed the order since it was shown."""

    code = "changed_meanwhile"


class OrderClosed(Conflict):
    """The order has come further, or has ended: this is not possible any more."""

    code = "order_closed"


def claim_in(order: Order) -> Claim | None:
    """In whose name the order's credits are retired at once."""
    if order.claim is None:
        return None
    said = order.claim
    return Claim(
        beneficiary=said["beneficiary"],
        country=said["country"],
        identifier=said["identifier"],
        purpose=said["purpose"],
        claim_from=date.fromisoformat(said["claim_from"]),
        claim_to=date.fromisoformat(said["claim_to"]),
    )


def language_in(order: Order) -> Language | None:
    """In which language the certificates of what is retired at once are written, if somebody has said."""
    said = (order.claim or {}).get("language")
    return Language(said) if said else None


def billing_in(order: Order) -> Billing:
    return Billing(**{name: order.billing[name] for name in Billing.__dataclass_fields__})


def lock(session: Session, order: Order, *states: OrderState) -> None:
    """Lock the order, read it anew and see that it is in one of `states`. The first of locks. Raises OrderClosed."""
    session.refresh(order, with_for_update=True)
    if order.state not in states:
        said = order.state.value.replace("_", " ")
        raise OrderClosed(f"{order.number} is {said}: this is not possible any more.", state=order.state.value)


def must_be_as_seen(order: Order, seen: int) -> None:
    if order.revision != seen:
        raise ChangedMeanwhile(
            f"{order.number} was changed meanwhile, perhaps in another window. Look at it as it is now.",
            revision=order.revision,
        )


def facts_of(order: Order) -> dict[str, Any]:
    """What the log says of an order in public."""
    lines = [
        {
            "offer": f"OFFER-{line.offer_id:06d}",
            "seller": organisation_number(line.seller_id),
            "quantity": line.quantity,
        }
        for line in order.lines
    ]
    return {"buyer": order.buyer.number, "means": order.means.value, "use": order.use.value, "lines": lines}


def tell(
    session: Session,
    order: Order,
    kind: str,
    by: User | None,
    at: datetime,
    private: dict[str, str] | None = None,
    **facts: Any,
) -> None:
    """The event of a step of an order. What it costs is private, unless its buyer lets everybody see it."""
    amount = {"total": written(order.total, order.currency)}
    public = facts_of(order) | facts | (amount if order.open_to_public else {})
    hidden = (private or {}) | ({} if order.open_to_public else amount)
    actor = by.number if by else events.SYSTEM
    events.append(session, kind=kind, subject=order.number, actor=actor, at=at, facts=public, private=hidden or None)


def offers_locked(session: Session, order: Order) -> dict[int, Offer]:
    """The offers of an order's lines, locked in the order of their ids and read anew."""
    wanted = select(Offer).where(Offer.id.in_([line.offer_id for line in order.lines])).order_by(Offer.id)
    found = session.scalars(wanted.with_for_update().execution_options(populate_existing=True))
    return {offer.id: offer for offer in found}
