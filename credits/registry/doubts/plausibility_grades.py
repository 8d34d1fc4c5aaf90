"""Whether a grade can be, and whether it is to be asked back: a share typed for a percentage is a hundredth of it."""

from credits.errors import Invalid
from credits.registry.doubts.plausibility_figures import Figures, default_figures
from credits.registry.making.reckoning import shown
from credits.registry.minerals import MILLION, Mineral

PER = {True: (1_000, "‰"), False: (100, "%")}
CARAT = 24


class GradeDoubtful(Invalid):
    """So low that the unit is probably mistaken. Sent again as confirmed, it is taken."""

    code = "grade_doubtful"


class GradeImpossible(Invalid):
    """More than the pure mineral contains."""

    code = "grade_impossible"


def must_be_possible(mineral: Mineral, form: str, grade_ppm: int, figures: Figures | None = None) -> None:
    """Raise GradeImpossible for more than the mineral without anything else contains."""
    known = (figures or default_figures()).grades.get((mineral.code, form))
    if known is None or known.most_ppm is None or grade_ppm <= known.most_ppm:
        return
    per, unit = PER[mineral.per_thousand]
    raise GradeImpossible(
        f"{form.capitalize()} cannot hold {_written(grade_ppm, per)} {unit} {mineral.contained}: even pure {known.of} "
        f"has {_written(known.most_ppm, per)} {unit}. Please look at the assay again.",
        most_ppm=known.most_ppm,
    )


def doubt(mineral: Mineral, form: str, grade_ppm: int, figures: Figures | None = None) -> str | None:
    """The sentence by which a grade is asked back, None where there is no doubt."""
    known = (figures or default_figures()).grades.get((mineral.code, form))
    if known is None or grade_ppm >= known.ask_below_ppm:
        return None
    per, unit = PER[mineral.per_thousand]
    typed = _written(grade_ppm, per)
    others = [_written(ppm, per) for ppm in _meant(mineral, grade_ppm) if ppm <= (known.most_ppm or MILLION)]
    meant = f" Did you mean {' or '.join(others)} {unit}?" if others else ""
    return (
        f"{typed} {unit} {mineral.contained} is very little: {shown(grade_ppm, 3)} kg in a tonne.{meant} If the assay "
        f"really says {typed} {unit}, confirm it."
    )


def _meant(mineral: Mineral, grade_ppm: int) -> list[int]:
    """What it may have been: a share of one; of gold also a percentage, or carats."""
    if not mineral.per_thousand:
        return [grade_ppm * 100]
    typed = grade_ppm / 1_000
    if typed <= 1:
        return [grade_ppm * 1_000]
    return [grade_ppm * 10] if typed > CARAT else [grade_ppm * 1_000 // CARAT, grade_ppm * 10]


def _written(ppm: int, per: int) -> str:
    return shown(ppm, 4 if per == 100 else 3)
