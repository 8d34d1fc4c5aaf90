"""Buying by quantity: "2.5 t of cobalt of 2026, oldest first" becomes lines of several offers."""

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.ledger.posting import checked_quantity
from credits.participants.models import Organisation
from credits.payments.catalogue import Sorting, Wish, available_to_sell, offers_like
from credits.payments.models import Currency, Offer
from credits.payments.prices import Split, amount_of, split
from credits.registry.market import Market
from credits.registry.minerals import mineral_of
from credits.registry.policy import Policy

AT_ONCE = 100  # offers that are read together
MOST_LINES = 50  # of one order


class TooLittleOnOffer(Conflict):
    """What is on offer and fits is less than what is wanted, or lies in too many small offers."""

    code = "too_little_on_offer"


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


def fill(
    session: Session,
    *,
    mineral_code: str,
    currency: Currency,
    quantity: int,
    sorting: Sorting,
    wish: Wish,
    buyer: Organisation | None,
    policy: Policy,
    today: date,
) -> list[Line]:
    """Which offers make up `quantity` base units of a mineral, all in one currency, in the order of `sorting`.

    wish: country, level and vintage that are wanted. buyer: whose own offers are passed over.
    Locks nothing. Raises UnknownMineral, BadQuantity, BadAmount, TooLittleOnOffer.
    """
    mineral = mineral_of(mineral_code)
    checked_quantity(quantity)
    wanted = offers_like(replace(wish, mineral_code=mineral_code, currency=currency), sorting, policy, today)
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
    if missing:
        on_offer = quantity - missing
        raise TooLittleOnOffer(
            f"Only {mineral.quantity(on_offer)} of {mineral.name} that fit are on offer in {currency}; "
            f"you want {mineral.quantity(quantity)}.",
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
