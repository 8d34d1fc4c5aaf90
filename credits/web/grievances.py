"""Saying what is wrong at a site: by anybody, without an account or a name, and following the answer by a code."""

from flask import current_app, make_response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm
from credits.identity import now
from credits.registry import public
from credits.registry.mines import grievances
from credits.registry.mines.grievance_models import Grievance
from credits.web.blueprint import bp

MOST = grievances.MOST_WORDS


class GrievanceForm(OnceForm):
    words = TextAreaField(lazy_gettext("What happened?"), [InputRequired(), Length(max=MOST)])
    contact = StringField(lazy_gettext("How can we reach you?"), [Length(max=grievances.MOST_CONTACT)])


class CodeForm(OnceForm):
    code = StringField(lazy_gettext("Your code"), [InputRequired(), Length(max=80)])


class MoreForm(CodeForm):
    words = TextAreaField(lazy_gettext("What do you want to add?"), [InputRequired(), Length(max=MOST)])


@bp.route("/sites/<number>/grievance", methods=["GET", "POST"])
def file_grievance(number: str) -> ResponseReturnValue:
    """The code is shown once, in the answer itself: no address leads to it."""
    site = public.site_known_as(db.session, number)
    form = GrievanceForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            made = grievances.file(
                db.session(),
                site=site,
                words=form.words.data,
                contact=form.contact.data or "",
                key=form.key.data,
                policy=current_app.extensions["policy"],
                at=now(),
            )
            db.session.commit()
            code = grievances.code_of(form.key.data)
            return unkept(render_template("grievances/filed.html", place=site, number=number, made=made, code=code))
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("grievances/file_grievance.html", form=form, place=site, number=number), status


@bp.route("/grievances", methods=["GET", "POST"])
def follow_grievance() -> ResponseReturnValue:
    """What was answered, for who has the code. It is sent in the body: no address and no log has it."""
    form = CodeForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            found = grievances.coded(db.session(), form.code.data)
            return thread(found, MoreForm(formdata=None, code=form.code.data), 200)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("grievances/follow_grievance.html", form=form), status


@bp.post("/grievances/more")
def add_to_grievance() -> ResponseReturnValue:
    form = MoreForm()
    try:
        found = grievances.coded(db.session(), form.code.data or "")
    except CreditsError as refusal:
        again = CodeForm(formdata=None)
        return render_template("grievances/follow_grievance.html", form=again), again.refused(refusal)
    status = 422
    if form.validate_on_submit():
        try:
            grievances.add(db.session(), grievance=found, words=form.words.data, at=now())
            db.session.commit()
            return thread(found, MoreForm(formdata=None, code=form.code.data), 200, said=_("It was added."))
        except CreditsError as refusal:
            status = form.refused(refusal)
            found = grievances.coded(db.session(), form.code.data)
    return thread(found, form, status)


def thread(found: Grievance, form: MoreForm, status: int, said: str = "") -> ResponseReturnValue:
    page = render_template("grievances/thread.html", grievance=found, form=form, said=said)
    return unkept(page, status)


def unkept(page: str, status: int = 200) -> ResponseReturnValue:
    """A page that no browser keeps: the phone may be shared."""
    answer = make_response(page, status)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
