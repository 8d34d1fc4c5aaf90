"""What a producer says of a batch, with the exact arithmetic of what it contains."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from credits.errors import Invalid
from credits.journal.canonical import exact
from credits.participants.wording import line
from credits.registry import minerals
from credits.registry.calendar import checked_period
from credits.registry.doubts.plausibility_grades import GradeDoubtful, doubt, must_be_possible
from credits.registry.production import Batch

MOST_WORK = 1_000_000


class BadProduction(Invalid):
    """Figures of production that cannot be."""

    code = "bad_production"


@dataclass(frozen=True)
class Production:
    """What a producer says of a batch. Weights are decimal kilograms as text.

    moisture: per cent. grade: per cent of the contained substance, for gold the fineness per thousand.
    sold_with_premium, registered_elsewhere: base units that cannot become credits any more (invariant 4).
    grade_confirmed: whether somebody was asked back about a very low grade, and stands by it.
    """

    mineral_code: str
    form: str
    produced_from: date
    produced_to: date
    gross_kg: str
    moisture: str
    grade: str
    miners: int
    days_worked: int
    sold_to: str
    sold_with_premium: int
    registered_elsewhere: int
    grade_confirmed: bool = False


def fill(batch: Batch, production: Production, *, today: date) -> None:
    """Put the producer's figures into `batch`, with the exact arithmetic. Raises Invalid."""
    mineral = minerals.mineral_of(production.mineral_code)
    if production.form not in mineral.forms:
        raise BadProduction(f"{mineral.name.capitalize()} is delivered as {' or '.join(mineral.forms)}.")
    checked_period(production.produced_from, production.produced_to, "Production period")
    if production.produced_to > today:
        raise BadProduction("The production period has not ended yet.", last_day=str(production.produced_to))
    for name in ("miners", "days_worked", "sold_with_premium", "registered_elsewhere"):
        if not 0 <= getattr(production, name) < (MOST_WORK if name in ("miners", "days_worked") else 2**63):
            raise BadProduction(f"The number for {name.replace('_', ' ')} cannot be.", field=name)
    if production.days_worked > (production.produced_to - production.produced_from).days + 1:
        raise BadProduction("More days were worked than the production period has.", field="days_worked")
    moisture_ppm = minerals.share_ppm(production.moisture, per=100)
    if mineral.per_thousand and moisture_ppm:
        raise BadProduction("Gold is weighed as it is: leave the moisture at 0.")
    batch.mineral_code = mineral.code
    batch.form = production.form
    batch.produced_from, batch.produced_to = production.produced_from, production.produced_to
    batch.gross_mg = minerals.weight_mg(production.gross_kg)
    batch.moisture_ppm = moisture_ppm
    batch.dry_mg = minerals.dried_mg(batch.gross_mg, moisture_ppm)
    if batch.dry_mg == 0:
        raise BadProduction("With that much moisture nothing is left.")
    batch.grade_ppm = graded(batch, production)
    batch.contained_ng = minerals.contained_ng(batch.dry_mg, batch.grade_ppm)
    batch.miners, batch.days_worked = production.miners, production.days_worked
    batch.sold_to = line(production.sold_to, "Buyer of the mineral", 200) if production.sold_to.strip() else ""
    batch.sold_with_premium = production.sold_with_premium
    batch.registered_elsewhere = production.registered_elsewhere
    if production.sold_with_premium + production.registered_elsewhere > whole_units(batch):
        raise BadProduction("More was sold with a premium or registered elsewhere than the batch contains.")


def graded(batch: Batch, production: Production) -> int:
    """The grade in parts per million. Raises BadMeasure, BadProduction, GradeImpossible, GradeDoubtful."""
    mineral = minerals.mineral_of(production.mineral_code)
    grade_ppm = minerals.share_ppm(production.grade, per=1000 if mineral.per_thousand else 100)
    if grade_ppm == 0:
        raise BadProduction("A grade of 0 contains nothing.")
    must_be_possible(mineral, production.form, grade_ppm)
    asked = doubt(mineral, production.form, grade_ppm)
    if asked and not production.grade_confirmed and grade_ppm != batch.grade_ppm:  # one that stands was asked about
        raise GradeDoubtful(asked, field="grade")
    return grade_ppm


def whole_units(batch: Batch) -> int:
    """Whole base units that the batch contains by itself."""
    return minerals.in_base_units(batch.mineral, batch.contained_ng).base_units


def described(batch: Batch) -> dict[str, Any]:
    """The producer's figures as the journal keeps them."""
    return {
        "mineral": batch.mineral_code,
        "form": batch.form,
        "from": str(batch.produced_from),
        "to": str(batch.produced_to),
        "gross_mg": batch.gross_mg,
        "moisture_ppm": batch.moisture_ppm,
        "dry_mg": batch.dry_mg,
        "grade_ppm": batch.grade_ppm,
        "contained_ng": exact(batch.contained_ng),
        "sold_with_premium": batch.sold_with_premium,
        "registered_elsewhere": batch.registered_elsewhere,
        "miners": batch.miners,
        "days_worked": batch.days_worked,
    }
