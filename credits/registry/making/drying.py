"""The moisture of a weighed batch, where the slip shows the dry weight instead. Pure."""

from credits.errors import Invalid
from credits.registry.making.reckoning import MG_DIGITS, PERCENT_DIGITS, shown
from credits.registry.minerals import MILLION, dried_mg, share_ppm, weight_mg

APART_PPM = 5_000  # of the gross weight: more than rounding on a slip explains


class DryAboveGross(Invalid):
    """What was dried weighs more than what went in: the two were probably swapped."""

    code = "dry_above_gross"


class WeightsDisagree(Invalid):
    """The moisture says another dry weight than the one given."""

    code = "weights_disagree"


def moisture_of(gross_kg: str, dry_kg: str) -> str:
    """The moisture in per cent that leaves `dry_kg` of `gross_kg`, or a hair less. Raises BadMeasure, DryAboveGross."""
    gross, dry = weight_mg(gross_kg), weight_mg(dry_kg)
    if dry > gross:
        raise DryAboveGross(
            f"The dry weight, {shown(dry, MG_DIGITS)} kg, is above the gross weight, {shown(gross, MG_DIGITS)} kg. Wet "
            "mineral weighs more than dry: were the two swapped?",
            field="dry_kg",
        )
    return shown(-(-(gross - dry) * MILLION // gross), PERCENT_DIGITS, "")


def must_agree(gross_kg: str, moisture: str, dry_kg: str) -> None:
    """Raise WeightsDisagree where the moisture and the dry weight of one batch tell two stories; and DryAboveGross."""
    moisture_of(gross_kg, dry_kg)
    gross, dry = weight_mg(gross_kg), weight_mg(dry_kg)
    left = dried_mg(gross, share_ppm(moisture, per=100))
    if abs(left - dry) * MILLION > gross * APART_PPM:
        raise WeightsDisagree(
            f"{moisture} % moisture leaves {shown(left, MG_DIGITS)} kg of {shown(gross, MG_DIGITS)} kg, but the dry "
            f"weight says {shown(dry, MG_DIGITS)} kg. Correct one of them, or leave one empty.",
            field="dry_kg",
        )
