"""The reviewer answers what the data ask about a batch: each question before it can be verified."""

from uuid import uuid4

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField
from wtforms.validators import InputRequired, Length

from credits.admin.blueprint import bp
from credits.admin.reviews import refused
from credits.admin.screening import ANSWERED_IN
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, now, verifiers_only
from credits.participants.models import User
from credits.registry import queries
from credits.registry.doubts import screening_questions
from credits.registry.making.batches import WrongState
from credits.registry.production import Batch
from credits.registry.reviews import verification

MOST = 2000  # characters of an answer


class AnswerForm(FlaskForm):
    key = HiddenField(default="")
    text = TextAreaField(lazy_gettext("Your answer"), [InputRequired(), Length(max=MOST)])


@bp.route("/batches/<number>/questions/<code>", methods=["GET", "POST"])
@verifiers_only
def answer_question(number: str, code: str) -> ResponseReturnValue:
    batch = queries.batch_numbered(db.session, current_user(), number)
    must_be_reviewed_by(current_user(), batch)
    form = AnswerForm()
    if not form.is_submitted():
        form.key.data = uuid4().hex
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            screening_questions.answer(
                db.session,
                batch=batch,
                code=code,
                text=form.text.data,
                by=current_user(),
                key=form.key.data,
                at=now(),
            )
            db.session.commit()
            flash(_("Your answer is kept with the batch."), "success")
            return redirect(url_for("admin.batch", number=number, _anchor="checklist"), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
    asked = next((each for each in screening_questions.open_questions(db.session, batch) if each.code == code), None)
    if asked is None:
        raise screening_questions.NoSuchQuestion(_("There is no open question of this kind."))
    return render_template("admin/reviews/answer_question.html", batch=batch, form=form, question=asked), status


@bp.post("/batches/<number>/questions")
@verifiers_only
def answer_questions(number: str) -> ResponseReturnValue:
    """As many answers as were typed, by one button: all of them or none."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    must_be_reviewed_by(user, batch)
    key, kept = request.form.get("key", ""), 0
    for field, text in request.form.items():
        code = field.removeprefix("answer-")
        if code == field or not text.strip():
            continue
        screening_questions.answer(
            db.session(), batch=batch, code=code, text=text[:MOST], by=user, key=f"{key[:60]}-{code[:60]}", at=now()
        )
        kept += 1
    db.session.commit()
    if kept:
        flash(
            ngettext("%(num)s answer is kept with the batch.", "%(num)s answers are kept with the batch.", kept),
            "success",
        )
    else:
        flash(_("Nothing was typed, so nothing is kept."), "warning")
    return redirect(url_for("admin.batch", number=number, _anchor="checklist"), 303)


def must_be_reviewed_by(user: User, batch: Batch) -> None:
    """Raise unless `user` reviews the batch now: only a reviewer answers."""
    verification.must_review(user, batch)
    if batch.state not in ANSWERED_IN:
        raise WrongState(_("The batch is not in review: its questions are not open."), state=batch.state.value)
