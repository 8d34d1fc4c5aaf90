"""Finding a mine site among those that others have visited: by position and name. A person confirms."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session, selectinload

from credits.registry.doubts.screening_facts import minerals_of
from credits.registry.doubts.screening_names import likeness, writing
from credits.registry.mines.observations import KM_A_DEGREE, MICRO, NEAR_KM, distance_km
from credits.registry.mines.observed import ObservedSite, SiteObservation

# What a name weighs against 25 km: the name more, as positions are often those of the next village.
NAME_WEIGHS = 2.0
WRITING_WEIGHS = 0.02  # only where two names sound the same
MINERAL_WEIGHS = 0.05  # little: a site is often known for another mineral than the one that is sold
POLE = 80_000_000  # micro-degrees; beyond, and at the 180th meridian, a box of longitudes is none
LIKELY_NAME, LIKELY_KM = 0.8, 5.0  # so like and so near that somebody should say whether it is the same


@dataclass(frozen=True)
class Candidate:
    """An observed site that may be the one in question. likeness: of the names, from 0 to 1, the same name."""

    site: ObservedSite
    distance_km: float
    likeness: float
    rank: float  # higher is likelier

    @property
    def is_likely(self) -> bool:
        """Whether not to have confirmed it wants a reason."""
        return self.likeness >= LIKELY_NAME and self.distance_km <= LIKELY_KM


def nearest(
    session: Session, *, latitude: int, longitude: int, name: str, limit: int, mineral: str | None = None
) -> list[Candidate]:
    """Observed sites within 25 km that may be the site called `name`, the nearest and likest first. A person decides.

    latitude, longitude: micro-degrees, WGS 84. mineral: code of what is mined there, where it is known.
    limit: how many at most.
    """
    found = []
    for pcode, known_as, its_latitude, its_longitude in session.execute(_in_box(latitude, longitude)):
        if its_latitude is None or its_longitude is None:
            continue
        away = distance_km((latitude, longitude), (its_latitude, its_longitude))
        if away <= NEAR_KM:
            like = likeness(name, known_as)
            rank = NAME_WEIGHS * like - away / NEAR_KM + WRITING_WEIGHS * writing(name, known_as)
            found.append((rank, pcode, away, like))
    found.sort(key=lambda each: (-each[0], each[1]))
    # A mineral only changes the order of those that come close to being shown.
    shown = found[: limit + 10] if mineral else found[:limit]
    sites = _with_visits(session, [pcode for _, pcode, _, _ in shown])
    candidates = [
        Candidate(sites[pcode], away, like, rank + _of_mineral(sites[pcode], mineral))
        for rank, pcode, away, like in shown
    ]
    return sorted(candidates, key=lambda each: (-each.rank, each.site.pcode))[:limit]


def _in_box(latitude: int, longitude: int) -> Select[str, str, int | None, int | None]:
    """The positions around one, found by the index; a little more than lie within reach."""
    reach = math.ceil(NEAR_KM / KM_A_DEGREE * MICRO)
    wanted = select(ObservedSite.pcode, ObservedSite.name, ObservedSite.latitude, ObservedSite.longitude).where(
        ObservedSite.latitude.between(latitude - reach, latitude + reach), ObservedSite.longitude.is_not(None)
    )
    if abs(latitude) + reach > POLE:
        return wanted
    wide = math.ceil(reach / math.cos(math.radians((abs(latitude) + reach) / MICRO)))
    if abs(longitude) + wide > 180 * MICRO:
        return wanted
    return wanted.where(ObservedSite.longitude.between(longitude - wide, longitude + wide))


def _with_visits(session: Session, pcodes: list[str]) -> dict[str, ObservedSite]:
    wanted = select(ObservedSite).where(ObservedSite.pcode.in_(pcodes)).options(selectinload(ObservedSite.observations))
    return {site.pcode: site for site in session.scalars(wanted)}


def _of_mineral(site: ObservedSite, mineral: str | None) -> float:
    if mineral is None:
        return 0.0
    mined: Iterator[str] = (code for seen in site.observations for code in minerals_of(seen.recorded))
    return MINERAL_WEIGHS if mineral in mined else 0.0


def has_data(session: Session, country: str) -> bool:
    """Whether others have published anything about mine sites of a country (ISO 3166-1 alpha-3)."""
    known: bool = session.scalars(select(exists().where(ObservedSite.country == country))).one()
    return known


def last_visit(site: ObservedSite) -> SiteObservation | None:
    """The newest visit to an observed site."""
    return site.observations[-1] if site.observations else None
