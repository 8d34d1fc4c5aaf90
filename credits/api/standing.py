"""Standing orders: left by buyers until credits that fit are on offer."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from flask import current_app
from sqlalchemy.orm import joinedload

from credits.api.blueprint import Area
from credits.api.doing import Sent, With, created, once, page_of
from credits.api.schemas.standing import StandingOrder, StandingQuery, StandingRequest, StandingSummary
from credits.extensions import db
from credits.identity import current_user, now
from credits.payments.billing import Billing
from credits.payments.offering import standing, standing_models
from credits.payments.offering.standing import Wanted
from credits.payments.prices import parse

area = Area("standing_orders", "Standing orders: left by buyers until credits that fit are on offer.")

MOST_PARTS = 100


@area.get("/standing-orders", takes=StandingQuery, gives=StandingSummary(many=True))
def list_standing_orders(asked: dict[str, Any]) -> tuple[Sequence[standing_models.StandingOrder], dict[str, str]]:
    """The standing orders of your organisation, newest first; all of them for the registry."""
    wanted = standing.standing_orders_of(current_user())
    if asked["state"] is not None:
        wanted = wanted.where(standing_models.StandingOrder.state == asked["state"])
    return page_of(wanted.options(joinedload(standing_models.StandingOrder.buyer)), asked)


@area.get("/standing-orders/<number>", gives=StandingOrder)
def show_standing_order(number: str) -> With:
    """One standing order, and the orders that were placed for it."""
    return told(standing.standing_order_numbered(db.session(), current_user(), number))


@area.post("/standing-orders", takes=StandingRequest, gives=StandingOrder, creates=True)
def leave_standing_order(key: str, asked: dict[str, Any]) -> Sent:
    """Wait for credits. What fits is reserved within minutes of being offered; you are told, and pay the order."""
    user = current_user()
    asked |= {"price": parse(asked["price"], asked["currency"]), "billing": Billing(**asked["billing"])}
    wanted = Wanted(mineral_code=asked.pop("mineral"), sorting=asked.pop("sort"), **asked)
    policy = current_app.extensions["policy"]
    left = standing.leave(
        db.session(), buyer=user.organisation, wanted=wanted, policy=policy, by=user, key=key, at=now()
    )
    db.session.commit()
    return created(told(left), "api.standing_orders.show_standing_order", number=left.number)


@area.post("/standing-orders/<number>/pause", gives=StandingOrder)
def pause_standing_order(key: str, asked: dict[str, Any], number: str) -> With:
    """Have nothing more ordered for it until it is resumed."""
    return stepped(key, "standing.pause", number, standing.pause)


@area.post("/standing-orders/<number>/resume", gives=StandingOrder)
def resume_standing_order(key: str, asked: dict[str, Any], number: str) -> With:
    """Let it wait again, behind those that wait already."""
    resume = partial(standing.resume, policy=current_app.extensions["policy"])
    return stepped(key, "standing.resume", number, resume)


@area.post("/standing-orders/<number>/end", gives=StandingOrder)
def end_standing_order(key: str, asked: dict[str, Any], number: str) -> With:
    """Want no more of it. Orders that were placed go on."""
    return stepped(key, "standing.end", number, standing.end)


def stepped(key: str, act: str, number: str, step: Callable[..., None]) -> With:
    user = current_user()
    found = standing.standing_order_numbered(db.session(), user, number)
    once(key, act, number, lambda: step(db.session(), standing=found, by=user, at=now()))
    db.session.commit()
    return told(found)


def told(found: standing_models.StandingOrder) -> With:
    rows = db.session.scalars(standing.parts_of(found).limit(MOST_PARTS))
    return With(found, parts=[With(part, currency=found.currency) for part in rows])
