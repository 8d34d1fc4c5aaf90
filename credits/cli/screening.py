"""`flask --app wsgi sites screen`: which mine of the open data a site may be, and what was seen there."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import click
from flask import current_app

from credits.cli.sites import sites
from credits.errors import Invalid
from credits.extensions import db
from credits.identity import now
from credits.registry.calendar import months_before
from credits.registry.doubts.screening import Candidate, last_visit, nearest
from credits.registry.doubts.screening_facts import flags_of
from credits.registry.minerals import mineral_of
from credits.registry.mines.ipis import LICENCE, SOURCE
from credits.registry.mines.observations import NEAR_KM
from credits.registry.mines.sites import position

MOST_MATCHES = 10


@dataclass(frozen=True)
class Match:
    """One line of the answer."""

    pcode: str
    name: str
    distance_km: float
    likeness: float
    last_visit: str | None
    flags: list[str]


__all__ = ["sites"]


@sites.command("screen", short_help="Find a mine site among those that IPIS has visited.")
@click.option("--name", required=True, help="What the site is called.")
@click.option("--lat", "latitude", required=True, help="Latitude in decimal degrees, such as -10.7164.")
@click.option("--lon", "longitude", required=True, help="Longitude in decimal degrees, such as 25.4667.")
@click.option("--mineral", help="AU, CO, CU, LI, SN, TA, W or REE.")
@click.option("--limit", default=MOST_MATCHES, show_default=True, type=click.IntRange(1, 100), help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list instead of sentences.")
def screen(name: str, latitude: str, longitude: str, mineral: str | None, limit: int, as_json: bool) -> None:
    """Propose which of the visited sites within 25 km a mine may be, nearest and likest first. A person decides.

    Accents, capitals, the order of words, usual spellings and words such as "carrière" are set aside. Each match
    has the flags that a reviewer would have to answer; "old_data" marks a last visit longer ago than the
    registry's policy allows. Source: IPIS, ODC-BY 1.0.
    """
    try:
        here = position(latitude, longitude)
        code = mineral_of(mineral.strip().upper()).code if mineral else None
        if not name.strip():
            raise Invalid("Say what the site is called.")
    except Invalid as refusal:
        raise click.UsageError(str(refusal)) from None
    old_before = months_before(now().date(), current_app.extensions["policy"].months_to_age)
    found = nearest(db.session(), **here, name=name, limit=limit, mineral=code)
    matches = [_match(candidate, old_before) for candidate in found]
    click.echo(json.dumps([vars(match) for match in matches]) if as_json else _in_words(matches))


def _match(candidate: Candidate, old_before: date) -> Match:
    visit = last_visit(candidate.site)
    flags: list[Any] = [flag.code for flag in flags_of(candidate.site, old_before=old_before)]
    return Match(
        pcode=candidate.site.pcode,
        name=candidate.site.name,
        distance_km=round(candidate.distance_km, 2),
        likeness=round(candidate.likeness, 3),
        last_visit=str(visit.visited_on) if visit else None,
        flags=flags,
    )


def _in_words(matches: list[Match]) -> str:
    if not matches:
        return (
            f"{SOURCE} knows no site within {NEAR_KM} km. That says nothing about the site: nobody may have been there."
        )
    lines = [
        f"{match.name} ({match.pcode}): {match.distance_km:.2f} km away, likeness {match.likeness:.2f}, "
        f"last visit {match.last_visit or 'not known'}; {', '.join(match.flags) or 'no flags'}"
        for match in matches
    ]
    return "\n".join([*lines, f"Source: {SOURCE}, {LICENCE}"])
