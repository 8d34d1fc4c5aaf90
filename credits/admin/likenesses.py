"""People and organisations behind a batch who look like one: an issuer finds out before its credits are issued."""

from uuid import uuid4

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from credits.admin.blueprint import bp
from credits.admin.reviews import refused
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, issuers_only, now
from credits.registry import queries
from credits.registry.reviews import kinship_questions


class LikenessForm(FlaskForm):
    key = HiddenField(default="")
    about = RadioField(lazy_gettext("Which two?"), [InputRequired()])
    text = TextAreaField(lazy_gettext("How you know that they are two"), [InputRequired(), Length(max=2000)])


@bp.route("/batches/<number>/likenesses", methods=["GET", "POST"])
@issuers_only
def likenesses(number: str) -> ResponseReturnValue:
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    found = kinship_questions.open_questions(db.session(), batch, user)
    form = LikenessForm()
    form.about.choices = [SelectChoice(tie.about, tie.sentence) for tie in found]
    if not form.is_submitted():
        form.key.data = uuid4().hex
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            kinship_questions.answer(
                db.session(),
                batch=batch,
                about=form.about.data,
                text=form.text.data,
                by=user,
                key=form.key.data,
                at=now(),
            )
            db.session.commit()
            flash(_("Your answer is kept with the batch."), "success")
            return redirect(url_for("admin.likenesses", number=number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
    answers = kinship_questions.answers_of(db.session(), batch)
    page = render_template("admin/reviews/likenesses.html", batch=batch, form=form, open=found, answers=answers)
    return page, status
