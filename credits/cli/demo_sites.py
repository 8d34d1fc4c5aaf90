"""The two sites of the demo world. Made up, but for the districts they lie in."""

from datetime import date
from typing import Any

from credits.registry.mines.site_record_models import Severity, Stage
from credits.registry.mines.sites import SiteFacts
from credits.registry.production import Access, Answer, Method


def kamilombe(*, checked_on: date) -> SiteFacts:
    """A cobalt site on somebody else's concession. checked_on: when somebody looked whether the area is affected."""
    return SiteFacts(
        name="Kamilombe Demo",
        country="COD",
        province="Lualaba",
        district="Kolwezi",
        latitude="-10.7164",
        longitude="25.4667",
        access=Access.TOLERATED,
        concession_owner="State mining company",
        method=Method.UNDERGROUND,
        mercury=Answer.NO,
        miners=820,
        conflict_affected=Answer.NO,
        conflict_source="Made-up list of the demo world",
        conflict_checked_on=checked_on,
    )


def cerro_claro() -> SiteFacts:
    """A gold site on the miners' own title, of which nobody has said yet whether its area is affected."""
    return SiteFacts(
        name="Cerro Claro Demo",
        country="PER",
        province="Arequipa",
        district="Caravelí",
        latitude="-15.7721",
        longitude="-73.3652",
        access=Access.OWN_TITLE,
        concession_owner="Minera Cerro Claro Demo",
        method=Method.UNDERGROUND,
        mercury=Answer.NO,
        miners=64,
        conflict_affected=Answer.UNKNOWN,
        conflict_source="",
        conflict_checked_on=None,
    )


# What the people of the first site have written down: kind, how many days ago, figures.
RECORDS: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("formalisation", 200, {"stage": Stage.IN_PROCESS, "source": "Application of the demo world"}),
    ("training", 90, {"topic": "Safe timbering", "minutes": 240, "women": 38, "men": 112}),
    ("training", 40, {"topic": "First aid", "minutes": 180, "women": 25, "men": 61}),
    ("members", 60, {"women": 214, "men": 606, "young_women": 97, "young_men": 288}),
    (
        "accidents",
        75,
        {"severity": Severity.SERIOUS, "hurt": 1, "killed": 0, "measures": "The shaft is timbered anew; care is paid."},
    ),
    ("mercury", 60, {"used": Answer.NO, "note": ""}),
)
