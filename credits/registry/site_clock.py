"""What the clock brings to sites: probations end, and major findings that were not put right have a consequence."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.registry.assurance_models import Severity, SiteFinding, SiteState, StateCause
from credits.registry.policy import Policy
from credits.registry.production import AssuranceState
from credits.registry.site_states import enter, is_mitigated, newest_row, overdue_on, standing
from credits.registry.stillness import keep_site_still

MOST_AT_A_TIME = 100


def run_clocks(session: Session, *, policy: Policy, at: datetime) -> list[SiteState]:
    """Write down what the clock has brought: probations that ended without mitigation, major findings past their day.

    Flushes. At most 100 sites at a time: call again until nothing comes back.
    """
    return [*end_probations(session, policy, at), *begin_probations(session, policy, at)]


def end_probations(session: Session, policy: Policy, at: datetime) -> list[SiteState]:
    newest = select(func.max(SiteState.id)).group_by(SiteState.site_id)
    due = select(SiteState).where(
        SiteState.id.in_(newest), SiteState.state == AssuranceState.PROBATION, SiteState.until_on < at.date()
    )
    made: list[SiteState] = []
    for row in session.scalars(due.order_by(SiteState.id)).all():
        if is_mitigated(session, row) or len(made) == MOST_AT_A_TIME:
            continue
        keep_site_still(session, row.site)
        if newest_row(session, row.site) is not row:
            continue
        assert row.until_on is not None
        why = f"The probation of {policy.probation_months} months ended without mitigation."
        begins = row.until_on + timedelta(days=1)
        made.append(
            enter(
                session,
                site=row.site,
                state=AssuranceState.SUSPENDED,
                cause=StateCause.CLOCK,
                reason=why,
                policy=policy,
                by=None,
                at=at,
                from_on=begins,
            )
        )
    return made


def begin_probations(session: Session, policy: Policy, at: datetime) -> list[SiteState]:
    """Of active sites, those with a major finding that was not put right by its day."""
    standing_now = select(SiteState.site_id).where(
        SiteState.id.in_(select(func.max(SiteState.id)).group_by(SiteState.site_id)),
        SiteState.state != AssuranceState.ACTIVE,
    )
    overdue = select(func.min(SiteFinding.id)).where(
        SiteFinding.severity == Severity.MAJOR, *overdue_on(at.date()), SiteFinding.site_id.not_in(standing_now)
    )
    ids = session.scalars(overdue.group_by(SiteFinding.site_id).limit(MOST_AT_A_TIME)).all()
    made: list[SiteState] = []
    for finding in session.scalars(select(SiteFinding).where(SiteFinding.id.in_(ids)).order_by(SiteFinding.id)).all():
        keep_site_still(session, finding.site)
        session.refresh(finding)
        if not finding.is_open or standing(session, finding.site, at.date(), policy).state is not AssuranceState.ACTIVE:
            continue
        why = f"{finding.number} was not put right by {finding.due_on}."
        made.append(
            enter(
                session,
                site=finding.site,
                state=AssuranceState.PROBATION,
                cause=StateCause.CLOCK,
                reason=why,
                policy=policy,
                by=None,
                at=at,
                finding=finding,
            )
        )
    return made
