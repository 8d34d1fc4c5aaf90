"""Grievances as the registry and a site's verifier handle them: what waits, what was said, and what is answered."""

from uuid import uuid4

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField
from wtforms.validators import InputRequired, Length

from credits.admin.blueprint import bp
from credits.admin.reviews import refused
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, now, staff_only
from credits.participants.permissions import is_auditor, is_issuer
from credits.registry.assurance.assurance_models import SiteFinding
from credits.registry.mines import grievances as rules
from credits.registry.mines.grievance_models import Grievance, GrievanceState
from credits.registry.reviews import waiting


class AnswerForm(FlaskForm):
    key = HiddenField(default="")
    words = TextAreaField(lazy_gettext("Your answer"), [InputRequired(), Length(max=rules.MOST_WORDS)])


@bp.get("/grievances")
@staff_only
def grievances() -> ResponseReturnValue:
    asked = request.args.get("state", "")
    found, page, pages = waiting.grievances(
        db.session(),
        by=current_user(),
        state=GrievanceState(asked) if asked in list(GrievanceState) else None,
        page=request.args.get("page", 1, type=int),
    )
    return render_template(
        "admin/grievances/grievances.html",
        grievances=found,
        page=page,
        pages=pages,
        asked=asked,
        states=list(GrievanceState),
    )


@bp.get("/grievances/<number>")
@staff_only
def grievance(number: str) -> ResponseReturnValue:
    found = rules.grievance_numbered(db.session(), current_user(), number)
    return _page(found, AnswerForm(key=uuid4().hex), 200)


@bp.post("/grievances/<number>")
@staff_only
def handle_grievance(number: str) -> ResponseReturnValue:
    """Answer, or close with a last word."""
    user, form = current_user(), AnswerForm()
    found = rules.grievance_numbered(db.session(), user, number)
    status, step = 422, request.form.get("step", "answer")
    if form.validate_on_submit():
        act = rules.close if step == "close" else rules.answer
        try:
            act(db.session(), grievance=found, words=form.words.data, by=user, key=form.key.data, at=now())
            db.session.commit()
            flash(_("It is there for who holds the code of %(number)s.", number=number), "success")
            return redirect(url_for("admin.grievance", number=number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
            found = rules.grievance_numbered(db.session(), user, number)
    return _page(found, form, status)


def _page(found: Grievance, form: AnswerForm, status: int) -> ResponseReturnValue:
    user = current_user()
    page = render_template(
        "admin/grievances/grievance.html",
        grievance=found,
        finding=db.session.get(SiteFinding, found.finding_id) if found.finding_id else None,
        form=form,
        may_answer=not is_auditor(user) or is_issuer(user),
        may_reach=rules.may_reach(user),
        may_close=is_issuer(user),
    )
    return page, status
