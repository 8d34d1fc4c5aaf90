"""How far an order has come, for the pages of its buyer and of the registry."""

from typing import Any

from flask_babel import gettext as _

from credits.payments.going_back.disputes import is_charged_back
from credits.payments.models import Order, OrderState


def steps_of(order: Order) -> list[dict[str, Any]]:
    """What has happened to an order, and what is next."""
    steps: list[dict[str, Any]] = [{"label": _("Placed"), "at": order.placed_at, "by": order.placed_by.name}]
    steps += [{"label": _("Reserved, payment begun"), "at": each.opened_at} for each in order.payments]
    if order.paid_at:
        steps.append({"label": _("Paid"), "at": order.paid_at})
    elif order.state in (OrderState.OPEN, OrderState.AWAITING_PAYMENT):
        steps.append({"label": _("Payment"), "tone": "now" if order.payments else "next"})
    if order.delivered_at:
        steps.append({"label": _("Delivered"), "at": order.delivered_at})
    elif order.state in (OrderState.OPEN, OrderState.AWAITING_PAYMENT, OrderState.PAID):
        steps.append({"label": _("Delivery"), "tone": "now" if order.state is OrderState.PAID else "next"})
    back = _("Charged back") if is_charged_back(order) else _("Refunded")
    ends = {OrderState.CANCELLED: _("Cancelled"), OrderState.REFUNDED: back}
    if order.state in ends:
        steps.append({"label": ends[order.state], "at": order.closed_at, "tone": "stop"})
    return steps
