"""Claimed against plausible as lengths of bars: what a page draws. Pure."""

from dataclasses import dataclass

from credits.registry.doubts.plausibility import Plausibility
from credits.registry.doubts.plausibility_bounds import Bound

FULL = 1_000  # the length of the longest bar
LEAST = 4  # so that a little is seen beside nothing


@dataclass(frozen=True)
class Bar:
    """One bound. length, mark: of 1,000; mark is where the claim ends. length is None where the bound is unknown."""

    bound: Bound
    length: int | None
    mark: int
    is_lowest: bool
    is_exceeded: bool


@dataclass(frozen=True)
class Chart:
    """claimed: the length of the claim's own bar."""

    claimed: int
    bars: list[Bar]


def chart_of(found: Plausibility) -> Chart:
    """The bars of a claim and its bounds, all to one scale. A bound far above the claim is cut at four times it."""
    values = [bound.value for bound in found.bounds if bound.value is not None]
    most = max([found.claimed, *(min(value, 4 * max(found.claimed, 1)) for value in values)], default=0) or 1
    mark = _length(found.claimed, most)
    above = found.exceeded + found.warnings
    bars = [
        Bar(
            bound,
            None if bound.value is None else _length(min(bound.value, most), most),
            mark,
            bound == found.lowest,
            bound in above,
        )
        for bound in found.bounds
    ]
    return Chart(mark, bars)


def _length(value: int, most: int) -> int:
    return max(LEAST, FULL * value // most) if value else 0
