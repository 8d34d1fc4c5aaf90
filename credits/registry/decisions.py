"""Acts of two people: one proposes, another one decides, and the act happens with the approval."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict, Missing, NotAllowed
from credits.journal import events
from credits.ledger.posting import Posted
from credits.participants.models import User
from credits.participants.permissions import is_auditor, is_issuer, must_issue
from credits.participants.wording import paragraphs
from credits.registry import annotating, buffer, cancellation, corrections, export, holds, suspension
from credits.registry.doubts import plausibility_override
from credits.registry.mines import reinstatement
from credits.registry.movements import Decision, DecisionKind, DecisionState
from credits.registry.policy import Policy
from credits.registry.queries import digits_of
from credits.registry.second_person import SamePerson


class NoSuchDecision(Missing):
    code = "no_such_decision"


class DecidedAlready(Conflict):
    code = "decided_already"


class NotTheProposer(NotAllowed):
    """Only who proposed it takes it back."""

    code = "not_the_proposer"


@dataclass(frozen=True)
class Act:
    """check: whether it can be proposed, and the request in sound form. carry_out: what the approval does.

    public: what of the request the public log says; of all else it has the salted hash alone. must_be_timely: raises
    where the sound request tells of a day that has not come.
    """

    check: Callable[[Session, str, dict[str, Any], User], dict[str, Any]]
    carry_out: Callable[[Session, Decision, Policy, User, datetime], Posted | None]
    public: frozenset[str] = frozenset()
    must_be_timely: Callable[[dict[str, Any], datetime], None] | None = None


CREDITS = frozenset({"holder", "quantity"})
ACTS = {
    DecisionKind.RELEASE: Act(holds.check_release, holds.release),
    DecisionKind.CANCELLATION: Act(cancellation.check, cancellation.cancel, CREDITS),
    DecisionKind.EXPORT: Act(export.check, export.export, CREDITS | {"registry", "reference"}),
    DecisionKind.BUFFER_DRAW: Act(buffer.check_draw, buffer.draw, CREDITS),
    DecisionKind.ROLL_BACK: Act(corrections.check_roll_back, corrections.roll_back),
    DecisionKind.DEBIT: Act(corrections.check_debit, corrections.debit, CREDITS),
    DecisionKind.LIFT: Act(suspension.check_lift, suspension.lift),
    DecisionKind.CEILING: Act(
        plausibility_override.check, plausibility_override.let_through, frozenset({"claimed", "ceiling"})
    ),
    DecisionKind.REINSTATEMENT: Act(reinstatement.check, reinstatement.reinstate),
    DecisionKind.ANNOTATION: Act(annotating.check, annotating.say),
    DecisionKind.ANNULMENT: Act(annotating.check_annulment, annotating.say),
}


def propose(
    session: Session,
    *,
    kind: DecisionKind,
    subject: str,
    request: dict[str, Any],
    reason: str,
    by: User,
    key: str,
    at: datetime,
) -> Decision:
    """Propose an act; nothing happens before somebody else approves it.

    subject: the public number of what it is about. request: as the act's `check` says.
    Flushes. Raises NotAllowed, UnsoundText, and what `check` raises.
    """
    asked = {"act": f"decision.{kind.value}", "subject": subject, "reason": reason}
    asked |= {name: str(value) for name, value in request.items()}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Decision, earlier["decision"])
    act = ACTS[kind]
    sound = act.check(session, subject, request, by)
    if act.must_be_timely is not None:
        act.must_be_timely(sound, at)
    decision = Decision(
        kind=kind,
        subject=subject,
        request=sound,
        reason=paragraphs(reason, "Reason", 1_000),
        state=DecisionState.WAITING,
        proposed_by=by,
        proposed_at=at,
    )
    session.add(decision)
    session.flush()
    tell(session, decision, "decision.proposed", by, at)
    ledger.settle(session, {"decision": decision.id})
    return decision


def approve(session: Session, *, decision: Decision, policy: Policy, by: User, key: str, at: datetime) -> None:
    """Approve what another person proposed, and carry it out in the same transaction.

    Flushes. Raises NotAllowed, SamePerson, DecidedAlready, and what the act raises: then it goes on waiting.
    """
    must_be_another(decision, by)
    if done_before(session, "approve", decision, by, key):
        return
    lock_waiting(session, decision)
    posting = ACTS[decision.kind].carry_out(session, decision, policy, by, at)
    if decision.state is DecisionState.WAITING:
        decision.posting_id = posting.id if posting else None
        stand(session, decision, by, at)
    ledger.settle(session, {"decision": decision.id})


def stand(session: Session, decision: Decision, by: User, at: datetime) -> None:
    """Write down that `by` approves. An act that posts nothing may do so before the rest of it. Flushes."""
    decision.state, decision.decided_by, decision.decided_at = DecisionState.APPROVED, by, at
    session.flush()


def decline(session: Session, *, decision: Decision, by: User, key: str, at: datetime) -> None:
    """Decline what another person proposed. Flushes. Raises NotAllowed, SamePerson, DecidedAlready."""
    must_be_another(decision, by)
    if done_before(session, "decline", decision, by, key):
        return
    lock_waiting(session, decision)
    decision.state, decision.decided_by, decision.decided_at = DecisionState.DECLINED, by, at
    session.flush()
    tell(session, decision, "decision.declined", by, at)
    ledger.settle(session, {"decision": decision.id})


def withdraw(session: Session, *, decision: Decision, by: User, key: str, at: datetime) -> None:
    """Take back what one has proposed. Flushes. Raises NotTheProposer, DecidedAlready."""
    if by.id != decision.proposed_by_id:
        raise NotTheProposer("Only the person who proposed it can take it back.", decision=decision.number)
    if done_before(session, "withdraw", decision, by, key):
        return
    lock_waiting(session, decision)
    decision.state, decision.decided_at = DecisionState.WITHDRAWN, at
    session.flush()
    tell(session, decision, "decision.withdrawn", by, at)
    ledger.settle(session, {"decision": decision.id})


def done_before(session: Session, act: str, decision: Decision, by: User, key: str) -> bool:
    """Claim the key for this step; whether it was taken under it already."""
    asked = {"act": f"decision.{act}", "decision": decision.number}
    return ledger.claim(session, caller=by.number, key=key, request=asked) is not None


def decisions_of(by: User) -> Select[Decision]:
    """The decisions that `by` may see: all for the registry, of others those that their organisation asked for.

    Those that wait come first, then the newest.
    """
    wanted = select(Decision)
    if not (is_issuer(by) or is_auditor(by)):
        colleagues = select(User.id).where(User.organisation_id == by.organisation_id)
        wanted = wanted.where(Decision.proposed_by_id.in_(colleagues))
    return wanted.order_by(Decision.state != DecisionState.WAITING, Decision.id.desc())


def decision_numbered(session: Session, by: User, number: str) -> Decision:
    """The decision with this public number, if `by` may see it. Raises NoSuchDecision."""
    found = session.scalars(decisions_of(by).where(Decision.id == digits_of(number, "DECISION-"))).one_or_none()
    if found is None:
        raise NoSuchDecision("There is no such decision.")
    return found


def must_be_another(decision: Decision, by: User) -> None:
    """Raise NotAllowed unless `by` is an issuer who did not propose it."""
    must_issue(by)
    if by.id == decision.proposed_by_id:
        raise SamePerson("You have proposed this yourself: another issuer decides on it.", decision=decision.number)


def lock_waiting(session: Session, decision: Decision) -> None:
    """Lock the decision, read it anew and see that it still waits. Raises DecidedAlready."""
    session.refresh(decision, with_for_update=True)
    if decision.state is not DecisionState.WAITING:
        raise DecidedAlready(f"{decision.number} is {decision.state.value} already.", state=decision.state.value)


def tell(session: Session, decision: Decision, kind: str, by: User, at: datetime) -> None:
    """The event of a step that moves nothing. An approval's event is that of its act."""
    public = {name: value for name, value in decision.request.items() if name in ACTS[decision.kind].public}
    facts = {"act": decision.kind.value, "subject": decision.subject, "request": public}
    private = {name: str(value) for name, value in decision.request.items() if name not in public}
    private |= {"reason": decision.reason}
    events.append(session, kind=kind, subject=decision.number, actor=by.number, at=at, facts=facts, private=private)
