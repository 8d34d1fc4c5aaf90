"""The floors of prices: which count now, where they come from, and setting another."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import SelectField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

from credits.admin.blueprint import bp
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm, Price, printable
from credits.identity import current_user, issuers_only, now, registry_only
from credits.participants.permissions import is_issuer
from credits.payments.models import Currency
from credits.payments.offering import floors
from credits.payments.prices import plain
from credits.registry.minerals import MINERALS


class FloorForm(OnceForm):
    mineral = SelectField(lazy_gettext("Mineral"), validators=[InputRequired()])
    currency = SelectField(lazy_gettext("Currency"), validators=[InputRequired()])
    price = Price(lazy_gettext("Lowest price of one credit"), [InputRequired(), Length(max=40)])
    source = TextAreaField(lazy_gettext("Source"), [DataRequired(), Length(max=floors.LONGEST_SOURCE), printable])


@bp.get("/floors")
@registry_only
def price_floors() -> ResponseReturnValue:
    found = floors.newest(db.session())
    return render_template(
        "admin/floors/price_floors.html",
        floors=found,
        earlier={each.id: floors.earlier_than(db.session(), each) for each in found},
        without=[each for code, each in MINERALS.items() if code not in {floor.mineral_code for floor in found}],
        may=is_issuer(current_user()),
    )


@bp.route("/floors/new", methods=["GET", "POST"])
@issuers_only
def new_floor() -> ResponseReturnValue:
    form = FloorForm(data=None if request.method == "POST" else known_for(request.args.get("mineral", "")))
    form.mineral.choices = [
        SelectChoice(code, f"{each.name.capitalize()} ({each.credit})") for code, each in MINERALS.items()
    ]
    form.currency.choices = [SelectChoice(each.value, each.value) for each in Currency]
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            made = floors.set_floor(
                db.session(),
                mineral_code=form.mineral.data,
                currency=Currency(form.currency.data),
                price=form.price.minor,
                source=form.source.data,
                by=current_user(),
                key=form.key.data,
                at=now(),
            )
            db.session.commit()
            flash(
                _("The floor of %(mineral)s is set. Offers below it are closed.", mineral=made.mineral.name), "success"
            )
            return redirect(url_for("admin.price_floors"), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("admin/floors/new_floor.html", form=form), status


def known_for(mineral_code: str) -> dict[str, str]:
    """What the form begins with: the floor that others have set for this mineral, if there is one."""
    for each in floors.known():
        if each.mineral.code == mineral_code:
            price = plain(each.price, each.currency)
            return {"mineral": mineral_code, "currency": each.currency.value, "price": price, "source": each.source}
    return {"mineral": mineral_code}
