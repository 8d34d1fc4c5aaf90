"""A verifier looks at a batch with everything that stands behind it, asks, and decides."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField
from wtforms.validators import InputRequired, Length

from credits.admin import arithmetic, history, screening
from credits.admin.blueprint import bp
from credits.errors import CreditsError, NotAllowed
from credits.extensions import db
from credits.identity import current_user, now, staff_only, verifiers_only
from credits.ledger import remember_refusal
from credits.participants.models import User
from credits.participants.permissions import WrongRole, is_issuer, is_lead
from credits.problems import status_of
from credits.registry import evidence_likeness, queries, verification
from credits.registry.batches import WrongState
from credits.registry.calendar import covers, months_before
from credits.registry.issuance import issuance_of, obstacles
from credits.registry.observations import distance_km
from credits.registry.observed import SiteObservation
from credits.registry.production import Batch, BatchState, Site
from credits.registry.reckoning import shown

# Until its credits are issued: a batch that cannot be issued after all must not block the site's days for ever.
REJECTABLE = (BatchState.IN_REVIEW, BatchState.INFORMATION_REQUESTED, BatchState.VERIFIED)


class RemarkForm(FlaskForm):
    key = HiddenField(default="")
    text = TextAreaField(lazy_gettext("What is missing or unclear?"), [InputRequired(), Length(max=4000)])


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
        ask=reviewing,
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
    return _page(queries.batch_numbered(db.session, current_user(), number), RemarkForm(key=uuid4().hex), 200)


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
    form = RemarkForm()
    status = 422
    if form.validate_on_submit():
        try:
            verification.request_information(
                db.session, batch=batch, text=form.text.data, by=current_user(), key=form.key.data, at=now()
            )
            db.session.commit()
            flash(_("The producer has been asked. The batch comes back when they answer."), "success")
            return redirect(url_for("admin.batch", number=number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
    return _page(batch, form, status)


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
    form.form_errors.append(refusal.message)
    form.key.data = uuid4().hex
    return status_of(refusal)


def degrees(micro: int) -> str:
    """Decimal degrees of a position kept in micro-degrees."""
    return f"{'-' if micro < 0 else ''}{shown(abs(micro), 6)}"


def distance_to_observed(site: Site) -> float | None:
    """Kilometres between the claimed position and that of the matched site in the open data, where both are known."""
    seen = site.observed
    if seen is None or seen.latitude is None or seen.longitude is None:
        return None
    return distance_km((site.latitude, site.longitude), (seen.latitude, seen.longitude))


def newest_count(site: Site) -> SiteObservation | None:
    """The newest visit of others that counted the workers."""
    visits = site.observed.observations if site.observed else []
    return next((visit for visit in reversed(visits) if visit.recorded.get("workers_numb")), None)


def _page(batch: Batch, form: RemarkForm, status: int) -> ResponseReturnValue:
    user, today = current_user(), now().date()
    policy = current_app.extensions["policy"]
    period = (batch.produced_from, batch.produced_to)
    licences = [(each, covers((each.valid_from, each.valid_to), period)) for each in batch.site.licences]
    issuance = issuance_of(db.session, batch)
    page = render_template(
        "admin/reviews/batch.html",
        batch=batch,
        offers=offers_to(user, batch),
        outcome=arithmetic.of(db.session, batch),
        licences=licences,
        position=f"{degrees(batch.site.latitude)}, {degrees(batch.site.longitude)}",
        distance=distance_to_observed(batch.site),
        counted=newest_count(batch.site),
        old=months_before(today, policy.months_to_age),
        obstacles=obstacles(batch, policy, now()) if batch.state is BatchState.VERIFIED else [],
        papers=history.kinds_of_paper(),
        questions=evidence_likeness.likenesses_of(db.session, batch),
        story=history.of_batch(db.session, batch, issuance.number if issuance else None),
        issuance=issuance,
        user=user,
        form=form,
        weighed=screening.shown(batch, user, reviews=is_allowed(verification.must_review, user, batch), at=now()),
    )
    return page, status
