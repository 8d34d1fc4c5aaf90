"""The default figures of plausibility, each with its source, and the registry's own numbers beside them."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from credits.registry.doubts.screened import Basis
from credits.registry.minerals import MINERALS

FILE = Path(__file__).parents[1] / "data" / "plausibility.toml"


@dataclass(frozen=True)
class Productivity:
    """What one miner brings out: `milligrams` in `days` days. is_bound: otherwise it only warns."""

    milligrams: int
    basis: Basis
    days: int
    is_bound: bool
    source: str
    dated: date


@dataclass(frozen=True)
class Grade:
    """What the grade of a mineral in one form can be. most_ppm: that of `of` without anything else, if it matters."""

    ask_below_ppm: int
    most_ppm: int | None
    of: str


@dataclass(frozen=True)
class Figures:
    """neighbour_km, same_ground_m: how near. times: a warning above so many times what was shown before."""

    version: str
    neighbour_km: int
    same_ground_m: int
    times: int
    months_compared: int
    productivity: dict[str, Productivity]  # by mineral
    grades: dict[tuple[str, str], Grade]  # by mineral and form


@cache
def default_figures() -> Figures:
    """The figures that come with the registry."""
    return read(FILE)


def read(path: Path) -> Figures:
    """The figures written in `path`. Raises KeyError, TypeError or ValueError for a file that is not whole."""
    text = tomllib.loads(path.read_text(encoding="utf-8"))
    figures = Figures(
        version=text["version"],
        **text["registry"],
        productivity={
            each["mineral"]: Productivity(
                milligrams=each["milligrams"],
                basis=Basis(each["basis"]),
                days=each["days"],
                is_bound=each["bound"],
                source=each["source"],
                dated=each["read_on"],
            )
            for each in text["productivity"]
        },
        grades={
            (each["mineral"], form): Grade(each["ask_below_ppm"], each.get("most_ppm"), each.get("of", ""))
            for each in text["grade"]
            for form in each["form"]
        },
    )
    numbers = [figures.neighbour_km, figures.same_ground_m, figures.times, figures.months_compared]
    numbers += [number for each in figures.productivity.values() for number in (each.milligrams, each.days)]
    if not all(type(number) is int and number > 0 for number in numbers):
        raise ValueError(f"{path} holds a number that is not whole and positive.")
    if unknown := (set(figures.productivity) | {mineral for mineral, _ in figures.grades}) - set(MINERALS):
        raise ValueError(f"{path} names minerals that there are not: {', '.join(sorted(unknown))}.")
    if not all(each.source.strip() and type(each.dated) is date for each in figures.productivity.values()):
        raise ValueError(f"{path}: every figure names its source and its day.")
    return figures
