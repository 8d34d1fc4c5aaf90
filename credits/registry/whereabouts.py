"""Where serials are: who has them, or in which retirement they went."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from credits.ledger import balances
from credits.ledger.models import AccountKind
from credits.ledger.serials import SerialRange, written
from credits.participants.models import Organisation
from credits.registry.accounts import owners
from credits.registry.models import Holding, Issuance, RetiredRange, Retirement
from credits.registry.queries import MOST_STANDINGS, NoSuchSerial


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
    if units.last > issuance.quantity:
        raise NoSuchSerial(
            f"Issuance {issuance.number} has serials 1 to {issuance.quantity} only.", last=issuance.quantity
        )
    found = balances.standings(session, issuance_id=issuance.id, units=units, limit=limit)
    holdings = owners(session, [standing.account_id for standing in found])
    places: list[Whereabouts] = []
    for standing in found:
        holding = holdings[standing.account_id]
        if holding.kind is AccountKind.RETIRED:
            places += retired_in(session, issuance, standing.units, holding, limit)
        else:
            places.append(place(issuance, standing.units, holding))
        if len(places) >= limit:
            break
    return places[:limit]


def retired_in(
    session: Session, issuance: Issuance, units: SerialRange, holding: Holding, limit: int
) -> list[Whereabouts]:
    """The retirements that these retired serials went into, cut to them, at most `limit`.

    Serials that were retired without a retirement, which `flask ledger check` reports, are the registry's.
    """
    own = RetiredRange.issuance_id == issuance.id
    earlier = select(func.max(RetiredRange.first)).where(own, RetiredRange.first <= units.first)
    rows = session.execute(
        select(RetiredRange, Retirement)
        .join(Retirement, Retirement.id == RetiredRange.retirement_id)
        .where(
            own,
            RetiredRange.first >= func.coalesce(earlier.scalar_subquery(), units.first),
            RetiredRange.first <= units.last,
            RetiredRange.last >= units.first,
        )
        .options(joinedload(Retirement.holder))
        .order_by(RetiredRange.first)
        .limit(limit)
    ).all()
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
