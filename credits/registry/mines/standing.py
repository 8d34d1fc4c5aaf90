"""What of a site's standing is in the way of verifying and issuing (invariant 8).

What stands against a site counts for every site on the same ground: otherwise a stop would be escaped by registering
the mine again.
"""

from datetime import date

from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.participants.wording import day_shown
from credits.registry.assurance.findings import stopping
from credits.registry.doubts.plausibility import others_on_ground
from credits.registry.mines.site_states import SiteSuspended, state_on, suspended_within
from credits.registry.mines.sites import number_of
from credits.registry.production import AssuranceState, Batch, Site


class ZeroToleranceOpen(Conflict):
    """A finding of zero tolerance about the site is open: nothing of it is verified or issued."""

    code = "zero_tolerance_open"


def refuse_stopped(session: Session, site: Site, today: date) -> None:
    """Raise ZeroToleranceOpen or SiteSuspended where nothing of the site, or of another on its ground, goes on now."""
    if open_ones := stopping(session, site):
        raise ZeroToleranceOpen(_said(open_ones), findings=open_ones)
    if state_on(session, site, today) is AssuranceState.SUSPENDED:
        raise SiteSuspended(f"{number_of(site)} is suspended: nothing of it is verified or issued.")
    for other in others_on_ground(session, site):
        if stopping(session, other):
            raise ZeroToleranceOpen(_said_beside(session, site, other))
        if state_on(session, other, today) is AssuranceState.SUSPENDED:
            raise SiteSuspended(f"{_named(site, other)} is suspended: nothing of this ground is verified or issued.")


def obstacles_of(session: Session, batch: Batch, today: date) -> list[str]:
    """What of the standing of the site, and of others on its ground, is in the way of issuing a batch, as sentences."""
    site = batch.site
    found = []
    if open_ones := stopping(session, site):
        found.append(_said(open_ones))
    if state_on(session, site, today) is AssuranceState.SUSPENDED:
        found.append("The site is suspended.")
    if day := suspended_within(session, site, batch.produced_from, batch.produced_to):
        found.append(f"The site was suspended on {day_shown(day)}, a day of the production period.")
    for other in others_on_ground(session, site):
        if stopping(session, other):
            found.append(_said_beside(session, site, other))
        if state_on(session, other, today) is AssuranceState.SUSPENDED:
            found.append(f"{_named(site, other)} is suspended.")
        if day := suspended_within(session, other, batch.produced_from, batch.produced_to):
            found.append(f"{_named(site, other)} was suspended on {day_shown(day)}, a day of the production period.")
    return list(dict.fromkeys(found))


def _said(numbers: list[str]) -> str:
    return (
        f"Zero tolerance: {', '.join(numbers)} is open. Nothing of the site is verified or issued until it is closed."
    )


def _said_beside(session: Session, site: Site, other: Site) -> str:
    """Of a finding about another producer's site neither the number nor the site: whose it is may be a suspicion."""
    if other.producer_id == site.producer_id:
        return _said(stopping(session, other))
    return "Zero tolerance: a finding about the same ground is open. Nothing is verified or issued until it is closed."


def _named(site: Site, other: Site) -> str:
    if other.producer_id == site.producer_id:
        return f"{number_of(other)}, on the same ground,"
    return "A site on the same ground"
