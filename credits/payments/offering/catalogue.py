"""The catalogue: which offers anybody can buy from now, and how much is left of each."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session, selectinload

from credits.db import Day
from credits.errors import Conflict
from credits.ledger.models import AccountKind, Block
from credits.participants.models import Kyc, Organisation
from credits.payments.models import Currency, Offer, OfferState
from credits.registry.calendar import months_before
from credits.registry.models import Holding, Issuance
from credits.registry.policy import Policy
from credits.registry.production import Assurance, Batch, BatchState, Site
from credits.registry.queries import digits_of


class NotSoMuchLeft(Conflict):
    code = "not_so_much_left"


class Sorting(StrEnum):
    """In which order offers are listed, and taken to fill a quantity."""

    NEWEST = "newest"  # offered last
    CHEAPEST = "cheapest"  # by mineral and currency
    OLDEST = "oldest"  # produced first


ORDERS: dict[Sorting, tuple[Any, ...]] = {
    Sorting.NEWEST: (Offer.id.desc(),),
    Sorting.CHEAPEST: (Offer.mineral_code, Offer.currency, Offer.price, Batch.produced_to, Offer.id),
    Sorting.OLDEST: (Batch.produced_to, Offer.issuance_id, Offer.price, Offer.id),
}


@dataclass(frozen=True)
class Wish:
    """Which offers are looked for; what is None or empty does not matter.

    text: part of a name, or a number. highest: minor units a credit may cost.
    """

    mineral_code: str | None = None
    currency: Currency | None = None
    country: str | None = None
    level: str | None = None
    vintage: int | None = None
    text: str = ""
    highest: int | None = None


@dataclass(frozen=True)
class Found:
    """What the offers of the catalogue have, for its filters."""

    minerals: list[str]
    currencies: list[str]
    countries: list[str]
    levels: list[str]
    vintages: list[int]


def on_sale(policy: Policy, today: date) -> Select[Offer]:
    """The open offers of which something can be bought today: available, not suspended, not expired.

    Joined with the issuance, its batch, assurance and site, and the seller, to filter and sort by.
    """
    return on_sale_from(oldest_valid(policy, today))


def oldest_valid(policy: Policy, today: date) -> date:
    """The last day of production of what expires today."""
    return months_before(today, policy.months_valid)


def on_sale_from(oldest: date | BindParameter[date]) -> Select[Offer]:
    """oldest: the day that production may have ended on, or a later one."""
    return (
        select(Offer)
        .join(Issuance, Issuance.id == Offer.issuance_id)
        .join(Batch, Batch.id == Issuance.batch_id)
        .join(Assurance, Assurance.id == Batch.assurance_id)
        .join(Site, Site.id == Issuance.site_id)
        .join(Organisation, Organisation.id == Offer.seller_id)
        .where(
            Offer.state == OfferState.OPEN,
            Offer.remaining > 0,
            Organisation.kyc == Kyc.APPROVED,
            Batch.state == BatchState.ISSUED,
            Batch.produced_to >= oldest,
            something_available(),
        )
    )


def something_available() -> ColumnElement[bool]:
    """That the seller of an offer still has available credits of its issuance."""
    return exists().where(
        Holding.organisation_id == Offer.seller_id,
        Holding.kind == AccountKind.AVAILABLE,
        Block.account_id == Holding.account_id,
        Block.issuance_id == Offer.issuance_id,
    )


# Asked on every page of a serial, so they are put together once.
AVAILABLE = (
    select(Holding.organisation_id, Block.issuance_id, func.sum(Block.last - Block.first + 1))
    .join(Block, Block.account_id == Holding.account_id)
    .where(
        Holding.organisation_id.in_(bindparam("sellers", expanding=True)),
        Holding.kind == AccountKind.AVAILABLE,
        Block.issuance_id.in_(bindparam("issuances", expanding=True)),
    )
    .group_by(Holding.organisation_id, Block.issuance_id)
)
OF_ISSUANCE = (
    on_sale_from(bindparam("oldest", type_=Day()))
    .where(Offer.issuance_id == bindparam("issuance_id"))
    .order_by(*ORDERS[Sorting.CHEAPEST])
    .limit(bindparam("most"))
)


def offers_like(wish: Wish, sorting: Sorting, policy: Policy, today: date) -> Select[Offer]:
    """The offers of the catalogue that fit, in their order, with all that a row shows."""
    wanted = on_sale(policy, today)
    for column, only in (
        (Offer.mineral_code, wish.mineral_code),
        (Offer.currency, wish.currency),
        (Site.country, wish.country),
        (Assurance.level, wish.level),
        (Issuance.vintage, wish.vintage),
    ):
        if only is not None:
            wanted = wanted.where(column == only)
    if wish.highest is not None:
        wanted = wanted.where(Offer.price <= wish.highest)
    if wish.text:
        wanted = wanted.where(or_(*about(wish.text)))
    return wanted.order_by(*ORDERS[sorting]).options(*shown())


def about(text: str) -> list[ColumnElement[bool]]:
    """Conditions on an offer of the catalogue: its number, issuance, site, district, country's code or seller."""
    named = (Site.name, Site.district, Site.province, Organisation.name, Issuance.number)
    holds = [column.icontains(text, autoescape=True) for column in named]
    return [*holds, Offer.id == digits_of(text.upper(), "OFFER-")]


def shown() -> tuple[Any, ...]:
    """What is read together with offers: a few rows at a time, each once."""
    of_issuance = selectinload(Offer.issuance)
    return (
        selectinload(Offer.seller),
        of_issuance.selectinload(Issuance.batch).selectinload(Batch.assurance),
        of_issuance.selectinload(Issuance.batch).selectinload(Batch.site),
    )


def left(session: Session, offers: Collection[Offer]) -> dict[int, int]:
    """How many base units of each offer can be bought now, by its id: what remains of it, and is still available."""
    available = available_to_sell(session, offers)
    return {
        offer.id: min(offer.remaining, available.get((offer.seller_id, offer.issuance_id), 0))
        if offer.state is OfferState.OPEN
        else 0
        for offer in offers
    }


def available_to_sell(session: Session, offers: Iterable[Offer]) -> dict[tuple[int, int], int]:
    """Base units that each seller has available of each issuance, by their ids."""
    pairs = {(offer.seller_id, offer.issuance_id) for offer in offers}
    if not pairs:
        return {}
    sellers, issuances = ({pair[place] for pair in pairs} for place in (0, 1))
    rows = session.execute(AVAILABLE, {"sellers": list(sellers), "issuances": list(issuances)})
    return {(seller, issuance): int(quantity) for seller, issuance, quantity in rows if seller is not None}


def must_be_left(offer: Offer, quantity: int, left: int) -> None:
    """Raise NotSoMuchLeft where of an offer less than `quantity` base units is left."""
    if quantity > left:
        mineral = offer.mineral
        raise NotSoMuchLeft(
            f"Of {offer.number} {mineral.in_credits(left)} credits ({mineral.quantity(left)}) are left; you want "
            f"{mineral.in_credits(quantity)}.",
            asked=quantity,
            left=left,
        )


def found_in(session: Session, policy: Policy, today: date) -> Found:
    """What can be chosen in the catalogue's filters now."""
    columns = (Offer.mineral_code, Offer.currency, Site.country, Assurance.level, Issuance.vintage)
    rows = session.execute(on_sale(policy, today).with_only_columns(*columns).distinct()).all()
    distinct: Callable[[int], list[Any]] = lambda place: sorted({row[place] for row in rows})  # noqa: E731
    return Found(distinct(0), [str(each) for each in distinct(1)], distinct(2), distinct(3), distinct(4))


def most_offered(session: Session, policy: Policy, today: date) -> tuple[str, Currency] | None:
    """The mineral and currency of which there are most offers now; None where nothing is for sale."""
    pair = (Offer.mineral_code, Offer.currency)
    counted = on_sale(policy, today).with_only_columns(*pair).group_by(*pair).order_by(func.count().desc(), *pair)
    row = session.execute(counted.limit(1)).one_or_none()
    return (row[0], row[1]) if row is not None else None


def of_issuance(session: Session, issuance: Issuance, policy: Policy, today: date, most: int) -> list[Offer]:
    """The first offers of one issuance that can be bought from now, the cheapest of each currency first."""
    asked = {"oldest": oldest_valid(policy, today), "issuance_id": issuance.id, "most": most}
    return list(session.scalars(OF_ISSUANCE, asked))


def from_site(session: Session, site: Site, policy: Policy, today: date, most: int) -> list[Offer]:
    """The first offers from one site that can be bought from now, the cheapest first."""
    wanted = on_sale(policy, today).where(Issuance.site_id == site.id)
    return list(session.scalars(wanted.order_by(*ORDERS[Sorting.CHEAPEST]).limit(most)))
