"""Letting a batch through above its ceiling: one administrator proposes, another approves, the reason is public."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.journal import events
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.registry.doubts.plausibility import Plausibility, of_batch, override_for
from credits.registry.doubts.screened import CeilingOverride
from credits.registry.making.batches import NoSuchBatch, lock_in
from credits.registry.movements import Decision
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState
from credits.registry.queries import digits_of
from credits.registry.telling import both_people

STOPPED_IN = (BatchState.SUBMITTED, BatchState.IN_REVIEW, BatchState.INFORMATION_REQUESTED, BatchState.VERIFIED)


class NotAbove(Conflict):
    """The batch is within its ceiling, or was let through already: there is nothing to let through."""

    code = "not_above_ceiling"


def check(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """Whether a batch could be let through now. Raises NotAllowed, NoSuchBatch, WrongState, NotAbove."""
    must_issue(by)
    found = stopped(session, batch_of(session, subject))
    return {"claimed": found.claimed, "ceiling": found.ceiling}


def let_through(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> None:
    """Let the batch through up to what both people saw. Flushes. Raises WrongState, NotAbove."""
    batch = batch_of(session, decision.subject)
    found = stopped(session, batch)
    if found.claimed > decision.request["claimed"]:
        raise NotAbove("The batch claims more by now than was proposed: decline it, and propose it anew.")
    override = CeilingOverride(
        batch=batch,
        decision=decision,
        ceiling=found.ceiling,
        most=decision.request["claimed"],
        reason=decision.reason,
        made_at=at,
    )
    session.add(override)
    session.flush()
    facts = {"ceiling": override.ceiling, "most": override.most, "reason": override.reason}
    events.append(
        session,
        kind="batch.let_through",
        subject=batch.number,
        actor=by.number,
        at=at,
        facts=facts | both_people(decision),  # public, the reason too: who lets more through than is plausible says why
    )


def batch_of(session: Session, number: str) -> Batch:
    batch = session.get(Batch, digits_of(number, "BATCH-"))
    if batch is None or batch.state is BatchState.DRAFT:
        raise NoSuchBatch("There is no such batch.")
    return batch


def stopped(session: Session, batch: Batch) -> Plausibility:
    """The plausibility of a batch that stops at its ceiling now. Raises WrongState, NotAbove."""
    lock_in(session, batch, *STOPPED_IN)
    found = of_batch(session, batch)
    if not found.exceeded:
        raise NotAbove(f"{batch.number} is not above its ceiling.")
    if override_for(session, found) is not None:
        raise NotAbove(f"{batch.number} was let through already.")
    return found
