"""Buying by quantity: "2.5 t of cobalt of 2026, oldest first" becomes lines of several offers."""

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid
from credits.ledger.posting import checked_quantity
from credits.participants.models import Organisation
from credits.payments.models import Offer
from credits.payments.offering.catalogue import Sorting, Wish, available_to_sell, offers_like
from credits.payments.prices import Split, amount_of, split
from credits.registry.market import Market
from credits.registry.minerals import Mineral, mineral_of
from credits.registry.policy import Policy

AT_ONCE = 100  # offers that are read together
MOST_LINES = 50  # of one order


class TooLittleOnOffer(Conflict):
    """What is on offer and fits is less than what is wanted, or lies in too many small offers."""

    code = "too_little_on_offer"


class NoMineralOrCurrency(Invalid):
    code = "no_mineral_or_currency"


@dataclass(frozen=True)
class Line:
    """So many base units of one offer. amount: minor units before tax."""

    offer: Offer
    quantity: int
    amount: int


def line_of(offer: Offer, quantity: int) -> Line:
    """Raises BadQuantity, BadAmount."""
    units = offer.mineral.units_per_credit
    return Line(offer, quantity, amount_of(offer.price, checked_quantity(quantity), units))


def shares_of(lines: list[Line], market: Market) -> Split:
    """Who gets what of all the lines together: each is divided by itself, as an order divides it."""
    return sum((split(line.amount, market) for line in lines), Split(0, 0, 0))


def mineral_wanted(wish: Wish) -> Mineral:
    """The one mineral that is looked for. Raises NoMineralOrCurrency, UnknownMineral."""
    if wish.mineral_code is None or wish.currency is None:
        raise NoMineralOrCurrency("Say of which mineral, and in which currency you pay: an order has one of each.")
    return mineral_of(wish.mineral_code)


def fill(
    session: Session,
    *,
    wish: Wish,
    quantity: int,
    sorting: Sorting,
    buyer: Organisation | None,
    policy: Policy,
    today: date,
) -> list[Line]:
    """Which offers make up `quantity` base units of one mineral in one currency, in the order of `sorting`.

    wish: which offers fit; it names a mineral and a currency. buyer: whose own offers are passed over.
    Locks nothing. Raises NoMineralOrCurrency, UnknownMineral, BadQuantity, BadAmount, TooLittleOnOffer.
    """
    mineral = mineral_wanted(wish)
    checked_quantity(quantity)
    lines = gathered(session, wish=wish, quantity=quantity, sorting=sorting, buyer=buyer, policy=policy, today=today)
    on_offer = sum(line.quantity for line in lines)
    if on_offer < quantity:
        raise TooLittleOnOffer(
            f"Only {mineral.quantity(on_offer)} of {mineral.name} that fit are on offer in {wish.currency}; "
            f"you want {mineral.quantity(quantity)}.{elsewhere(session, wish, policy, today)}",
            asked=quantity,
            on_offer=on_offer,
        )
    if len(lines) > MOST_LINES:
        raise TooLittleOnOffer(
            f"This would take {len(lines)} offers, and an order has {MOST_LINES} at most. Ask for less at once.",
            asked=quantity,
            offers=len(lines),
        )
    return lines


def gathered(
    session: Session,
    *,
    wish: Wish,
    quantity: int,
    sorting: Sorting,
    buyer: Organisation | None,
    policy: Policy,
    today: date,
) -> list[Line]:
    """What there is of `quantity` base units: the lines as `fill` has them, perhaps of less, and as many as it takes.

    Locks nothing. Raises BadAmount.
    """
    wanted = offers_like(wish, sorting, policy, today)
    lines: list[Line] = []
    taken: dict[tuple[int, int], int] = {}
    missing, start = quantity, 0
    while missing and (offers := session.scalars(wanted.limit(AT_ONCE).offset(start)).all()):
        available = available_to_sell(session, offers)
        for offer in offers:
            stock = (offer.seller_id, offer.issuance_id)
            # Several offers may stand on the same credits.
            part = min(missing, offer.remaining, available.get(stock, 0) - taken.get(stock, 0))
            if part > 0 and (buyer is None or offer.seller_id != buyer.id):
                lines.append(line_of(offer, part))
                taken[stock] = taken.get(stock, 0) + part
                missing -= part
        start += AT_ONCE
    return lines


def elsewhere(session: Session, wish: Wish, policy: Policy, today: date) -> str:
    """In which other currencies something fits: a sentence to add, empty where there is nothing."""
    wanted = offers_like(replace(wish, currency=None), Sorting.CHEAPEST, policy, today).limit(AT_ONCE)
    others = sorted({offer.currency for offer in session.scalars(wanted)} - {wish.currency})
    return f" Others are on offer in {', '.join(others)}: choose that currency to see them." if others else ""
