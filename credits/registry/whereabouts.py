"""Where serials are: who has them, or in which retirement they went.

The public's most frequent question. It is answered in one trip, and no more columns are fetched than are told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from credits.ledger.balances import FIRST, LAST, MOST, OF
from credits.ledger.models import AccountKind, Block
from credits.ledger.serials import SerialRange, written
from credits.participants.models import Kind, Organisation, organisation_number
from credits.registry.lookup import Lookup
from credits.registry.minerals import Mineral, mineral_of
from credits.registry.models import Holding, Issuance, RetiredRange, Retirement, retirement_number
from credits.registry.public import must_have, read
from credits.registry.queries import MOST_STANDINGS, NoSuchIssuance

BELOW = aliased(Block)
# The block that covers the first serial is found by one look into the index, however many lie below it.
COVERING = select(func.max(BELOW.first)).where(BELOW.issuance_id == Issuance.id, BELOW.first <= FIRST).scalar_subquery()
HOLDER = (Organisation.id, Organisation.name, Organisation.kind, Organisation.country)
ISSUANCE = select(Issuance.id, Issuance.quantity, Issuance.mineral_code, Issuance.vintage).where(
    Issuance.number == bindparam("number")
)
ISSUED = Lookup(ISSUANCE)
# The limit stands inside: so the blocks are always found first, whatever the database believes of who holds how many.
BLOCKS = (
    ISSUANCE.add_columns(Block.first, Block.last, Block.account_id)
    .join(Block, Block.issuance_id == Issuance.id)
    .where(Block.first >= COVERING, Block.first <= LAST, Block.last >= FIRST)
    .order_by(Block.first)
    .limit(MOST)
    .subquery()
)
NAMED = Lookup(
    select(BLOCKS.c.id, BLOCKS.c.quantity, BLOCKS.c.mineral_code, BLOCKS.c.vintage)
    .add_columns(BLOCKS.c.first, BLOCKS.c.last, Holding.kind, *HOLDER)
    .join(Holding, Holding.account_id == BLOCKS.c.account_id)
    .outerjoin(Organisation, Organisation.id == Holding.organisation_id)
    .order_by(BLOCKS.c.first)
)
EARLIER = (
    select(func.max(RetiredRange.first))
    .where(RetiredRange.issuance_id == OF, RetiredRange.first <= FIRST)
    .scalar_subquery()
)
RETIRED = Lookup(
    select(RetiredRange.first, RetiredRange.last, Retirement.id, Retirement.beneficiary, *HOLDER)
    .join(Retirement, Retirement.id == RetiredRange.retirement_id)
    .join(Organisation, Organisation.id == Retirement.holder_id)
    .where(
        RetiredRange.issuance_id == OF,
        RetiredRange.first >= func.coalesce(EARLIER, FIRST),
        RetiredRange.first <= LAST,
        RetiredRange.last >= FIRST,
    )
    .order_by(RetiredRange.first)
    .limit(MOST)
)


@dataclass(frozen=True, slots=True)
class Holder:
    """As much of an organisation as is told of one that has credits, or had those that it retired."""

    id: int
    name: str
    kind: Kind
    country: str

    @property
    def number(self) -> str:
        return organisation_number(self.id)


@dataclass(frozen=True, slots=True)
class Retired:
    """As much of a retirement as is told of the serials that went into it."""

    id: int
    beneficiary: str

    @property
    def number(self) -> str:
        return retirement_number(self.id)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where serials stand: in an account of this kind, with this holder, or in this retirement."""

    serial: str
    units: SerialRange
    kind: AccountKind
    holder: Holder | None
    retirement: Retired | None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a written serial names, and where that is."""

    issuance: str
    mineral: Mineral
    vintage: int
    units: SerialRange
    places: list[Whereabouts]


def whereabouts(
    session: Session, issuance: Issuance, units: SerialRange, limit: int = MOST_STANDINGS
) -> list[Whereabouts]:
    """Who has which of these serials, or in which retirement they went, lowest first, at most `limit` places.

    The places follow each other without a gap; where the last one ends before `units` does, there are more.
    Raises NoSuchSerial.
    """
    must_have(issuance.number, issuance.quantity, units)
    connection = session.connection()
    return placed(connection, issuance.number, units, limit, blocks_with(connection, issuance.number, units, limit))


def looked_up(connection: Connection, text: str, limit: int = MOST_STANDINGS) -> LookedUp:
    """What a written serial range or a single unit names, and as `whereabouts` where it is.

    Raises BadSerial, NoSuchIssuance, NoSuchSerial.
    """
    number, units = read(text)
    rows = blocks_with(connection, number, units, limit)
    issued = rows or ISSUED.ask(connection, {"number": number})
    if not issued:
        raise NoSuchIssuance("There is no such issuance.")
    _, quantity, mineral_code, vintage, *_ = issued[0]
    must_have(number, quantity, units)
    places = placed(connection, number, units, limit, rows)
    return LookedUp(number, mineral_of(mineral_code), vintage, units, places)


def blocks_with(connection: Connection, number: str, units: SerialRange, limit: int) -> list[Any]:
    """What NAMED finds."""
    return NAMED.ask(connection, {"number": number, "first": units.first, "last": units.last, "most": limit})


def placed(
    connection: Connection, number: str, units: SerialRange, limit: int, rows: Iterable[Any]
) -> list[Whereabouts]:
    """What rows of NAMED come to for `units`."""
    places: list[Whereabouts] = []
    for issuance_id, _, _, _, first, last, kind, *holder in rows:
        standing = SerialRange(max(first, units.first), min(last, units.last))
        if kind == AccountKind.RETIRED:
            places += retired_in(connection, issuance_id, number, standing, limit)
        else:
            places.append(place(number, standing, AccountKind(kind), holder_of(*holder)))
        if len(places) >= limit:
            break
    return places[:limit]


def retired_in(
    connection: Connection, issuance_id: int, number: str, units: SerialRange, limit: int
) -> list[Whereabouts]:
    """The retirements that these retired serials went into, cut to them, at most `limit`.

    Serials that were retired without a retirement, which `flask ledger check` reports, are the registry's.
    """
    asked = {"issuance_id": issuance_id, "first": units.first, "last": units.last, "most": limit}
    rows = RETIRED.ask(connection, asked)
    found: list[Whereabouts] = []
    following = units.first
    for first, last, retirement_id, beneficiary, *holder in rows:
        if following < first:
            found.append(place(number, SerialRange(following, first - 1), AccountKind.RETIRED, None))
        cut = SerialRange(max(first, units.first), min(last, units.last))
        found.append(place(number, cut, AccountKind.RETIRED, holder_of(*holder), Retired(retirement_id, beneficiary)))
        following = cut.last + 1
    if following <= units.last and len(rows) < limit:
        found.append(place(number, SerialRange(following, units.last), AccountKind.RETIRED, None))
    return found


def place(
    number: str, units: SerialRange, kind: AccountKind, holder: Holder | None, retirement: Retired | None = None
) -> Whereabouts:
    return Whereabouts(written(number, units), units, kind, holder, retirement)


def holder_of(id_: int | None, name: str, kind: str, country: str) -> Holder | None:
    """What HOLDER finds; None where the account is the registry's own."""
    return Holder(id_, name, Kind(kind), country) if id_ is not None else None
