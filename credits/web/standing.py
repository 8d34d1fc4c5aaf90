"""Standing orders: a buyer leaves one, sees what came of it, pauses, resumes and ends it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm
from credits.identity import current_user, now, signed_in
from credits.participants.permissions import may_buy
from credits.payments.gateway import LEAST
from credits.payments.models import Means, Order, OrderState
from credits.payments.offering import catalogue, floors, portioning, serving, standing
from credits.payments.offering.standing import GOING_ON
from credits.payments.offering.standing_models import StandingOrder, StandingPart, StandingState
from credits.payments.prices import Split, amount_of, split, tax, tax_rate
from credits.problems import status_of
from credits.provider import means_taken
from credits.web.blueprint import bp
from credits.web.orders import may_order
from credits.web.paging import page_of
from credits.web.paying_fields import begun_for, means_offered
from credits.web.standing_forms import StandingForm

WAITS = timedelta(days=180)  # what the form begins with
FIRST_ROUND = timedelta(minutes=10)  # within which the worker has looked for what fits
ASKED = ("mineral", "quantity", "unit", "currency", "sorting", "vintage", "origin", "level")


@bp.get("/standing-orders")
@signed_in
def standing_orders() -> ResponseReturnValue:
    user, state = current_user(), request.args.get("state", "")
    wanted = standing.standing_orders_of(user)
    if state in set(StandingState):
        wanted = wanted.where(StandingOrder.state == StandingState(state))
    return render_template(
        "standing/standing_orders.html",
        page=page_of(wanted.options(selectinload(StandingOrder.buyer))),
        state=state,
        states=StandingState,
        buys=may_order(user),
        filtered=bool(state),
    )


@bp.route("/standing-orders/new", methods=["GET", "POST"])
@signed_in
def new_standing_order() -> ResponseReturnValue:
    user = current_user()
    may_buy(user, user.organisation)
    form, status = form_asked(), 422 if request.method == "POST" else 200
    if "change" in request.form:
        status, form.confirmed.data = 200, ""
    elif form.validate_on_submit() and form.wanted is not None:
        try:
            left = leave(form)
            if form.confirmed.data:
                db.session.commit()
                flash(
                    _("%(number)s waits now. You are told as soon as something is ordered.", number=left.number),
                    "success",
                )
                return redirect(url_for("web.standing_order", number=left.number), 303)
            foretold = rehearsed(left)
            form.confirmed.data = "yes"
            return render_template("standing/check_standing_order.html", form=form, **foretold)
        except CreditsError as refusal:
            status = form.refused(refusal)
            form.confirmed.data = ""
    return render_template(
        "standing/new_standing_order.html",
        form=form,
        lowest=floors.newest(db.session()),
        no_way=not means_taken(current_app),
    ), status


def form_asked() -> StandingForm:
    """The form, filled with what the address asks for and with the last bill."""
    session, policy, today = db.session(), current_app.extensions["policy"], now().date()
    listed, found = floors.newest(session), catalogue.found_in(session, policy, today)
    begun: dict[str, Any] = {"unit": "credits", "sorting": "oldest", "until": today + WAITS}
    if most := catalogue.most_offered(session, policy, today):
        begun |= {"mineral": most[0], "currency": most[1].value}
    begun |= begun_for(current_user(), request.args.get("bill", ""))
    begun |= {name: request.args[name][:40] for name in ASKED if request.args.get(name)}
    return StandingForm(listed, found, data=begun if request.method == "GET" else None)


def leave(form: StandingForm) -> StandingOrder:
    user, wanted = current_user(), form.wanted
    assert wanted is not None
    return standing.leave(
        db.session(),
        buyer=user.organisation,
        wanted=wanted,
        policy=current_app.extensions["policy"],
        by=user,
        key=form.key.data or "",
        at=now(),
    )


@dataclass(frozen=True)
class Outlook:
    """What a standing order comes to. shares, tax, most: minor units, `most` of one order. fits: base units on offer
    now. time: to pay each order, in hours by card, in days by transfer.
    """

    shares: Split
    tax_ppm: int
    tax: int
    most: int
    fits: int
    time: float

    @property
    def total(self) -> int:
        return self.shares.amount + self.tax


def rehearsed(left: StandingOrder) -> dict[str, Any]:
    """What the standing order would be, found by leaving it and undoing it: every rule has then been asked."""
    policy = current_app.extensions["policy"]
    amount = amount_of(left.price, left.quantity, left.mineral.units_per_credit)
    lines = serving.what_fits(db.session(), left, policy, now())
    told = {name: getattr(left, name) for name in ("quantity", "smallest", "price", "currency", "sorting", "until")}
    told |= {name: getattr(left, name) for name in ("vintage", "country", "level", "mineral", "billing", "means")}
    told |= {"open_to_public": left.open_to_public}
    market, by_card = policy.market, left.means is Means.STRIPE
    rate = tax_rate(market, left.billing["country"], left.billing["vat_number"])
    outlook = Outlook(
        shares=split(amount, market),
        tax_ppm=rate,
        tax=tax(amount, rate),
        most=portioning.most_of(left.means),
        fits=sum(line.quantity for line in lines),
        time=market.standing_minutes / 60 if by_card else market.days_to_pay,
    )
    db.session.rollback()
    return {"left": told, "outlook": outlook, "by_card": by_card, "ways": dict(means_offered())}


@bp.get("/standing-orders/<number>")
@signed_in
def standing_order(number: str) -> ResponseReturnValue:
    return standing_page(standing.standing_order_numbered(db.session(), current_user(), number))


def standing_page(found: StandingOrder, refusal: str = "") -> str:
    user, policy = current_user(), current_app.extensions["policy"]
    parts = page_of(standing.parts_of(found).options(selectinload(StandingPart.order)))
    return render_template(
        "standing/standing_order.html",
        standing=found,
        page=parts,
        unpaid=[part.order for part in parts.rows if waits_for_money(part.order)],
        cancelled=standing.cancelled_in(found),
        looked_for=found.state is StandingState.WAITING and now() < found.waiting_since + FIRST_ROUND,
        acts=may_order(user) and found.buyer_id == user.organisation_id,
        states=StandingState,
        going_on=found.state in GOING_ON,
        ways=dict(means_offered()),
        too_little=serving.too_little_to_pay(db.session(), found, policy, now()),
        least_paid=LEAST[found.currency],
        refusal=refusal,
        form=OnceForm(),
    )


def waits_for_money(order: Order) -> bool:
    """Whether it can still be paid: one past its last moment ends as soon as somebody comes by."""
    return order.state is OrderState.AWAITING_PAYMENT and (order.pay_until is None or now() < order.pay_until)


@bp.post("/standing-orders/<number>/pause")
@signed_in
def pause_standing_order(number: str) -> ResponseReturnValue:
    return stepped(number, standing.pause, _("Nothing is ordered for it until you resume it."))


@bp.post("/standing-orders/<number>/resume")
@signed_in
def resume_standing_order(number: str) -> ResponseReturnValue:
    resume = partial(standing.resume, policy=current_app.extensions["policy"])
    return stepped(number, resume, _("It waits again."))


@bp.get("/standing-orders/<number>/end")
@signed_in
def ask_to_end(number: str) -> ResponseReturnValue:
    found = standing.standing_order_numbered(db.session(), current_user(), number)
    may_buy(current_user(), found.buyer)
    if found.state not in GOING_ON:
        return redirect(url_for("web.standing_order", number=number), 303)
    return render_template("standing/end_standing_order.html", standing=found, form=OnceForm())


@bp.post("/standing-orders/<number>/end")
@signed_in
def end_standing_order(number: str) -> ResponseReturnValue:
    return stepped(number, standing.end, _("It has ended. Orders that were placed go on."))


def stepped(number: str, step: Callable[..., None], done: str) -> ResponseReturnValue:
    user = current_user()
    found = standing.standing_order_numbered(db.session(), user, number)
    try:
        step(db.session(), standing=found, by=user, at=now())
        db.session.commit()
        flash(done, "success")
    except CreditsError as refusal:
        db.session.rollback()
        found = standing.standing_order_numbered(db.session(), current_user(), number)
        return standing_page(found, str(refusal)), status_of(refusal)
    return redirect(url_for("web.standing_order", number=number), 303)
