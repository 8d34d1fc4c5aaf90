"""The eight minerals, their units, and exact arithmetic from weights to base units. Pure.

A credit is a fixed number of base units. What counts is the contained (fine) quantity; weights are whole
milligrams, grades whole parts per million, so that a contained quantity is a whole number of nanograms.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from credits.errors import Invalid

MILLION = 1_000_000
MG_PER_KG = 1_000_000
CREDITS = "credits"
EXPONENTS = {"mg": 0, "g": 3, "kg": 6, "t": 9}  # of ten: milligrams in each
LARGEST_WEIGHT_MG = 9_000_000 * 1_000_000  # 9,000 t, far above any artisanal batch; keeps nanograms below 2⁶³


class UnknownMineral(Invalid):
    code = "unknown_mineral"


class BadMeasure(Invalid):
    """A weight, share or number of credits that cannot be."""

    code = "bad_measure"


@dataclass(frozen=True)
class Mineral:
    """One mineral. base_unit_mg: milligrams in a base unit; units_per_credit: base units in a credit."""

    code: str
    name: str
    forms: tuple[str, ...]
    contained: str  # the substance that counts
    credit: str
    base_unit: str
    base_unit_mg: int
    units_per_credit: int
    per_thousand: bool = False  # gold: its grade is a fineness per thousand

    @property
    def basis(self) -> str:
        """How the contained quantity is found, for people."""
        weight, grade = (
            ("gross weight", "fineness / 1000") if self.per_thousand else ("dry weight", f"% {self.contained}")
        )
        return f"contained {self.contained}: {weight} × {grade}"

    def in_credits(self, base_units: int) -> str:
        """Credits as an exact decimal text: 2500 kg of cobalt are "2.5"."""
        whole, rest = divmod(base_units, self.units_per_credit)
        digits = len(str(self.units_per_credit)) - 1
        fraction = f"{rest:0{digits}d}".rstrip("0") if digits else ""
        return f"{whole}.{fraction}" if fraction else str(whole)

    def credits_shown(self, base_units: int) -> str:
        """Credits for people, digits grouped: "1,080.4"."""
        whole, point, fraction = self.in_credits(base_units).partition(".")
        return f"{int(whole):,}{point}{fraction}"

    def base_units(self, wanted: str) -> int:
        """Base units in a decimal number of credits. Raises BadMeasure where it is not a whole number of them."""
        number = decimal(wanted) * self.units_per_credit
        if number <= 0 or number != number.to_integral_value() or number >= 2**63:
            raise BadMeasure(
                f"{wanted[:40]} credits cannot be counted in whole {self.base_unit}, at least 1: one credit is "
                f"{self.units_per_credit:,} {self.base_unit}.",
                asked=wanted[:40],
            )
        return int(number)

    def measured(self, wanted: str, unit: str) -> int:
        """Base units in a decimal number of credits, or of mg, g, kg or t of what counts. Raises BadMeasure."""
        if unit == CREDITS:
            return self.base_units(wanted)
        if unit not in EXPONENTS:
            raise BadMeasure(f"Measure it in {', '.join(EXPONENTS)} or credits.", asked=unit[:40])
        number = decimal(wanted).scaleb(EXPONENTS[unit] - EXPONENTS[self.base_unit])
        if number <= 0 or number != number.to_integral_value() or number >= 2**63:
            raise BadMeasure(
                f"{wanted[:40]} {unit} cannot be counted in whole {self.base_unit}, at least 1.", asked=wanted[:40]
            )
        return int(number)

    def quantity(self, base_units: int) -> str:
        """The physical quantity with its unit, for people: "2,500 kg"."""
        return f"{base_units:,} {self.base_unit}"


def _of_gram(code: str, name: str, forms: tuple[str, ...], contained: str) -> Mineral:
    return Mineral(code, name, forms, contained, f"1 kg {contained}", "g", 1_000, 1_000)


MINERALS = {
    mineral.code: mineral
    for mineral in (
        Mineral("AU", "gold", ("doré", "grain"), "gold", "1 g", "mg", 1, 1_000, per_thousand=True),
        Mineral("CO", "cobalt", ("ore", "hydroxide"), "Co", "1 t", "kg", MG_PER_KG, 1_000),
        Mineral("CU", "copper", ("ore", "cathode"), "Cu", "1 t", "kg", MG_PER_KG, 1_000),
        Mineral("LI", "lithium", ("spodumene", "lepidolite"), "Li2O", "1 t Li2O", "kg", MG_PER_KG, 1_000),
        _of_gram("SN", "tin", ("cassiterite",), "Sn"),
        _of_gram("TA", "tantalum", ("coltan",), "Ta2O5"),
        _of_gram("W", "tungsten", ("wolframite",), "WO3"),
        _of_gram("REE", "rare earths", ("monazite",), "TREO"),
    )
}


def mineral_of(code: str) -> Mineral:
    """The mineral with this code. Raises UnknownMineral."""
    try:
        return MINERALS[code]
    except KeyError:
        raise UnknownMineral(f"There is no mineral {code[:20]!r}. Choose one of {', '.join(MINERALS)}.") from None


def decimal(text: str) -> Decimal:
    """A plain decimal number, at most 28 characters of 0–9 and one point. Raises BadMeasure.

    28 digits are what `Decimal` multiplies without rounding: a 29th could hide a fraction of a base unit.
    """
    tidy = text.strip()
    if not tidy or len(tidy) > 28 or not set(tidy) <= set("0123456789."):
        raise BadMeasure(
            "Please write a plain number such as 1240.5, with a point and no other signs.", asked=tidy[:40]
        )
    try:
        return Decimal(tidy)
    except InvalidOperation:
        raise BadMeasure("Please write a plain number such as 1240.5.", asked=tidy[:40]) from None


def weight_mg(kilograms: str) -> int:
    """Milligrams in a decimal number of kilograms. Raises BadMeasure for fractions of a milligram or too much."""
    number = decimal(kilograms) * MG_PER_KG
    if number != number.to_integral_value():
        raise BadMeasure("A weight is exact to the milligram, 6 decimals of a kilogram.", asked=kilograms[:40])
    if not 0 < number <= LARGEST_WEIGHT_MG:
        raise BadMeasure("A weight is more than 0 and at most 9,000 tonnes.", asked=kilograms[:40])
    return int(number)


def share_ppm(number: str, *, per: int) -> int:
    """Parts per million of `number` per hundred (a percentage) or per thousand (a fineness). Raises BadMeasure."""
    parts = decimal(number) * MILLION / per
    if parts != parts.to_integral_value():
        raise BadMeasure("A percentage has at most 4 decimals, a fineness at most 3.", asked=number[:40])
    if not 0 <= parts <= MILLION:
        raise BadMeasure(f"A share cannot be above {per}.", asked=number[:40])
    return int(parts)


def dried_mg(gross_mg: int, moisture_ppm: int) -> int:
    """Dry weight of a moist one, rounded down to the milligram."""
    return gross_mg * (MILLION - moisture_ppm) // MILLION


@dataclass(frozen=True)
class Contained:
    """The exact outcome: whole base units, and the nanograms that wait for the producer's next batch."""

    base_units: int
    remainder_ng: int


def contained_ng(weight: int, grade_ppm: int) -> int:
    """Nanograms of the fine substance in `weight` milligrams at `grade_ppm`."""
    return weight * grade_ppm


def in_base_units(mineral: Mineral, nanograms: int) -> Contained:
    """Whole base units, always rounded down, and the remainder."""
    return Contained(*divmod(nanograms, mineral.base_unit_mg * MILLION))
