"""Orders once they are placed: looked at, paid, cancelled. The buyer's and the seller's side."""

import csv
import io
from datetime import timedelta
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload
from wtforms import HiddenField

from credits import languages, market_jobs, provider
from credits.db import begin_writing
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm
from credits.identity import current_user, now, signed_in
from credits.ledger.serials import written
from credits.participants import countries
from credits.participants.models import User
from credits.participants.permissions import may_buy
from credits.payments import cancelling, delivering, invoices, looking, reserving
from credits.payments.gateway import ProviderUnreachable
from credits.payments.going_back import disputes, refunding
from credits.payments.models import Means, Order, OrderLine, OrderState, Payment, PaymentState, Use
from credits.payments.offering import choosing_use
from credits.payments.offering.standing import standing_of
from credits.payments.orders import language_in
from credits.payments.prices import plain
from credits.payments.settling import UNDER_WAY
from credits.problems import status_of
from credits.progress import steps_of
from credits.registry import sale
from credits.registry.minerals import mineral_of
from credits.web.blueprint import bp
from credits.web.order_forms import lines_of, whole
from credits.web.paging import page_of

COLUMNS = ("order", "placed", "state", "offers", "credits_of", "currency", "subtotal", "tax", "total", "delivered")

MOST_LOOKS = 20  # of a page that waits for word of a payment, five seconds apart


class StepForm(OnceForm):
    """The button that begins the payment. seen: the revision whose price is on the page."""

    seen = HiddenField()


def may_order(user: User) -> bool:
    try:
        may_buy(user, user.organisation)
    except CreditsError:
        return False
    return True


@bp.get("/orders")
@signed_in
def orders() -> ResponseReturnValue:
    user, state = current_user(), request.args.get("state", "")
    page = page_of(looking.orders_in(user, state).options(selectinload(Order.lines).joinedload(OrderLine.offer)))
    return render_template(
        "orders/orders.html",
        page=page,
        state=state,
        contested=looking.contested_among(db.session(), page.rows),
        is_charged_back=disputes.is_charged_back,
        buys=may_order(user),
        filtered=bool(state),
    )


@bp.get("/orders.csv")
@signed_in
def orders_csv() -> ResponseReturnValue:
    """The list as a spreadsheet, with the same filter."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    wanted = looking.orders_in(current_user(), request.args.get("state", ""))
    for each in db.session.scalars(wanted.options(selectinload(Order.lines).joinedload(OrderLine.offer))):
        amounts = [plain(amount, each.currency) for amount in (each.subtotal, each.tax, each.total)]
        named = [" ".join(line.offer.number for line in each.lines)]
        named.append(
            " ".join(f"{line.offer.mineral_code}:{line.offer.mineral.in_credits(line.quantity)}" for line in each.lines)
        )
        delivered = each.delivered_at.date().isoformat() if each.delivered_at else ""
        placed = each.placed_at.date().isoformat()
        rows.writerow([each.number, placed, each.state.value, *named, each.currency.value, *amounts, delivered])
    name = "attachment; filename=orders.csv"
    return Response(text.getvalue(), mimetype="text/csv", headers={"Content-Disposition": name})


@bp.get("/orders/<number>")
@signed_in
def order(number: str) -> ResponseReturnValue:
    """An order as it stands. Of what a payment page brings along in the address nothing is believed.

    paid: how often the page has looked since the buyer came back; after a while it stops and says how it stands.
    """
    looks = whole(request.args.get("paid"))
    return order_page(looking.order_numbered(db.session(), current_user(), number), looks=looks)


@bp.post("/orders/<number>/pay")
@signed_in
def pay_order(number: str) -> ResponseReturnValue:
    """Reserve everything, then send the buyer to where it is paid. Pressed again, it is the same payment."""
    user, form = current_user(), StepForm()
    found = looking.order_numbered(db.session(), user, number)
    may_buy(user, found.buyer)
    try:
        if found.state is OrderState.AWAITING_PAYMENT:
            payment = found.payments[-1]
        else:
            provider.must_take(current_app, found.means)
            policy = current_app.extensions["policy"]
            seen, key = whole(form.seen.data), form.key.data or ""
            payment = reserving.begin_payment(
                db.session(), order=found, seen=seen, policy=policy, by=user, key=key, at=now()
            )
        means, payment_id = payment.means, payment.id
        db.session.commit()
    except CreditsError as refusal:
        status = form.refused(refusal)
        found = looking.order_numbered(db.session(), user, number)
        return order_page(found, refusal=form.form_errors[-1]), status
    if means is Means.BANK_TRANSFER:
        flash(_("The credits are reserved for you. Please send the money now."), "success")
        return redirect(url_for("web.order", number=number), 303)
    return redirect(payment_page(payment_id) or url_for("web.order", number=number), 303)


def payment_page(payment_id: int) -> str | None:
    """Where the provider has the buyer pay; None, with a word about it, where it is not known yet."""
    till = provider.till(current_app)
    if till is not None:
        try:
            if url := market_jobs.open_checkout(db.session(), payment_id=payment_id, till=till, at=now()):
                return url
        except ProviderUnreachable:
            db.session.rollback()
    flash(_("The payment page is not there yet. Your credits are reserved; please try again in a minute."), "warning")
    return None


@bp.post("/orders/<number>/look")
@signed_in
def look_at_order(number: str) -> ResponseReturnValue:
    """Ask the provider what has become of the payment, instead of waiting until it tells us."""
    found = looking.order_numbered(db.session(), current_user(), number)
    payment = under_way(found)
    till = provider.till(current_app)
    if payment is not None and till is not None:
        payment_id = payment.id
        db.session.rollback()  # nobody else waits while the provider is asked
        try:
            market_jobs.ask_about(db.session(), payment_id=payment_id, till=till, at=now())
        except CreditsError as refusal:
            db.session.rollback()
            flash(str(refusal), "warning")
    return redirect(url_for("web.order", number=number), 303)


@bp.get("/orders/<number>/cancel")
@signed_in
def ask_to_cancel(number: str) -> ResponseReturnValue:
    found = looking.order_numbered(db.session(), current_user(), number)
    try:
        cancelling.must_be_cancellable(found, by=current_user())
    except CreditsError as refusal:
        return order_page(found, refusal=str(refusal)), status_of(refusal)
    return render_template("orders/cancel_order.html", order=found, form=OnceForm())


@bp.post("/orders/<number>/cancel")
@signed_in
def cancel_order(number: str) -> ResponseReturnValue:
    user = current_user()
    found = looking.order_numbered(db.session(), user, number)
    payment, till = under_way(found), provider.till(current_app)
    try:
        cancelling.must_be_cancellable(found, by=user)
        if payment is not None and payment.means is Means.STRIPE and till is not None:
            payment_id = payment.id
            db.session.rollback()  # the provider ends its page first
            market_jobs.end_checkout(db.session(), payment_id=payment_id, till=till, at=now())
        else:
            cancelling.cancel(db.session(), order=found, by=user, at=now())
            db.session.commit()
    except CreditsError as refusal:
        db.session.rollback()
        begin_writing(db.session)
        found = looking.order_numbered(db.session(), user, number)
        if found.state is not OrderState.CANCELLED:  # pressed twice is no mistake
            return order_page(found, refusal=str(refusal)), status_of(refusal)
    found = looking.order_numbered(db.session(), user, number)
    if found.state is OrderState.CANCELLED:
        flash(_("The order is cancelled. Nothing is reserved any more."), "success")
    else:
        flash(_("The payment page is closed or was paid already: this is how the order stands."), "warning")
    return redirect(url_for("web.order", number=number), 303)


def under_way(order: Order) -> Payment | None:
    """The attempt that money may still come by."""
    return next((payment for payment in order.payments if payment.state in UNDER_WAY), None)


def serials_of(order: Order) -> list[str]:
    """What a delivered order was given, as it is written."""
    lines = [line for line in order.lines if order.delivered_at is not None]
    return [
        written(line.issuance.number, units)
        for line in lines
        if line.earmark is not None
        for units in sale.serials_set_apart(db.session(), line.earmark)
    ]


def may_be_paid_now(payment: Payment | None) -> bool:
    """Whether word of the provider is to be expected any moment, for whoever comes back from its page."""
    return payment is not None and payment.means is Means.STRIPE and payment.state is not PaymentState.PROCESSING


def order_page(found: Order, *, refusal: str = "", looks: int = 0) -> str:
    session, user = db.session(), current_user()
    acts = may_order(user) and found.buyer_id == user.organisation_id
    payment = under_way(found)
    confirming = 0 < looks <= MOST_LOOKS and may_be_paid_now(payment)
    return render_template(
        "orders/order.html",
        order=found,
        payment=payment,
        confirming=confirming,
        next_look=url_for("web.order", number=found.number, paid=looks + 1),
        refunds=refunding.refunds_of(session, found),
        disputes=disputes.disputes_of(session, found),
        by_buyer=found.reason == cancelling.BY_BUYER,
        charged_back=disputes.is_charged_back(found),
        ends_on=(found.placed_at + timedelta(days=current_app.extensions["policy"].market.days_open)).date(),
        retirements=delivering.retirements_in(found),
        standings=delivering.standings_in(session, found),
        form=StepForm(seen=str(found.revision)),
        acts=acts,
        refusal=refusal,
        states=OrderState,
        means=Means,
        uses=Use,
        bank_account=current_app.extensions["settings"].bank_account,
        again=again(found),
        papers=invoices.papers_of(found),
        steps=steps_of(found),
        standing=standing_of(session, found),
        chooses=acts and not confirming and choosing_use.may_be_chosen(session, found),
        counted=choosing_use.foretold_use(session, found),
        mineral_of=mineral_of,
        refund_proposed=looking.refund_proposed(session, found),
        serials=serials_of(found),
        issuances=list(dict.fromkeys(line.issuance.number for line in found.lines)),
        claim_country=countries.name_of(found.claim["country"], languages.current()) if found.claim else "",
        language=dict(languages.NAMES).get(spoken.value) if (spoken := language_in(found)) else None,
    )


def again(order: Order) -> dict[str, Any]:
    """The address of a new order of the same."""
    offers = [line.offer.number for line in order.lines]
    return {"offer": offers, "quantity": [line.typed for line in lines_of(order)]}
