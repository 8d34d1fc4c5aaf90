"""What anybody may look up: serials and their history, sites, organisations, and how much there is of everything."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, joinedload

from credits.journal.models import Event
from credits.ledger.models import Block, Entry, Posting
from credits.ledger.serials import ISSUANCE, SerialRange, parse, tidied
from credits.participants.models import Kind, Kyc, Organisation
from credits.participants.permissions import NoSuchOrganisation
from credits.registry.accounts import owners
from credits.registry.minerals import Mineral, mineral_of
from credits.registry.mines.sites import NoSuchSite
from credits.registry.models import Holding, Issuance, Retirement
from credits.registry.production import Site
from credits.registry.queries import NoSuchSerial, digits_of, issuance_numbered

UNIT = re.compile(rf"({ISSUANCE.pattern})-([0-9]{{9,19}})")
KNOWN_TO_ALL = (Kyc.APPROVED, Kyc.SUSPENDED)  # who is not approved yet, or was refused, is nobody's business
MOST_ENTRIES = 2_000


@dataclass(frozen=True)
class Share:
    """How many base units of an issuance stand in one account, and whose it is."""

    holding: Holding
    quantity: int


@dataclass(frozen=True)
class Moved:
    """Serials that went from one account to another in one posting; `source` is None where they were issued.

    event: the kind of what the log tells of it.
    """

    posting_id: int
    at: datetime
    event: str
    units: list[SerialRange]
    source: Holding | None
    target: Holding


@dataclass(frozen=True)
class MineralFigures:
    """Base units of one mineral issued and retired so far."""

    mineral: Mineral
    issued: int
    retired: int


@dataclass(frozen=True)
class Figures:
    """How much there is of everything."""

    producers: int
    sites: int
    issuances: int
    retirements: int
    minerals: list[MineralFigures]


def units_named(session: Session, text: str) -> tuple[Issuance, SerialRange]:
    """What a written serial range, or a single unit such as ISSUANCE-000000005, names.

    Raises BadSerial, NoSuchIssuance, NoSuchSerial.
    """
    number, units = read(text)
    issuance = issuance_numbered(session, number)
    must_have(number, issuance.quantity, units)
    return issuance, units


def read(text: str) -> tuple[str, SerialRange]:
    """The issuance's number and the units in a written serial range, or in a single unit. Raises BadSerial."""
    single = UNIT.fullmatch("".join(text.split()).upper()) if text.isascii() else None
    return (single[1], SerialRange(int(single[2]), int(single[2]))) if single is not None else parse(text)


def must_have(number: str, quantity: int, units: SerialRange) -> None:
    """Raise NoSuchSerial where the issuance of this number and quantity has not so many serials."""
    if units.last > quantity:
        raise NoSuchSerial(f"Issuance {number} has serials 1 to {quantity} only.", last=quantity)


def shares(session: Session, issuance: Issuance) -> list[Share]:
    """Who has how much of an issuance now, the largest share first."""
    rows = session.execute(
        select(Block.account_id, func.sum(Block.last - Block.first + 1))
        .where(Block.issuance_id == issuance.id)
        .group_by(Block.account_id)
    ).all()
    holdings = owners(session, [account_id for account_id, _ in rows])
    found = [Share(holdings[account_id], int(quantity)) for account_id, quantity in rows]
    return sorted(found, key=lambda share: (-share.quantity, share.holding.account_id))


def history(session: Session, issuance: Issuance, units: SerialRange, *, before: int, limit: int) -> list[Moved]:
    """The newest `limit` postings older than the posting `before` that moved any of these serials, newest first."""
    postings = session.scalars(newest_postings(issuance.id, units, before=before).limit(limit)).all()
    rows = session.execute(
        select(Entry, Posting.at, Event.kind)
        .join(Posting, Posting.id == Entry.posting_id)
        .join(Event, Event.id == Posting.event_id)
        .where(*touching(issuance.id, units), Entry.posting_id.in_(postings))
        .order_by(Entry.posting_id.desc(), Entry.first)
        .limit(MOST_ENTRIES)
    ).all()
    accounts = {entry.to_account_id for entry, *_ in rows}
    accounts |= {entry.from_account_id for entry, *_ in rows if entry.from_account_id is not None}
    holdings = owners(session, accounts)
    grouped: dict[tuple[int, int | None, int], tuple[datetime, str, list[SerialRange]]] = {}
    for entry, at, event in rows:
        key = (entry.posting_id, entry.from_account_id, entry.to_account_id)
        cut = SerialRange(max(entry.first, units.first), min(entry.last, units.last))
        grouped.setdefault(key, (at, event, []))[2].append(cut)
    return [
        Moved(posting_id, at, event, tidied(ranges), holdings[source] if source is not None else None, holdings[target])
        for (posting_id, source, target), (at, event, ranges) in grouped.items()
    ]


def newest_postings(issuance_id: int, units: SerialRange, *, before: int) -> Select[int]:
    """The ids of the postings before `before` that moved any of these serials, newest first.

    Read backwards along an index, so that as many rows are looked at as are asked for, and not the whole history.
    """
    wanted = select(Entry.posting_id).where(*touching(issuance_id, units), Entry.posting_id < before)
    return wanted.group_by(Entry.posting_id).order_by(Entry.posting_id.desc())


def touching(issuance_id: int, units: SerialRange) -> tuple[ColumnElement[bool], ...]:
    """Conditions on an entry: that it moved any of these serials."""
    return Entry.issuance_id == issuance_id, Entry.first <= units.last, Entry.last >= units.first


def site_known_as(session: Session, number: str) -> Site:
    """The site with the public number COD-KAM001. Raises NoSuchSite."""
    country, _, code = number.partition("-")
    site = session.scalars(select(Site).where(Site.country == country, Site.code == code)).one_or_none()
    if site is None:
        raise NoSuchSite("There is no such site.")
    return site


def organisation_known_as(session: Session, number: str) -> Organisation:
    """The organisation with the public number ORG-000012, if it takes part. Raises NoSuchOrganisation."""
    found = session.get(Organisation, digits_of(number, "ORG-"))
    if found is None or found.number != number or found.kyc not in KNOWN_TO_ALL:
        raise NoSuchOrganisation("There is no such organisation.")
    return found


def organisations_named(text: str) -> Select[Organisation]:
    """Organisations that take part whose name holds `text`, by name."""
    return (
        select(Organisation)
        .where(Organisation.kyc.in_(KNOWN_TO_ALL), Organisation.name.icontains(text, autoescape=True))
        .order_by(Organisation.name, Organisation.id)
    )


def sites_named(text: str) -> Select[Site]:
    """Sites whose name, code or district holds `text`, by name."""
    holds = [column.icontains(text, autoescape=True) for column in (Site.name, Site.code, Site.district)]
    return select(Site).options(joinedload(Site.producer)).where(holds[0] | holds[1] | holds[2]).order_by(Site.name)


def sites_worked_by(organisation: Organisation) -> Select[Site]:
    return select(Site).where(Site.producer_id == organisation.id).order_by(Site.name, Site.id)


def issuances_from(site: Site) -> Select[Issuance]:
    return select(Issuance).where(Issuance.site_id == site.id).order_by(Issuance.id.desc())


def retirements_by(organisation: Organisation) -> Select[Retirement]:
    wanted = select(Retirement).options(joinedload(Retirement.issuance))
    return wanted.where(Retirement.holder_id == organisation.id).order_by(Retirement.id.desc())


def figures(session: Session) -> Figures:
    """How much there is of everything, for the first page."""
    issued = by_mineral(session, select(Issuance.mineral_code, func.sum(Issuance.quantity)))
    retired = by_mineral(
        session, select(Issuance.mineral_code, func.sum(Retirement.quantity)).join(Retirement.issuance)
    )
    producers = select(func.count()).where(Organisation.kind == Kind.COOPERATIVE, Organisation.kyc == Kyc.APPROVED)
    return Figures(
        producers=session.scalars(producers).one(),
        sites=session.scalars(select(func.count(Site.id))).one(),
        issuances=session.scalars(select(func.count(Issuance.id))).one(),
        retirements=session.scalars(select(func.count(Retirement.id))).one(),
        minerals=[MineralFigures(mineral_of(code), issued[code], retired.get(code, 0)) for code in sorted(issued)],
    )


def by_mineral(session: Session, wanted: Select[str, int]) -> dict[str, int]:
    return {code: int(quantity) for code, quantity in session.execute(wanted.group_by(Issuance.mineral_code))}
