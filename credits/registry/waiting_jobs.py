"""What the registry looks after in who verifies what: batches not taken yet, and a verifier's own jobs."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from credits.participants.models import Organisation
from credits.registry.assigned import Assignment, AssignmentState
from credits.registry.production import Batch, BatchState, Site

MOST_SHOWN = 200


def untaken(session: Session) -> list[Assignment]:
    """The submitted batches that nobody has taken, those without anybody eligible first, then by their due time."""
    wanted = (
        select(Assignment)
        .join(Batch, Batch.id == Assignment.batch_id)
        .where(Assignment.state.in_((AssignmentState.OFFERED, AssignmentState.NOBODY)))
        .where(Batch.state == BatchState.SUBMITTED)
        .order_by(Assignment.state != AssignmentState.NOBODY, Assignment.due_at, Assignment.id)
        .options(selectinload(Assignment.batch).selectinload(Batch.site).selectinload(Site.producer))
        .limit(MOST_SHOWN)
    )
    return list(session.scalars(wanted))


def undrawn(session: Session) -> list[Batch]:
    """Batches that were submitted before verifiers were drawn, and wait for their first draw."""
    drawn = select(Assignment.id).where(Assignment.batch_id == Batch.id)
    wanted = select(Batch).where(Batch.state == BatchState.SUBMITTED, ~drawn.exists()).order_by(Batch.id)
    return list(session.scalars(wanted.limit(MOST_SHOWN)))


def jobs_of(session: Session, organisation: Organisation) -> list[Assignment]:
    """The newest batches that were drawn for a verifier, whatever became of them."""
    wanted = (
        select(Assignment)
        .where(Assignment.organisation_id == organisation.id)
        .order_by(Assignment.id.desc())
        .options(selectinload(Assignment.batch).selectinload(Batch.site).selectinload(Site.producer))
        .limit(MOST_SHOWN)
    )
    return list(session.scalars(wanted))


def outcomes_of(session: Session, organisation: Organisation) -> dict[str, int]:
    """How many jobs of a verifier were taken, declined, lapsed and so on: a verifier that declines much steers."""
    wanted = (
        select(Assignment.state, func.count())
        .where(Assignment.organisation_id == organisation.id)
        .group_by(Assignment.state)
    )
    return {state.value: number for state, number in session.execute(wanted)}
