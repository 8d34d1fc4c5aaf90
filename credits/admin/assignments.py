"""Who reviews what: a verifier declares or declines, and the registry sees what nobody has taken."""

from uuid import uuid4

from flask import current_app, flash, redirect, render_template, request, url_for
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
from credits.identity import current_user, issuers_only, now, registry_only, verifiers_only
from credits.participants.permissions import is_issuer
from credits.registry import queries
from credits.registry.reviews import assigning, declaring, reassigning, verification, waiting_jobs
from credits.registry.reviews.assigned import AssignmentState


class DeclineForm(FlaskForm):
    key = HiddenField(default="")
    ties = TextAreaField(lazy_gettext("Which tie is it?"), [InputRequired(), Length(max=declaring.MOST_TIES)])


class DrawForm(FlaskForm):
    key = HiddenField(default="")
    reason = TextAreaField(lazy_gettext("Why another one is drawn"), [InputRequired(), Length(max=500)])


@bp.route("/batches/<number>/decline", methods=["GET", "POST"])
@verifiers_only
def decline_batch(number: str) -> ResponseReturnValue:
    """Declare a tie: the registry draws somebody else at once."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    form = DeclineForm()
    if not form.is_submitted():
        assigning.must_be_drawn(user, batch)
        form.key.data = uuid4().hex
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            reassigning.decline(
                db.session(),
                batch=batch,
                ties=form.ties.data,
                policy=current_app.extensions["policy"],
                by=user,
                key=form.key.data,
                at=now(),
            )
            db.session.commit()
            flash(_("%(number)s has left your hands. Thank you for saying so.", number=number), "success")
            return redirect(url_for("admin.home"), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
    return render_template("admin/assignments/decline_batch.html", batch=batch, form=form), status


@bp.route("/batches/<number>/declare", methods=["GET", "POST"])
@verifiers_only
def declare_independence(number: str) -> ResponseReturnValue:
    """A colleague of who has taken the batch declares to have no tie, before deciding on it."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    verification.must_review(user, batch)
    if request.method == "POST":
        verification.declare(db.session(), batch=batch, by=user, at=now())
        db.session.commit()
        return redirect(url_for("admin.verify_batch", number=number), 303)
    return render_template(
        "admin/assignments/declare_independence.html", batch=batch, declaration=declaring.wording(user, batch)
    )


@bp.get("/assignments")
@registry_only
def assignments() -> ResponseReturnValue:
    """What nobody has taken yet, and what nobody was eligible for."""
    rows = waiting_jobs.untaken(db.session())
    return render_template(
        "admin/assignments/assignments.html",
        rows=rows,
        nearly_chosen=waiting_jobs.nearly_chosen(db.session(), rows, current_app.extensions["policy"]),
        undrawn=waiting_jobs.undrawn(db.session()),
        now=now(),
        nobody=AssignmentState.NOBODY,
        may_draw=is_issuer(current_user()),
    )


@bp.route("/batches/<number>/draw", methods=["GET", "POST"])
@issuers_only
def draw_verifier(number: str) -> ResponseReturnValue:
    """Draw another verifier, with a reason that everybody may read."""
    user, policy = current_user(), current_app.extensions["policy"]
    batch = queries.batch_numbered(db.session, user, number)
    form = DrawForm()
    if not form.is_submitted():
        form.key.data = uuid4().hex
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            made = reassigning.draw_anew(
                db.session(),
                batch=batch,
                reason=form.reason.data,
                policy=policy,
                by=user,
                key=form.key.data,
                at=now(),
            )
            db.session.commit()
            if made.organisation is None:
                flash(_("Nobody is eligible for %(number)s now.", number=number), "warning")
            else:
                flash(_("%(name)s was drawn for %(number)s.", name=made.organisation.name, number=number), "success")
            return redirect(url_for("admin.assignments"), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
    page = render_template(
        "admin/assignments/draw_verifier.html",
        batch=batch,
        form=form,
        rounds=assigning.history_of(db.session(), batch),
        eligible=assigning.eligible(db.session(), batch, policy),
        open=batch.state in reassigning.DRAWN_FOR,
    )
    return page, status
