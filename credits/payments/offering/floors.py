"""Floors: the lowest price of a credit, by mineral and currency, without conversion.

The registry sets them, with a source. Where none is set, nothing can be offered; the database itself looks at the
newest one.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from credits import ledger
from credits.errors import Conflict
from credits.journal import events
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.participants.wording import line
from credits.payments.models import Currency, Offer, OfferState
from credits.payments.offering.floor_models import Floor
from credits.payments.prices import checked_price, currency_of, parse, written
from credits.registry.minerals import Mineral, mineral_of

KNOWN = Path(__file__).parents[1] / "data" / "floors.toml"
LONGEST_SOURCE = 500  # characters


class NoFloor(Conflict):
    """Nobody has said yet what a credit of this mineral costs at least in this currency."""

    code = "no_floor"


class BelowFloor(Conflict):
    code = "below_floor"


@dataclass(frozen=True)
class Known:
    """A floor that others have set. price: minor units per credit."""

    mineral: Mineral
    currency: Currency
    price: int
    source: str


def set_floor(
    session: Session,
    *,
    mineral_code: str,
    currency: Currency,
    price: int,
    source: str,
    by: User,
    key: str,
    at: datetime,
) -> Floor:
    """Set the floor of a mineral in a currency from now on. Offers below it are closed; orders stay as agreed.

    price: minor units per credit. source: where the figure comes from; public.
    Flushes. Raises NotAllowed, UnknownMineral, BadPrice, UnsoundText.
    """
    must_issue(by)
    asked = {"act": "floor.set", "mineral": mineral_code, "currency": currency.value, "price": price, "source": source}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Floor, earlier["floor"])
    mineral = mineral_of(mineral_code)
    checked_price(price)
    # Who offers at the old floor now is waited for, and its offer found below.
    newest_of(session, mineral, currency, lock=True)
    floor = Floor(
        mineral_code=mineral.code,
        currency=currency,
        price=price,
        source=line(source, "Source", LONGEST_SOURCE),
        set_by=by,
        set_at=at,
    )
    session.add(floor)
    session.flush()
    facts = {"mineral": mineral.code, "currency": currency.value, "price": price, "source": floor.source}
    events.append(session, kind="floor.set", subject=floor.number, actor=by.number, at=at, facts=facts)
    close_below(session, floor, by=by, at=at)
    ledger.settle(session, {"floor": floor.id})
    return floor


def close_below(session: Session, floor: Floor, *, by: User, at: datetime) -> None:
    """Close the open offers that ask for less than `floor`. Flushes."""
    below = (
        select(Offer)
        .where(
            Offer.state == OfferState.OPEN,
            Offer.mineral_code == floor.mineral_code,
            Offer.currency == floor.currency,
            Offer.price < floor.price,
        )
        .order_by(Offer.id)
        .with_for_update(of=Offer)
        .execution_options(populate_existing=True)
    )
    found = session.scalars(below).all()
    for offer in found:
        offer.state, offer.closed_by_id, offer.closed_at = OfferState.CLOSED, by.id, at
    session.flush()
    events.append_all(
        session,
        (
            {
                "kind": "offer.closed",
                "subject": offer.number,
                "actor": by.number,
                "at": at,
                "facts": {"remaining": offer.remaining, "floor": floor.number},
            }
            for offer in found
        ),
    )


def newest_of(session: Session, mineral: Mineral, currency: Currency, *, lock: bool = False) -> Floor | None:
    """The floor that counts. lock: nobody offers under it, or sets another, before this transaction ends."""
    wanted = select(Floor).where(Floor.mineral_code == mineral.code, Floor.currency == currency)
    newest = wanted.order_by(Floor.id.desc()).limit(1)
    if lock:
        session.execute(newest.with_for_update())
    return session.scalars(newest).one_or_none()


def must_reach(session: Session, mineral: Mineral, currency: Currency, price: int) -> None:
    """Raise NoFloor or BelowFloor unless a credit may be sold at `price`. Nobody raises the floor while we go on."""
    wanted = select(Floor).where(Floor.mineral_code == mineral.code, Floor.currency == currency)
    session.execute(wanted.order_by(Floor.id.desc()).limit(1).with_for_update(read=True))
    floor = newest_of(session, mineral, currency)  # who had the lock may have set another
    if floor is None:
        raise NoFloor(
            f"No floor is set yet for {mineral.name} in {currency}. An issuer of the registry sets it, with its "
            "source, before anything is offered.",
            mineral=mineral.code,
            currency=currency.value,
        )
    if price < floor.price:
        raise BelowFloor(
            f"A credit of {mineral.name} costs at least {written(floor.price, currency)}; you asked for "
            f"{written(price, currency)}. {floor.source}.",
            floor=floor.price,
            price=price,
        )


def newest(session: Session) -> list[Floor]:
    """The floors that count now, by mineral and currency."""
    last = select(func.max(Floor.id)).group_by(Floor.mineral_code, Floor.currency)
    wanted = select(Floor).options(joinedload(Floor.set_by)).where(Floor.id.in_(last))
    return list(session.scalars(wanted.order_by(Floor.mineral_code, Floor.currency)))


def earlier_than(session: Session, floor: Floor) -> list[Floor]:
    """The floors of the same mineral and currency before this one, newest first."""
    same = (Floor.mineral_code == floor.mineral_code, Floor.currency == floor.currency, Floor.id < floor.id)
    return list(session.scalars(select(Floor).where(*same).order_by(Floor.id.desc())))


def known() -> Iterator[Known]:
    """The floors that others have set, as they come with the registry."""
    for each in tomllib.loads(KNOWN.read_text(encoding="utf-8"))["floor"]:
        currency = currency_of(each["currency"])
        yield Known(mineral_of(each["mineral"]), currency, parse(each["price"], currency), each["source"])


def seed(session: Session, *, by: User, at: datetime) -> list[Floor]:
    """Set the known floors where none is set. by: an issuer. Flushes. Done twice, it does nothing more."""
    return [
        set_floor(
            session,
            mineral_code=each.mineral.code,
            currency=each.currency,
            price=each.price,
            source=each.source,
            by=by,
            key=f"known-floor-{each.mineral.code}-{each.currency}",
            at=at,
        )
        for each in known()
        if newest_of(session, each.mineral, each.currency) is None
    ]
