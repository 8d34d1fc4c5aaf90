"""What anybody may look up: serials and their history, sites, organisations, and how much there is of everything."""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Integer, Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from credits.journal.models import Event
from credits.ledger.models import AccountKind, Block, Entry, Posting
from credits.ledger.serials import ISSUANCE, SerialRange, parse, tidied
from credits.participants.models import Kind, Kyc, Organisation
from credits.participants.permissions import NoSuchOrganisation
from credits.registry import queries
from credits.registry.accounts import owners
from credits.registry.minerals import Mineral, mineral_of
from credits.registry.mines.sites import NoSuchSite
from credits.registry.models import Holding, Issuance, Retirement
from credits.registry.production import Batch, Site
from credits.registry.queries import NoSuchIssuance, NoSuchSerial, digits_of

SERIALS = (
    Entry.issuance_id == bindparam("issuance_id"),
    Entry.first <= bindparam("last"),
    Entry.last >= bindparam("first"),
)
# The newest postings before the posting `before` that moved any of these serials: read backwards along an index, so
# that as many rows are looked at as are asked for, and not the whole history.
NEWEST = (
    select(Entry.posting_id)
    .where(*SERIALS, Entry.posting_id < bindparam("before"))
    .group_by(Entry.posting_id)
    .order_by(Entry.posting_id.desc())
    .limit(bindparam("limit", type_=Integer(), literal_execute=True))  # a plan for so many rows
)
MOST_ENTRIES = 2_000
THEN = NEWEST.subquery()
SOURCE, TARGET = aliased(Holding), aliased(Holding)
SENDER, RECIPIENT = aliased(Organisation), aliased(Organisation)
MOVED = (
    select(Entry.posting_id, Entry.from_account_id, Entry.to_account_id, Entry.first, Entry.last)
    .add_columns(Posting.at, Event.kind)
    .add_columns(SOURCE.kind.label("source_kind"), SENDER.id.label("source_id"), SENDER.name.label("source"))
    .add_columns(TARGET.kind.label("target_kind"), RECIPIENT.id.label("target_id"), RECIPIENT.name.label("target"))
    .join(THEN, THEN.c.posting_id == Entry.posting_id)
    .join(Posting, Posting.id == Entry.posting_id)
    .join(Event, Event.id == Posting.event_id)
    .outerjoin(SOURCE, SOURCE.account_id == Entry.from_account_id)
    .outerjoin(SENDER, SENDER.id == SOURCE.organisation_id)
    .join(TARGET, TARGET.account_id == Entry.to_account_id)
    .outerjoin(RECIPIENT, RECIPIENT.id == TARGET.organisation_id)
    .where(*SERIALS)
    .order_by(Entry.posting_id.desc(), Entry.first)
    .limit(MOST_ENTRIES)
)
SHOWN = queries.ISSUANCE.options(
    joinedload(Issuance.producer).load_only(Organisation.name),
    joinedload(Issuance.batch)
    .load_only(Batch.state)
    .joinedload(Batch.site)
    .load_only(Site.country, Site.latitude, Site.longitude),
)
UNIT = re.compile(rf"({ISSUANCE.pattern})-([0-9]{{9,19}})")
ISSUED = select(Issuance.mineral_code, func.sum(Issuance.quantity)).group_by(Issuance.mineral_code)
RETIRED = (
    select(Issuance.mineral_code, func.sum(Retirement.quantity))
    .join(Retirement.issuance)
    .group_by(Issuance.mineral_code)
)
# In the order of Figures.
PRODUCERS = select(func.count()).where(Organisation.kind == Kind.COOPERATIVE, Organisation.kyc == Kyc.APPROVED)
EVERY = (select(func.count(model.id)) for model in (Site, Issuance, Retirement))
COUNTS = select(*(each.scalar_subquery() for each in (PRODUCERS, *EVERY)))
KNOWN_TO_ALL = (Kyc.APPROVED, Kyc.SUSPENDED)  # who is not approved yet, or was refused, is nobody's business


@dataclass(frozen=True)
class Share:
    """How many base units of an issuance stand in one account, and whose it is."""

    holding: Holding
    quantity: int


@dataclass(frozen=True, slots=True)
class Side:
    """Of which kind an account is that serials left or came to, and whose; of nobody where it is the registry's own."""

    kind: AccountKind
    organisation_id: int | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """Serials that went from one account to another in one posting; `source` is None where they were issued.

    event: the kind of what the log tells of it.
    """

    posting_id: int
    at: datetime
    event: str
    units: list[SerialRange]
    source: Side | None
    target: Side


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
    issuance = issuance_shown(session, number)
    must_have(number, issuance.quantity, units)
    return issuance, units


def issuance_shown(session: Session, number: str) -> Issuance:
    """The issuance with this number, with what its page shows of batch, site and producer. Raises NoSuchIssuance."""
    issuance = session.scalars(SHOWN, {"number": number}).one_or_none()
    if issuance is None:
        raise NoSuchIssuance("There is no such issuance.")
    return issuance


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
    asked = {"issuance_id": issuance.id, "first": units.first, "last": units.last, "before": before, "limit": limit}
    grouped: dict[tuple[int, int | None, int], Moved] = {}
    for row in session.execute(MOVED, asked):
        key = (row.posting_id, row.from_account_id, row.to_account_id)
        if key not in grouped:
            source = Side(row.source_kind, row.source_id, row.source) if row.from_account_id is not None else None
            target = Side(row.target_kind, row.target_id, row.target)
            grouped[key] = Moved(row.posting_id, row.at, row.kind, [], source, target)
        grouped[key].units.append(SerialRange(max(row.first, units.first), min(row.last, units.last)))
    return [replace(moved, units=tidied(moved.units)) for moved in grouped.values()]


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
    issued, retired = ({code: int(sum_) for code, sum_ in session.execute(each)} for each in (ISSUED, RETIRED))
    minerals = [MineralFigures(mineral_of(code), issued[code], retired.get(code, 0)) for code in sorted(issued)]
    producers, sites, issuances, retirements = session.execute(COUNTS).one()
    return Figures(producers, sites, issuances, retirements, minerals)
