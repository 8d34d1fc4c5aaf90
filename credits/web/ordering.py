"""Putting an order together, and changing it while nothing is reserved."""

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, now, signed_in
from credits.participants.permissions import may_buy
from credits.payments import looking, placing
from credits.payments.models import Order, OrderState
from credits.provider import means_taken
from credits.web.blueprint import bp
from credits.web.order_forms import (
    Line,
    OrderForm,
    filled_for,
    filled_from,
    lines_asked,
    lines_of,
    told_at,
    whole,
)


@bp.route("/orders/new", methods=["GET", "POST"])
@signed_in
def new_order() -> ResponseReturnValue:
    user = current_user()
    may_buy(user, user.organisation)
    lines = lines_asked()
    if not lines:
        return redirect(url_for("web.all_offers"), 303)
    begun = filled_for(user, request.args.get("bill", ""))
    form = OrderForm(data=begun if request.method == "GET" else None)
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            made = placing.place(
                db.session(),
                buyer=user.organisation,
                asked=form.asked(lines),
                policy=current_app.extensions["policy"],
                by=user,
                key=form.key.data or "",
                at=now(),
            )
            db.session.commit()
            return redirect(url_for("web.order", number=made.number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
            lines = told_at(lines_asked(), refusal)
    return form_page(form, lines, None), status


@bp.route("/orders/<number>/change", methods=["GET", "POST"])
@signed_in
def change_order(number: str) -> ResponseReturnValue:
    user = current_user()
    found = looking.order_numbered(db.session(), user, number)
    may_buy(user, found.buyer)
    if found.state is not OrderState.OPEN:
        return redirect(url_for("web.order", number=number), 303)
    form = OrderForm(data=filled_from(found) | {"revision": str(found.revision)} if request.method == "GET" else None)
    lines = lines_asked() or lines_of(found)
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            placing.amend(
                db.session(),
                order=found,
                seen=whole(form.revision.data),
                asked=form.asked(lines),
                policy=current_app.extensions["policy"],
                by=user,
                at=now(),
            )
            db.session.commit()
            flash(_("The order is changed. Nothing is reserved yet."), "success")
            return redirect(url_for("web.order", number=number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
            found = looking.order_numbered(db.session(), user, number)
            lines = told_at(lines_asked() or lines_of(found), refusal)
    return form_page(form, lines, found), status


def form_page(form: OrderForm, lines: list[Line], order: Order | None) -> str:
    return render_template(
        "orders/form.html",
        form=form,
        lines=lines,
        order=order,
        vat_missing="vat" in request.args and not form.vat_number.data,
        no_way=not means_taken(current_app),
    )
