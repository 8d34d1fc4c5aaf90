"""Offers: what a producer sells of its available credits, at a price not below the floor."""

from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict, CreditsError, Missing
from credits.journal import events
from credits.ledger.models import AccountKind
from credits.ledger.posting import checked_quantity
from credits.participants.models import Organisation, User
from credits.participants.permissions import (
    PRODUCERS,
    NoSuchOrganisation,
    NotApproved,
    WrongRole,
    is_auditor,
    is_issuer,
    may_dispose_of,
)
from credits.payments.models import Currency, Offer, OfferState
from credits.payments.offering import floors
from credits.payments.prices import amount_of, checked_price
from credits.registry import queries
from credits.registry.accounts import wait_for_turn
from credits.registry.models import Issuance
from credits.registry.policy import Policy
from credits.registry.queries import digits_of, of_own
from credits.registry.transfer import must_not_be_suspended
from credits.registry.validity import must_not_have_expired


class NotItsProducer(Conflict):
    """Offers are made by who has produced the credits: the premium goes to that site."""

    code = "not_its_producer"


class MoreThanLeft(Conflict):
    """More is offered than is available and not offered already."""

    code = "more_than_left"


class OfferClosed(Conflict):
    code = "offer_closed"


class NoSuchOffer(Missing):
    code = "no_such_offer"


def offer(
    session: Session,
    *,
    seller: Organisation,
    issuance: Issuance,
    quantity: int,
    price: int,
    currency: Currency,
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> Offer:
    """Offer available credits of one issuance to everybody. Nothing moves: others may still be sent, or retired.

    quantity: base units. price: minor units per credit, before tax, all shares included.
    Flushes. Raises NotAllowed, BadPrice, BadQuantity, BadAmount, NotItsProducer, Suspended, Expired, NoFloor,
    BelowFloor, MoreThanLeft.
    """
    may_offer_for(by, seller)
    asked = {"act": "offer.make", "seller": seller.number, "issuance": issuance.number}
    asked |= {"quantity": str(quantity), "price": str(price), "currency": currency.value}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Offer, earlier["offer"])
    checked_quantity(quantity)
    checked_price(price)
    amount_of(price, quantity, issuance.mineral.units_per_credit)
    must_be_its_own(seller, issuance)
    must_not_be_suspended(session, issuance)
    must_not_have_expired(issuance, policy, at)
    floors.must_reach(session, issuance.mineral, currency, price)
    wait_for_turn(session, seller)
    must_be_left(session, seller, issuance, quantity)
    made = Offer(
        seller=seller,
        issuance=issuance,
        mineral_code=issuance.mineral_code,
        quantity=quantity,
        remaining=quantity,
        price=price,
        currency=currency,
        state=OfferState.OPEN,
        offered_by=by,
        offered_at=at,
    )
    session.add(made)
    session.flush()
    facts = {"seller": seller.number, "issuance": issuance.number, "quantity": quantity}
    facts |= {"price": price, "currency": currency.value}
    events.append(session, kind="offer.made", subject=made.number, actor=by.number, at=at, facts=facts)
    ledger.settle(session, {"offer": made.id})
    return made


def close(session: Session, *, offer: Offer, by: User, at: datetime) -> None:
    """Sell no more of it. Orders that were placed go on. Flushes. Raises NotAllowed, OfferClosed."""
    may_offer_for(by, offer.seller)
    session.refresh(offer, with_for_update=True)
    if offer.state is OfferState.CLOSED:
        raise OfferClosed(f"{offer.number} is closed already.", offer=offer.number)
    offer.state, offer.closed_by_id, offer.closed_at = OfferState.CLOSED, by.id, at
    session.flush()
    facts = {"remaining": offer.remaining}
    events.append(session, kind="offer.closed", subject=offer.number, actor=by.number, at=at, facts=facts)


def may_offer_for(by: User, seller: Organisation) -> None:
    """A manager of the producer, or of its group manager, or an issuer of the registry for it.

    Raises NoSuchOrganisation for strangers, NotApproved, WrongRole.
    """
    if seller.kind not in PRODUCERS:
        if by.organisation_id != seller.id and not is_issuer(by):
            raise NoSuchOrganisation("There is no such organisation.")
        raise WrongRole("Credits are offered by their producers alone.")
    if not is_issuer(by):
        may_dispose_of(by, seller)
    elif not seller.approved:
        raise NotApproved(f"The registry has to approve {seller.name} first.", organisation=seller.number)


def may_offer(by: User, seller: Organisation) -> bool:
    """Whether `by` could offer credits of `seller`: what pages show."""
    try:
        may_offer_for(by, seller)
    except CreditsError:
        return False
    return True


def must_be_its_own(seller: Organisation, issuance: Issuance) -> None:
    """Raise NotItsProducer where another one has produced the credits."""
    if issuance.producer_id != seller.id:
        raise NotItsProducer(
            f"Only {issuance.producer.name} can offer credits of {issuance.number}: the premium goes to its site.",
            issuance=issuance.number,
        )


def must_be_left(session: Session, seller: Organisation, issuance: Issuance, quantity: int) -> None:
    """Raise MoreThanLeft where less is available that is not offered yet."""
    available = queries.held_of(session, seller, issuance).by_kind.get(AccountKind.AVAILABLE, 0)
    on_offer = offered_of(session, seller, issuance)
    if quantity > available - on_offer:
        mineral = issuance.mineral
        already = f", and {mineral.quantity(on_offer)} of them are on offer already" if on_offer else ""
        raise MoreThanLeft(
            f"You asked to offer {mineral.quantity(quantity)}, but {mineral.quantity(available)} are available"
            f"{already}.",
            asked=quantity,
            available=available,
            on_offer=on_offer,
        )


def offered_of(session: Session, seller: Organisation, issuance: Issuance) -> int:
    """Base units of an issuance that its producer has on offer."""
    wanted = select(func.coalesce(func.sum(Offer.remaining), 0)).where(
        Offer.issuance_id == issuance.id, Offer.seller_id == seller.id, Offer.state == OfferState.OPEN
    )
    return int(session.scalars(wanted).one())


def all_offered(session: Session, seller: Organisation) -> dict[int, int]:
    """Base units that a seller has on offer, by the id of the issuance."""
    wanted = select(Offer.issuance_id, func.sum(Offer.remaining)).where(
        Offer.seller_id == seller.id, Offer.state == OfferState.OPEN, Offer.remaining > 0
    )
    return {issuance: int(amount) for issuance, amount in session.execute(wanted.group_by(Offer.issuance_id))}


def offers_of(by: User) -> Select[Offer]:
    """The offers, open and closed, of one's own organisation and its group; all for the registry. Newest first."""
    wanted = select(Offer).order_by(Offer.id.desc())
    if is_issuer(by) or is_auditor(by):
        return wanted
    return wanted.where(Offer.seller_id.in_(select(Organisation.id).where(of_own(by))))


def last_currency(session: Session, seller: Organisation) -> Currency | None:
    """The currency of a producer's newest offer."""
    wanted = select(Offer.currency).where(Offer.seller_id == seller.id).order_by(Offer.id.desc()).limit(1)
    return session.scalars(wanted).one_or_none()


def offer_numbered(session: Session, number: str) -> Offer:
    """The offer with this public number, open or closed. Raises NoSuchOffer."""
    found = session.get(Offer, digits_of(number, "OFFER-"))
    if found is None or found.number != number:
        raise NoSuchOffer("There is no such offer.")
    return found


def own_offer(session: Session, by: User, number: str) -> Offer:
    """The offer with this number, if `by` may see it among its organisation's. Raises NoSuchOffer."""
    found = session.scalars(offers_of(by).where(Offer.id == digits_of(number, "OFFER-"))).one_or_none()
    if found is None:
        raise NoSuchOffer("There is no such offer.")
    return found
