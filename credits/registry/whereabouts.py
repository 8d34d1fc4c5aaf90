"""Where serials are: who has them, or in which retirement they went."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased, joinedload, load_only

from credits.ledger import balances
from credits.ledger.balances import FIRST, LAST, MOST, OF
from credits.ledger.models import AccountKind, Block
from credits.ledger.serials import SerialRange, written
from credits.participants.models import Organisation
from credits.registry.models import Holding, Issuance, RetiredRange, Retirement
from credits.registry.public import must_have, read
from credits.registry.queries import MOST_STANDINGS, issuance_numbered

# Put together once, and the public's most frequent question is answered in one trip: what is this, and where is it?
STANDINGS = (
    balances.STANDINGS.add_columns(Holding)
    .join(Holding, Holding.account_id == Block.account_id)
    .options(joinedload(Holding.organisation))
)
BELOW = aliased(Block)
COVERING = select(func.max(BELOW.first)).where(BELOW.issuance_id == Issuance.id, BELOW.first <= FIRST).scalar_subquery()
NAMED = (
    select(Block.first, Block.last, Holding, Issuance)
    .join(Issuance, Issuance.id == Block.issuance_id)
    .join(Holding, Holding.account_id == Block.account_id)
    .where(Issuance.number == bindparam("number"), Block.first >= COVERING, Block.first <= LAST, Block.last >= FIRST)
    .options(
        # No more than is told: each column takes time.
        load_only(Issuance.number, Issuance.quantity, Issuance.mineral_code, Issuance.vintage),
        joinedload(Holding.organisation).load_only(Organisation.name, Organisation.kind, Organisation.country),
    )
    .order_by(Block.first)
    .limit(MOST)
)
EARLIER = (
    select(func.max(RetiredRange.first))
    .where(RetiredRange.issuance_id == OF, RetiredRange.first <= FIRST)
    .scalar_subquery()
)
RETIRED = (
    select(RetiredRange, Retirement)
    .join(Retirement, Retirement.id == RetiredRange.retirement_id)
    .where(
        RetiredRange.issuance_id == OF,
        RetiredRange.first >= func.coalesce(EARLIER, FIRST),
        RetiredRange.first <= LAST,
        RetiredRange.last >= FIRST,
    )
    .options(joinedload(Retirement.holder))
    .order_by(RetiredRange.first)
    .limit(MOST)
)


@dataclass(frozen=True)
class Whereabouts:
    """Where serials stand: in an account of this kind, with this holder, or in this retirement."""

    serial: str
    units: SerialRange
    kind: AccountKind
    holder: Organisation | None
    retirement: Retirement | None


def whereabouts(
    session: Session, issuance: Issuance, units: SerialRange, limit: int = MOST_STANDINGS
) -> list[Whereabouts]:
    """Who has which of these serials, or in which retirement they went, lowest first, at most `limit` places.

    The places follow each other without a gap; where the last one ends before `units` does, there are more.
    Raises NoSuchSerial.
    """
    must_have(issuance, units)
    rows = session.execute(STANDINGS, balances.of(issuance.id, units, limit))
    blocks = ((first, last, holding) for first, last, _account, holding in rows)
    return placed(session, issuance, units, limit, blocks)


def looked_up(
    session: Session, text: str, limit: int = MOST_STANDINGS
) -> tuple[Issuance, SerialRange, list[Whereabouts]]:
    """What a written serial range or a single unit names, and as `whereabouts` where it is.

    Raises BadSerial, NoSuchIssuance, NoSuchSerial.
    """
    number, units = read(text)
    rows = session.execute(NAMED, {"number": number, "first": units.first, "last": units.last, "most": limit}).all()
    issuance = rows[0].Issuance if rows else issuance_numbered(session, number)
    must_have(issuance, units)
    blocks = ((first, last, holding) for first, last, holding, _issuance in rows)
    return issuance, units, placed(session, issuance, units, limit, blocks)


def placed(
    session: Session, issuance: Issuance, units: SerialRange, limit: int, blocks: Iterable[tuple[int, int, Holding]]
) -> list[Whereabouts]:
    """What blocks, given as first and last serial and whose they are, come to for `units`."""
    places: list[Whereabouts] = []
    for first, last, holding in blocks:
        standing = SerialRange(max(first, units.first), min(last, units.last))
        if holding.kind is AccountKind.RETIRED:
            places += retired_in(session, issuance, standing, holding, limit)
        else:
            places.append(place(issuance, standing, holding))
        if len(places) >= limit:
            break
    return places[:limit]


def retired_in(
    session: Session, issuance: Issuance, units: SerialRange, holding: Holding, limit: int
) -> list[Whereabouts]:
    """The retirements that these retired serials went into, cut to them, at most `limit`.

    Serials that were retired without a retirement, which `flask ledger check` reports, are the registry's.
    """
    asked = balances.of(issuance.id, units, limit)
    rows = session.execute(RETIRED, asked).all()
    found: list[Whereabouts] = []
    following = units.first
    for each, retirement in rows:
        if following < each.first:
            found.append(place(issuance, SerialRange(following, each.first - 1), holding))
        cut = SerialRange(max(each.first, units.first), min(each.last, units.last))
        serial = written(issuance.number, cut)
        found.append(Whereabouts(serial, cut, AccountKind.RETIRED, retirement.holder, retirement))
        following = cut.last + 1
    if following <= units.last and len(rows) < limit:
        found.append(place(issuance, SerialRange(following, units.last), holding))
    return found


def place(issuance: Issuance, units: SerialRange, holding: Holding) -> Whereabouts:
    return Whereabouts(written(issuance.number, units), units, holding.kind, holding.organisation, None)
