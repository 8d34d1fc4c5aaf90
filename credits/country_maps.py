"""Countries as drawings, and the area in which a site is publicly said to lie. Pure.

A site's exact position is private. What is drawn for everybody is a cell of a fixed grid of whole degrees: it is the
same for every site in it, and nothing finer than it leaves the registry.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from credits.registry.mines.outlines import MICRO, Point, rings_of

CELL = 1  # degrees, some 110 km
SIZE = 240  # pixels of a drawing of an area
MARGIN = 4


@dataclass(frozen=True)
class CountryDrawing:
    """path: of the outline, for a square drawing; pixel: where a point of longitude and latitude lies in it."""

    path: str
    pixel: Callable[[Point], tuple[int, int]]


@dataclass(frozen=True)
class Area:
    """A cell of the grid in its country. x, y: of its upper left corner; all in pixels. size: of the drawing."""

    path: str
    x: int
    y: int
    width: int
    height: int
    size: int = SIZE


@cache
def drawing_of(country: str, size: int) -> CountryDrawing | None:
    """A country (ISO alpha-3) in a square of `size` pixels; None where there is no outline of it."""
    rings = rings_of(country)
    if not rings:
        return None
    points = [point for ring in rings for point in ring]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    narrow = math.cos(math.radians((south + north) / 2))
    a_degree = (size - 2 * MARGIN) / max((east - west) * narrow, north - south, 0.01)
    left = (size - (east - west) * narrow * a_degree) / 2
    top = (size - (north - south) * a_degree) / 2

    def pixel(point: Point) -> tuple[int, int]:
        return round(left + (point[0] - west) * narrow * a_degree), round(top + (north - point[1]) * a_degree)

    path = " ".join("M" + "L".join(f"{x},{y}" for x, y in dict.fromkeys(map(pixel, ring))) + "Z" for ring in rings)
    return CountryDrawing(path, pixel)


def area_of(country: str, latitude: int, longitude: int) -> Area | None:
    """The cell in which a position in micro-degrees lies; None where the country has no outline."""
    drawing = drawing_of(country, SIZE)
    if drawing is None:
        return None
    west, south = (math.floor(each / MICRO / CELL) * CELL for each in (longitude, latitude))
    left, top = drawing.pixel((west, south + CELL))
    right, bottom = drawing.pixel((west + CELL, south))
    return Area(drawing.path, left, top, right - left, bottom - top)
