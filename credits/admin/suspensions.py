"""Suspending an issuance: one issuer at once; a decision of two lifts it again."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField
from wtforms.validators import InputRequired, Length

from credits.admin.blueprint import bp
from credits.admin.holds import begun
from credits.admin.reviews import refused
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, issuers_only, now
from credits.registry import queries
from credits.registry.holders import holders_of
from credits.registry.suspension import suspend


class SuspendForm(FlaskForm):
    key = HiddenField(default="")
    reason = TextAreaField(lazy_gettext("Reason"), [InputRequired(), Length(max=4000)])


@bp.route("/issuances/<number>/suspend", methods=["GET", "POST"])
@issuers_only
def suspend_issuance(number: str) -> ResponseReturnValue:
    issuance = queries.issuance_numbered(db.session, number)
    form = SuspendForm()
    status = begun(form)
    if form.validate_on_submit():
        try:
            suspend(
                db.session(), issuance=issuance, reason=form.reason.data, by=current_user(), key=form.key.data, at=now()
            )
            db.session.commit()
            flash(_("%(number)s is suspended, and its holders are told.", number=number), "success")
            return redirect(url_for("admin.issuance", number=number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
    holders = [holder.name for holder in holders_of(db.session(), issuance)]
    return render_template(
        "admin/issuances/suspend_issuance.html", form=form, issuance=issuance, holders=holders
    ), status
