"""What others have seen at mine sites: entering the visits that IPIS publishes."""

import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar, cast

from sqlalchemy import Table, bindparam, insert, select, text, update
from sqlalchemy.orm import Session

from credits.db import dialect_of
from credits.errors import Missing
from credits.journal import events
from credits.registry.mines.ipis import COUNTRY, LICENCE, SOURCE, Reading, Rejection, Visit, Watch, place_of, unwatched
from credits.registry.mines.observed import ObservedSite, SiteObservation

T = TypeVar("T")
SITE, OBSERVATION = cast(Table, ObservedSite.__table__), cast(Table, SiteObservation.__table__)

AT_ONCE = 1_000  # rows a statement; SQLite and PostgreSQL both limit the values of one
EARTH_KM = 6371.0088  # mean radius
KM_A_DEGREE = math.pi * EARTH_KM / 180
NEAR_KM = 25  # positions of one site in two sources differ by less
MICRO = 1_000_000


class NoSuchObservedSite(Missing):
    code = "no_such_observed_site"


@dataclass(frozen=True)
class Entered:
    """What became of a file.

    rows: all rows below the header that are not blank.
    observations: different visits among the sound rows; sites: different sites that these belong to.
    created: visits that the registry did not have; updated: visits that it had with other values, and has with
    these now. The other visits were known just so.
    rejected: the rows that were left out, in the order of the file.
    """

    rows: int
    sites: int
    observations: int
    created: int
    updated: int
    rejected: list[Rejection]


# A site as its row is, and its visits by number: when, and what was recorded.
SiteRow = dict[str, Any]
Visits = dict[int, tuple[date, dict[str, str]]]


def enter(session: Session, reading: Reading, *, actor: str, at: datetime, watch: Watch = unwatched) -> Entered:
    """Enter the visits of a file: new ones are added, changed ones brought up to date, none is taken away.

    A site is described by its newest visit, of the file or known before; an empty cell never hides what an
    older visit knew. A visit stays with its site: a row that moves it to another one is rejected.
    actor: public id of who asked, or "system".

    Flushes, never commits. Appends one event for the whole, none if nothing changed (invariant 21).
    """
    if dialect_of(session) == "postgresql":
        # Two imports at once would both find a visit missing. Readers do not wait; SQLite has one writer anyway.
        session.execute(text("LOCK TABLE site_observation IN SHARE ROW EXCLUSIVE MODE"))
    visits, moved = _staying(session, list(reading.visits.values()))
    pcodes = sorted({visit.pcode for visit in visits})
    known = _known_visits(session, pcodes)
    created, updated = _differing(visits, known)
    sites_changed = _write_sites(session, pcodes, known)
    _write_visits(session, created, updated, watch)
    entered = Entered(
        rows=reading.rows,
        sites=len(pcodes),
        observations=len(visits),
        created=len(created),
        updated=len(updated),
        rejected=sorted(reading.rejected + moved, key=lambda rejection: rejection.line),
    )
    if created or updated or sites_changed:
        session.expire_all()  # the statements above went past the objects that the session holds
        counts = vars(entered) | {"rejected": len(entered.rejected)}
        facts = counts | {"source": SOURCE, "licence": LICENCE, "file_sha256": reading.sha256}
        events.append(session, kind="observations.imported", subject=SOURCE, actor=actor, at=at, facts=facts)
    return entered


def _staying(session: Session, visits: list[Visit]) -> tuple[list[Visit], list[Rejection]]:
    """The visits without those that are known for another site, and why these are left out."""
    site_of: dict[int, str] = {}
    for some in _batches(visits):
        numbers = [visit.number for visit in some]
        pairs = select(SiteObservation.visit, SiteObservation.pcode).where(SiteObservation.visit.in_(numbers))
        site_of.update((visit, pcode) for visit, pcode in session.execute(pairs))
    staying = [visit for visit in visits if site_of.get(visit.number, visit.pcode) == visit.pcode]
    moved = [
        Rejection(
            visit.line,
            f"The visit (vid) {visit.number} is known for the site {site_of[visit.number]}, not for {visit.pcode}.",
        )
        for visit in visits
        if site_of.get(visit.number, visit.pcode) != visit.pcode
    ]
    return staying, moved


def _known_visits(session: Session, pcodes: list[str]) -> dict[str, Visits]:
    known: dict[str, Visits] = defaultdict(dict)
    columns = OBSERVATION.c.pcode, OBSERVATION.c.visit, OBSERVATION.c.visited_on, OBSERVATION.c.recorded
    for some in _batches(pcodes):
        rows = select(*columns).where(OBSERVATION.c.pcode.in_(some))
        for pcode, number, visited_on, recorded in session.execute(rows):
            known[pcode][number] = (visited_on, recorded)
    return known


def _differing(visits: list[Visit], known: dict[str, Visits]) -> tuple[list[Visit], list[Visit]]:
    """The visits to add and those to change. `known` has all of them afterwards."""
    created, updated = [], []
    for visit in visits:
        now = (visit.visited_on, visit.recorded)
        before = known[visit.pcode].get(visit.number)
        if before is None:
            created.append(visit)
        elif before != now:
            updated.append(visit)
        known[visit.pcode][visit.number] = now
    return created, updated


def _write_sites(session: Session, pcodes: list[str], known: Mapping[str, Visits]) -> bool:
    """Describe every site by its visits. Returns whether a row was added or changed."""
    before: dict[str, SiteRow] = {}
    for some in _batches(pcodes):
        rows = session.execute(select(SITE).where(SITE.c.pcode.in_(some)))
        before.update((row.pcode, dict(row._mapping)) for row in rows)
    described = [_described(pcode, known[pcode]) for pcode in pcodes]
    new = [site for site in described if site["pcode"] not in before]
    changed = [site for site in described if before.get(site["pcode"], site) != site]
    for rows_at_once in _batches(new):
        session.execute(insert(SITE), rows_at_once)
    if changed:
        session.execute(
            update(SITE).where(SITE.c.pcode == bindparam("of_site")),
            [{"of_site": site["pcode"]} | {key: site[key] for key in site if key != "pcode"} for site in changed],
        )
    return bool(new or changed)


def _described(pcode: str, visits: Visits) -> SiteRow:
    newest_first = [visits[number][1] for number in sorted(visits, key=lambda number: (visits[number][0], number))]
    newest_first.reverse()
    place = next(filter(None, map(place_of, newest_first)), {"latitude": None, "longitude": None})
    return {
        "pcode": pcode,
        "source": SOURCE,
        "name": _first_filled(newest_first, "name"),
        "country": COUNTRY,
        "province": _first_filled(newest_first, "province"),
        "territory": _first_filled(newest_first, "territoire"),
        "village": _first_filled(newest_first, "village"),
        **place,
    }


def _first_filled(recorded: list[dict[str, str]], column: str) -> str:
    found = next((cells[column] for cells in recorded if column in cells), "")
    return unicodedata.normalize("NFC", " ".join(found.split()))


def _write_visits(session: Session, created: list[Visit], updated: list[Visit], watch: Watch) -> None:
    done, total = 0, len(created) + len(updated)
    for some in _batches(created):
        rows = [
            {"visit": new.number, "pcode": new.pcode, "visited_on": new.visited_on, "recorded": new.recorded}
            for new in some
        ]
        session.execute(insert(OBSERVATION), rows)
        done += len(some)
        watch(done, total)
    for some in _batches(updated):
        session.execute(
            update(OBSERVATION).where(OBSERVATION.c.visit == bindparam("of_visit")),
            [
                {"of_visit": changed.number, "visited_on": changed.visited_on, "recorded": changed.recorded}
                for changed in some
            ],
        )
        done += len(some)
        watch(done, total)


def _batches(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


def observed(session: Session, pcode: str) -> ObservedSite:
    """The observed site with this code. Raises NoSuchObservedSite."""
    site = session.get(ObservedSite, pcode)
    if site is None:
        raise NoSuchObservedSite("There is no observed site with this code.", pcode=pcode[:40])
    return site


def is_near(here: tuple[int, int], site: ObservedSite) -> bool:
    """Whether `site` lies within 25 km of a position (latitude, longitude) in micro-degrees."""
    if site.latitude is None or site.longitude is None:
        return False
    return distance_km(here, (site.latitude, site.longitude)) <= NEAR_KM


def distance_km(here: tuple[int, int], there: tuple[int, int]) -> float:
    """Kilometres along the surface between two positions (latitude, longitude) in micro-degrees. Haversine."""
    latitude, longitude = (math.radians(degrees / MICRO) for degrees in here)
    to_latitude, to_longitude = (math.radians(degrees / MICRO) for degrees in there)
    half_chord = (
        math.sin((to_latitude - latitude) / 2) ** 2
        + math.cos(latitude) * math.cos(to_latitude) * math.sin((to_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half_chord)))
