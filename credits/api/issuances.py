"""Issuances and minerals: what serials stand for. Public, but for issuing itself."""

from collections.abc import Sequence
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from credits.api.blueprint import Area
from credits.api.doing import Sent, With, created, page_of
from credits.api.schemas.market import Issuance, IssuancesQuery, IssueRequest, Mineral
from credits.api.schemas.movements import SuspendRequest
from credits.extensions import db
from credits.identity import current_user, now
from credits.ledger.serials import SerialRange, written
from credits.participants.permissions import must_issue
from credits.registry import issuance, minerals, models, public, queries, suspension

area = Area("issuances", "Issuances and minerals: what serials stand for.")


@area.get("/minerals", gives=Mineral(many=True), public=True)
def list_minerals() -> list[minerals.Mineral]:
    """The minerals and their units. Public."""
    return list(minerals.MINERALS.values())


@area.get("/issuances", takes=IssuancesQuery, gives=Issuance(many=True), public=True)
def list_issuances(asked: dict[str, Any]) -> tuple[Sequence[With], dict[str, str]]:
    """All issuances, newest first. Public."""
    wanted = select(models.Issuance).options(joinedload(models.Issuance.producer)).order_by(models.Issuance.id.desc())
    if asked["mineral"] is not None:
        wanted = wanted.where(models.Issuance.mineral_code == asked["mineral"])
    if asked["site"] is not None:
        wanted = wanted.where(models.Issuance.site_id == public.site_known_as(db.session, asked["site"]).id)
    rows, headers = page_of(wanted, asked)
    return [told(each) for each in rows], headers


@area.post("/issuances", takes=IssueRequest, gives=Issuance, creates=True)
def issue_credits(key: str, asked: dict[str, str]) -> Sent:
    """Issue the credits of a verified batch to its producer. For the registry's issuers."""
    user = current_user()
    must_issue(user)
    made = issuance.issue(
        db.session,
        batch=queries.batch_numbered(db.session, user, asked["batch"]),
        policy=current_app.extensions["policy"],
        by=user,
        key=key,
        at=now(),
    )
    db.session.commit()
    return created(told(made), "api.issuances.show_issuance", number=made.number)


@area.get("/issuances/<number>", gives=Issuance, public=True)
def show_issuance(number: str) -> With:
    """One issuance. Public."""
    return told(queries.issuance_numbered(db.session, number))


@area.post("/issuances/<number>/suspend", takes=SuspendRequest, gives=Issuance)
def suspend_issuance(key: str, asked: dict[str, str], number: str) -> With:
    """Stop every use of an issuance's credits at once. For the registry's issuers; two of them lift it again."""
    made = queries.issuance_numbered(db.session, number)
    suspension.suspend(db.session, issuance=made, reason=asked["reason"], by=current_user(), key=key, at=now())
    db.session.commit()
    return told(made)


def told(made: models.Issuance) -> With:
    return With(made, serials=written(made.number, SerialRange(1, made.quantity)))
