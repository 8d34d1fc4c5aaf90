"""What the clock brings to sites: probations end, and major findings that were not put right have a consequence."""

from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.participants.wording import day_shown
from credits.registry.assurance.assurance_models import Severity, SiteFinding, SiteState, StateCause
from credits.registry.mines.site_states import enter, has_run_out, newest_row, overdue_on, standing
from credits.registry.policy import Policy
from credits.registry.production import AssuranceState, Site
from credits.registry.stillness import keep_site_still

MOST_AT_A_TIME = 100


def due(session: Session, *, at: datetime) -> list[int]:
    """The ids of sites to `run`, at most 100: probations that ended without mitigation, major findings past their day.

    A probation that was mitigated and has ended waits for two issuers, and shields from nothing meanwhile.
    """
    newest = SiteState.id.in_(select(func.max(SiteState.id)).group_by(SiteState.site_id))
    over = (SiteState.state == AssuranceState.PROBATION) & (SiteState.until_on < at.date())
    ended = session.scalars(select(SiteState).where(newest, over).order_by(SiteState.site_id))
    found = [row.site_id for row in ended if has_run_out(session, row, at.date())]
    not_now = select(SiteState.site_id).where(newest, SiteState.state != AssuranceState.ACTIVE, ~over)
    overdue = select(SiteFinding.site_id).where(
        SiteFinding.severity == Severity.MAJOR,
        *overdue_on(at.date()),
        SiteFinding.site_id.not_in(not_now),
        SiteFinding.site_id.not_in(found),
    )
    found += session.scalars(overdue.distinct().order_by(SiteFinding.site_id).limit(MOST_AT_A_TIME))
    return found[:MOST_AT_A_TIME]


def run(session: Session, site: Site, policy: Policy, at: datetime) -> SiteState | None:
    """Write down what the clock has brought to one site; None where nothing is due by now. Flushes.

    Commit before the next site: who verifies or issues locks all sites of a ground, and would wait for one of these
    while we wait for one of those.
    """
    keep_site_still(session, site)
    row = newest_row(session, site)
    if row is not None and has_run_out(session, row, at.date()):
        return _end_probation(session, row, policy, at)
    now = standing(session, site, at.date(), policy)
    if now.state is AssuranceState.ACTIVE or now.has_ended(at.date()):
        return _begin_probation(session, site, policy, at)
    return None


def _end_probation(session: Session, row: SiteState, policy: Policy, at: datetime) -> SiteState:
    assert row.until_on is not None
    return enter(
        session,
        site=row.site,
        state=AssuranceState.SUSPENDED,
        cause=StateCause.CLOCK,
        reason=f"The probation of {policy.probation_months} months ended without mitigation.",
        policy=policy,
        by=None,
        at=at,
        from_on=row.until_on + timedelta(days=1),
    )


def _begin_probation(session: Session, site: Site, policy: Policy, at: datetime) -> SiteState | None:
    """For the oldest major finding that was not put right by its day, if there is one."""
    finding = _overdue(session, site, at.date())
    if finding is None:
        return None
    return enter(
        session,
        site=site,
        state=AssuranceState.PROBATION,
        cause=StateCause.CLOCK,
        reason=f"{finding.number} was not put right by {day_shown(finding.due_on)}.",
        policy=policy,
        by=None,
        at=at,
        finding=finding,
    )


def _overdue(session: Session, site: Site, today: date) -> SiteFinding | None:
    wanted = select(SiteFinding).where(
        SiteFinding.site_id == site.id, SiteFinding.severity == Severity.MAJOR, *overdue_on(today)
    )
    return session.scalars(wanted.order_by(SiteFinding.id).limit(1)).one_or_none()
