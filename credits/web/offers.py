"""The catalogue: what is for sale, from where, and who gets what of the price. Open to everybody."""

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from credits import languages
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import with_point
from credits.identity import now, visitor
from credits.participants import countries
from credits.participants.models import User
from credits.participants.permissions import PRODUCERS
from credits.payments.models import Currency, Offer, OfferState
from credits.payments.offering import catalogue, filling, offers, sold
from credits.payments.offering.catalogue import Found, Sorting, Wish
from credits.problems import status_of
from credits.registry.minerals import mineral_of
from credits.registry.mines import site_states
from credits.web import quoting
from credits.web.blueprint import bp
from credits.web.paging import asked_text, page_of
from credits.web.sites import WORDS

LONGEST = 40  # characters of a typed quantity


@bp.get("/offers")
def all_offers() -> ResponseReturnValue:
    policy, today = current_app.extensions["policy"], now().date()
    found = catalogue.found_in(db.session(), policy, today)
    wish, sorting = wish_in(found), sorting_asked(Sorting.NEWEST)
    page = page_of(catalogue.offers_like(wish, sorting, policy, today))
    return render_template(
        "offers/all_offers.html",
        page=page,
        left=catalogue.left(db.session(), page.rows),
        wish=wish,
        sorting=sorting,
        filtered=wish != Wish(),
        narrowed=wish != Wish(text=wish.text) or "sort" in request.args,
        person=visitor(),
        produces=PRODUCERS,
        **choices(found),
    )


@bp.get("/offers/<number>")
def offer(number: str) -> ResponseReturnValue:
    """One offer, and what some of it costs: the quantity that was typed, else a credit, else all that is left."""
    found = offers.offer_numbered(db.session(), number)
    left = catalogue.left(db.session(), [found])[found.id]
    typed, problem, quote, status = quantity_asked(), "", None, 200
    per_credit, policy = found.mineral.units_per_credit, current_app.extensions["policy"]
    try:
        quantity = found.mineral.base_units(with_point(typed)) if typed else min(left, per_credit)
        if quantity:
            catalogue.must_be_left(found, quantity, left)
            quote = quoting.quoted([filling.line_of(found, quantity)])
    except CreditsError as refusal:
        problem, status = str(refusal), status_of(refusal)
    return render_template(
        "offers/offer.html",
        offer=found,
        left=left,
        reserved=sold.sold_of(db.session(), [found])[found.id].under_way,
        typed=typed or (found.mineral.in_credits(min(left, per_credit)) if left else ""),
        problem=problem,
        quote=quote,
        closed=found.state is OfferState.CLOSED,
        origin=found.issuance.facts,
        words=WORDS,
        country=country_name(found.issuance.facts["producer"]["country"]),
        standing=site_states.standing(db.session(), found.issuance.batch.site, now().date(), policy),
        sells=may_sell(visitor(), found),
        **quoting.shown(),
    ), status


def may_sell(person: User | None, found: Offer) -> bool:
    return person is not None and offers.may_offer(person, found.seller)


def quantity_asked() -> str:
    return asked_text("quantity")[:LONGEST]


@bp.app_template_filter("country_name")
def country_name(code: str) -> str:
    return countries.name_of(code, languages.current())


def wish_in(found: Found) -> Wish:
    """The filters that are set, of those that the catalogue has something for."""
    asked = request.args.get
    vintage, currency = asked("vintage", ""), asked("currency", "")
    return Wish(
        mineral_code=asked("mineral") if asked("mineral") in found.minerals else None,
        currency=Currency(currency) if currency in found.currencies else None,
        country=asked("country") if asked("country") in found.countries else None,
        level=asked("level") if asked("level") in found.levels else None,
        vintage=int(vintage) if vintage in {str(each) for each in found.vintages} else None,
        text=asked_text(),
    )


def sorting_asked(otherwise: Sorting) -> Sorting:
    asked = request.args.get("sort", "")
    return Sorting(asked) if asked in set(Sorting) else otherwise


def choices(found: Found) -> dict[str, list[tuple[str, str]]]:
    """What the filters offer, as (value, label) pairs."""
    return {
        "minerals": [(code, mineral_of(code).name.capitalize()) for code in found.minerals],
        "currencies": [(code, code) for code in found.currencies],
        "countries": sorted(((code, country_name(code)) for code in found.countries), key=lambda each: each[1]),
        "levels": [(level, level) for level in found.levels],
        "vintages": [(str(year), str(year)) for year in found.vintages],
    }
