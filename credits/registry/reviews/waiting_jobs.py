"""What the registry looks after in who verifies what: batches not taken yet, and a verifier's own jobs."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from credits.participants.models import Kind, Kyc, Organisation
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState, Site
from credits.registry.reviews.assigned import Assignment, AssignmentState
from credits.registry.reviews.assigning import eligible

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


def nearly_chosen(session: Session, rows: list[Assignment], policy: Policy) -> list[Assignment]:
    """Those of `rows` for which ties and cycles leave fewer of the approved verifiers than the policy wants."""
    approved = select(func.count()).where(Organisation.kind == Kind.VERIFIER, Organisation.kyc == Kyc.APPROVED)
    if session.scalars(approved).one() < policy.least_eligible:
        return []
    few = [each for each in rows if len(each.draw.candidates) < policy.least_eligible]
    return [each for each in few if len(eligible(session, each.batch, policy)) < policy.least_eligible]


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
