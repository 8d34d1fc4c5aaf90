"""Buying by quantity: so much of a mineral, the oldest or the cheapest first, from as many offers as it takes."""

from dataclasses import replace

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import with_point
from credits.identity import now, visitor
from credits.payments.offering import catalogue, filling
from credits.payments.offering.catalogue import Sorting, Wish
from credits.payments.offering.filling import Line
from credits.problems import status_of
from credits.registry.minerals import CREDITS, EXPONENTS
from credits.web import quoting
from credits.web.blueprint import bp
from credits.web.offers import choices, quantity_asked, sorting_asked, wish_in


@bp.get("/offers/by-quantity")
def by_quantity() -> ResponseReturnValue:
    policy, today = current_app.extensions["policy"], now().date()
    found = catalogue.found_in(db.session(), policy, today)
    wish, sorting = wish_in(found), sorting_asked(Sorting.OLDEST)
    typed, unit, problem, quote, status = quantity_asked(), unit_asked(), "", None, 200
    if not typed and (most := catalogue.most_offered(db.session(), policy, today)):
        wish = replace(wish, mineral_code=wish.mineral_code or most[0], currency=wish.currency or most[1])
    if typed:
        try:
            quote = quoting.quoted(filled(wish, sorting, typed, unit))
        except CreditsError as refusal:
            problem, status = str(refusal), status_of(refusal)
    return render_template(
        "offers/by_quantity.html",
        wish=wish,
        sorting=sorting,
        typed=typed,
        unit=unit,
        bill_chosen="bill" in request.args,
        units=[(CREDITS, _("credits")), *((each, each) for each in EXPONENTS)],
        problem=problem,
        quote=quote,
        **choices(found),
        **quoting.shown(),
    ), status


def unit_asked() -> str:
    asked = request.args.get("unit", "")
    return asked if asked in EXPONENTS else CREDITS


def filled(wish: Wish, sorting: Sorting, typed: str, unit: str) -> list[Line]:
    """The lines that make up the quantity typed. Raises CreditsError."""
    person = visitor()
    mineral = filling.mineral_wanted(wish)
    return filling.fill(
        db.session(),
        wish=wish,
        quantity=mineral.measured(with_point(typed), unit),
        sorting=sorting,
        buyer=person.organisation if person else None,
        policy=current_app.extensions["policy"],
        today=now().date(),
    )
