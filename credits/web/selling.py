"""A producer's own offers: made, looked after, closed. The registry does it for a producer who asks."""

from typing import Any, ClassVar

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import HiddenField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import Amount, OnceForm, Price
from credits.identity import current_user, now, signed_in
from credits.payments.models import Currency, Offer, OfferState
from credits.payments.offering import catalogue, filling, floors, offers, sold
from credits.payments.offering.floor_models import Floor
from credits.payments.prices import BadPrice, plain, split
from credits.problems import status_of
from credits.registry import queries
from credits.registry.minerals import BadMeasure
from credits.registry.models import Issuance
from credits.web.blueprint import bp
from credits.web.paging import page_of

STATES = {each.value for each in OfferState}


class OfferForm(OnceForm):
    """currency: those for which the registry has set a floor; `made_for` puts them in."""

    field_for: ClassVar[dict[str, str]] = {
        BadMeasure.code: "quantity",
        offers.MoreThanLeft.code: "quantity",
        floors.BelowFloor.code: "price",
        floors.NoFloor.code: "currency",
        BadPrice.code: "price",
    }

    quantity = Amount(lazy_gettext("How many credits?"), [InputRequired(), Length(max=40)])
    currency = SelectField(lazy_gettext("Currency"), validators=[InputRequired()])
    price = Price(lazy_gettext("Price of one credit"), [InputRequired(), Length(max=40)])
    confirmed = HiddenField()


def made_for(issuance: Issuance) -> tuple[OfferForm, list[Floor]]:
    """The form for an offer of an issuance, and the floors that it must reach: none, no offer.

    It begins with the currency of the producer's last offer: nobody takes the first of a list for their own.
    """
    floor_list = [each for each in floors.newest(db.session()) if each.mineral_code == issuance.mineral_code]
    form = OfferForm()
    codes = [each.currency.value for each in floor_list]
    form.currency.choices = [SelectChoice("", _("Choose")), *(SelectChoice(code, code) for code in codes)]
    last = offers.last_currency(db.session(), issuance.producer)
    if not form.is_submitted() and last in codes:
        form.currency.data = last
    return form, floor_list


@bp.get("/my-offers")
@signed_in
def my_offers() -> ResponseReturnValue:
    user = current_user()
    state = request.args.get("state", "")
    wanted = offers.offers_of(user).options(*catalogue.shown())
    if state in STATES:
        wanted = wanted.where(Offer.state == OfferState(state))
    page = page_of(wanted)
    return render_template(
        "offers/my_offers.html",
        page=page,
        state=state if state in STATES else "",
        left=catalogue.left(db.session(), page.rows),
        sold=sold.sold_of(db.session(), page.rows),
        several=any(each.seller_id != user.organisation_id for each in page.rows),
    )


@bp.get("/my-offers/<number>")
@signed_in
def my_offer(number: str) -> ResponseReturnValue:
    return offer_page(offers.own_offer(db.session(), current_user(), number))


def offer_page(found: Offer, refusal: str = "") -> str:
    return render_template(
        "offers/my_offer.html",
        offer=found,
        left=catalogue.left(db.session(), [found])[found.id],
        sold=sold.sold_of(db.session(), [found])[found.id],
        page=page_of(sold.lines_from(found)),
        open=found.state is OfferState.OPEN,
        may=offers.may_offer(current_user(), found.seller),
        refusal=refusal,
    )


@bp.post("/my-offers/<number>/close")
@signed_in
def close_offer(number: str) -> ResponseReturnValue:
    user = current_user()
    found = offers.own_offer(db.session(), user, number)
    try:
        offers.close(db.session(), offer=found, by=user, at=now())
        db.session.commit()
    except CreditsError as refusal:
        db.session.rollback()
        # Pressed twice is no mistake.
        if found.state is not OfferState.CLOSED or not offers.may_offer(user, found.seller):
            return offer_page(found, str(refusal)), status_of(refusal)
    flash(_("%(number)s is closed. Orders that were placed go on.", number=number), "success")
    return redirect(url_for("web.my_offer", number=number), 303)


@bp.route("/issuances/<number>/offer", methods=["GET", "POST"])
@signed_in
def offer_credits(number: str) -> ResponseReturnValue:
    issuance = queries.issuance_numbered(db.session, number)
    offers.may_offer_for(current_user(), issuance.producer)
    form, floor_list = made_for(issuance)
    status = 422 if form.is_submitted() else 200
    if "change" in request.form:
        status, form.confirmed.data = 200, ""
    elif form.validate_on_submit():
        try:
            if form.confirmed.data:
                made = offered(form, issuance)
                db.session.commit()
                flash(_("%(number)s stands in the catalogue.", number=made.number), "success")
                return redirect(url_for("web.my_offer", number=made.number), 303)
            foretold = rehearsed(form, issuance)
            form.confirmed.data = "yes"
            return render_template("offers/check_offer.html", form=form, issuance=issuance, **foretold)
        except CreditsError as refusal:
            status = form.refused(refusal)
            form.confirmed.data = ""
    available = queries.held_of(db.session, issuance.producer, issuance).available
    return render_template(
        "offers/offer_credits.html",
        form=form,
        issuance=issuance,
        floors=floor_list,
        available=available,
        on_offer=offers.offered_of(db.session(), issuance.producer, issuance),
        plain=plain,
    ), status


def offered(form: OfferForm, issuance: Issuance) -> Offer:
    return offers.offer(
        db.session(),
        seller=issuance.producer,
        issuance=issuance,
        quantity=issuance.mineral.base_units(form.quantity.plain),
        price=form.price.minor,
        currency=Currency(form.currency.data),
        policy=current_app.extensions["policy"],
        by=current_user(),
        key=form.key.data,
        at=now(),
    )


def rehearsed(form: OfferForm, issuance: Issuance) -> dict[str, Any]:
    """What the offer would be, found by making it and undoing it: every rule has then been asked."""
    made = offered(form, issuance)
    whole = filling.line_of(made, made.quantity)
    told = {"quantity": made.quantity, "price": made.price, "currency": made.currency, "seller": made.seller}
    told |= {"shares": split(whole.amount, current_app.extensions["policy"].market)}
    db.session.rollback()
    return told
