"""What a producer has sold: to be read, and opened in a spreadsheet."""

from flask import Response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import joinedload, selectinload

from credits.extensions import db
from credits.identity import current_user, signed_in
from credits.payments import looking
from credits.payments.models import Order, OrderLine, OrderState
from credits.payments.offering.sold import earned
from credits.payments.prices import plain
from credits.web.blueprint import bp
from credits.web.holdings import as_cell
from credits.web.paging import page_of
from credits.web.premium_statements import as_csv

BUYERS = selectinload(OrderLine.order).joinedload(Order.buyer)
COLUMNS = (
    "order",
    "paid_on",
    "state",
    "buyer",
    "issuance",
    "mineral",
    "credits",
    "currency",
    "price_a_credit",
    "amount",
    "premium",
)


@bp.get("/sold")
@signed_in
def sold() -> ResponseReturnValue:
    """What was sold of one's own and one's group's credits: who bought, at what price, what reaches the site."""
    wanted = looking.sales_of(current_user())
    return render_template(
        "orders/sold.html",
        page=page_of(wanted.options(BUYERS)),
        sums=earned(db.session(), wanted),
        states=OrderState,
    )


@bp.get("/sold.csv")
@signed_in
def sold_csv() -> Response:
    wanted = looking.sales_of(current_user()).options(BUYERS, joinedload(OrderLine.issuance))
    return as_csv(COLUMNS, [row_of(line) for line in db.session.scalars(wanted)], "sold.csv")


def row_of(line: OrderLine) -> tuple[object, ...]:
    """premium: empty before the delivery, and where it went back to the buyer."""
    order, mineral = line.order, line.issuance.mineral
    return (
        order.number,
        order.paid_at.date() if order.paid_at else "",
        order.state.value,
        as_cell(order.buyer.name),
        line.issuance.number,
        mineral.code,
        mineral.in_credits(line.quantity),
        order.currency.value,
        plain(line.price, order.currency),
        plain(line.amount, order.currency),
        plain(line.premium, order.currency) if order.state is OrderState.DELIVERED else "",
    )
