"""Whose job a site is now: which verifier has been drawn for a batch of it, has taken it, and has kept it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.participants.models import User
from credits.participants.permissions import is_verifier
from credits.registry.production import Batch, BatchState, Site
from credits.registry.reviews.assigned import Assignment, AssignmentState
from credits.registry.reviews.assigning import ties_of

REVIEWING = (BatchState.IN_REVIEW, BatchState.INFORMATION_REQUESTED)
VERIFIED = (BatchState.VERIFIED, BatchState.ISSUED, BatchState.SUSPENDED)


def has_job_at(session: Session, by: User, site: Site, states: tuple[BatchState, ...]) -> bool:
    """Whether the organisation of `by` has taken a batch of the site, in one of these states, that `by` has no tie to.

    Who declined or was relieved has no job any more, nor who had a batch that was withdrawn.
    """
    if not is_verifier(by):
        return False
    wanted = (
        select(Batch)
        .join(Assignment, Assignment.batch_id == Batch.id)
        .where(
            Assignment.organisation_id == by.organisation_id,
            Assignment.state == AssignmentState.TAKEN,
            Batch.site_id == site.id,
            Batch.state.in_(states),
        )
    )
    return any(not any(tie.certain for tie in ties_of(by, batch)) for batch in session.scalars(wanted))
