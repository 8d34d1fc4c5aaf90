"""A lead verifier confirms a batch: what was found, for how long it counts, and on what ground."""

from datetime import date
from uuid import uuid4

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, RadioField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from credits.admin import arithmetic
from credits.admin.blueprint import bp
from credits.admin.reviews import must_be_decidable, refused
from credits.certificates import verified
from credits.drawing import spoken
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, now, verifiers_only
from credits.registry import queries
from credits.registry.assurance.assessed import current
from credits.registry.calendar import covers
from credits.registry.making.batches import ChangedMeanwhile
from credits.registry.making.revisions import revision_of
from credits.registry.production import BatchState
from credits.registry.reviews import declaring, verification
from credits.registry.reviews.assigning import must_be_drawn
from credits.registry.reviews.review_threads import language_of
from credits.registry.reviews.verification import Finding

VISITED, REMOTE = "visited", "remote"


class VerifyForm(FlaskForm):
    """period: the days of production, which the assurance has to cover."""

    period: tuple[date, date]

    key = HiddenField(default="")
    seen = HiddenField(default="")  # the revision of the batch that the page showed
    how = RadioField(
        lazy_gettext("How did you look at the site?"),
        [InputRequired()],
        choices=[
            SelectChoice(VISITED, lazy_gettext("I, or a colleague, visited it")),
            SelectChoice(REMOTE, lazy_gettext("From a distance")),
        ],
    )
    visited_from = DateField(lazy_gettext("First day of the visit"), [Optional()])
    visited_to = DateField(lazy_gettext("Last day of the visit"), [Optional()])
    remote_reason = TextAreaField(lazy_gettext("Why there was no visit"), [Optional(), Length(max=500)])
    valid_from = DateField(lazy_gettext("The assurance counts from"), [InputRequired()])
    valid_to = DateField(lazy_gettext("The assurance counts until"), [InputRequired()])
    opinion = TextAreaField(lazy_gettext("Opinion"), [InputRequired(), Length(max=4000)])

    def validate_how(self, chosen: RadioField) -> None:
        if chosen.data == VISITED and not (self.visited_from.data and self.visited_to.data):
            raise ValidationError(_("Give the first and the last day of the visit."))
        if chosen.data == REMOTE and not (self.remote_reason.data or "").strip():
            raise ValidationError(_("Say why there was no visit."))

    def validate_valid_to(self, last: DateField) -> None:
        # What is verified stays verified: with days left out, its credits could never be issued.
        if self.valid_from.data and last.data and not covers((self.valid_from.data, last.data), self.period):
            raise ValidationError(_("The assurance must cover the whole production period."))


@bp.route("/batches/<number>/verify", methods=["GET", "POST"])
@verifiers_only
def verify_batch(number: str) -> ResponseReturnValue:
    batch = queries.batch_numbered(db.session, current_user(), number)
    assessment = current(db.session(), batch.site, current_user().organisation_id, now().date())
    form = VerifyForm(valid_from=batch.produced_from, valid_to=assessment.next_due if assessment else None)
    form.period = (batch.produced_from, batch.produced_to)
    if not form.is_submitted():
        must_be_decidable(current_user(), batch, BatchState.IN_REVIEW)
        if declaring.declared_by(db.session(), must_be_drawn(current_user(), batch), current_user()) is None:
            return redirect(url_for("admin.declare_independence", number=number), 303)
        form.key.data, form.seen.data = uuid4().hex, revision_of(batch)
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            finding = found(form)
            verification.verify(
                db.session,
                batch=batch,
                seen=form.seen.data or "",
                finding=finding,
                by=current_user(),
                key=form.key.data,
                at=now(),
            )
            issuer, language = current_app.extensions["issuer"], spoken(language_of(batch))
            verified.freeze(db.session(), batch=batch, issuer=issuer, language=language)
            db.session.commit()
            flash(_("%(number)s is verified. The registry can issue its credits.", number=number), "success")
            return redirect(url_for("admin.batch", number=number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
            if isinstance(refusal, ChangedMeanwhile):
                form.seen.data = revision_of(batch)  # this page shows what stands now
    outcome = arithmetic.of(db.session, batch)
    page = render_template(
        "admin/reviews/verify_batch.html",
        batch=batch,
        form=form,
        outcome=outcome,
        assessment=current(db.session(), batch.site, current_user().organisation_id, now().date()),
    )
    return page, status


def found(form: VerifyForm) -> Finding:
    visited = form.how.data == VISITED
    return Finding(
        visited_from=form.visited_from.data if visited else None,
        visited_to=form.visited_to.data if visited else None,
        remote_reason="" if visited else form.remote_reason.data,
        valid_from=form.valid_from.data,
        valid_to=form.valid_to.data,
        opinion=form.opinion.data,
    )
