"""How a site stands, in the panel: its state with the clock, level, plan, findings; and what may be done about it."""

from typing import Any
from uuid import uuid4

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from credits.admin.assessments import answer_words
from credits.admin.blueprint import bp
from credits.admin.reviews import refused
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, issuers_only, now, staff_only
from credits.participants.models import User
from credits.participants.permissions import is_issuer
from credits.registry import finders, queries
from credits.registry.assurance import assessed, findings
from credits.registry.mines import site_states
from credits.registry.production import AssuranceState, Site

CAUSES = {
    "finding": lazy_gettext("A finding of zero tolerance"),
    "registry": lazy_gettext("The registry"),
    "clock": lazy_gettext("The clock"),
    "decision": lazy_gettext("Two people of the registry"),
}


class StateForm(FlaskForm):
    key = HiddenField(default="")
    state = RadioField(
        lazy_gettext("From today on"),
        [InputRequired()],
        choices=[
            SelectChoice("probation", lazy_gettext("On probation: put right in time, or suspended")),
            SelectChoice("suspended", lazy_gettext("Suspended: nothing of it is verified or issued")),
        ],
    )
    reason = TextAreaField(lazy_gettext("Reason"), [InputRequired(), Length(max=1000)])


@bp.get("/sites/<number>")
@staff_only
def site(number: str) -> ResponseReturnValue:
    found = queries.site_coded(db.session, current_user(), number)
    completed = assessed.completed_of(db.session(), found)
    return render_template(
        "admin/sites/site.html",
        place=found,
        number=number,
        standing=site_states.standing(db.session(), found, now().date(), current_app.extensions["policy"]),
        history=site_states.history_of(db.session(), found),
        causes=CAUSES,
        findings=findings.findings_of(db.session(), found),
        today=now().date(),
        assessments=completed,
        words=answer_words(),
        **offers_to(current_user(), found),
    )


def offers_to(user: User, place: Site) -> dict[str, Any]:
    """What this person may do here."""
    try:
        finders.must_find(db.session(), user, place)
    except CreditsError:
        return {"may_find": False, "may_decide": is_issuer(user)}
    return {"may_find": True, "may_decide": is_issuer(user)}


@bp.route("/sites/<number>/state", methods=["GET", "POST"])
@issuers_only
def set_site_state(number: str) -> ResponseReturnValue:
    place = queries.site_coded(db.session, current_user(), number)
    form = StateForm()
    if not form.is_submitted():
        form.key.data = uuid4().hex
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        suspended = form.state.data == AssuranceState.SUSPENDED.value
        act = site_states.suspend if suspended else site_states.put_on_probation
        try:
            act(
                db.session(),
                site=place,
                reason=form.reason.data or "",
                policy=current_app.extensions["policy"],
                by=current_user(),
                key=form.key.data or "",
                at=now(),
            )
            db.session.commit()
            flash(_("Done. The producer is told."), "success")
            return redirect(url_for("admin.site", number=number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
    policy = current_app.extensions["policy"]
    return render_template(
        "admin/sites/set_site_state.html", form=form, place=place, number=number, policy=policy
    ), status
