"""Whether a position lies in the country that it is said to lie in. Pure.

The outlines are Natural Earth's coarsest ones: a border may be some 30 km off, so that only what lies clearly outside
is refused. Of a country without an outline nothing is said.
"""

import json
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from credits.errors import Invalid
from credits.participants.countries import name_of

Point = tuple[float, float]  # longitude and latitude in degrees

OUTLINES = Path(__file__).parents[1] / "data" / "outlines.json"
HUNDREDTHS = 100
MICRO = 1_000_000
KM_A_DEGREE = 111.195
OFF_KM = 40  # how far the coarse outlines and the positions of a border town may be off


class OutsideCountry(Invalid):
    """The position lies in another country than the site."""

    code = "outside_country"


def must_lie_in(country: str, latitude: int, longitude: int) -> None:
    """Raise OutsideCountry where a position in micro-degrees lies clearly outside `country` (ISO alpha-3).

    The message says what the mistake may be: two numbers swapped, or a minus too few or too many.
    """
    here = (longitude / MICRO, latitude / MICRO)
    if _is_in(country, here):
        return
    name = name_of(country, "en")
    x, y = here
    if _is_in(country, (y, x)):
        hint = f"With the two numbers swapped it would lie there: is the latitude {x:g} and the longitude {y:g}?"
    elif turned := next((point for point in ((x, -y), (-x, y), (-x, -y)) if _is_in(country, point)), None):
        hint = (
            f"Is a minus missing, or one too many? Latitude {turned[1]:g} and longitude {turned[0]:g} would lie there: "
            "south of the equator and west of Greenwich have a minus."
        )
    else:
        hint = "Please look the position up again, or choose the country in which it lies."
    raise OutsideCountry(f"The position {y:g}, {x:g} lies outside of {name}. {hint}", country=country)


def _is_in(country: str, point: Point) -> bool:
    rings = _outlines().get(country)
    if rings is None:
        return True
    # A hole, such as Lesotho in South Africa, is crossed twice and so lies outside.
    inside = sum(_is_around(ring, point) for ring in rings) % 2 == 1
    return inside or any(_km_to(ring, point) <= OFF_KM for ring in rings)


def rings_of(country: str) -> list[list[Point]]:
    """The coarse outline of a country (ISO alpha-3), ring by ring; none where there is no outline of it."""
    return _outlines().get(country, [])


@cache
def _outlines() -> dict[str, list[list[Point]]]:
    written: dict[str, list[list[int]]] = json.loads(OUTLINES.read_text(encoding="utf-8"))
    return {
        country: [
            [(x / HUNDREDTHS, y / HUNDREDTHS) for x, y in zip(ring[::2], ring[1::2], strict=True)] for ring in rings
        ]
        for country, rings in written.items()
    }


def _sides(ring: list[Point]) -> Iterator[tuple[Point, Point]]:
    return zip(ring, ring[1:] + ring[:1], strict=True)


def _is_around(ring: list[Point], point: Point) -> bool:
    """Whether a line from the point to the east crosses the ring an odd number of times."""
    x, y = point
    crossed = False
    for (x1, y1), (x2, y2) in _sides(ring):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            crossed = not crossed
    return crossed


def _km_to(ring: list[Point], point: Point) -> float:
    """Kilometres to the nearest side, on a flat map around the point: right enough near it."""
    across = math.cos(math.radians(point[1]))

    def flat(other: Point) -> Point:
        return (other[0] - point[0]) * across * KM_A_DEGREE, (other[1] - point[1]) * KM_A_DEGREE

    return min(_from_origin(flat(start), flat(end)) for start, end in _sides(ring))


def _from_origin(start: Point, end: Point) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    along = 0.0 if length == 0 else max(0.0, min(1.0, -(start[0] * dx + start[1] * dy) / length))
    return math.hypot(start[0] + along * dx, start[1] + along * dy)
