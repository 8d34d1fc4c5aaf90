"""The figures in a text about retired credits, held against what is claimed or was retired. Pure.

A figure is a number with a unit of mass, or of credits, in the forms of five languages: "1,500 kg", "1 500 kg".
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from credits.certificates.claiming.claim_checking import Mark
from credits.certificates.claiming.claim_words import BLANKS, signs_in
from credits.registry.minerals import Mineral

MILLIGRAMS = {"mg": 1, "g": 1_000, "kg": 1_000_000, "t": 1_000_000_000}
UNITS = {
    "mg": r"mg|milligram(?:me)?s?|miligram[oa]s?|miligramu",
    "g": r"g|gr|gram(?:me)?s?|gram[oa]s?|gramu",
    "kg": r"kgs?|kilos?|kilogram(?:me)?s?|kilogramos?|quilos?|quilogramas?|kilogramu",
    "t": r"t|tons?|(?:metric )?tonnes?|metric tons?|toneladas?|tani",
    "other": r"oz|ounces?|onces?|onzas?|oncas?|lbs?",  # no figure of a claim is in these
    "credit": r"credits?|creditos?|krediti",
}
TIMES = {"thousand": 1_000, "mille": 1_000, "mil": 1_000, "elfu": 1_000}  # all others are millions
NUMBER = r"(?<![\w.,])(?P<number>[0-9]{1,3}(?:[ '\u2019][0-9]{3})+(?:[.,][0-9]{1,9})?|[0-9][0-9.,]{0,30}[0-9]|[0-9])"
MANY = r"(?:[ -]{1,2}(?P<times>thousand|mille|mil|elfu|millions?|millones|milhao|milhoes|milioni))?(?: de)?"
UNIT = "(?:" + "|".join(f"(?P<unit_{name}>{said})" for name, said in UNITS.items()) + ")"
BEHIND = re.compile(NUMBER + MANY + r"(?P<gap>[ -]{0,3})" + UNIT + r"(?!\w)", re.IGNORECASE)
BEFORE = re.compile(
    r"\b(?:(?P<unit_credit>krediti)|(?P<unit_kg>kilo|kilogramu)|(?P<unit_g>gramu)|(?P<unit_t>tani)) "
    + NUMBER
    + MANY.replace("(?: de)?", ""),
    re.IGNORECASE,
)
MOST_SUMS = 5_000  # beyond so many sums of the parts, only each of them and all together count
REASON = "The figures of a text are those of the claim: no other quantity was retired for it."


@dataclass(frozen=True)
class Figure:
    """start, end: where it stands. unit: of UNITS."""

    start: int
    end: int
    number: str
    times: int
    unit: str

    def amount(self, decimal: str) -> Decimal:
        """In milligrams or credits. decimal: the sign before the fraction, as the text's language writes it."""
        scale = MILLIGRAMS.get(self.unit, 1)
        return value(self.number, decimal) * self.times * scale


def figures_in(text: str) -> list[Figure]:
    shown, places = [], []
    for sign in signs_in(text):
        for each in unicodedata.normalize("NFKD", sign.shown):
            if each not in BLANKS and unicodedata.category(each) not in ("Mn", "Me", "Cf"):
                shown.append(" " if each.isspace() else str(unicodedata.digit(each, each)))
                places.append(sign)
    plain = "".join(shown)
    found = []
    for match in [*BEHIND.finditer(plain), *BEFORE.finditer(plain)]:
        told = match.groupdict()
        unit = next(name.removeprefix("unit_") for name, said in told.items() if name.startswith("unit_") and said)
        if told.get("unit_g") == "G" and not told["gap"]:
            continue  # 5G is no mass
        times = TIMES.get((told["times"] or "").casefold(), 1_000_000) if told["times"] else 1
        first, last = places[match.start()], places[match.end() - 1]
        found.append(Figure(first.start, last.end, told["number"], times, unit))
    return sorted(found, key=lambda each: each.start)


def value(number: str, decimal: str) -> Decimal:
    """A number as it is meant where `decimal` stands before the fraction; "2.000" is two thousand everywhere."""
    tidy = re.sub(r"[ '\u2019]", "", number)
    signs = [each for each in tidy if each in ".,"]
    if not signs:
        return Decimal(tidy)
    last = signs[-1]
    whole, _, fraction = tidy.rpartition(last)
    grouped = len(fraction) == 3 and not whole.startswith("0") and (last != decimal or fraction.endswith("0"))
    if signs.count(last) > 1 or (grouped and len(set(signs)) == 1):
        return Decimal(re.sub("[.,]", "", tidy))
    return Decimal(f"{re.sub('[.,]', '', whole) or 0}.{fraction or 0}")


def figures_beyond(text: str, parts: Sequence[tuple[Mineral, int]], language: str | None) -> list[Mark]:
    """The figures that are not those of what is claimed.

    parts: base units of each mineral. language: the text's, whose figures are then held to be exact; without one they
    may be of a part, and only more than there is counts.
    """
    marks = []
    for each in figures_in(text):
        known = credits_of(parts) if each.unit == "credit" else masses_of(parts)
        if language is None:
            sound = min(each.amount("."), each.amount(",")) <= max(known)
        else:
            sound = each.amount("." if language in ("en", "sw") else ",") in known
        if not sound or each.unit == "other":
            told = [f"{mineral.in_credits(units)} credits, {mineral.quantity(units)}" for mineral, units in parts[:5]]
            instead = "; ".join(told)
            found = text[each.start : each.end]
            marks.append(Mark(each.start, each.end, found, language or "en", "quantity", REASON, instead))
    return marks


def masses_of(parts: Sequence[tuple[Mineral, int]]) -> set[Decimal]:
    found: set[Decimal] = set()
    for mineral in {mineral for mineral, _ in parts}:
        scale = MILLIGRAMS[mineral.base_unit]
        found |= sums_of([Decimal(units * scale) for each, units in parts if each == mineral])
    return found


def credits_of(parts: Sequence[tuple[Mineral, int]]) -> set[Decimal]:
    return sums_of([Decimal(mineral.in_credits(units)) for mineral, units in parts])


def sums_of(amounts: Sequence[Decimal]) -> set[Decimal]:
    """Every sum of some of them: a text may tell retirements one by one, or several together."""
    sums = {Decimal(0)}
    for each in amounts:
        sums |= {known + each for known in sums}
        if len(sums) > MOST_SUMS:
            return {*amounts, sum(amounts, Decimal(0))}
    return sums - {Decimal(0)}
