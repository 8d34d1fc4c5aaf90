"""How a site stands: active, on probation or suspended, on any day, with the clock running by itself.

A probation that ends without mitigation is a suspension from the next day on, whether or not the worker has written
that down yet. Nothing returns to active by itself: two issuers decide on it. Until they have, a probation that was
mitigated and is over shields from nothing: an overdue major finding begins another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.participants.wording import paragraphs
from credits.registry.assurance.assurance_models import Severity, SiteFinding, SiteState, StateCause
from credits.registry.calendar import months_before
from credits.registry.mines.sites import number_of
from credits.registry.movements import Decision
from credits.registry.policy import Policy
from credits.registry.production import AssuranceState, Site
from credits.registry.stillness import keep_site_still
from credits.registry.telling import both_people

WEIGHTY = (Severity.MAJOR, Severity.ZERO_TOLERANCE)
KINDS = {
    AssuranceState.ACTIVE: "site.reinstated",
    AssuranceState.PROBATION: "site.put_on_probation",
    AssuranceState.SUSPENDED: "site.suspended",
}


class SiteSuspended(Conflict):
    """The site is suspended: nothing of it is verified or issued."""

    code = "site_suspended"


class NotThere(Conflict):
    """The site does not stand where this step begins."""

    code = "wrong_site_state"


@dataclass(frozen=True)
class Standing:
    """How a site stands on a day. since: from when on; until: end of a probation, earliest end of a suspension.

    is_written: whether a row says so, or the end of a probation that nobody has written down yet.
    """

    state: AssuranceState
    since: date | None
    until: date | None
    is_written: bool = True

    def has_ended(self, day: date) -> bool:
        """Whether it is a probation that was mitigated and is over: what weighs anew has its consequence anew."""
        return self.state is AssuranceState.PROBATION and self.until is not None and self.until < day


def standing(session: Session, site: Site, day: date, policy: Policy) -> Standing:
    """How the site stands, or stood, on any day."""
    row = row_on(session, site, day)
    if row is None:
        return Standing(AssuranceState.ACTIVE, None, None)
    if has_run_out(session, row, day):
        assert row.until_on is not None
        begins = row.until_on + timedelta(days=1)
        return Standing(AssuranceState.SUSPENDED, begins, months_on(begins, policy.suspension_months), is_written=False)
    return Standing(row.state, row.from_on, row.until_on)


def state_on(session: Session, site: Site, day: date) -> AssuranceState:
    """The bare state of `standing`."""
    row = row_on(session, site, day)
    if row is None:
        return AssuranceState.ACTIVE
    return AssuranceState.SUSPENDED if has_run_out(session, row, day) else row.state


def has_run_out(session: Session, row: SiteState, day: date) -> bool:
    """Whether a probation had ended without mitigation before a day, so that it is a suspension."""
    ended = row.state is AssuranceState.PROBATION and row.until_on is not None and row.until_on < day
    return ended and not is_mitigated(session, row)


def row_on(session: Session, site: Site, day: date) -> SiteState | None:
    """The row that counts on a day: the newest of those that had begun by then."""
    wanted = select(SiteState).where(SiteState.site_id == site.id, SiteState.from_on <= day)
    return session.scalars(wanted.order_by(SiteState.from_on.desc(), SiteState.id.desc()).limit(1)).one_or_none()


def history_of(session: Session, site: Site) -> Sequence[SiteState]:
    """Every state of a site that was written down, newest first."""
    return session.scalars(select(SiteState).where(SiteState.site_id == site.id).order_by(SiteState.id.desc())).all()


def is_mitigated(session: Session, probation: SiteState) -> bool:
    """Whether all that weighed during a probation was put right by its last day, and something was there to put right.

    A probation with no finding behind it is ended by a decision alone.
    """
    assert probation.until_on is not None
    begun, ended = start_of(probation.from_on), start_of(probation.until_on + timedelta(days=1))
    closed = func.coalesce(SiteFinding.closed_at < ended, False)
    rows = session.execute(
        select(closed).where(
            SiteFinding.site_id == probation.site_id,
            SiteFinding.severity.in_(WEIGHTY),
            SiteFinding.opened_at < ended,
            or_(SiteFinding.closed_at.is_(None), SiteFinding.closed_at >= begun),
        )
    ).all()
    return bool(rows) and all(done for (done,) in rows)


def suspended_within(session: Session, site: Site, first: date, last: date) -> date | None:
    """The first day of a period on which the site was suspended, if there is one."""
    if state_on(session, site, first) is AssuranceState.SUSPENDED:
        return first
    starts = [row.from_on for row in history_of(session, site)]
    starts += [row.until_on + timedelta(days=1) for row in history_of(session, site) if row.until_on is not None]
    for day in sorted(day for day in starts if first < day <= last):
        if state_on(session, site, day) is AssuranceState.SUSPENDED:
            return day
    return None


def put_on_probation(
    session: Session, *, site: Site, reason: str, policy: Policy, by: User, key: str, at: datetime
) -> SiteState:
    """Put an active site on probation at once; one issuer may. Flushes. Raises NotAllowed, NotThere, UnsoundText."""
    return _by_registry(session, AssuranceState.PROBATION, site, reason, policy, by, key, at)


def suspend(
    session: Session, *, site: Site, reason: str, policy: Policy, by: User, key: str, at: datetime
) -> SiteState:
    """Suspend a site at once; one issuer may. Flushes. Raises NotAllowed, NotThere, UnsoundText."""
    return _by_registry(session, AssuranceState.SUSPENDED, site, reason, policy, by, key, at)


def _by_registry(
    session: Session, state: AssuranceState, site: Site, reason: str, policy: Policy, by: User, key: str, at: datetime
) -> SiteState:
    must_issue(by)
    asked = {"act": KINDS[state], "site": number_of(site), "reason": reason}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(SiteState, earlier["state"])
    keep_site_still(session, site)
    why = paragraphs(reason, "Reason", 1_000)
    now = standing(session, site, at.date(), policy)
    if now.state is AssuranceState.SUSPENDED or (now.state is state and not now.has_ended(at.date())):
        raise NotThere(f"{number_of(site)} is {_word(now.state)} already.", state=now.state.value)
    made = enter(session, site=site, state=state, cause=StateCause.REGISTRY, reason=why, policy=policy, by=by, at=at)
    settle(session, {"state": made.id})
    return made


def enter(
    session: Session,
    *,
    site: Site,
    state: AssuranceState,
    cause: StateCause,
    reason: str,
    policy: Policy,
    by: User | None,
    at: datetime,
    from_on: date | None = None,
    finding: SiteFinding | None = None,
    decision: Decision | None = None,
) -> SiteState:
    """Write down how a site stands from a day on, today if none is given. Whoever calls says who may. Flushes.

    Lock the site before. reason: sound text, for those concerned.
    """
    begins = from_on or at.date()
    months = {AssuranceState.PROBATION: policy.probation_months, AssuranceState.SUSPENDED: policy.suspension_months}
    row = SiteState(
        site=site,
        state=state,
        from_on=begins,
        until_on=months_on(begins, months[state]) if state in months else None,
        cause=cause,
        reason=reason,
        policy=policy.version,
        finding=finding,
        decision=decision,
        set_by_id=by.id if by else None,
        set_at=at,
    )
    session.add(row)
    session.flush()
    facts: dict[str, Any] = {"state": state.value, "from": str(begins), "cause": cause.value, "policy": policy.version}
    if row.until_on:
        facts["until"] = str(row.until_on)
    if finding is not None:
        facts["finding"] = finding.number
    events.append(
        session,
        kind=KINDS[state],
        subject=number_of(site),
        actor=by.number if by else events.SYSTEM,
        at=at,
        facts=facts | (both_people(decision) if decision else {}),
        private={"reason": reason},
    )
    return row


def overdue_on(today: date) -> tuple[ColumnElement[bool], ...]:
    """Conditions on a finding: that it is open past its day."""
    return SiteFinding.closed_at.is_(None), SiteFinding.due_on < today


def newest_row(session: Session, site: Site) -> SiteState | None:
    wanted = select(SiteState).where(SiteState.site_id == site.id).order_by(SiteState.id.desc()).limit(1)
    return session.scalars(wanted).one_or_none()


def months_on(day: date, months: int) -> date:
    """The same day of the month, `months` later."""
    return months_before(day, -months)


def start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def _word(state: AssuranceState) -> str:
    return "on probation" if state is AssuranceState.PROBATION else state.value
