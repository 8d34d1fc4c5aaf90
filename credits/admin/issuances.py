"""The registry issues what is verified, and reads what was issued and moved."""

from uuid import uuid4

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import HiddenField

from credits import stories
from credits.admin import arithmetic
from credits.admin.blueprint import bp
from credits.admin.reviews import refused
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, issuers_only, now, registry_only
from credits.journal import events
from credits.ledger.serials import SerialRange, written
from credits.participants.models import User
from credits.participants.permissions import is_issuer
from credits.registry import queries
from credits.registry.annotating import standings_among
from credits.registry.issuance import foreseen_number, issue, must_be_third, obstacles
from credits.registry.making.batches import WrongState
from credits.registry.minerals import MINERALS
from credits.registry.models import TransferState
from credits.registry.production import Batch, BatchState
from credits.registry.reviews import review_queue, waiting
from credits.registry.whereabouts import whereabouts


class IssueForm(FlaskForm):
    key = HiddenField(default="")


@bp.route("/batches/<number>/issue", methods=["GET", "POST"])
@issuers_only
def issue_batch(number: str) -> ResponseReturnValue:
    user, policy = current_user(), current_app.extensions["policy"]
    batch = queries.batch_numbered(db.session, user, number)
    form = IssueForm()
    if not form.is_submitted():
        must_be_verified(batch)
        must_be_third(user, batch)
        form.key.data = uuid4().hex
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            issuance = issue(db.session, batch=batch, policy=policy, by=user, key=form.key.data, at=now())
            db.session.commit()
            flash(_("%(number)s is issued. Its credits are with their producer.", number=issuance.number), "success")
            return redirect(url_for("admin.issuance", number=issuance.number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
    outcome = arithmetic.of(db.session, batch)
    issued_number = foreseen_number(db.session, batch)
    quantity = outcome.base_units or 0
    page = render_template(
        "admin/issuances/issue_batch.html",
        batch=batch,
        form=form,
        outcome=outcome,
        quantity=quantity,
        issued_number=issued_number,
        serials=written(issued_number, SerialRange(1, quantity)) if quantity > 0 else "",
        obstacles=obstacles(batch, policy, now()),
        open=batch.state is BatchState.VERIFIED,
    )
    return page, status


def must_be_verified(batch: Batch) -> None:
    if batch.state is not BatchState.VERIFIED:
        raise WrongState(
            _("%(number)s does not wait for issuance: only a verified batch is issued.", number=batch.number),
            state=batch.state.value,
        )


@bp.get("/issuances")
@registry_only
def issuances() -> ResponseReturnValue:
    asked = request.args.get("mineral", "")
    found, page, pages = waiting.issuances(
        db.session,
        mineral_code=asked if asked in MINERALS else "",
        text=request.args.get("q", "").strip()[:200],
        page=request.args.get("page", 1, type=int),
    )
    return render_template(
        "admin/issuances/issuances.html",
        issuances=found,
        page=page,
        pages=pages,
        asked=asked,
        minerals=MINERALS.values(),
        verified=review_queue.on_the_way(db.session(), current_user())[BatchState.VERIFIED],
    )


@bp.get("/issuances/<number>")
@registry_only
def issuance(number: str) -> ResponseReturnValue:
    found = queries.issuance_numbered(db.session, number)
    whole = SerialRange(1, found.quantity)
    return render_template(
        "admin/issuances/issuance.html",
        issuance=found,
        serials=written(found.number, whole),
        places=whereabouts(db.session, found, whole),
        issuer=db.session.get_one(User, found.issuer_id),
        outcome=arithmetic.of(db.session, found.batch),
        story=stories.steps(db.session(), events.story(db.session, found.number), found.mineral),
        debits=waiting.debits_of(db.session(), found),
        may_act=is_issuer(current_user()),
    )


@bp.get("/transfers")
@registry_only
def transfers() -> ResponseReturnValue:
    asked = request.args.get("state", "")
    found, page, pages = waiting.transfers(
        db.session,
        by=current_user(),
        state=TransferState(asked) if asked in list(TransferState) else None,
        text=request.args.get("q", "").strip()[:200],
        page=request.args.get("page", 1, type=int),
    )
    return render_template(
        "admin/issuances/transfers.html",
        transfers=found,
        page=page,
        pages=pages,
        asked=asked,
        states=list(TransferState),
    )


@bp.get("/retirements")
@registry_only
def retirements() -> ResponseReturnValue:
    found, page, pages = waiting.retirements(
        db.session,
        by=current_user(),
        text=request.args.get("q", "").strip()[:200],
        page=request.args.get("page", 1, type=int),
    )
    standings = standings_among(db.session(), [each.id for each in found])
    return render_template(
        "admin/issuances/retirements.html", retirements=found, page=page, pages=pages, standings=standings
    )
