"""Credits that a holder wants to take to another registry: asked for here, decided by the registry."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import Amount, OnceForm, printable
from credits.identity import current_user, now, signed_in
from credits.participants.models import Organisation
from credits.participants.permissions import may_dispose_of
from credits.registry import decisions, queries
from credits.registry.models import Issuance
from credits.registry.movements import Decision, DecisionKind, DecisionState
from credits.web.amounts import base_units_in
from credits.web.blueprint import bp
from credits.web.holdings import asked_holder, nothing_to_move
from credits.web.paging import page_of


class ExportForm(OnceForm):
    quantity = Amount(lazy_gettext("How many credits?"), [InputRequired(), Length(max=40)])
    registry = StringField(lazy_gettext("Receiving registry"), [DataRequired(), Length(max=200), printable])
    reference = StringField(lazy_gettext("Its reference"), [DataRequired(), Length(max=100), printable])
    reason = TextAreaField(lazy_gettext("Reason"), [DataRequired(), Length(max=1000), printable])


class TakeBackForm(OnceForm):
    pass


@bp.route("/holdings/<number>/export", methods=["GET", "POST"])
@signed_in
def ask_for_export(number: str) -> ResponseReturnValue:
    user = current_user()
    holder = asked_holder(user)
    may_dispose_of(user, holder)
    issuance = queries.issuance_numbered(db.session, number)
    form = ExportForm()
    held = queries.held_of(db.session, holder, issuance)
    if not form.is_submitted() and (refusal := nothing_to_move(held, holder, "export")):
        return refusal
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            made = asked_for(form, issuance, holder)
            db.session.commit()
            flash(_("The registry has been asked. Two of its people look at it."), "success")
            return redirect(url_for("web.export", number=made.number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    page = {"form": form, "issuance": issuance, "holder": holder}
    return render_template("exports/ask_for_export.html", **page, held=held), status


def asked_for(form: ExportForm, issuance: Issuance, holder: Organisation) -> Decision:
    quantity = base_units_in(queries.held_of(db.session, holder, issuance), form.quantity.plain)
    request = {"holder": holder.number, "quantity": quantity}
    request |= {"registry": form.registry.data, "reference": form.reference.data}
    return decisions.propose(
        db.session,
        kind=DecisionKind.EXPORT,
        subject=issuance.number,
        request=request,
        reason=form.reason.data,
        by=current_user(),
        key=form.key.data,
        at=now(),
    )


@bp.get("/exports")
@signed_in
def exports() -> ResponseReturnValue:
    wanted = decisions.decisions_of(current_user()).where(Decision.kind == DecisionKind.EXPORT)
    return render_template("exports/exports.html", page=page_of(wanted))


@bp.get("/exports/<number>")
@signed_in
def export(number: str) -> ResponseReturnValue:
    return page_about(export_numbered(number), TakeBackForm()), 200


@bp.post("/exports/<number>/withdraw")
@signed_in
def withdraw_export(number: str) -> ResponseReturnValue:
    user, form = current_user(), TakeBackForm()
    found = export_numbered(number)
    try:
        decisions.withdraw(db.session, decision=found, by=user, key=form.key.data, at=now())
        db.session.commit()
        flash(_("The export is taken back. Nothing has moved."), "success")
        return redirect(url_for("web.export", number=number), 303)
    except CreditsError as refusal:
        status = form.refused(refusal)
    return page_about(export_numbered(number), form), status


def export_numbered(number: str) -> Decision:
    """The export with this number, if the person may see it. Raises NoSuchDecision."""
    found = decisions.decision_numbered(db.session, current_user(), number)
    if found.kind is not DecisionKind.EXPORT:
        raise decisions.NoSuchDecision("There is no such export.")
    return found


def page_about(found: Decision, form: TakeBackForm) -> str:
    return render_template(
        "exports/export.html",
        decision=found,
        issuance=queries.issuance_numbered(db.session, found.subject),
        form=form,
        may_withdraw=found.state is DecisionState.WAITING and found.proposed_by_id == current_user().id,
    )
