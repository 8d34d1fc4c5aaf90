"""Orders as the registry sees them: their states, money that has come by transfer, refunds, disputes."""

from datetime import date
from typing import Any
from uuid import uuid4

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload
from wtforms import DateField, HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from credits.admin.blueprint import bp
from credits.admin.reviews import refused
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, issuers_only, now, registry_only
from credits.participants.permissions import is_issuer
from credits.payments import delivering, invoices, looking
from credits.payments.going_back import bypassing, disputes, refunding, sending_back
from credits.payments.going_back.going_back_models import Refund
from credits.payments.models import Currency, Means, Order, OrderLine, OrderState, ProviderEvent
from credits.payments.premiums import premium
from credits.payments.prices import parse
from credits.progress import steps_of
from credits.registry import decisions as rules
from credits.registry.movements import Decision, DecisionKind, DecisionState
from credits.registry.queries import digits_of

EVENTS_SHOWN = 50


class TransferSeenForm(FlaskForm):
    key = HiddenField(default="")
    amount = StringField(lazy_gettext("Amount on the statement"), [DataRequired(), Length(max=40)])
    value_date = DateField(lazy_gettext("Value date"), [InputRequired()])
    reference = StringField(lazy_gettext("Reference on the bank's statement"), [DataRequired(), Length(max=100)])
    reason = TextAreaField(lazy_gettext("Note for the second person"), [DataRequired(), Length(max=1000)])


class RefundForm(FlaskForm):
    key = HiddenField(default="")
    reason = TextAreaField(lazy_gettext("Why is it refunded?"), [DataRequired(), Length(max=1000)])


class SentForm(FlaskForm):
    reference = StringField(lazy_gettext("Reference on the bank's statement"), [DataRequired(), Length(max=100)])


class KnownForm(FlaskForm):
    reason = TextAreaField(lazy_gettext("What is known of it?"), [DataRequired(), Length(max=1000)])


@bp.get("/orders")
@registry_only
def orders() -> ResponseReturnValue:
    state, asked = request.args.get("state", ""), request.args.get("q", "").strip()
    wanted = looking.orders_in(current_user(), state)
    if asked:
        wanted = wanted.where(Order.id == digits_of(asked.upper(), "ORDER-"))
    wanted = wanted.options(joinedload(Order.buyer), selectinload(Order.lines).joinedload(OrderLine.offer))
    rows, page, pages = looking.page_of(db.session(), wanted, request.args.get("page", 1, type=int))
    return render_template(
        "admin/orders/orders.html",
        orders=rows,
        page=page,
        pages=pages,
        state=state,
        asked=asked,
        states=OrderState,
        contested=looking.contested_among(db.session(), rows),
        is_charged_back=disputes.is_charged_back,
        to_send=db.session.scalars(sending_back.by_our_bank()).all(),
    )


@bp.get("/orders/<number>")
@registry_only
def order(number: str) -> ResponseReturnValue:
    return page_about(looking.order_numbered(db.session(), current_user(), number))


def page_about(found: Order, refusal: str = "") -> str:
    session = db.session()
    waiting = select(Decision).where(Decision.subject == found.number, Decision.state == DecisionState.WAITING)
    events = select(ProviderEvent).where(ProviderEvent.order_id == found.id).order_by(ProviderEvent.received_at)
    return render_template(
        "admin/orders/order.html",
        order=found,
        refunds=refunding.refunds_of(session, found),
        disputes=disputes.disputes_of(session, found),
        charged_back=disputes.is_charged_back(found),
        retirements=delivering.retirements_in(found),
        standings=delivering.standings_in(session, found),
        papers=invoices.papers_of(found),
        waiting=session.scalars(waiting).all(),
        events=session.scalars(events.limit(EVENTS_SHOWN)).all(),
        steps=steps_of(found),
        sent=SentForm(),
        elsewhere=bypassing.unnoted(session, found),
        known=KnownForm(),
        states=OrderState,
        means=Means,
        issues=is_issuer(current_user()),
        refusal=refusal,
    )


@bp.route("/orders/<number>/transfer-seen", methods=["GET", "POST"])
@issuers_only
def see_transfer(number: str) -> ResponseReturnValue:
    """One issuer has seen the money on the bank's statement; a second one confirms it."""
    found = looking.order_numbered(db.session(), current_user(), number)
    form = TransferSeenForm()

    def asked() -> dict[str, Any]:
        day: date = form.value_date.data
        return {
            "amount": parse(form.amount.data, Currency(found.currency)),
            "currency": found.currency.value,
            "value_date": day.isoformat(),
            "reference": form.reference.data,
        }

    return propose(found, form, DecisionKind.BANK_PAYMENT, asked, "admin/orders/see_transfer.html")


@bp.route("/orders/<number>/refund", methods=["GET", "POST"])
@issuers_only
def refund_order(number: str) -> ResponseReturnValue:
    """One issuer proposes it; with the approval of a second one the credits go back, and then the money."""
    found = looking.order_numbered(db.session(), current_user(), number)
    lost = premium.paid_out(db.session(), found)
    return propose(found, RefundForm(), DecisionKind.REFUND, dict, "admin/orders/refund_order.html", lost=lost)


def propose(
    found: Order, form: Any, kind: DecisionKind, asked: Any, template: str, **shown: Any
) -> ResponseReturnValue:
    if not form.is_submitted():
        form.key.data = uuid4().hex
    status, number = 422 if form.is_submitted() else 200, found.number
    if form.validate_on_submit():
        try:
            said = {"reason": form.reason.data, "key": form.key.data, "by": current_user(), "at": now()}
            made = rules.propose(db.session, kind=kind, subject=number, request=asked(), **said)
            db.session.commit()
            flash(_("%(number)s waits for another issuer.", number=made.number), "success")
            return redirect(url_for("admin.decision", number=made.number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
            found = looking.order_numbered(db.session(), current_user(), number)
    return render_template(template, form=form, order=found, **shown), status


@bp.post("/orders/<number>/refunds/<int:refund_id>/sent")
@issuers_only
def refund_sent(number: str, refund_id: int) -> ResponseReturnValue:
    """The registry's bank has sent the money back."""
    found, form = looking.order_numbered(db.session(), current_user(), number), SentForm()
    refund = one_refund(found, refund_id)
    if not form.validate_on_submit():
        return page_about(found, _("Write the reference that the bank's statement has.")), 422
    return settled(
        found,
        lambda: sending_back.sent(
            db.session(), refund=refund, reference=form.reference.data, by=current_user(), at=now()
        ),
    )


@bp.post("/orders/<number>/refunds/<int:refund_id>/again")
@issuers_only
def refund_again(number: str, refund_id: int) -> ResponseReturnValue:
    """A refund has come back to us: it is sent once more."""
    found = looking.order_numbered(db.session(), current_user(), number)
    refund = one_refund(found, refund_id)
    return settled(found, lambda: sending_back.ask_again(db.session(), refund=refund, by=current_user(), at=now()))


@bp.post("/orders/<number>/refunds-elsewhere/<name>/noted")
@issuers_only
def refund_elsewhere_noted(number: str, name: str) -> ResponseReturnValue:
    """An issuer knows of money that the provider has sent back past the registry."""
    found, form = looking.order_numbered(db.session(), current_user(), number), KnownForm()
    if not form.validate_on_submit():
        return page_about(found, _("Write what is known of it.")), 422
    said = {"name": name, "reason": form.reason.data, "by": current_user(), "at": now()}
    return settled(found, lambda: bypassing.acknowledge(db.session(), order=found, **said))


def settled(found: Order, act: Any) -> ResponseReturnValue:
    number = found.number
    try:
        act()
        db.session.commit()
        flash(_("It is noted."), "success")
    except CreditsError as refusal:
        db.session.rollback()
        flash(str(refusal), "error")
    return redirect(url_for("admin.order", number=number), 303)


def one_refund(found: Order, refund_id: int) -> Refund:
    for refund in refunding.refunds_of(db.session(), found):
        if refund.id == refund_id:
            return refund
    raise looking.NoSuchOrder("There is no such refund.")
