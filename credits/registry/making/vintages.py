"""A period that lies in two calendar years, divided into one batch for each vintage. Pure."""

from dataclasses import replace
from datetime import date

from credits.errors import Invalid
from credits.registry.making.figures import Production
from credits.registry.making.reckoning import MG_DIGITS, shown
from credits.registry.minerals import weight_mg


class TwoVintages(Invalid):
    """The production period lies in two calendar years, and credits have one vintage."""

    code = "two_vintages"


def years(first: date, last: date) -> list[tuple[date, date]]:
    """The period cut at each New Year."""
    return [(max(first, date(year, 1, 1)), min(last, date(year, 12, 31))) for year in range(first.year, last.year + 1)]


def must_be_one(first: date, last: date) -> None:
    """Raise TwoVintages, saying how to divide the period."""
    parts = years(first, last)
    if len(parts) > 1:
        written = " and ".join(f"{start} to {end}" for start, end in parts)
        raise TwoVintages(
            f"The days lie in {len(parts)} calendar years, and the credits of a batch have the vintage of one. Enter "
            f"one batch for each: {written}.",
            parts=[[str(start), str(end)] for start, end in parts],
        )


def divided(production: Production) -> list[Production]:
    """One production for each year of the period, its figures divided by days, the last one with what rounding leaves.

    What was weighed, worked on and deducted is divided; the grade, the moisture and the number of miners are the same.
    """
    parts = years(production.produced_from, production.produced_to)
    spans = [(end - start).days + 1 for start, end in parts]
    weights = shares(weight_mg(production.gross_kg), spans)
    worked = shares(production.days_worked, spans)
    premium = shares(production.sold_with_premium, spans)
    elsewhere = shares(production.registered_elsewhere, spans)
    return [
        replace(
            production,
            produced_from=start,
            produced_to=end,
            gross_kg=shown(weights[number], MG_DIGITS, ""),
            days_worked=worked[number],
            sold_with_premium=premium[number],
            registered_elsewhere=elsewhere[number],
        )
        for number, (start, end) in enumerate(parts)
    ]


def shares(whole: int, spans: list[int]) -> list[int]:
    """`whole` in parts as these spans are to each other, each rounded down, the rest with the last."""
    found = [whole * span // sum(spans) for span in spans]
    return [*found[:-1], whole - sum(found[:-1])]
