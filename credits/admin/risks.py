"""The levels and reasons of a batch's risk in words."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from credits.registry.reviews.review_models import Level
from credits.registry.reviews.risk import Reason

TONES = {Level.HIGH: "stop", Level.RAISED: "wait", Level.ORDINARY: "calm"}


def levels() -> dict[Level, str]:
    return {Level.HIGH: _("High"), Level.RAISED: _("Raised"), Level.ORDINARY: _("Ordinary")}


def rule() -> str:
    """How a level comes about, in one sentence."""
    said: str = _(
        "High: a grave reason holds (above the ceiling, an open question about armed people, forced labour, children "
        "or the same ground, an open zero-tolerance finding, a suspended site). Raised: any other reason holds. "
        "Ordinary: none does."
    )
    return said


def said_of(reason: Reason) -> str:
    """One reason as a person reads it."""
    figures = reason.figures
    number: int = figures.get("number", 0)
    words: dict[str, Any] = {
        "above_ceiling": lambda: _("More is claimed than the site can have produced."),
        "little_headroom": lambda: _("Only %(percent)s %% of the ceiling are left.", percent=figures["percent"]),
        "no_bound": lambda: _("No bound of the quantity is known."),
        "above_warning": lambda: _("More is claimed than comparisons make likely."),
        "grave_question": lambda: _("The data ask about what ends an engagement at once."),
        "open_question": lambda: ngettext(
            "%(num)s question of the data is open.", "%(num)s questions of the data are open.", number
        ),
        "like_papers": lambda: ngettext(
            "%(num)s paper is nearly the same as another batch's.",
            "%(num)s papers are nearly the same as other batches'.",
            number,
        ),
        "zero_tolerance": lambda: _("A zero-tolerance finding about the site is open."),
        "major_finding": lambda: ngettext(
            "%(num)s major finding about the site is open.", "%(num)s major findings about the site are open.", number
        ),
        "site_suspended": lambda: _("The site is suspended."),
        "site_on_probation": lambda: _("The site is on probation."),
        "conflict_area": lambda: _("The area is conflict-affected (%(source)s).", source=figures["source"]),
        "first_batch": lambda: _("No credits were issued to this producer before."),
        "rejected_before": lambda: _("A batch of this producer was rejected before."),
        "withdrawn_before": lambda: ngettext(
            "%(num)s batch of this producer was withdrawn after a verifier was drawn.",
            "%(num)s batches of this producer were withdrawn after a verifier was drawn.",
            number,
        ),
    }
    said: str = words[reason.code]()
    return said
