"""A producer answers what the verifier has asked: each question by itself, now or later."""

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from wtforms import TextAreaField, ValidationError
from wtforms.validators import Length, Optional

from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm, printable
from credits.identity import current_user, now, signed_in
from credits.registry.production import Batch, BatchState
from credits.registry.reviews import review_points, review_threads
from credits.registry.reviews.review_models import ReviewPoint
from credits.web.batches import own_batch, to_batch
from credits.web.blueprint import bp

FIRST = "answer-"


class AnswersForm(OnceForm):
    """An answer to each question that waits; at least one of them. Made for the questions by `form_for_points`."""

    @property
    def answers(self) -> dict[int, str]:
        """What was typed, by the ids of the questions."""
        typed = {field.name: (field.data or "").strip() for field in self if field.name.startswith(FIRST)}
        return {int(name.removeprefix(FIRST)): text for name, text in typed.items() if text}

    def validate_key(self, key: object) -> None:
        if not self.answers:
            raise ValidationError(_("Write an answer to at least one question."))


def form_for_points(points: list[ReviewPoint]) -> AnswersForm:
    """The form with a field for each of these questions."""
    fields = {
        f"{FIRST}{point.remark_id}": TextAreaField(
            _("Your answer") if len(points) == 1 else _("Your answer to question %(number)s", number=place),
            [Optional(), Length(max=4000), printable],
        )
        for place, point in enumerate(points, 1)
    }
    made: AnswersForm = type("AnswersForm", (AnswersForm,), fields)()
    return made


def questions_shown(batch: Batch) -> list[ReviewPoint]:
    """The questions that wait, and those that were just answered here: sent twice, or settled meanwhile."""
    points = [thread.point for thread in review_threads.threads_of(db.session(), batch)]
    waiting = {point.remark_id for point in review_threads.waiting(db.session(), batch)}
    return [point for point in points if point.remark_id in waiting or f"{FIRST}{point.remark_id}" in request.form]


@bp.route("/batches/<number>/answer", methods=["GET", "POST"])
@signed_in
def answer_batch(number: str) -> ResponseReturnValue:
    asked_about = own_batch(number)
    if request.method == "GET" and asked_about.state is not BatchState.INFORMATION_REQUESTED:
        return to_batch(asked_about)
    waiting = questions_shown(asked_about)
    form = form_for_points(waiting)
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            left = review_points.answer(
                db.session(),
                batch=asked_about,
                answers=form.answers,
                policy=current_app.extensions["policy"],
                by=current_user(),
                key=form.key.data,
                at=now(),
            )
            db.session.commit()
            if left:
                flash(ngettext("Saved. %(num)s question waits.", "Saved. %(num)s questions wait.", left), "info")
                return redirect(url_for("web.answer_batch", number=number), 303)
            flash(_("Your answer is with the verifier."), "success")
            return to_batch(asked_about)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("batches/answer_batch.html", form=form, batch=asked_about, waiting=waiting), status
