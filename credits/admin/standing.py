"""Standing orders as the registry sees them: who waits for what, and what has come of it."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import selectinload

from credits.admin.blueprint import bp
from credits.extensions import db
from credits.identity import current_user, registry_only
from credits.payments import looking
from credits.payments.offering import standing
from credits.payments.offering.standing_models import StandingOrder, StandingState


@bp.get("/standing-orders")
@registry_only
def standing_orders() -> ResponseReturnValue:
    """All of them, those that wait in their turn first where they are asked for."""
    state = request.args.get("state", "")
    wanted = standing.standing_orders_of(current_user())
    if state in set(StandingState):
        wanted = wanted.where(StandingOrder.state == StandingState(state))
    if state == StandingState.WAITING:
        wanted = wanted.order_by(None).order_by(StandingOrder.waiting_since, StandingOrder.id)
    wanted = wanted.options(selectinload(StandingOrder.buyer))
    rows, page, pages = looking.page_of(db.session(), wanted, request.args.get("page", 1, type=int))
    return render_template(
        "admin/orders/standing_orders.html", rows=rows, page=page, pages=pages, state=state, states=StandingState
    )
