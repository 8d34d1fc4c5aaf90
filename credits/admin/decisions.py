"""What needs two people: one issuer proposes, another one sees it here and decides."""

from typing import Any
from uuid import uuid4

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from credits.admin.blueprint import bp
from credits.admin.money_decided import money_concerned
from credits.admin.reviews import refused
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, issuers_only, now, registry_only
from credits.ledger.serials import LARGEST
from credits.participants.permissions import is_issuer
from credits.registry import decisions as rules
from credits.registry import earmarks, public, queries
from credits.registry.debits import debit_numbered
from credits.registry.doubts.plausibility_override import batch_of
from credits.registry.holders import available_with, first_to_go
from credits.registry.models import Issuance
from credits.registry.movements import Decision, DecisionKind, DecisionState
from credits.registry.production import Batch
from credits.registry.reviews import waiting

MOST_SHOWN = 100  # serial ranges
# What an issuer proposes here, and what the act needs to know beside its subject. An export is asked for by the
# holder, and what money does is proposed where the money is.
NEEDS = {
    "release": (),
    "cancellation": ("holder", "quantity"),
    "buffer_draw": ("quantity",),
    "roll_back": (),
    "debit": ("quantity",),
    "lift": (),
    "ceiling": (),
    "reinstatement": (),
    "annotation": (),
    "annulment": (),
}


PROPOSED_HERE = [kind for kind in DecisionKind if kind.value in NEEDS]
ABOUT_AN_ISSUANCE = (
    DecisionKind.CANCELLATION,
    DecisionKind.EXPORT,
    DecisionKind.BUFFER_DRAW,
    DecisionKind.ROLL_BACK,
    DecisionKind.DEBIT,
    DecisionKind.LIFT,
)


class DecideForm(FlaskForm):
    key = HiddenField(default="")


class ProposeForm(FlaskForm):
    key = HiddenField(default="")
    kind = SelectField(lazy_gettext("What is to be done"), validators=[InputRequired()])
    subject = StringField(lazy_gettext("Number"), [InputRequired(), Length(max=60)])
    holder = StringField(lazy_gettext("Holder"), [Length(max=40)])
    quantity = IntegerField(lazy_gettext("Quantity"), [Optional(), NumberRange(1, LARGEST)])
    reason = TextAreaField(lazy_gettext("Reason"), [InputRequired(), Length(max=1000)])

    def request(self) -> dict[str, Any]:
        """What the act needs to know beside its subject."""
        given = {"holder": (self.holder.data or "").strip() or None, "quantity": self.quantity.data}
        return {name: value for name, value in given.items() if value is not None}


@bp.get("/decisions")
@registry_only
def decisions() -> ResponseReturnValue:
    asked = request.args.get("state", "")
    found, page, pages = waiting.decisions(
        db.session,
        by=current_user(),
        state=DecisionState(asked) if asked in list(DecisionState) else None,
        page=request.args.get("page", 1, type=int),
    )
    return render_template(
        "admin/decisions/decisions.html",
        decisions=found,
        page=page,
        pages=pages,
        asked=asked,
        states=list(DecisionState),
        acts=acts(),
        may_propose=is_issuer(current_user()),
    )


@bp.route("/decisions/new", methods=["GET", "POST"])
@issuers_only
def propose_decision() -> ResponseReturnValue:
    form = ProposeForm(kind=request.args.get("kind"), subject=request.args.get("subject"))
    form.kind.choices = [SelectChoice(kind.value, acts()[kind.value]) for kind in PROPOSED_HERE]
    if not form.is_submitted():
        form.key.data = uuid4().hex
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            made = rules.propose(
                db.session,
                kind=DecisionKind(form.kind.data),
                subject=form.subject.data.strip(),
                request=form.request(),
                reason=form.reason.data,
                by=current_user(),
                key=form.key.data,
                at=now(),
            )
            db.session.commit()
            flash(_("%(number)s waits for another issuer.", number=made.number), "success")
            return redirect(url_for("admin.decision", number=made.number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
    return render_template(
        "admin/decisions/propose_decision.html",
        form=form,
        needs=needs_of(request.args.get("kind", ""), form.subject.data or ""),
        stock=stock_of(form.subject.data),
    ), status


def needs_of(kind: str, subject: str) -> tuple[str, ...]:
    """Which fields to ask for: who comes from an issuance, hold or debit sees no more than its act needs."""
    return () if subject.startswith("HOLD-") else NEEDS.get(kind, ("holder", "quantity"))


def stock_of(number: str | None) -> list[tuple[str, str, str]]:
    """Who has available credits of the issuance that is named, if one is: number, name, quantity."""
    try:
        issuance = queries.issuance_numbered(db.session(), (number or "").strip())
    except CreditsError:
        return []
    return [
        (holder.number, holder.name, issuance.mineral.quantity(quantity))
        for holder, quantity in available_with(db.session(), issuance)
    ]


@bp.get("/decisions/<number>")
@registry_only
def decision(number: str) -> ResponseReturnValue:
    found = rules.decision_numbered(db.session, current_user(), number)
    return _page(found, DecideForm(key=uuid4().hex), 200)


@bp.post("/decisions/<number>")
@issuers_only
def decide(number: str) -> ResponseReturnValue:
    user, form, step = current_user(), DecideForm(), request.form.get("step", "")
    found = rules.decision_numbered(db.session, user, number)
    status = 422
    if form.validate_on_submit() and step in ("approve", "decline", "withdraw"):
        asked = {"decision": found, "by": user, "key": form.key.data, "at": now()}
        try:
            if step == "approve":
                rules.approve(db.session, policy=current_app.extensions["policy"], **asked)
            elif step == "decline":
                rules.decline(db.session, **asked)
            else:
                rules.withdraw(db.session, **asked)
            db.session.commit()
            flash(_("%(number)s is decided.", number=number), "success")
            return redirect(url_for("admin.decision", number=number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
            found = rules.decision_numbered(db.session, user, number)
    return _page(found, form, status)


def _page(found: Decision, form: DecideForm, status: int) -> ResponseReturnValue:
    user = current_user()
    page = render_template(
        "admin/decisions/decision.html",
        decision=found,
        form=form,
        act=acts()[found.kind.value],
        consequence=consequences()[found.kind.value],
        own=found.proposed_by_id == user.id,
        open=found.state is DecisionState.WAITING and is_issuer(user),
        **concerned(found),
    )
    return page, status


def concerned(found: Decision) -> dict[str, Any]:
    """What it is about, and which serials its approval would take as things stand now."""
    issuance: Issuance | None = None
    batch: Batch | None = None
    serials: list[str] = []
    if found.subject.startswith("HOLD-"):
        serials = earmarks.serials_of(db.session(), earmarks.earmark_numbered(db.session(), found.subject))
    elif found.subject.startswith("BATCH-"):
        batch = batch_of(db.session(), found.subject)
    elif found.subject.startswith("DEBIT-"):
        issuance = debit_numbered(db.session(), found.subject).issuance
    elif found.kind in ABOUT_AN_ISSUANCE:
        issuance = queries.issuance_numbered(db.session(), found.subject)
    if issuance is not None and "holder" in found.request and found.state is DecisionState.WAITING:
        holder = public.organisation_known_as(db.session(), found.request["holder"])
        serials = first_to_go(db.session(), holder, issuance, found.request["quantity"], MOST_SHOWN)
    there = {"issuance": issuance, "batch": batch, "serials": serials, "most": MOST_SHOWN}
    return there | money_concerned(db.session(), found, current_user())


def acts() -> dict[str, str]:
    """What each kind of decision is called."""
    return {
        "release": _("Release a hold"),
        "cancellation": _("Cancel credits"),
        "export": _("Export credits"),
        "buffer_draw": _("Draw from the buffer"),
        "roll_back": _("Roll an issuance back"),
        "debit": _("Debit the producer"),
        "lift": _("Lift a suspension"),
        "ceiling": _("Let a batch through above its ceiling"),
        "reinstatement": _("Let a site return to active"),
        "disbursement": _("Pay premium out"),
        "bank_payment": _("Confirm a transfer"),
        "refund": _("Refund an order"),
        "annotation": _("Annotate a certificate"),
        "annulment": _("Annul a certificate"),
    }


def consequences() -> dict[str, str]:
    """Exactly what an approval does, in one sentence."""
    return {
        "release": _("Every held serial goes back exactly where it was."),
        "cancellation": _("These credits are cancelled for ever, lowest serials first. There is no way back."),
        "export": _("These credits leave for the other registry and are final here. There is no way back."),
        "buffer_draw": _("So many units of the buffer are cancelled for ever in place of what the debit still lacks."),
        "roll_back": _("All of the issuance is cancelled for ever and its batch is rejected. There is no way back."),
        "debit": _("The producer's next issuance of this mineral is so much smaller."),
        "lift": _("The credits of the issuance move again at once."),
        "ceiling": _("The batch can be verified and issued above what is plausible. The reason is public."),
        "reinstatement": _("The site is active again: its batches can be verified and issued."),
        "disbursement": _(
            "The amount leaves what the site holds, as paid out with this reference and proof. For good."
        ),
        "bank_payment": _(
            "The order is paid and its credits are delivered, and retired where that was ordered. If the order has "
            "ended meanwhile, the money is noted as not wanted and is sent back."
        ),
        "refund": _("All credits go back to their sellers at once, and the whole amount to the buyer after that."),
        "annotation": _("The reason is shown with the certificate, to everybody and for ever."),
        "annulment": _(
            "The certificate is shown as annulled, with the reason, to everybody, for ever. The credits stay retired."
        ),
    }
