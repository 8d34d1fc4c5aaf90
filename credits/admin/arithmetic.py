"""How a batch's figures lead to its credits, step by step and exactly, as a person would check them."""

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from credits.registry import minerals
from credits.registry.issuance import expected, waiting_remainder
from credits.registry.making.reckoning import reckon, shown
from credits.registry.production import Batch, BatchState

ENDED_UNISSUED = (BatchState.REJECTED, BatchState.WITHDRAWN)
DONE = (BatchState.ISSUED, BatchState.SUSPENDED)


@dataclass(frozen=True)
class Step:
    """One line of the calculation: what, how, and what comes out."""

    label: str
    how: str
    result: str


@dataclass(frozen=True)
class Outcome:
    """What a batch comes to. base_units: what is issued, perhaps nothing or less; remainder: for the next batch."""

    steps: list[Step]
    base_units: int | None
    remainder: str


def of(session: Session, batch: Batch) -> Outcome:
    """The calculation of `batch`: as it was once issued, as it would be now before that."""
    steps = _weighed(batch)
    if batch.state in ENDED_UNISSUED:
        return Outcome(steps, None, "")
    mineral = batch.mineral
    places, unit = len(str(mineral.base_unit_mg * minerals.MILLION)) - 1, mineral.base_unit
    issued = batch.state in DONE
    carried = batch.carried_ng if issued else waiting_remainder(session, batch)
    total = minerals.in_base_units(mineral, batch.contained_ng + carried)
    if carried:
        steps.append(
            Step(
                _("Carried over"),
                _("left over from the producer's earlier batches"),
                f"+ {shown(carried, places)} {unit}",
            )
        )
    steps.append(
        Step(_("Whole units"), _("rounded down to whole %(unit)s", unit=unit), mineral.quantity(total.base_units))
    )
    for label, how, taken in (
        (_("Sold with a premium"), _("paid for once already"), batch.sold_with_premium),
        (_("Registered elsewhere"), _("counted by another scheme"), batch.registered_elsewhere),
    ):
        steps.append(Step(label, how, f"− {mineral.quantity(taken)}"))
    base_units = total.base_units - batch.sold_with_premium - batch.registered_elsewhere
    if not issued:
        base_units = expected(session, batch).base_units  # what the rule says, not what this page adds up
    label = _("Issued") if issued else _("To be issued")
    steps.append(Step(label, _("1 credit = %(credit)s", credit=mineral.credit), mineral.quantity(base_units)))
    return Outcome(steps, base_units, f"{shown(total.remainder_ng, places)} {unit}")


def _weighed(batch: Batch) -> list[Step]:
    """From the scale to the contained quantity."""
    mineral, figures = batch.mineral, reckon(batch)
    weight, share = f"{figures.dry} kg", f"{figures.grade} % {mineral.contained}"
    steps = [Step(_("Gross weight"), _("as weighed"), f"{figures.gross} kg")]
    if mineral.per_thousand:
        weight, share = f"{figures.gross} kg", f"{figures.grade} / 1000"
    else:
        how = _("%(gross)s kg less %(moisture)s %% moisture", gross=figures.gross, moisture=figures.moisture)
        steps.append(Step(_("Dry weight"), how, weight))
    label = _("Contained %(substance)s", substance=mineral.contained)
    return [*steps, Step(label, f"{weight} × {share}", f"{figures.contained} {mineral.base_unit}")]
