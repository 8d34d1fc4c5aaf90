"""What lies around a site: other sites of the registry, and mines that others have visited. For staff alone."""

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from credits.registry.mines.observations import KM_A_DEGREE, MICRO, NEAR_KM, distance_km
from credits.registry.mines.observed import ObservedSite
from credits.registry.production import Site

MOST = 12


@dataclass(frozen=True)
class Neighbour:
    """A place around a site. code: of a site, or the pcode of an observed mine. Position in micro-degrees."""

    name: str
    code: str
    is_observed: bool
    is_match: bool  # the mine that the producer says the site is
    producer: str
    latitude: int
    longitude: int
    distance_km: float


def around(session: Session, site: Site) -> list[Neighbour]:
    """The nearest places within 25 km, at most twelve; the mine that the site is matched with is always there."""
    here = (site.latitude, site.longitude)
    found = [
        Neighbour(
            each.name, f"{each.country}-{each.code}", False, False, each.producer.name, each.latitude, each.longitude,
            distance_km(here, (each.latitude, each.longitude)),
        )
        for each in session.scalars(select(Site).where(Site.id != site.id, *_in_box(Site, here)))
    ]  # fmt: skip
    observed = select(ObservedSite).where(*_in_box(ObservedSite, here))
    for mine in session.scalars(observed):
        assert mine.latitude is not None
        assert mine.longitude is not None
        away = distance_km(here, (mine.latitude, mine.longitude))
        found.append(
            Neighbour(mine.name, mine.pcode, True, mine.pcode == site.pcode, "", mine.latitude, mine.longitude, away)
        )
    near = sorted((each for each in found if each.distance_km <= NEAR_KM), key=lambda each: each.distance_km)
    match = [each for each in near[MOST:] if each.is_match]
    return near[: MOST - len(match)] + match


def _in_box(model: Any, here: tuple[int, int]) -> list[ColumnElement[bool]]:
    """A little more than lies within reach. Beyond the 180th meridian nothing is looked for."""
    latitude, longitude = here
    reach = math.ceil(NEAR_KM / KM_A_DEGREE * MICRO)
    narrow = max(math.cos(math.radians(min(abs(latitude) + reach, 89 * MICRO) / MICRO)), 0.02)
    wide = math.ceil(reach / narrow)
    return [
        model.latitude.between(latitude - reach, latitude + reach),
        model.longitude.between(longitude - wide, longitude + wide),
    ]
