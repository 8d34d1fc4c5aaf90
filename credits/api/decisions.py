"""Decisions: acts that one person proposes and another one approves."""

from collections.abc import Sequence
from typing import Any

from flask import current_app

from credits.api.blueprint import Area
from credits.api.doing import Sent, created, page_of
from credits.api.schemas.movements import Decision, DecisionRequest, DecisionsQuery
from credits.extensions import db
from credits.identity import current_user, now
from credits.registry import decisions, movements

area = Area("decisions", "Decisions: acts that one person proposes and another one approves.")


@area.get("/decisions", takes=DecisionsQuery, gives=Decision(many=True))
def list_decisions(asked: dict[str, Any]) -> tuple[Sequence[movements.Decision], dict[str, str]]:
    """What waits for a decision, then what was decided, newest first. Others see what their organisation asked for."""
    wanted = decisions.decisions_of(current_user())
    if asked["state"] is not None:
        wanted = wanted.where(movements.Decision.state == asked["state"])
    return page_of(wanted, asked)


@area.post("/decisions", takes=DecisionRequest, gives=Decision, creates=True)
def propose_decision(key: str, asked: dict[str, Any]) -> Sent:
    """Propose an act. Nothing happens before another person approves it."""
    kind, subject, reason = asked.pop("kind"), asked.pop("subject"), asked.pop("reason")
    made = decisions.propose(
        db.session,
        kind=kind,
        subject=subject,
        request={name: value for name, value in asked.items() if value is not None},
        reason=reason,
        by=current_user(),
        key=key,
        at=now(),
    )
    db.session.commit()
    return created(made, "api.decisions.show_decision", number=made.number)


@area.get("/decisions/<number>", gives=Decision)
def show_decision(number: str) -> movements.Decision:
    """One decision."""
    return decisions.decision_numbered(db.session, current_user(), number)


@area.post("/decisions/<number>/approve", gives=Decision)
def approve_decision(key: str, asked: dict[str, Any], number: str) -> movements.Decision:
    """Approve what another person proposed; it is carried out at once. For the registry's issuers."""
    user, policy = current_user(), current_app.extensions["policy"]
    found = decisions.decision_numbered(db.session, user, number)
    decisions.approve(db.session, decision=found, policy=policy, by=user, key=key, at=now())
    db.session.commit()
    return found


@area.post("/decisions/<number>/decline", gives=Decision)
def decline_decision(key: str, asked: dict[str, Any], number: str) -> movements.Decision:
    """Decline what another person proposed. For the registry's issuers."""
    user = current_user()
    found = decisions.decision_numbered(db.session, user, number)
    decisions.decline(db.session, decision=found, by=user, key=key, at=now())
    db.session.commit()
    return found


@area.post("/decisions/<number>/withdraw", gives=Decision)
def withdraw_decision(key: str, asked: dict[str, Any], number: str) -> movements.Decision:
    """Take back what you have proposed."""
    user = current_user()
    found = decisions.decision_numbered(db.session, user, number)
    decisions.withdraw(db.session, decision=found, by=user, key=key, at=now())
    db.session.commit()
    return found
