"""Declared use of minerals, and how far it is covered."""

from collections.abc import Sequence
from typing import Any

from flask import current_app
from sqlalchemy.orm import joinedload, selectinload

from credits.api.blueprint import Area
from credits.api.doing import Sent, created, cut, page_of
from credits.api.schemas.shared import PagingSchema
from credits.api.schemas.uses import ChangeRequest, Cover, CoverQuery, DeclareRequest, Use, UseSummary
from credits.errors import Invalid
from credits.extensions import db
from credits.identity import current_user, now
from credits.registry.minerals import Mineral, mineral_of
from credits.registry.use import use_cover, use_declaring
from credits.registry.use.use_declaring import EndUser
from credits.registry.use.use_models import UseLine

area = Area("uses", "Declared use of minerals, and how far it is covered.")


@area.get("/uses", takes=PagingSchema, gives=UseSummary(many=True))
def list_uses(asked: dict[str, Any]) -> tuple[Sequence[UseLine], dict[str, str]]:
    """What your organisation declared, the newest year first; all of it for the registry."""
    wanted = use_cover.uses_of(current_user())
    return page_of(wanted.options(joinedload(UseLine.organisation), selectinload(UseLine.versions)), asked)


@area.post("/uses", takes=DeclareRequest, gives=Use, creates=True)
def declare_use(key: str, asked: dict[str, Any]) -> Sent:
    """Declare what a product line uses of a mineral in a year."""
    user, mineral = current_user(), mineral_of(asked["mineral"])
    made = use_declaring.declare(
        db.session(),
        organisation=user.organisation,
        mineral_code=mineral.code,
        year=asked["year"],
        product_line=asked["product_line"],
        use=use_in(mineral, asked),
        end_user=EndUser(**asked["end_user"]) if asked["end_user"] else None,
        by=user,
        key=key,
        at=now(),
    )
    db.session.commit()
    return created(made, "api.uses.show_use", number=made.number)


@area.get("/uses/cover", takes=CoverQuery, gives=Cover(many=True))
def show_cover(asked: dict[str, Any]) -> tuple[Sequence[use_cover.Cover], dict[str, str]]:
    """How far the uses that your organisation declared are covered, by beneficiary, mineral and year."""
    policy, holder = current_app.extensions["policy"], current_user().organisation
    return cut(use_cover.covers_of(db.session(), holder, policy=policy, at=now(), year=asked["year"]), asked)


@area.get("/uses/<number>", gives=Use)
def show_use(number: str) -> UseLine:
    """One declared use, with its history."""
    return use_cover.use_numbered(db.session(), current_user(), number)


@area.post("/uses/<number>/versions", takes=ChangeRequest, gives=Use)
def change_use(key: str, asked: dict[str, Any], number: str) -> UseLine:
    """Declare that a product line uses something else than was declared. Earlier versions stay."""
    user = current_user()
    line = use_cover.use_numbered(db.session(), user, number)
    use = use_in(line.mineral, asked)
    use_declaring.change(db.session(), line=line, use=use, reason=asked["reason"], by=user, key=key, at=now())
    db.session.commit()
    return line


def use_in(mineral: Mineral, asked: dict[str, Any]) -> use_declaring.Use:
    """The use that was sent. Raises Invalid, BadMeasure."""
    worked = asked["grams"] is not None and asked["units"] is not None
    if worked is (asked["quantity"] is not None) or (asked["grams"] is None) is not (asked["units"] is None):
        raise Invalid("Send a quantity, or grams and units together.")
    if worked:
        return use_declaring.worked_out(mineral, asked["grams"], asked["units"])
    return use_declaring.Use(asked["quantity"])
