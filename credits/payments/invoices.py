"""The papers of an order: pro-forma invoice, invoice with receipt, credit note. Pure.

What they say of the order stands still: the database lets nobody change what was agreed. Their number is the order's
own with what they are in front of it, for no row of numbers without a gap can be had from a registry that many write
to at once. Who issues them is the operator of today. A credit note takes an invoice back: its sums are below zero.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from credits.errors import Missing
from credits.payments import delivering
from credits.payments.going_back.going_back_models import Refund
from credits.payments.models import Means, Order, OrderState, Payment, PaymentState
from credits.payments.prices import written
from credits.registry.operator import Operator
from credits.typefaces import undrawable


class Paper(StrEnum):
    PRO_FORMA = "pro-forma-invoice"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit-note"


class NoSuchPaper(Missing):
    """The order has not come so far."""

    code = "no_such_paper"


PREFIXES = {Paper.PRO_FORMA: "PROFORMA", Paper.INVOICE: "INVOICE", Paper.CREDIT_NOTE: "CREDIT-NOTE"}


def papers_of(order: Order) -> list[Paper]:
    """The papers that there are of an order."""
    there = []
    if order.means is Means.BANK_TRANSFER and order.payments:
        there.append(Paper.PRO_FORMA)
    if order.paid_at is not None:
        there.append(Paper.INVOICE)
    if order.state is OrderState.REFUNDED:
        there.append(Paper.CREDIT_NOTE)
    return there


def facts_of(
    order: Order,
    paper: Paper,
    refunds: Sequence[Refund],
    *,
    registry: dict[str, str],
    operator: Operator,
    account: str,
) -> dict[str, Any]:
    """What a paper says, as plain values. operator: who issues it. account: where a transfer goes to.

    Raises NoSuchPaper.
    """
    if paper not in papers_of(order):
        raise NoSuchPaper("There is no such document of this order.")
    billing, paid = order.billing, next((each for each in order.payments if each.state is PaymentState.PAID), None)
    back = paper is Paper.CREDIT_NOTE
    return {
        "paper": paper.value,
        "number": f"{PREFIXES[paper]}-{order.number}",
        "order": order.number,
        "dated": stamp(dated(order, paper)),
        "delivered": str(order.delivered_at.date()) if order.delivered_at else None,
        "registry": registry,
        "issuer": {
            "name": operator.name or registry["name"],
            "address": operator.address,
            "country": operator.country,
            "registration_number": operator.registration_number,
            "vat_number": operator.vat_number,
        },
        "language": order.placed_by.language.value,
        "billed": {
            "name": billing["name"],
            "address": billing["address"],
            "country": billing["country"],
            "vat_number": billing["vat_number"],
        },
        "lines": [line_told(order, line, back) for line in order.lines],
        "subtotal": told(order.subtotal, order, back),
        "tax": {"rate": f"{order.tax_ppm / 10_000:g}", "amount": told(order.tax, order, back)},
        "total": told(order.total, order, back),
        "shares": {
            "premium": written(order.premium, order.currency),
            "verification": written(order.verification_share, order.currency),
            "fee": written(order.registry_fee, order.currency),
        },
        "pay": pay_told(order, account) if paper is Paper.PRO_FORMA else None,
        "paid": paid_told(paid) if paid is not None and not back else None,
        "retired": retired_told(order, registry) if paper is Paper.INVOICE else None,
        "back": back_told(refunds, order) if back else None,
    }


def dated(order: Order, paper: Paper) -> datetime:
    if paper is Paper.CREDIT_NOTE:
        assert order.closed_at is not None
        return order.closed_at
    if paper is Paper.INVOICE:
        assert order.paid_at is not None
        return order.paid_at
    return order.payments[0].opened_at


def told(amount: int, order: Order, back: bool) -> str:
    """An amount of an order, below zero where it is taken back."""
    text = written(amount, order.currency)
    return text.replace(" ", " \N{MINUS SIGN}", 1) if back and amount else text


def line_told(order: Order, line: Any, back: bool) -> dict[str, str]:
    mineral = line.offer.mineral
    return {
        "offer": line.offer.number,
        "issuance": line.issuance.number,
        "seller": line.seller.name,
        "mineral": mineral.name,
        "credits": mineral.in_credits(line.quantity),
        "quantity": mineral.quantity(line.quantity),
        "price": written(line.price, order.currency),
        "amount": told(line.amount, order, back),
    }


def retired_told(order: Order, registry: dict[str, str]) -> dict[str, Any] | None:
    """In whose name the credits were retired with their delivery, and where the certificates stand; None if not."""
    if not (numbers := delivering.retirements_in(order)):
        return None
    beneficiary = (order.claim or {}).get("beneficiary", order.buyer.name)
    return {
        "beneficiary": beneficiary,
        "certificates": [{"number": each, "url": f"{registry['url']}/certificates/{each}"} for each in numbers],
    }


def pay_told(order: Order, account: str) -> dict[str, str]:
    payment = order.payments[0]
    return {"account": account, "reference": order.number, "until": str(payment.expires_at.date())}


def paid_told(payment: Payment) -> dict[str, str]:
    assert payment.settled_at is not None
    day = payment.value_date or payment.settled_at.date()
    return {"day": str(day), "means": payment.means.value, "reference": (payment.payment or "").removeprefix("BANK:")}


def back_told(refunds: Sequence[Refund], order: Order) -> dict[str, Any]:
    """What is credited: the invoice, why, what goes back, and what the payer's bank had taken back before."""
    reason, amount = order.reason or "", sum(each.amount for each in refunds[-1:])
    assert order.paid_at is not None
    return {
        "invoice": f"{PREFIXES[Paper.INVOICE]}-{order.number}",
        "invoice_dated": str(order.paid_at.date()),
        "reason": "" if undrawable(reason) else reason,
        "amount": written(amount, order.currency) if amount else None,
        "charged_back": written(order.total - amount, order.currency) if amount < order.total else None,
    }


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
