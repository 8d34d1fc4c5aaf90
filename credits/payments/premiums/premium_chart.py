"""Decided against spent by theme, as lengths of bars: what a page draws. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from credits.payments.premiums.premium_figures import ThemeFigures
from credits.payments.premiums.premium_models import Theme

FULL = 1_000  # the length of the longest bar
LEAST = 4  # so that a little is seen beside nothing


@dataclass(frozen=True)
class ThemeBar:
    """Lengths of 1,000: what was decided, and within it what was spent."""

    theme: Theme
    decided: int
    spent: int


def chart_of(figures: Sequence[ThemeFigures]) -> list[ThemeBar]:
    """The bars of all themes that got anything, to one scale."""
    most = max((max(each.decided, each.spent) for each in figures), default=0) or 1
    return [
        ThemeBar(each.theme, length(each.decided, most), length(each.spent, most))
        for each in figures
        if each.decided or each.spent
    ]


def length(amount: int, most: int) -> int:
    return max(LEAST, FULL * amount // most) if amount else 0
