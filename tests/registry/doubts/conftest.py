"""What is entered about a site and a batch, for the tests of what is plausible."""

from datetime import date

import pytest

from credits.registry.doubts import plausibility_limits, plausibility_sales
from credits.registry.doubts.plausibility_limits import LimitFacts
from credits.registry.doubts.plausibility_sales import SaleFacts
from credits.registry.doubts.screened import Basis, LimitKind, Per


@pytest.fixture
def limit(stage):
    """Enter a limit of a site by the verifier; what is not said is a capacity of 2 t of cobalt a year."""

    def enter(site, **bent):
        facts = {
            "kind": LimitKind.INSTALLED_CAPACITY,
            "mineral_code": "CO",
            "kilograms": "2000",
            "basis": Basis.CONTAINED,
            "per": Per.YEAR,
            "counts_from": date(2026, 1, 1),
            "source": "Inspection of the plant",
            "source_date": date(2026, 2, 3),
        }
        by = bent.pop("by", stage.lead)
        return plausibility_limits.enter(
            stage.session, site=site, facts=LimitFacts(**facts | bent), by=by, key=stage.key(), at=stage.at
        )

    return enter


@pytest.fixture
def sale(stage):
    def enter(batch, kilograms, **bent):
        facts = {"number": "INV-17", "buyer": "Depot", "sold_on": date(2026, 6, 2), "grade": "31.25"}
        facts |= {"kilograms": kilograms} | bent
        return plausibility_sales.enter(
            stage.session, batch=batch, facts=SaleFacts(**facts), by=stage.clerk, key=stage.key(), at=stage.at
        )

    return enter
