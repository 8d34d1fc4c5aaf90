"""A site and what lies around it as a drawing: places in pixels, a scale, and where in the country it is. Pure."""

import math
from dataclasses import dataclass

from credits.country_maps import drawing_of
from credits.registry.mines.neighbourhood import Neighbour
from credits.registry.mines.observations import KM_A_DEGREE, MICRO
from credits.registry.production import Site

SIZE = 320  # pixels, both ways; the site stands in the middle
MARGIN = 22
RADII = (0.5, 1, 2, 5, 10, 25)  # kilometres that the drawing may reach
SCALES = (0.1, 0.2, 0.5, 1, 2, 5, 10)
INSET = 92
FEW = 4  # neighbours that should be on the drawing before it is drawn closer


@dataclass(frozen=True)
class Place:
    """A numbered neighbour. x, y: pixels from the top left, or None outside of the drawing."""

    number: int
    neighbour: Neighbour
    x: int | None
    y: int | None


@dataclass(frozen=True)
class Inset:
    """The country: its outline as the path of a drawing, and where the site lies in it."""

    path: str
    x: int
    y: int


@dataclass(frozen=True)
class SiteMap:
    """places: numbered by distance; bar, bar_km: length of the scale in pixels and kilometres."""

    places: list[Place]
    radius_km: float
    bar: int
    bar_km: float
    inset: Inset | None


def drawn(site: Site, neighbours: list[Neighbour]) -> SiteMap:
    """The map of a site. It reaches as far as its nearest few neighbours, or the one that it is matched with."""
    radius = _radius(neighbours)
    a_km = (SIZE / 2 - MARGIN) / radius
    places = []
    for number, each in enumerate(neighbours, 1):
        east, north = _offset_km(site, each)
        inside = max(abs(east), abs(north)) <= radius * (SIZE / 2 - 8) / (SIZE / 2 - MARGIN)
        x, y = round(SIZE / 2 + east * a_km), round(SIZE / 2 - north * a_km)
        places.append(Place(number, each, x if inside else None, y if inside else None))
    bar_km = max(scale for scale in SCALES if scale * a_km <= SIZE / 3)
    return SiteMap(places, radius, round(bar_km * a_km), bar_km, _inset(site))


def _radius(neighbours: list[Neighbour]) -> float:
    wanted = [each.distance_km for each in neighbours[:FEW]]
    wanted += [each.distance_km for each in neighbours if each.is_match]
    return next(radius for radius in RADII if radius >= min(max(wanted, default=RADII[3]), RADII[-1]))


def _offset_km(site: Site, there: Neighbour) -> tuple[float, float]:
    """Kilometres to the east and to the north; good enough within 25 km."""
    north = (there.latitude - site.latitude) / MICRO * KM_A_DEGREE
    narrow = math.cos(math.radians(site.latitude / MICRO))
    return (there.longitude - site.longitude) / MICRO * KM_A_DEGREE * narrow, north


def _inset(site: Site) -> Inset | None:
    drawing = drawing_of(site.country, INSET)
    if drawing is None:
        return None
    x, y = drawing.pixel((site.longitude / MICRO, site.latitude / MICRO))
    return Inset(drawing.path, min(max(x, 2), INSET - 2), min(max(y, 2), INSET - 2))
