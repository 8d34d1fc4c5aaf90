"""Returning a site to active: proposed by one issuer, approved by another, once all that weighs is put right."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.participants.wording import day_shown
from credits.registry.assurance.assurance_models import SiteFinding, StateCause
from credits.registry.mines.site_states import WEIGHTY, NotThere, enter, newest_row, standing
from credits.registry.movements import Decision
from credits.registry.policy import Policy
from credits.registry.production import AssuranceState, Site
from credits.registry.public import site_known_as
from credits.registry.stillness import keep_site_still


class NotYet(Conflict):
    """The site cannot return to active yet; the message names what is in the way."""

    code = "cannot_return_yet"


def check(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """Whether a site could return to active, its time aside. Raises NotAllowed, NoSuchSite, NotThere, NotYet."""
    must_issue(by)
    site = site_known_as(session, subject)
    row = newest_row(session, site)
    if row is None or row.state is AssuranceState.ACTIVE:
        raise NotThere(f"{subject} is active.", state=AssuranceState.ACTIVE.value)
    must_be_put_right(session, site)
    return {}


def reinstate(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> None:
    """Let a site return to active. Flushes. Raises NotThere, NotYet."""
    site = site_known_as(session, decision.subject)
    keep_site_still(session, site)
    now = standing(session, site, at.date(), policy)
    if now.state is AssuranceState.ACTIVE:
        raise NotThere(f"{decision.subject} is active.", state=now.state.value)
    if now.state is AssuranceState.SUSPENDED and now.until is not None and at.date() < now.until:
        raise NotYet(
            f"{decision.subject} is suspended for {policy.suspension_months} months at least: until "
            f"{day_shown(now.until)}.",
            until=str(now.until),
        )
    must_be_put_right(session, site)
    enter(
        session,
        site=site,
        state=AssuranceState.ACTIVE,
        cause=StateCause.DECISION,
        reason=decision.reason,
        policy=policy,
        by=by,
        at=at,
        decision=decision,
    )


def must_be_put_right(session: Session, site: Site) -> None:
    wanted = select(SiteFinding).where(
        SiteFinding.site_id == site.id, SiteFinding.severity.in_(WEIGHTY), SiteFinding.closed_at.is_(None)
    )
    if left := [finding.number for finding in session.scalars(wanted.order_by(SiteFinding.id))]:
        raise NotYet(f"These findings are open: {', '.join(left)}.", findings=left)
