"""Who is told of orders: the buyer, the sellers, and the issuers where somebody of the registry has to look."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.notices.models import Notice
from credits.notices.occurrence import Occurrence
from credits.notices.telling import issuers, tell
from credits.notices.wordings import N_, Kind
from credits.participants.models import Organisation, User
from credits.payments.cancelling import BY_BUYER
from credits.payments.looking import order_known_as
from credits.payments.models import Means, Order
from credits.payments.offering.standing import standing_of
from credits.payments.prices import written

TO_PAY = (Kind.ORDER_TO_PAY, Kind.ORDER_LAPSES_SOON, Kind.STANDING_FILLED)
OUTCOMES = {"won": N_("won by the registry"), "lost": N_("lost by the registry")}


def to_pay(session: Session, what: Occurrence) -> None:
    """The buyer, where to send the money; who pays through the provider is at its page already.

    Of what a standing order has found the buyer is told by itself.
    """
    order = order_in(session, what)
    if order.means is Means.BANK_TRANSFER and standing_of(session, order) is None:
        tell_buyer(session, what, order, Kind.ORDER_TO_PAY)


def lapses_soon(session: Session, what: Occurrence) -> None:
    """The buyer, that the days to pay are nearly over."""
    tell_buyer(session, what, order_in(session, what), Kind.ORDER_LAPSES_SOON)


def pay_no_more(session: Session, what: Occurrence) -> None:
    """What asked the buyer to pay this order counts as read: it is paid, or has ended."""
    order = order_in(session, what)
    people = select(User.id).where(User.organisation_id == order.buyer_id)
    asked = select(Notice).where(Notice.person_id.in_(people), Notice.kind.in_(TO_PAY), Notice.read_at.is_(None))
    for notice in session.scalars(asked):
        if notice.facts["order"] == order.number:
            notice.read_at = what.at
    session.flush()


def cancelled(session: Session, what: Occurrence) -> None:
    """The buyer, where nobody of theirs has cancelled it."""
    order = order_in(session, what)
    if order.reason != BY_BUYER:
        tell_buyer(session, what, order, Kind.ORDER_CANCELLED)


def delivered(session: Session, what: Occurrence) -> None:
    """The buyer. The sellers are told of their premium."""
    tell_buyer(session, what, order_in(session, what), Kind.ORDER_DELIVERED)


def kept(session: Session, what: Occurrence) -> None:
    """The buyer, that the credits could not be retired."""
    tell_buyer(session, what, order_in(session, what), Kind.ORDER_KEPT)


def waits(session: Session, what: Occurrence) -> None:
    """Both sides and the issuers, that what is paid cannot be delivered."""
    order = order_in(session, what)
    tell_buyer(session, what, order, Kind.ORDER_WAITS)
    tell_sellers(session, what, order, Kind.ORDER_WAITS)
    tell_issuers(session, what, order, Kind.ORDER_WAITS)


def refunded(session: Session, what: Occurrence) -> None:
    """Both sides."""
    order = order_in(session, what)
    tell_buyer(session, what, order, Kind.ORDER_REFUNDED)
    tell_sellers(session, what, order, Kind.ORDER_REFUNDED)


def surplus(session: Session, what: Occurrence) -> None:
    """The buyer, and the issuers, whose bank may have to send it back."""
    order = order_in(session, what)
    tell_buyer(session, what, order, Kind.PAYMENT_SURPLUS)
    tell_issuers(session, what, order, Kind.PAYMENT_SURPLUS)


def mismatched(session: Session, what: Occurrence) -> None:
    """The issuers, that the provider tells something else than we know."""
    tell_issuers(session, what, order_in(session, what), Kind.PAYMENT_ODD, about=what.facts["differs_in"])


def refunded_elsewhere(session: Session, what: Occurrence) -> None:
    """The issuers, that money went back which nobody here has decided on."""
    tell_issuers(session, what, order_in(session, what), Kind.PAYMENT_ODD, about=what.facts["refund"])


def refund_failed(session: Session, what: Occurrence) -> None:
    """The issuers, that money which was sent back has come back."""
    tell_issuers(session, what, order_in(session, what), Kind.REFUND_FAILED)


def disputed(session: Session, what: Occurrence) -> None:
    """Both sides and the issuers."""
    order = order_in(session, what)
    tell_buyer(session, what, order, Kind.DISPUTE_OPENED)
    tell_sellers(session, what, order, Kind.DISPUTE_OPENED)
    tell_issuers(session, what, order, Kind.DISPUTE_OPENED)


def dispute_extended(session: Session, what: Occurrence) -> None:
    """The buyer and the issuers, that credits which came back are held as well."""
    if "holder" not in what.facts:
        return  # the old hold ends so that one holds all of it
    order = order_in(session, what)
    tell_buyer(session, what, order, Kind.DISPUTE_EXTENDED)
    tell_issuers(session, what, order, Kind.DISPUTE_EXTENDED)


def dispute_recovered(session: Session, what: Occurrence) -> None:
    """The buyer and the issuers, that credits which came back after a lost dispute are the registry's."""
    order = order_in(session, what)
    tell_buyer(session, what, order, Kind.DISPUTE_RECOVERED)
    tell_issuers(session, what, order, Kind.DISPUTE_RECOVERED)


def dispute_closed(session: Session, what: Occurrence) -> None:
    """Both sides and the issuers."""
    order, outcome = order_in(session, what), OUTCOMES[what.facts["outcome"]]
    tell_buyer(session, what, order, Kind.DISPUTE_CLOSED, outcome=outcome)
    tell_sellers(session, what, order, Kind.DISPUTE_CLOSED, outcome=outcome)
    tell_issuers(session, what, order, Kind.DISPUTE_CLOSED, outcome=outcome)


def order_in(session: Session, what: Occurrence) -> Order:
    return order_known_as(session, what.subject)


def tell_buyer(session: Session, what: Occurrence, order: Order, kind: Kind, **more: str) -> None:
    facts = told_of(order) | {"page": f"/orders/{order.number}"} | more
    tell(session, to=order.buyer, kind=kind, facts=facts, at=what.at)


def tell_sellers(session: Session, what: Occurrence, order: Order, kind: Kind, **more: str) -> None:
    sellers: list[Organisation] = list({line.seller_id: line.seller for line in order.lines}.values())
    tell(session, to=sellers, kind=kind, facts=told_of(order) | {"page": "/sold"} | more, at=what.at)


def tell_issuers(session: Session, what: Occurrence, order: Order, kind: Kind, **more: str) -> None:
    facts = told_of(order) | {"page": f"/admin/orders/{order.number}"} | more
    tell(session, to=issuers(session), kind=kind, facts=facts, at=what.at)


def told_of(order: Order) -> dict[str, Any]:
    return {
        "order": order.number,
        "buyer": order.buyer.name,
        "total": written(order.total, order.currency),
        "until": str(order.pay_until.date()) if order.pay_until else "",
        "reason": order.reason or "",
    }
