"""Offers: what is for sale, made and closed by producers. The catalogue is public."""

from collections.abc import Sequence
from typing import Any

from flask import current_app

from credits.api.blueprint import Area
from credits.api.doing import Sent, With, created, once, page_of
from credits.api.schemas.offers import Offer, OfferRequest, OffersQuery
from credits.extensions import db
from credits.identity import current_user, now
from credits.payments import models
from credits.payments.offering import catalogue, offers
from credits.payments.offering.catalogue import Wish
from credits.payments.prices import parse
from credits.registry import queries

area = Area("offers", "Offers: what is for sale, made and closed by producers.")


@area.get("/offers", takes=OffersQuery, gives=Offer(many=True), public=True)
def list_offers(asked: dict[str, Any]) -> tuple[Sequence[With], dict[str, str]]:
    """What can be bought now. Public."""
    year = asked["vintage"]
    wish = Wish(
        mineral_code=asked["mineral"],
        currency=asked["currency"],
        country=asked["country"],
        level=asked["level"],
        vintage=None if year is None else int(year) if year.isascii() and year.isdigit() else 0,
        text=asked["q"].strip(),
    )
    wanted = catalogue.offers_like(wish, asked["sort"], current_app.extensions["policy"], now().date())
    rows, headers = page_of(wanted, asked)
    return told(rows), headers


@area.get("/offers/<number>", gives=Offer, public=True)
def show_offer(number: str) -> With:
    """One offer, open or closed. Public."""
    return told([offers.offer_numbered(db.session(), number)])[0]


@area.post("/offers", takes=OfferRequest, gives=Offer, creates=True)
def make_offer(key: str, asked: dict[str, Any]) -> Sent:
    """Offer available credits of an issuance to everybody. Nothing moves before somebody has paid."""
    issuance = queries.issuance_numbered(db.session, asked["issuance"])
    made = offers.offer(
        db.session(),
        seller=issuance.producer,
        issuance=issuance,
        quantity=asked["quantity"],
        price=parse(asked["price"], asked["currency"]),
        currency=asked["currency"],
        policy=current_app.extensions["policy"],
        by=current_user(),
        key=key,
        at=now(),
    )
    db.session.commit()
    return created(told([made])[0], "api.offers.show_offer", number=made.number)


@area.post("/offers/<number>/close", gives=Offer)
def close_offer(key: str, asked: dict[str, Any], number: str) -> With:
    """Sell no more of it. Orders that were placed go on."""
    user = current_user()
    found = offers.own_offer(db.session(), user, number)
    once(key, "offer.close", number, lambda: offers.close(db.session(), offer=found, by=user, at=now()))
    db.session.commit()
    return told([found])[0]


def told(found: Sequence[models.Offer]) -> list[With]:
    left = catalogue.left(db.session(), found)
    return [With(each, left=left[each.id]) for each in found]
