"""Suspending an issuance: one issuer at once, none of its credits move by their holders; two lift it again."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from credits import ledger
from credits.journal import events
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.registry.making.batches import lock_in, remark
from credits.registry.models import Issuance
from credits.registry.movements import Decision
from credits.registry.policy import Policy
from credits.registry.production import BatchState, RemarkKind
from credits.registry.queries import issuance_numbered
from credits.registry.telling import both_people


def suspend(session: Session, *, issuance: Issuance, reason: str, by: User, key: str, at: datetime) -> None:
    """Suspend an issuance. Flushes. Raises NotAllowed, WrongState, UnsoundText."""
    must_issue(by)
    asked = {"act": "issuance.suspend", "issuance": issuance.number, "reason": reason}
    if ledger.claim(session, caller=by.number, key=key, request=asked) is not None:
        return
    lock_in(session, issuance.batch, BatchState.ISSUED)
    issuance.batch.state = BatchState.SUSPENDED
    said = remark(session, issuance.batch, RemarkKind.DECISION, reason, by, at)
    facts = {"batch": issuance.batch.number}
    tell(session, "issuance.suspended", issuance, facts, said.text, by, at)
    ledger.settle(session, {"issuance": issuance.id})


def check_lift(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """Whether the issuance is suspended. Raises NotAllowed, NoSuchIssuance, WrongState."""
    must_issue(by)
    lock_in(session, issuance_numbered(session, subject).batch, BatchState.SUSPENDED)
    return {}


def lift(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> None:
    """Let the credits move again. Flushes. Raises WrongState."""
    issuance = issuance_numbered(session, decision.subject)
    lock_in(session, issuance.batch, BatchState.SUSPENDED)
    issuance.batch.state = BatchState.ISSUED
    remark(session, issuance.batch, RemarkKind.DECISION, decision.reason, by, at)
    facts = {"batch": issuance.batch.number} | both_people(decision)
    tell(session, "issuance.suspension_lifted", issuance, facts, decision.reason, by, at)


def tell(
    session: Session, kind: str, issuance: Issuance, facts: dict[str, Any], reason: str, by: User, at: datetime
) -> None:
    events.append(
        session, kind=kind, subject=issuance.number, actor=by.number, at=at, facts=facts, private={"reason": reason}
    )
