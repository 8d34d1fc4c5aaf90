"""What of a site's standing is in the way of verifying and issuing (invariant 8)."""

from datetime import date

from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.registry.findings import stopping
from credits.registry.policy import Policy
from credits.registry.production import AssuranceState, Batch, Site
from credits.registry.site_states import SiteSuspended, newest_row, standing, suspended_within
from credits.registry.sites import number_of


class ZeroToleranceOpen(Conflict):
    """A finding of zero tolerance about the site is open: nothing of it is verified or issued."""

    code = "zero_tolerance_open"


def refuse_stopped(session: Session, site: Site) -> None:
    """Raise ZeroToleranceOpen or SiteSuspended where nothing of the site goes on now."""
    if open_ones := stopping(session, site):
        raise ZeroToleranceOpen(_said(open_ones), findings=open_ones)
    if state_now(session, site) is AssuranceState.SUSPENDED:
        raise SiteSuspended(f"{number_of(site)} is suspended: nothing of it is verified or issued.")


def state_now(session: Session, site: Site) -> AssuranceState:
    """The state that was last written down."""
    row = newest_row(session, site)
    return row.state if row else AssuranceState.ACTIVE


def obstacles_of(session: Session, batch: Batch, policy: Policy, today: date) -> list[str]:
    """What of the site's standing is in the way of issuing a batch, as sentences."""
    site = batch.site
    found = []
    if open_ones := stopping(session, site):
        found.append(_said(open_ones))
    if standing(session, site, today, policy).state is AssuranceState.SUSPENDED:
        found.append("The site is suspended.")
    if day := suspended_within(session, site, batch.produced_from, batch.produced_to, policy):
        found.append(f"The site was suspended on {day}, a day of the production period.")
    return found


def _said(numbers: list[str]) -> str:
    return (
        f"Zero tolerance: {', '.join(numbers)} is open. Nothing of the site is verified or issued until it is closed."
    )
