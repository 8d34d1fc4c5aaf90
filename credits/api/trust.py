"""Trusted recipients: to whom a holder may send credits at once, as two people have decided."""

from collections.abc import Sequence
from typing import Any

from flask import current_app

from credits.api.blueprint import Area
from credits.api.doing import Sent, acting, created, once, page_of
from credits.api.schemas.market import Trust, TrustRequest
from credits.api.schemas.shared import PagingSchema
from credits.extensions import db
from credits.identity import current_user, now
from credits.registry import queries, trust, trusted

area = Area("trust", "Trusted recipients: to whom credits may go at once. Two people decide, and a delay follows.")


@area.get("/trusted-recipients", takes=PagingSchema, gives=Trust(many=True))
def list_trusted(asked: dict[str, Any]) -> tuple[Sequence[trusted.Trust], dict[str, str]]:
    """Those of your organisation and its group, newest first, with proposals; all of them for the registry."""
    return page_of(trust.trusts_of(current_user()), asked)


@area.post("/trusted-recipients", takes=TrustRequest, gives=Trust, creates=True)
def propose_trust(key: str, asked: dict[str, Any]) -> Sent:
    """Propose to trust a recipient. A second person approves it."""
    holder, number = acting(asked["holder"]), asked["recipient"]
    # The holder itself is let through: the rule has a sentence of its own for that.
    whom = holder if number == holder.number else queries.recipient_numbered(db.session, holder, number)
    made = trust.propose(db.session(), holder=holder, recipient=whom, by=current_user(), key=key, at=now())
    db.session.commit()
    return created(made, "api.trust.show_trust", number=made.number)


@area.get("/trusted-recipients/<number>", gives=Trust)
def show_trust(number: str) -> trusted.Trust:
    """One trusted recipient, or the proposal of one."""
    return trust.trust_numbered(db.session(), current_user(), number)


@area.post("/trusted-recipients/<number>/approve", gives=Trust)
def approve_trust(key: str, asked: dict[str, Any], number: str) -> trusted.Trust:
    """Be the second person. From then the delay runs."""
    session, user, policy = db.session(), current_user(), current_app.extensions["policy"]
    found = trust.trust_numbered(session, user, number)
    once(
        key,
        "trust.approve",
        number,
        lambda: trust.approve(session, trust=found, policy=policy, by=user, at=now()),
    )
    db.session.commit()
    return found


@area.post("/trusted-recipients/<number>/end", gives=Trust)
def end_trust(key: str, asked: dict[str, Any], number: str) -> trusted.Trust:
    """Trust a recipient no longer, or take the proposal back. At once."""
    session, user = db.session(), current_user()
    found = trust.trust_numbered(session, user, number)
    once(key, "trust.end", number, lambda: trust.end(session, trust=found, by=user, at=now()))
    db.session.commit()
    return found
