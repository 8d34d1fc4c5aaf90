"""Sites and their licences: registering a place of production."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid, Missing
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.countries import country
from credits.participants.models import Organisation, User
from credits.participants.permissions import may_register_for
from credits.participants.wording import line, printed
from credits.registry.calendar import checked_period
from credits.registry.mines.observed import ObservedSite
from credits.registry.mines.outlines import must_lie_in
from credits.registry.production import Access, Answer, Licence, Method, Site

MICRO = 1_000_000
MOST_MINERS = 100_000
MOST_TRIES = 10


class BadPosition(Invalid):
    """Coordinates that are not on earth, or that nobody has looked up."""

    code = "bad_position"


class NoSuchSite(Missing):
    code = "no_such_site"


class LicenceKnown(Conflict):
    code = "licence_known"


class SiteKnown(Conflict):
    """The producer has a site of this name in this district."""

    code = "site_known"


class CodesBusy(Conflict):
    """Others took every code that was tried."""

    code = "codes_busy"


@dataclass(frozen=True)
class SiteFacts:
    """What a producer says of a site. latitude, longitude: decimal degrees as text, WGS 84, kept private."""

    name: str
    country: str  # ISO 3166-1 alpha-3
    province: str
    district: str
    latitude: str
    longitude: str
    access: Access
    concession_owner: str
    method: Method
    mercury: Answer
    miners: int
    conflict_affected: Answer
    conflict_source: str
    conflict_checked_on: date | None


def register(session: Session, *, producer: Organisation, facts: SiteFacts, by: User, key: str, at: datetime) -> Site:
    """Register a site of `producer` and give it its code, such as KAM001.

    The same mine is not registered twice: what stands against the one would not be seen at the other.
    Flushes. Raises NotAllowed, BadPosition, OutsideCountry, UnsoundText, Invalid, SiteKnown, CodesBusy.
    """
    may_register_for(by, producer)
    asked = {name: str(value) for name, value in vars(facts).items()} | {"act": "site.register", "for": producer.number}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Site, earlier["site"])
    if not 0 <= facts.miners <= MOST_MINERS:
        raise Invalid(f"The number of miners is between 0 and {MOST_MINERS:,}.", field="miners", asked=facts.miners)
    must_be_told_of_conflict(facts.conflict_affected, facts.conflict_source, facts.conflict_checked_on, at)
    words = described(producer, facts, by, at)
    if known := namesakes_of(session, producer, words["country"], words["district"], words["name"]):
        raise SiteKnown(
            f"{number_of(known[0])} is this producer's site of this name in this district: go on with that one. "
            "If it is another mine, give it a name that tells them apart.",
            site=number_of(known[0]),
        )
    site = coded(session, words)
    events.append(
        session,
        kind="site.registered",
        subject=number_of(site),
        actor=by.number,
        at=at,
        facts={"producer": producer.number, "district": site.district, "access": site.access.value},
        private={"latitude": str(site.latitude), "longitude": str(site.longitude)},
    )
    settle(session, {"site": site.id})
    return site


def must_be_told_of_conflict(affected: Answer, source: str, checked_on: date | None, at: datetime) -> None:
    """Raise Invalid where a yes or no has no source or day, or the day is one of the future."""
    if affected is not Answer.UNKNOWN and not source.strip():
        said = "Say which source tells whether the area is conflict-affected, and when it was looked up."
        raise Invalid(said, field="conflict_source")
    if affected is not Answer.UNKNOWN and checked_on is None:
        said = "Say on which day it was looked up whether the area is conflict-affected."
        raise Invalid(said, field="conflict_checked_on")
    if checked_on is not None and checked_on > at.date():
        said = "The day of the look-up lies in the future."
        raise Invalid(said, field="conflict_checked_on", asked=str(checked_on))


def described(producer: Organisation, facts: SiteFacts, by: User, at: datetime) -> dict[str, Any]:
    """What is written down of a site, but for its code. Raises BadPosition, OutsideCountry, UnsoundText, Invalid."""
    place = position(facts.latitude, facts.longitude)
    must_lie_in(country(facts.country), **place)
    return dict(
        producer=producer,
        name=printed(facts.name, "Name of the site", 120),
        country=country(facts.country),
        province=printed(facts.province, "Province", 120),
        district=printed(facts.district, "District", 120),
        **place,
        access=facts.access,
        concession_owner=printed(facts.concession_owner, "Owner of the concession", 200),
        method=facts.method,
        mercury=facts.mercury,
        miners=facts.miners,
        conflict_affected=facts.conflict_affected,
        conflict_source=printed(facts.conflict_source, "Source", 200) if facts.conflict_source.strip() else "",
        conflict_checked_on=facts.conflict_checked_on,
        registered_by_id=by.id,
        registered_at=at,
    )


def coded(session: Session, words: dict[str, Any]) -> Site:
    """Add a site with the next free code of its country. Flushes. Raises CodesBusy."""
    for _ in range(MOST_TRIES):
        # Somebody else may take the same code before this transaction ends: the database knows, and then says so.
        code = free_code(session, words["country"], words["name"])
        try:
            with session.begin_nested():
                site = Site(code=code, **words)
                session.add(site)
                session.flush()
        except IntegrityError as error:
            if "uq_site_country_code" in str(error.orig) or "site.code" in str(error.orig):
                continue
            raise
        return site
    raise CodesBusy("Many sites of this name are being registered now. Please try again.")


def add_licence(
    session: Session,
    *,
    site: Site,
    number: str,
    authority: str,
    valid_from: date,
    valid_to: date,
    by: User,
    key: str,
    at: datetime,
) -> Licence:
    """Enter a licence of a site. Flushes. Raises NotAllowed, BadPeriod, LicenceKnown, UnsoundText."""
    may_register_for(by, site.producer)
    asked = {"act": "licence.add", "site": site.id, "number": number, "authority": authority}
    asked |= {"from": str(valid_from), "to": str(valid_to)}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Licence, earlier["licence"])
    checked_period(valid_from, valid_to, "Validity of the licence")
    try:
        with session.begin_nested():
            licence = Licence(
                site=site,
                number=line(number, "Number of the licence", 80),
                authority=line(authority, "Issuing authority", 200),
                valid_from=valid_from,
                valid_to=valid_to,
            )
            session.add(licence)
            session.flush()
    except IntegrityError:
        raise LicenceKnown("This site already has a licence with that number.", number=number[:80]) from None
    events.append(
        session,
        kind="licence.added",
        subject=number_of(site),
        actor=by.number,
        at=at,
        facts={"number": licence.number, "from": str(valid_from), "to": str(valid_to)},
    )
    settle(session, {"licence": licence.id})
    return licence


def confirm_match(session: Session, *, site: Site, observed: ObservedSite | None, by: User, at: datetime) -> None:
    """Say which site of the open data this is, or that it is none of them. Flushes. Raises NotAllowed.

    Which one is private: the open data have its exact position.
    """
    may_register_for(by, site.producer)
    if site.pcode == (observed.pcode if observed else None):
        return
    site.observed = observed
    session.flush()
    events.append(
        session,
        kind="site.matched",
        subject=number_of(site),
        actor=by.number,
        at=at,
        facts={"matched": observed is not None},
        private={"pcode": observed.pcode} if observed else None,
    )


def number_of(site: Site) -> str:
    """The public id of a site: COD-KAM001."""
    return f"{site.country}-{site.code}"


def namesakes(session: Session, site: Site) -> list[Site]:
    """Other sites of the same producer that bear the same name in the same district."""
    found = namesakes_of(session, site.producer, site.country, site.district, site.name)
    return [other for other in found if other.id != site.id]


def namesakes_of(session: Session, producer: Organisation, country: str, district: str, name: str) -> list[Site]:
    """A producer's sites of this name in this district, however they are written, oldest first."""
    wanted = select(Site).where(Site.producer_id == producer.id, Site.country == country).order_by(Site.id)
    asked = (bare(district), bare(name))
    return [other for other in session.scalars(wanted) if (bare(other.district), bare(other.name)) == asked]


def bare(text: str) -> str:
    """A name without capitals, accents, spaces and signs: "Île-Été" and "ile ete" are one."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if sign.isalnum())


def position(latitude: str, longitude: str) -> dict[str, int]:
    """Micro-degrees of a position written in decimal degrees. Raises BadPosition."""
    degrees = {"latitude": (latitude, 90), "longitude": (longitude, 180)}
    found: dict[str, int] = {}
    for name, (text, most) in degrees.items():
        if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,15})?", text.strip(), re.ASCII):
            raise BadPosition(f"The {name} is written in decimal degrees, such as -10.71.", asked=text[:40])
        value = Decimal(text.strip())
        if abs(value) > most:
            raise BadPosition(f"The {name} lies between -{most} and {most}.", asked=text[:40])
        found[name] = int(value * MICRO)
    if found == {"latitude": 0, "longitude": 0}:
        raise BadPosition("The position 0, 0 lies in the sea: please look the position up.")
    return found


def letters_of(name: str) -> str:
    """How the codes of sites with this name begin: KAM."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()
    return (re.sub(r"[^A-Z]", "", plain) + "XXX")[:3]


def free_code(session: Session, country_code: str, name: str) -> str:
    """A site code made of the name's first three letters and the next free number: KAM001."""
    letters = letters_of(name)
    taken = session.scalars(
        select(func.count()).where(Site.country == country_code, Site.code.like(f"{letters}%"))
    ).one()
    while True:
        taken += 1
        code = f"{letters}{taken:03d}"
        if session.scalars(select(Site.id).where(Site.country == country_code, Site.code == code)).first() is None:
            return code
