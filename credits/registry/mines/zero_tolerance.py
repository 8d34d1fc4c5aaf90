"""What a zero-tolerance finding does at once, in its own transaction (invariant 20).

The verifier who finds it neither holds nor suspends anything: these are acts of the registry's rules on the finding,
and each event names the finding. Only two people of the registry let go what it froze, each by a decision of its own.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.journal import events
from credits.participants.models import User
from credits.registry import holds
from credits.registry.assurance.assurance_models import SiteFinding, StateCause
from credits.registry.mines import site_states
from credits.registry.policy import Policy
from credits.registry.production import AssuranceState, Batch, BatchState

ON_THE_WAY = (BatchState.SUBMITTED, BatchState.IN_REVIEW, BatchState.INFORMATION_REQUESTED, BatchState.VERIFIED)


def stop(session: Session, finding: SiteFinding, policy: Policy, by: User, at: datetime) -> holds.Frozen | None:
    """Suspend the site, hold every unsold unit of the days concerned, stop the site's batches. Flushes.

    The notices follow from the events. Lock the site before; whoever calls says who may.
    """
    site = finding.site
    assert finding.concerns_from is not None
    assert finding.concerns_to is not None
    # A suspension that runs already goes on, but no shorter than from this finding on.
    site_states.enter(
        session,
        site=site,
        state=AssuranceState.SUSPENDED,
        cause=StateCause.FINDING,
        reason=f"{finding.number}: {finding.title or 'zero tolerance'}.",
        policy=policy,
        by=by,
        at=at,
        finding=finding,
    )
    frozen = holds.freeze(
        session,
        site=site,
        first_day=finding.concerns_from,
        last_day=finding.concerns_to,
        why=f"{finding.number}: zero tolerance. {finding.text}"[:500],
        told={"finding": finding.number},
        by=by,
        at=at,
    )
    stopped = select(Batch).where(Batch.site_id == site.id, Batch.state.in_(ON_THE_WAY)).order_by(Batch.id)
    for batch in session.scalars(stopped):
        events.append(
            session,
            kind="batch.stopped",
            subject=batch.number,
            actor=by.number,
            at=at,
            facts={"finding": finding.number, "state": batch.state.value},
        )
    return frozen
