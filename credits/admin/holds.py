"""The registry freezes credits at once: of one holder, or all that is unsold of a site's production."""

from datetime import date
from typing import Any
from uuid import uuid4

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, IntegerField, SelectField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from credits.admin.blueprint import bp
from credits.admin.reviews import refused
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, issuers_only, now, registry_only
from credits.ledger.serials import LARGEST
from credits.participants.permissions import is_issuer
from credits.registry import earmarks, public, queries
from credits.registry import holds as rules
from credits.registry.holders import available_with
from credits.registry.models import Issuance
from credits.registry.movements import Earmark
from credits.registry.production import Site
from credits.registry.reviews import waiting


class HoldForm(FlaskForm):
    key = HiddenField(default="")
    confirmed = HiddenField(default="")
    holder = SelectField(lazy_gettext("Holder"), validators=[InputRequired()])
    quantity = IntegerField(lazy_gettext("Quantity"), [Optional(), NumberRange(1, LARGEST)])
    reason = TextAreaField(lazy_gettext("Reason"), [InputRequired(), Length(max=500)])


class HoldPeriodsForm(FlaskForm):
    key = HiddenField(default="")
    confirmed = HiddenField(default="")
    first_day = DateField(lazy_gettext("First day concerned"), [InputRequired()])
    last_day = DateField(lazy_gettext("Last day concerned"), [InputRequired()])
    reason = TextAreaField(lazy_gettext("What was found"), [InputRequired(), Length(max=500)])

    def validate_last_day(self, field: DateField) -> None:
        if field.data and self.first_day.data and field.data < self.first_day.data:
            raise ValidationError(_("The last day lies before the first."))


@bp.get("/holds")
@registry_only
def holds() -> ResponseReturnValue:
    ended = request.args.get("show") == "ended"
    page = request.args.get("page", 1, type=int)
    found, page, pages = waiting.holds(db.session(), by=current_user(), ended=ended, page=page)
    return render_template("admin/holds/holds.html", holds=found, page=page, pages=pages, ended=ended)


@bp.get("/holds/<number>")
@registry_only
def hold(number: str) -> ResponseReturnValue:
    found = rules.hold_seen(db.session(), current_user(), number)
    return render_template(
        "admin/holds/hold.html",
        hold=found,
        serials=earmarks.serials_of(db.session(), found),
        issuances=sorted(earmarks.numbers_of(db.session(), found).values()),
        open=found.closed_at is None,
        may_propose=is_issuer(current_user()),
    )


@bp.route("/issuances/<number>/hold", methods=["GET", "POST"])
@issuers_only
def hold_credits(number: str) -> ResponseReturnValue:
    issuance = queries.issuance_numbered(db.session, number)
    form = HoldForm()
    holders = available_with(db.session(), issuance)
    form.holder.choices = [
        SelectChoice(holder.number, f"{holder.name}: {issuance.mineral.quantity(quantity)}")
        for holder, quantity in holders
    ]
    status = begun(form)
    if changed(form):
        status = 200
    elif form.validate_on_submit():
        try:
            if form.confirmed.data:
                made = held(form, issuance)
                db.session.commit()
                flash(_("%(number)s: the credits are frozen, and their holder is told.", number=made.number), "success")
                return redirect(url_for("admin.hold", number=made.number), 303)
            return render_template(
                "admin/holds/check_hold.html", form=form, issuance=issuance, **rehearsed(form, issuance)
            )
        except CreditsError as refusal:
            status = refused(form, refusal)
            form.confirmed.data = ""
    return render_template("admin/holds/hold_credits.html", form=form, issuance=issuance, holders=holders), status


def held(form: HoldForm, issuance: Issuance) -> Earmark:
    return rules.hold(
        db.session(),
        issuance=issuance,
        holder=public.organisation_known_as(db.session(), form.holder.data),
        quantity=form.quantity.data,
        reason=form.reason.data,
        by=current_user(),
        key=form.key.data,
        at=now(),
    )


def rehearsed(form: HoldForm, issuance: Issuance) -> dict[str, Any]:
    """What the hold would freeze, found by placing it and undoing it: every rule has then been asked."""
    made = held(form, issuance)
    units = sum(each.last - each.first + 1 for each in earmarks.ranges_of(db.session(), made))
    foretold = {"serials": earmarks.serials_of(db.session(), made), "quantity": units, "holder": made.holder.name}
    db.session.rollback()
    form.confirmed.data = "yes"
    return foretold


@bp.route("/sites/<number>/hold", methods=["GET", "POST"])
@issuers_only
def hold_periods(number: str) -> ResponseReturnValue:
    site = public.site_known_as(db.session(), number)
    form = HoldPeriodsForm(first_day=asked_day("from"), last_day=asked_day("to"))
    status = begun(form)
    if changed(form):
        status = 200
    elif form.validate_on_submit():
        try:
            if form.confirmed.data:
                frozen = frozen_under(form, site)
                db.session.commit()
                flash(_("Everything unsold is frozen, and everybody concerned is told."), "success")
                if frozen.hold is None:
                    return redirect(url_for("admin.holds"), 303)
                return redirect(url_for("admin.hold", number=frozen.hold.number), 303)
            return render_template("admin/holds/check_periods.html", form=form, place=site, **foreseen(form, site))
        except CreditsError as refusal:
            status = refused(form, refusal)
            form.confirmed.data = ""
    return render_template("admin/holds/hold_periods.html", form=form, place=site), status


def frozen_under(form: HoldPeriodsForm, site: Site) -> rules.Frozen:
    assert form.first_day.data
    assert form.last_day.data
    return rules.hold_periods(
        db.session(),
        site=site,
        first_day=form.first_day.data,
        last_day=form.last_day.data,
        reason=form.reason.data,
        by=current_user(),
        key=form.key.data,
        at=now(),
    )


def foreseen(form: HoldPeriodsForm, site: Site) -> dict[str, Any]:
    """What zero tolerance would freeze and end, and who would be told, found by doing and undoing it."""
    frozen = frozen_under(form, site)
    foretold = {
        "producer": site.producer.name,
        "serials": earmarks.serials_of(db.session(), frozen.hold) if frozen.hold else [],
        "transfers": [f"{each.number} ({each.recipient.name})" for each in frozen.transfers],
        "tell": [each.name for each in frozen.tell],
    }
    db.session.rollback()
    form.confirmed.data = "yes"
    return foretold


def begun(form: FlaskForm) -> int:
    """Give a form that is shown first its key. Returns the status of its page."""
    if form.is_submitted():
        return 422
    form.key.data = uuid4().hex
    return 200


def changed(form: FlaskForm) -> bool:
    """Whether somebody went back from the last page to change something."""
    if "change" not in request.form:
        return False
    form.confirmed.data = ""
    return True


def asked_day(argument: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(argument, ""))
    except ValueError:
        return None
