"""What a standing order has found is kept or retired at once: the buyer says so before paying."""

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm
from credits.identity import current_user, now, signed_in
from credits.participants.models import Language
from credits.participants.permissions import may_buy
from credits.payments import looking
from credits.payments.models import Order
from credits.payments.offering import choosing_use
from credits.registry.retirement import Claim
from credits.web.blueprint import bp
from credits.web.paying_fields import countries_offered
from credits.web.retirements import SpokenClaim


@bp.route("/orders/<number>/retire", methods=["GET", "POST"])
@signed_in
def retire_when_paid(number: str) -> ResponseReturnValue:
    user = current_user()
    found = looking.order_numbered(db.session(), user, number)
    may_buy(user, found.buyer)
    if not choosing_use.may_be_chosen(db.session(), found):
        return redirect(url_for("web.order", number=number), 303)
    buyer = found.buyer
    begun = {"beneficiary": buyer.name, "country": buyer.country, "identifier": buyer.registration_number or ""}
    form = SpokenClaim(data=begun)
    form.country.choices = countries_offered()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            choose(found, form.claim, Language(form.language.data))
            flash(_("They are retired as soon as they are paid, and the certificate follows."), "success")
            return redirect(url_for("web.order", number=number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
            found = looking.order_numbered(db.session(), user, number)
    return render_template("orders/retire_when_paid.html", form=form, order=found), status


@bp.post("/orders/<number>/keep")
@signed_in
def keep_when_paid(number: str) -> ResponseReturnValue:
    found = looking.order_numbered(db.session(), current_user(), number)
    try:
        choose(found, None, None)
        flash(_("You keep the credits."), "success")
    except CreditsError as refusal:
        OnceForm().refused(refusal)
        flash(str(refusal), "warning")
    return redirect(url_for("web.order", number=number), 303)


def choose(order: Order, claim: Claim | None, language: Language | None) -> None:
    policy = current_app.extensions["policy"]
    asked = {"claim": claim, "language": language, "policy": policy, "by": current_user(), "at": now()}
    choosing_use.choose_use(db.session(), order=order, **asked)
    db.session.commit()
