"""Where serials are, and what has such a number or name. Public."""

import re
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from flask import url_for

from credits.api.blueprint import Area
from credits.api.schemas.market import Found, SearchQuery, Serials
from credits.errors import CreditsError
from credits.extensions import db
from credits.ledger.serials import ISSUANCE, SerialRange, written
from credits.registry import public, queries
from credits.registry.annotating import Standing, standings_among
from credits.registry.minerals import Mineral
from credits.registry.mines.sites import number_of
from credits.registry.whereabouts import Whereabouts, looked_up

area = Area("serials", "Where serials are, and what has such a number or name.")

MOST_FOUND = 20


@area.get("/serials/<serial>", gives=Serials, public=True)
def show_serials(serial: str) -> SimpleNamespace:
    """A single serial, or a range of them: who holds which part, or in which retirement it went. Public."""
    with db.engine.connect() as connection:  # one question needs no session
        found = looked_up(connection, serial)
    standings = standings_among(db.session(), [each.retirement.id for each in found.places if each.retirement])
    last = found.places[-1].units.last
    return SimpleNamespace(
        serials=written(found.issuance, found.units),
        issuance=found.issuance,
        mineral=found.mineral,
        vintage=found.vintage,
        quantity=found.units.quantity,
        places=[place(found.mineral, each, standings) for each in found.places],
        rest=written(found.issuance, SerialRange(last + 1, found.units.last)) if last < found.units.last else None,
    )


def place(mineral: Mineral, found: Whereabouts, standings: Mapping[int, Standing]) -> SimpleNamespace:
    return SimpleNamespace(
        mineral=mineral,
        serials=found.serial,
        quantity=found.units.quantity,
        state=found.kind.value,
        holder=found.holder,
        retirement=found.retirement.number if found.retirement else None,
        status=standings.get(found.retirement.id, Standing.RETIRED).value if found.retirement else None,
    )


@area.get("/search", takes=SearchQuery, gives=Found(many=True), public=True)
def search(asked: dict[str, Any]) -> list[dict[str, str | None]]:
    """What has this number, serial or name: at most 20 of each kind. Public."""
    return [*numbered(asked["q"]), *named(asked["q"])]


def numbered(text: str) -> Iterator[dict[str, str | None]]:
    """The one thing that has this number or serial, if there is one."""
    tidy = "".join(text.split()).upper() if text.isascii() else ""
    try:
        if re.fullmatch(r"ASMC-R-[0-9]{1,18}", tidy):
            retirement = queries.retirement_numbered(db.session, tidy)
            where = url_for("api.retirements.show_certificate", number=tidy, _external=True)
            yield found("certificate", tidy, retirement.beneficiary, where)
        elif ISSUANCE.fullmatch(tidy):
            issuance = queries.issuance_numbered(db.session, tidy)
            where = url_for("api.issuances.show_issuance", number=tidy, _external=True)
            yield found("issuance", tidy, issuance.producer.name, where)
        elif tidy.startswith("ASMC-"):
            issuance, units = public.units_named(db.session, tidy)
            serials = written(issuance.number, units)
            where = url_for("api.serials.show_serials", serial=serials, _external=True)
            yield found("serials", serials, issuance.producer.name, where)
        elif tidy.startswith("ORG-"):
            organisation = public.organisation_known_as(db.session, tidy)
            where = url_for("api.participants.organisation", number=tidy, _external=True)
            yield found("organisation", tidy, organisation.name, where)
    except CreditsError:
        return  # nothing has this number: a search that finds nothing is no error


def named(text: str) -> Iterator[dict[str, str | None]]:
    for organisation in db.session.scalars(public.organisations_named(text).limit(MOST_FOUND)):
        where = url_for("api.participants.organisation", number=organisation.number, _external=True)
        yield found("organisation", organisation.number, organisation.name, where)
    for site in db.session.scalars(public.sites_named(text).limit(MOST_FOUND)):
        yield found("site", number_of(site), site.name, None)


def found(kind: str, number: str, name: str, url: str | None) -> dict[str, str | None]:
    return {"kind": kind, "number": number, "name": name, "url": url}
