"""A verifier looks at a batch with everything that stands behind it, asks, and decides."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectMultipleField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from credits import languages
from credits.admin import bench
from credits.admin.blueprint import bp
from credits.errors import CreditsError, NotAllowed
from credits.extensions import db
from credits.form_fields import tell_at
from credits.identity import current_user, now, staff_only, verifiers_only
from credits.ledger import remember_refusal
from credits.participants.models import Language, User
from credits.participants.permissions import WrongRole, is_issuer, is_lead
from credits.problems import status_of
from credits.registry import queries
from credits.registry.making.batches import WrongState
from credits.registry.production import Batch, BatchState
from credits.registry.reviews import declaring, review_points, verification
from credits.registry.reviews.assigning import must_be_drawn
from credits.registry.reviews.ready_remarks import sentences
from credits.registry.reviews.review_points import Asked

# Until its credits are issued: a batch that cannot be issued after all must not block the site's days for ever.
REJECTABLE = (BatchState.IN_REVIEW, BatchState.INFORMATION_REQUESTED, BatchState.VERIFIED)


class AskForm(FlaskForm):
    """Ready remarks and own words; an empty line in the own words begins the next question."""

    key = HiddenField(default="")
    ready = SelectMultipleField(
        lazy_gettext("Ready questions"),
        [Optional()],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    text = TextAreaField(lazy_gettext("What is missing or unclear?"), [Length(max=4000)])

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        spoken = Language(languages.current())
        self.ready.choices = [SelectChoice(code, text) for code, text in sentences(spoken).items()]

    @property
    def points(self) -> list[Asked]:
        own = re.split(r"\n\s*\n", (self.text.data or "").replace("\r\n", "\n"))
        return [Asked(ready=code) for code in self.ready.data or []] + [Asked(text) for text in own if text.strip()]

    def validate_text(self, typed: TextAreaField) -> None:
        if not self.points:
            raise ValidationError(_("Choose a ready question, or write one."))


class RejectForm(FlaskForm):
    key = HiddenField(default="")
    text = TextAreaField(lazy_gettext("Reasons"), [InputRequired(), Length(max=4000)])


@dataclass(frozen=True)
class Offers:
    """What this person may do with a batch as it stands now."""

    take: bool
    ask: bool
    decide: bool
    reject: bool
    issue: bool


def offers_to(user: User, batch: Batch) -> Offers:
    own = is_allowed(verification.must_review, user, batch)
    reviewing = own and batch.state is BatchState.IN_REVIEW
    return Offers(
        take=verification.may_take(user, batch),
        ask=own and batch.state in review_points.OPEN,
        decide=reviewing and is_lead(user),
        reject=own and is_lead(user) and batch.state in REJECTABLE,
        issue=is_issuer(user) and batch.state is BatchState.VERIFIED,
    )


def is_allowed(rule: Callable[[User, Batch], None], user: User, batch: Batch) -> bool:
    try:
        rule(user, batch)
    except NotAllowed:
        return False
    return True


@bp.get("/batches/<number>")
@staff_only
def batch(number: str) -> ResponseReturnValue:
    found = queries.batch_numbered(db.session, current_user(), number)
    if verification.may_take(current_user(), found):
        return _job(found, current_user())
    return _page(found, AskForm(key=uuid4().hex), 200)


@bp.post("/batches/<number>/take")
@verifiers_only
def take_batch(number: str) -> ResponseReturnValue:
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    if batch.state is not BatchState.IN_REVIEW or batch.reviewer_id != user.id:  # pressed twice is taken once
        verification.take(db.session, batch=batch, by=user, at=now())
        db.session.commit()
        flash(_("%(number)s is in your review now.", number=number), "success")
    return redirect(url_for("admin.batch", number=number), 303)


@bp.post("/batches/<number>/request")
@verifiers_only
def request_information(number: str) -> ResponseReturnValue:
    batch = queries.batch_numbered(db.session, current_user(), number)
    form = AskForm()
    status = 422
    if form.validate_on_submit():
        try:
            review_points.ask(
                db.session(), batch=batch, points=form.points, by=current_user(), key=form.key.data, at=now()
            )
            db.session.commit()
            flash(_("The producer has been asked. The batch comes back when they answer."), "success")
            return redirect(url_for("admin.batch", number=number, _anchor="threads"), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
    return _page(batch, form, status)


@bp.post("/batches/<number>/points/<int:point_id>/settle")
@verifiers_only
def settle_point(number: str, point_id: int) -> ResponseReturnValue:
    """Pressed twice is settled once."""
    batch = queries.batch_numbered(db.session, current_user(), number)
    review_points.mark_settled(db.session(), batch=batch, point_id=point_id, by=current_user(), at=now())
    db.session.commit()
    flash(_("The question is settled."), "success")
    return redirect(url_for("admin.batch", number=number, _anchor="threads"), 303)


@bp.route("/batches/<number>/reject", methods=["GET", "POST"])
@verifiers_only
def reject_batch(number: str) -> ResponseReturnValue:
    batch = queries.batch_numbered(db.session, current_user(), number)
    form = RejectForm()
    if not form.is_submitted():
        must_be_decidable(current_user(), batch, *REJECTABLE)
        form.key.data = uuid4().hex
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            verification.reject(
                db.session, batch=batch, text=form.text.data, by=current_user(), key=form.key.data, at=now()
            )
            db.session.commit()
            flash(_("%(number)s is rejected. The producer reads your reasons.", number=number), "success")
            return redirect(url_for("admin.batch", number=number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
    return render_template("admin/reviews/reject_batch.html", batch=batch, form=form), status


def must_be_decidable(user: User, batch: Batch, *states: BatchState) -> None:
    """Raise what a decision on `batch` by `user` would be refused with now, before anybody fills in a form."""
    verification.must_review(user, batch)
    if not is_lead(user):
        raise WrongRole(_("A lead verifier decides."))
    if batch.state not in states:
        raise WrongState(
            _("%(number)s is not in review: there is nothing to decide now.", number=batch.number),
            state=batch.state.value,
        )


def refused(form: FlaskForm, refusal: CreditsError) -> int:
    """Keep the refusal, say it on the form, and let what is sent next be a new request. Returns the status."""
    refusal = remember_refusal(db.session, refusal)
    tell_at(form, refusal.detail.get("field"), refusal.message)
    form.key.data = uuid4().hex
    return status_of(refusal)


def _job(batch: Batch, user: User) -> str:
    """What is known of a batch before it is taken: the parties, so that a tie is found before the papers are seen."""
    return render_template(
        "admin/reviews/job.html",
        batch=batch,
        declaration=declaring.wording(user, batch),
        assignment=must_be_drawn(user, batch),
    )


def _page(batch: Batch, form: AskForm, status: int) -> ResponseReturnValue:
    user = current_user()
    reviews = is_allowed(verification.must_review, user, batch)
    page = render_template(
        "admin/reviews/batch.html",
        offers=offers_to(user, batch),
        form=form,
        **bench.of(batch, user, reviews=reviews, at=now()),
    )
    return page, status
