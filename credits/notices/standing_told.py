"""Who is told of standing orders: the buyer, that something waits to be paid, or that nothing is ordered any more."""

from sqlalchemy.orm import Session

from credits.notices.occurrence import Occurrence
from credits.notices.orders_told import told_of
from credits.notices.telling import tell
from credits.notices.wordings import Kind
from credits.payments.looking import order_known_as
from credits.payments.models import Means
from credits.payments.offering.standing import BY_BUYER, cancelled_in
from credits.payments.offering.standing_models import StandingOrder
from credits.payments.prices import written
from credits.registry.queries import digits_of


def filled(session: Session, what: Occurrence) -> None:
    """The buyer, that an order was placed and waits for the money."""
    standing, order = standing_in(session, what), order_known_as(session, what.facts["order"])
    mineral = standing.mineral
    facts = told_of(order) | {"standing": standing.number, "page": f"/orders/{order.number}"}
    facts |= {"quantity": mineral.quantity(what.facts["ordered"]), "mineral": mineral.name}
    if order.pay_until is not None and order.means is Means.STRIPE:
        facts["until"] = f"{order.pay_until:%Y-%m-%d %H:%M} UTC"
    tell(session, to=standing.buyer, kind=Kind.STANDING_FILLED, facts=facts, at=what.at)


def paused(session: Session, what: Occurrence) -> None:
    """The buyer, where nobody of theirs has paused it."""
    standing = standing_in(session, what)
    if standing.reason != BY_BUYER:
        facts = facts_of(standing)
        if order := cancelled_in(standing):
            facts["reason"] = f"You cancelled {order}."
        tell(session, to=standing.buyer, kind=Kind.STANDING_PAUSED, facts=facts, at=what.at)


def expired(session: Session, what: Occurrence) -> None:
    """The buyer."""
    standing = standing_in(session, what)
    tell(session, to=standing.buyer, kind=Kind.STANDING_EXPIRED, facts=facts_of(standing), at=what.at)


def standing_in(session: Session, what: Occurrence) -> StandingOrder:
    return session.get_one(StandingOrder, digits_of(what.subject, "STANDING-"))


def facts_of(standing: StandingOrder) -> dict[str, str]:
    return {
        "standing": standing.number,
        "missing": standing.mineral.quantity(standing.missing),
        "mineral": standing.mineral.name,
        "price": written(standing.price, standing.currency),
        "until": str(standing.until),
        "reason": standing.reason or "",
        "page": f"/standing-orders/{standing.number}",
    }
