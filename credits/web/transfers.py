"""Credits on their way: offered to another holder, then accepted, rejected or withdrawn."""

from collections.abc import Callable
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import joinedload
from wtforms import HiddenField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from credits import languages
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import Amount, OnceForm, printable
from credits.identity import current_user, now, signed_in
from credits.participants import countries
from credits.participants.models import Organisation
from credits.participants.permissions import may_dispose_of
from credits.payments.going_back import releasing
from credits.problems import status_of
from credits.registry import guarding, queries
from credits.registry import transfer as transferring
from credits.registry.models import Issuance, Transfer, TransferState
from credits.registry.second_person import may_be_second, stood_since
from credits.web.amounts import base_units_in
from credits.web.blueprint import bp
from credits.web.holdings import asked_holder, may_move, nothing_to_move
from credits.web.paging import asked_text, page_of

DIRECTIONS = ("incoming", "outgoing")


class TransferForm(OnceForm):
    quantity = Amount(lazy_gettext("How many credits?"), [InputRequired(), Length(max=40)])
    note = TextAreaField(lazy_gettext("Note to the recipient"), [Optional(), Length(max=500), printable])
    confirmed = HiddenField()


class ReasonForm(OnceForm):
    reason = TextAreaField(lazy_gettext("Why do you reject it?"), [DataRequired(), Length(max=500), printable])


@bp.get("/transfers")
@signed_in
def transfers() -> ResponseReturnValue:
    user = current_user()
    direction, state = request.args.get("direction", ""), request.args.get("state", "")
    wanted = queries.transfers_of(user)
    own = [holder.id for holder in queries.holders_of(db.session, user)]
    if direction in DIRECTIONS:
        party = Transfer.recipient_id if direction == "incoming" else Transfer.sender_id
        wanted = wanted.where(party.in_(own))
    if state in {each.value for each in TransferState}:
        wanted = wanted.where(Transfer.state == TransferState(state))
    wanted = wanted.options(joinedload(Transfer.issuance), joinedload(Transfer.sender), joinedload(Transfer.recipient))
    return render_template(
        "transfers/transfers.html",
        page=page_of(wanted),
        direction=direction,
        state=state,
        states=TransferState,
        own=own,
        filtered=bool(direction or state),
        disposes=may_move(user, user.organisation),
    )


@bp.get("/holdings/<number>/transfer")
@signed_in
def choose_recipient(number: str) -> ResponseReturnValue:
    user = current_user()
    holder = asked_holder(user)
    may_dispose_of(user, holder)
    issuance = queries.issuance_numbered(db.session, number)
    held = queries.held_of(db.session, holder, issuance)
    if refusal := nothing_to_move(held, holder, "transfer"):
        return refusal
    asked = asked_text()
    return render_template(
        "transfers/recipient.html",
        holder=holder,
        issuance=issuance,
        asked=asked,
        page=page_of(queries.recipients(holder, asked)),
        held=held,
        country_name=country_name,
    )


@bp.route("/holdings/<number>/transfer/<recipient_number>", methods=["GET", "POST"])
@signed_in
def new_transfer(number: str, recipient_number: str) -> ResponseReturnValue:
    user = current_user()
    holder = asked_holder(user)
    may_dispose_of(user, holder)
    issuance = queries.issuance_numbered(db.session, number)
    recipient = queries.recipient_numbered(db.session, holder, recipient_number)
    form = TransferForm()
    held = queries.held_of(db.session, holder, issuance)
    # What is sent once more may have taken the last of them: its key knows.
    if not form.is_submitted() and (refusal := nothing_to_move(held, holder, "transfer")):
        return refusal
    status = 422 if form.is_submitted() else 200
    if "change" in request.form:
        status, form.confirmed.data = 200, ""
    elif form.validate_on_submit():
        try:
            if form.confirmed.data:
                made = offer(form, issuance, holder, recipient)
                db.session.commit()
                flash(
                    _("The credits are on their way. %(name)s has been asked to accept.", name=recipient.name),
                    "success",
                )
                return redirect(url_for("web.transfer", number=made.number), 303)
            foretold = rehearse(form, issuance, holder, recipient)
            form.confirmed.data = "yes"
            return render_template("transfers/check.html", form=form, **foretold)
        except CreditsError as refusal:
            status = form.refused(refusal)
            form.confirmed.data = ""
    held = queries.held_of(db.session, holder, issuance)
    page = {"form": form, "issuance": issuance, "holder": holder, "recipient": recipient, "held": held}
    return render_template("transfers/new.html", **page, country_name=country_name), status


def country_name(code: str) -> str:
    return countries.name_of(code, languages.current())


def offer(form: TransferForm, issuance: Issuance, sender: Organisation, recipient: Organisation) -> Transfer:
    return transferring.propose(
        db.session,
        issuance=issuance,
        sender=sender,
        recipient=recipient,
        quantity=issuance.mineral.base_units(form.quantity.plain),
        note=form.note.data or "",
        policy=current_app.extensions["policy"],
        by=current_user(),
        key=form.key.data,
        at=now(),
    )


def rehearse(form: TransferForm, issuance: Issuance, sender: Organisation, recipient: Organisation) -> dict[str, Any]:
    """What the transfer would be, found by making it and undoing it: every rule has then been asked."""
    quantity = base_units_in(queries.held_of(db.session, sender, issuance), form.quantity.plain)
    made = offer(form, issuance, sender, recipient)
    foretold = {
        "serials": transferring.serials_of(made),
        "note": made.note,
        "expires_at": made.expires_at,
        "quantity_units": quantity,
    }
    db.session.rollback()
    return foretold | {"issuance": issuance, "holder": sender, "recipient": recipient, "country_name": country_name}


@bp.get("/transfers/<number>")
@signed_in
def transfer(number: str) -> ResponseReturnValue:
    return transfer_page(queries.transfer_numbered(db.session, current_user(), number))


@bp.post("/transfers/<number>/accept")
@signed_in
def accept_transfer(number: str) -> ResponseReturnValue:
    return answered(number, releasing.accept, TransferState.ACCEPTED, _("The credits are yours."))


@bp.post("/transfers/<number>/approve")
@signed_in
def approve_transfer(number: str) -> ResponseReturnValue:
    """A second person of the sender lets a first or large transfer go."""
    asked = queries.transfer_numbered(db.session, current_user(), number)
    policy = current_app.extensions["policy"]
    try:
        guarding.approve(db.session(), transfer=asked, policy=policy, by=current_user(), at=now())
        db.session.commit()
    except CreditsError as refusal:
        db.session.rollback()
        return transfer_page(asked, str(refusal)), status_of(refusal)
    flash(_("Approved. %(name)s can accept it when the delay is over.", name=asked.recipient.name), "success")
    return redirect(url_for("web.transfer", number=number), 303)


@bp.post("/transfers/<number>/withdraw")
@signed_in
def withdraw_transfer(number: str) -> ResponseReturnValue:
    told = _("The offer is withdrawn, the credits are available again.")
    return answered(number, transferring.withdraw, TransferState.WITHDRAWN, told)


@bp.route("/transfers/<number>/reject", methods=["GET", "POST"])
@signed_in
def reject_transfer(number: str) -> ResponseReturnValue:
    user = current_user()
    asked = queries.transfer_numbered(db.session, user, number)
    may_dispose_of(user, asked.recipient)
    form = ReasonForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            transferring.reject(db.session, transfer=asked, reason=form.reason.data, by=user, at=now())
            db.session.commit()
        except CreditsError as refusal:
            status = form.refused(refusal)
        # Sent twice is no mistake: it is told so again.
        if asked.state is TransferState.REJECTED and asked.closed_by_id == user.id:
            flash(_("The credits go back to %(name)s.", name=asked.sender.name), "success")
            return redirect(url_for("web.transfer", number=number), 303)
    return render_template("transfers/reject.html", form=form, transfer=asked), status


def answered(number: str, act: Callable[..., None], wanted: TransferState, told: str) -> ResponseReturnValue:
    """Do what the one-button form says; where a rule says no, the transfer's page says why.

    Pressed twice is no mistake: where that side has brought it to the state `wanted` already, it is told so again.
    """
    asked = queries.transfer_numbered(db.session, current_user(), number)
    try:
        act(db.session, transfer=asked, by=current_user(), at=now())
        db.session.commit()
    except CreditsError as refusal:
        db.session.rollback()
        side = asked.recipient if wanted is TransferState.ACCEPTED else asked.sender
        if asked.state is not wanted or not may_move(current_user(), side):
            return transfer_page(asked, str(refusal)), status_of(refusal)
    flash(told, "success")
    return redirect(url_for("web.transfer", number=number), 303)


def transfer_page(asked: Transfer, refusal: str = "") -> str:
    user = current_user()
    pending = asked.state is TransferState.PENDING
    guard = asked.guard
    since = stood_since(current_app.extensions["policy"], asked.proposed_at)
    opened = guard is None or (guard.open_from is not None and guard.open_from <= now())
    return render_template(
        "transfers/transfer.html",
        transfer=asked,
        serials=transferring.serials_of(asked),
        refusal=refusal,
        late=pending and asked.expires_at <= now(),
        guard=guard,
        opened=opened,
        may_approve=pending
        and guard is not None
        and guard.approved_by_id is None
        and may_be_second(db.session(), holder=asked.sender, first=guard.proposed_by, since=since, by=user),
        may_answer=pending and may_move(user, asked.recipient),
        may_withdraw=pending and may_move(user, asked.sender),
    )
