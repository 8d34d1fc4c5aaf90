"""Orders: placed, paid, cancelled by their buyers."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from flask import current_app
from sqlalchemy.orm import joinedload, selectinload

from credits import market_jobs, provider
from credits.api.blueprint import Area
from credits.api.doing import Sent, With, created, once, page_of
from credits.api.schemas.orders import BeginRequest, Order, OrderRequest, OrdersQuery, OrderSummary, UseRequest
from credits.extensions import db
from credits.identity import current_user, now
from credits.payments import cancelling, delivering, looking, models, placing, reserving
from credits.payments.billing import Billing
from credits.payments.gateway import ProviderUnreachable
from credits.payments.going_back import disputes, refunding
from credits.payments.models import Means, Use
from credits.payments.offering import choosing_use, offers
from credits.payments.placing import Asked
from credits.payments.settling import UNDER_WAY
from credits.registry.retirement import Claim

area = Area("orders", "Orders: placed, paid, cancelled by their buyers.")


@area.get("/orders", takes=OrdersQuery, gives=OrderSummary(many=True))
def list_orders(asked: dict[str, Any]) -> tuple[Sequence[models.Order], dict[str, str]]:
    """The orders of your organisation, newest first; all of them for the registry."""
    wanted = looking.orders_of(current_user())
    if asked["state"] is not None:
        wanted = wanted.where(models.Order.state == asked["state"])
    return page_of(wanted.options(joinedload(models.Order.buyer), selectinload(models.Order.lines)), asked)


@area.get("/orders/<number>", gives=Order)
def show_order(number: str) -> With:
    """One order as it stands."""
    return told(looking.order_numbered(db.session(), current_user(), number))


@area.post("/orders", takes=OrderRequest, gives=Order, creates=True)
def place_order(key: str, asked: dict[str, Any]) -> Sent:
    """Put an order together and learn what it costs. Nothing is reserved before its payment begins."""
    user, claim = current_user(), asked["claim"]
    language = claim.pop("language") or user.language if claim else None
    lines = [(offers.offer_numbered(db.session(), line["offer"]), line["quantity"]) for line in asked["lines"]]
    wanted = Asked(
        lines=lines,
        means=asked["means"],
        use=Use.RETIRE if claim else Use.KEEP,
        claim=Claim(**claim) if claim else None,
        billing=Billing(**asked["billing"]),
        open_to_public=asked["open_to_public"],
        language=language,
    )
    policy = current_app.extensions["policy"]
    made = placing.place(db.session(), buyer=user.organisation, asked=wanted, policy=policy, by=user, key=key, at=now())
    db.session.commit()
    return created(told(made), "api.orders.show_order", number=made.number)


@area.post("/orders/<number>/pay", takes=BeginRequest, gives=Order)
def pay_order(key: str, asked: dict[str, Any], number: str) -> With:
    """Reserve everything and begin the payment: by `url` at the provider, or by a transfer with `reference`."""
    user, policy = current_user(), current_app.extensions["policy"]
    found = looking.order_numbered(db.session(), user, number)
    provider.must_take(current_app, found.means)
    payment = reserving.begin_payment(
        db.session(), order=found, seen=asked["revision"], policy=policy, by=user, key=key, at=now()
    )
    payment_id, means = payment.id, payment.means
    db.session.commit()
    till = provider.till(current_app)
    if till is not None and means is Means.STRIPE:
        with suppress(ProviderUnreachable):  # asked for again by the worker: until then there is no `url`
            market_jobs.open_checkout(db.session(), payment_id=payment_id, till=till, at=now())
        db.session.rollback()
    return told(looking.order_numbered(db.session(), current_user(), number))


@area.post("/orders/<number>/use", takes=UseRequest, gives=Order)
def choose_use(key: str, asked: dict[str, Any], number: str) -> With:
    """Say whether what a standing order has found is kept or retired at once: until its money is on its way."""
    user, claim = current_user(), asked["claim"]
    language = claim.pop("language") or user.language if claim else None
    found = looking.order_numbered(db.session(), user, number)
    said: dict[str, str] = {name: str(value) for name, value in (claim or {}).items()}
    if language:
        said["language"] = language.value
    wanted: dict[str, Any] = {"claim": Claim(**claim) if claim else None, "language": language}
    wanted |= {"policy": current_app.extensions["policy"], "by": user, "at": now()}
    once(key, "order.use", number, lambda: choosing_use.choose_use(db.session(), order=found, **wanted), **said)
    db.session.commit()
    return told(looking.order_numbered(db.session(), current_user(), number))


@area.post("/orders/<number>/cancel", gives=Order)
def cancel_order(key: str, asked: dict[str, Any], number: str) -> With:
    """Cancel an order before it is paid. A checkout is ended at the provider first: it may have been paid by then."""
    user, till = current_user(), provider.till(current_app)
    found = looking.order_numbered(db.session(), user, number)
    under_way = next((each for each in found.payments if each.state in UNDER_WAY), None)
    if till is not None and under_way is not None and under_way.means is Means.STRIPE:
        cancelling.must_be_cancellable(found, by=user)
        payment_id = under_way.id
        db.session.rollback()
        market_jobs.end_checkout(db.session(), payment_id=payment_id, till=till, at=now())
    else:
        once(
            key,
            "order.cancel",
            number,
            lambda: cancelling.cancel(db.session(), order=found, by=user, at=now()),
        )
        db.session.commit()
    return told(looking.order_numbered(db.session(), current_user(), number))


def told(order: models.Order) -> With:
    lines = [With(line, currency=order.currency, mineral=line.offer.mineral) for line in order.lines]
    back = [With(each, currency=order.currency) for each in refunding.refunds_of(db.session(), order)]
    asked = [With(each, currency=order.currency) for each in disputes.disputes_of(db.session(), order)]
    return With(order, lines=lines, refunds=back, disputes=asked, retirements=delivering.retirements_in(order))
