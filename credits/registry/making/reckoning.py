"""The arithmetic of a batch, figure by figure, exact and as people write it. Pure."""

from dataclasses import dataclass, replace

from credits.registry.minerals import (
    MILLION,
    BadMeasure,
    Mineral,
    contained_ng,
    dried_mg,
    in_base_units,
    share_ppm,
    weight_mg,
)
from credits.registry.production import Batch

MG_DIGITS = 6  # decimals of a kilogram counted in milligrams
PERCENT_DIGITS, THOUSANDTH_DIGITS = 4, 3  # decimals of a share counted in parts per million


@dataclass(frozen=True)
class Reckoning:
    """From the weighed batch to what may be issued. Texts are exact decimals with thousands set apart.

    gross, dry: kilograms. moisture: per cent. grade: per cent, for gold per thousand. contained: base units with
    every decimal. whole: contained base units rounded down; deducted: those that cannot become credits (invariant 4);
    at_most: what is left of them, never below 0. rounded: whether a remainder is carried to the next batch.
    """

    gross: str
    moisture: str
    dry: str
    grade: str
    contained: str
    whole: int
    deducted: int
    at_most: int
    rounded: bool


def reckon(batch: Batch) -> Reckoning:
    """The arithmetic of `batch` as its figures stand now."""
    mineral = batch.mineral
    outcome = in_base_units(mineral, batch.contained_ng)
    deducted = batch.sold_with_premium + batch.registered_elsewhere
    return Reckoning(
        gross=shown(batch.gross_mg, MG_DIGITS),
        moisture=shown(batch.moisture_ppm, PERCENT_DIGITS),
        dry=shown(batch.dry_mg, MG_DIGITS),
        grade=shown(batch.grade_ppm, grade_digits(batch)),
        contained=shown(batch.contained_ng, len(str(mineral.base_unit_mg * MILLION)) - 1),
        whole=outcome.base_units,
        deducted=deducted,
        at_most=max(0, outcome.base_units - deducted),
        rounded=outcome.remainder_ng > 0,
    )


@dataclass(frozen=True)
class SoFar:
    """The arithmetic of figures that may not be all there: a text is empty where it cannot be told yet.

    gross, dry: kilograms; moisture, grade: as they were typed; contained: base units with every decimal; whole: rounded
    down, None where it cannot be told. rounded: whether a remainder is carried to the next batch.
    """

    gross: str = ""
    moisture: str = ""
    dry: str = ""
    grade: str = ""
    contained: str = ""
    whole: int | None = None
    rounded: bool = False


def so_far(mineral: Mineral, gross_kg: str, moisture: str, grade: str) -> SoFar:
    """What figures tell that somebody is still typing. One that is not sound counts as not there."""
    found = SoFar()
    try:
        gross = weight_mg(gross_kg)
        found = replace(found, gross=shown(gross, MG_DIGITS))
        moist = share_ppm(moisture, per=100)
        dry = dried_mg(gross, moist)
        found = replace(found, moisture=shown(moist, PERCENT_DIGITS), dry=shown(dry, MG_DIGITS))
        rich = share_ppm(grade, per=1000 if mineral.per_thousand else 100)
        fine = contained_ng(dry, rich)
    except BadMeasure:
        return found
    digits = THOUSANDTH_DIGITS if mineral.per_thousand else PERCENT_DIGITS
    outcome = in_base_units(mineral, fine)
    return replace(
        found,
        grade=shown(rich, digits),
        contained=shown(fine, len(str(mineral.base_unit_mg * MILLION)) - 1),
        whole=outcome.base_units,
        rounded=outcome.remainder_ng > 0,
    )


def grade_digits(batch: Batch) -> int:
    """How many decimals the batch's grade has at most."""
    return THOUSANDTH_DIGITS if batch.mineral.per_thousand else PERCENT_DIGITS


def shown(number: int, digits: int, thousands: str = ",") -> str:
    """`number` / 10^`digits` as an exact decimal: shown(9302325581, 6) is "9,302.325581"."""
    whole, rest = divmod(number, 10**digits)
    grouped = f"{whole:,}".replace(",", thousands)
    fraction = f"{rest:0{digits}d}".rstrip("0")
    return f"{grouped}.{fraction}" if fraction else grouped
