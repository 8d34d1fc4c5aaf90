"""What of a site's standing is in the way of verifying and issuing (invariant 8)."""

from datetime import date

from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.registry.findings import stopping
from credits.registry.production import AssuranceState, Batch, Site
from credits.registry.site_states import SiteSuspended, state_on, suspended_within
from credits.registry.sites import number_of


class ZeroToleranceOpen(Conflict):
    """A finding of zero tolerance about the site is open: nothing of it is verified or issued."""

    code = "zero_tolerance_open"


def refuse_stopped(session: Session, site: Site, today: date) -> None:
    """Raise ZeroToleranceOpen or SiteSuspended where nothing of the site goes on now."""
    if open_ones := stopping(session, site):
        raise ZeroToleranceOpen(_said(open_ones), findings=open_ones)
    if state_on(session, site, today) is AssuranceState.SUSPENDED:
        raise SiteSuspended(f"{number_of(site)} is suspended: nothing of it is verified or issued.")


def obstacles_of(session: Session, batch: Batch, today: date) -> list[str]:
    """What of the site's standing is in the way of issuing a batch, as sentences."""
    site = batch.site
    found = []
    if open_ones := stopping(session, site):
        found.append(_said(open_ones))
    if state_on(session, site, today) is AssuranceState.SUSPENDED:
        found.append("The site is suspended.")
    if day := suspended_within(session, site, batch.produced_from, batch.produced_to):
        found.append(f"The site was suspended on {day}, a day of the production period.")
    return found


def _said(numbers: list[str]) -> str:
    return (
        f"Zero tolerance: {', '.join(numbers)} is open. Nothing of the site is verified or issued until it is closed."
    )
