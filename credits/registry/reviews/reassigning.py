"""A batch changes hands: declined for a tie, not taken in time, or drawn anew by the registry; each with its reason."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict, NotAllowed
from credits.journal import events
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.participants.wording import paragraphs
from credits.registry.making.batches import WrongState
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState
from credits.registry.reviews.assigned import Assignment, AssignmentState
from credits.registry.reviews.assigning import assign, history_of, must_be_drawn, standing
from credits.registry.reviews.declaring import MOST_TIES, declare
from credits.registry.reviews.kinship import address_key

LATE = "Not taken in time."
TIED = "Declined for a tie."
DRAWN_FOR = (BatchState.SUBMITTED, BatchState.IN_REVIEW)


class DeclaredAlready(Conflict):
    """Who has declared to have no tie decides, or asks the registry to draw anew."""

    code = "declared_already"


class DrawnAnewAlready(NotAllowed):
    """One issuer relieves one verifier of a batch, and no second one."""

    code = "drawn_anew_already"


def decline(
    session: Session, *, batch: Batch, ties: str, policy: Policy, by: User, key: str, at: datetime
) -> Assignment:
    """Declare a tie: the batch leaves the organisation of `by`, and another one is drawn at once.

    ties: what they are, in the person's words; they stay with the registry. It can be found out in the review, too.
    Flushes. Raises NotDrawn, WrongState, UnsoundText.
    """
    asked = {"act": "batch.decline", "batch": batch.number, "ties": ties}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Assignment, earlier["assignment"])
    lock_to_draw(session, batch)
    ended = must_be_drawn(by, batch)
    ties = paragraphs(ties, "Ties", MOST_TIES)
    declare(session, ended, ties=ties, by=by, at=at)
    made = again(session, batch, ended, AssignmentState.DECLINED, TIED, ties, policy, by, at)
    ledger.settle(session, {"assignment": made.id})
    return made


def draw_anew(
    session: Session, *, batch: Batch, reason: str, policy: Policy, by: User, key: str, at: datetime
) -> Assignment:
    """The registry draws anew: nobody was eligible, or whoever was drawn cannot go on. reason: public.

    Flushes. Raises NotAllowed, DrawnAnewAlready, WrongState, UnsoundText.
    """
    must_issue(by)
    asked = {"act": "batch.draw_anew", "batch": batch.number, "reason": reason}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Assignment, earlier["assignment"])
    lock_to_draw(session, batch)
    reason = paragraphs(reason, "Reason", 500)
    ended = standing(session, batch)
    if ended is not None and ended.organisation_id is not None:
        must_be_another(session, batch, by)
    made = again(session, batch, ended, AssignmentState.RELIEVED, reason, reason, policy, by, at)
    ledger.settle(session, {"assignment": made.id})
    return made


def must_be_another(session: Session, batch: Batch, by: User) -> None:
    """Raise DrawnAnewAlready if `by` has relieved a verifier of this batch: nobody goes on until a friend is left."""
    for each in history_of(session, batch):
        relieved = each.state is AssignmentState.RELIEVED and each.organisation_id is not None
        if relieved and each.ended_by is not None and address_key(each.ended_by.email) == address_key(by.email):
            raise DrawnAnewAlready(
                f"You have had a verifier drawn anew for {batch.number} before. Another issuer does it this time."
            )


def not_taken(session: Session, *, at: datetime) -> list[int]:
    """The ids of batches that were not taken in time, to `lapse` now."""
    wanted = (
        select(Assignment.batch_id)
        .join(Batch, Batch.id == Assignment.batch_id)
        .where(Assignment.state == AssignmentState.OFFERED, Assignment.due_at < at)
        .where(Batch.state == BatchState.SUBMITTED)
    )
    return list(session.scalars(wanted.order_by(Assignment.batch_id)))


def lapse(session: Session, *, batch_id: int, policy: Policy, at: datetime) -> bool:
    """Draw anew for a batch that was not taken in time; False where it was taken or went on since. Flushes."""
    batch = session.get_one(Batch, batch_id, with_for_update=True, populate_existing=True)
    late = standing(session, batch)
    if late is None or late.state is not AssignmentState.OFFERED or late.due_at >= at:
        return False
    if batch.state is not BatchState.SUBMITTED:
        return False
    again(session, batch, late, AssignmentState.LAPSED, LATE, LATE, policy, None, at)
    return True


def again(
    session: Session,
    batch: Batch,
    ended: Assignment | None,
    state: AssignmentState,
    said: str,
    reason: str,
    policy: Policy,
    by: User | None,
    at: datetime,
) -> Assignment:
    """End what stands, tell of it, and draw. said: the reason as everybody may read it."""
    actor = by.number if by else events.SYSTEM
    was = ended.organisation.number if ended is not None and ended.organisation is not None else None
    if ended is not None:
        ended.state, ended.reason, ended.ended_at = state, reason, at
        ended.ended_by_id = by.id if by else None
        session.flush()
    if batch.state is BatchState.IN_REVIEW:
        batch.state = BatchState.SUBMITTED
        session.flush()
    facts = {"verifier": was, "how": state.value, "reason": said}
    private = {"ties": reason} if state is AssignmentState.DECLINED else None
    event_id = events.append(
        session, kind="batch.given_back", subject=batch.number, actor=actor, at=at, facts=facts, private=private
    )
    return assign(session, batch, event_id=event_id, policy=policy, reason=said, actor=actor, at=at)


def lock_to_draw(session: Session, batch: Batch) -> None:
    """Lock a batch that a verifier can be drawn for, and read it anew. Raises WrongState."""
    session.refresh(batch, with_for_update=True)
    if batch.state not in DRAWN_FOR:
        raise WrongState(
            f"{batch.number} is {batch.state.value.replace('_', ' ')}: no verifier can be drawn for it now.",
            state=batch.state.value,
        )
