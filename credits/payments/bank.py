"""Transfers from a bank: awaited for some days, seen on the statement by two issuers, or lapsed."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid
from credits.journal import events
from credits.ledger.posting import Posted
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.participants.wording import day_shown
from credits.payments import references, settling
from credits.payments.delivering import Certify
from credits.payments.looking import order_known_as
from credits.payments.models import Currency, Means, Order, OrderState, Payment, PaymentState
from credits.payments.orders import OrderClosed, tell
from credits.payments.prices import currency_of, written
from credits.registry import decisions
from credits.registry.movements import Decision, DecisionKind, DecisionState
from credits.registry.policy import Policy

DAYS_TO_WARN = 3
LAPSED = "The money has not come in time."
AT_A_TIME = 100


class NotByBank(Conflict):
    code = "not_by_bank"


class WrongAmount(Conflict):
    """What has come is not what the order costs."""

    code = "wrong_amount"


class SeenBefore(Conflict):
    """This line of the bank's statement pays another order already."""

    code = "statement_line_used"


class BadValueDate(Invalid):
    code = "bad_value_date"


def check(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """Whether this line of the bank's statement can pay the order `subject`, and the request in sound form.

    request: amount in minor units, currency, value_date (ISO), reference: what names the line on the statement.
    Raises NotAllowed, NoSuchOrder, NotByBank, OrderClosed, WrongAmount, SeenBefore, BadValueDate, UnsoundText.
    """
    must_issue(by)
    order = order_known_as(session, subject)
    must_await_money(order)
    currency = currency_of(str(request.get("currency", "")))
    must_be_exact(order, request.get("amount"), currency)
    reference = sound_reference(str(request.get("reference", "")))
    must_be_unused(session, reference, order)
    return {
        "amount": order.total,
        "currency": currency.value,
        "value_date": sound_day(str(request.get("value_date", "")), order).isoformat(),
        "reference": reference,
        "typed": str(request["reference"]).strip(),  # `sound_reference` has looked at it; people compare this one
    }


def confirm(
    session: Session, decision: Decision, policy: Policy, by: User, at: datetime, *, certify: Certify
) -> Posted | None:
    """The second issuer has seen the money too: it pays the order, which is delivered. Flushes.

    Where the order has lapsed meanwhile, the money is noted as one too many, to be sent back.
    Raises what `check` does.
    """
    payment = payment_of(order_known_as(session, decision.subject))
    order = settling.locked(session, payment)
    request = decision.request
    must_be_exact(order, request["amount"], Currency(request["currency"]))
    must_be_unused(session, request["reference"], order, decision)
    must_have_come(request, at)
    if payment.state in (PaymentState.PAID, PaymentState.SURPLUS):
        raise OrderClosed(f"{order.number} was paid before.", state=order.state.value)
    decisions.stand(session, decision, by, at)  # before the payment: the database asks for it
    payment.payment = request["reference"]
    asked: dict[str, Any] = {"policy": policy, "certify": certify, "by": by, "at": at}
    settling.cleared(
        session, order=order, payment=payment, value_date=date.fromisoformat(request["value_date"]), **asked
    )
    return None


def must_await_money(order: Order) -> None:
    """Raise unless the order is to be paid by a transfer. One that has lapsed can still be paid: it is sent back."""
    if order.means is not Means.BANK_TRANSFER:
        raise NotByBank(f"{order.number} is paid through the payment provider.", order=order.number)
    if order.state is OrderState.OPEN or payment_of(order).state in (PaymentState.PAID, PaymentState.SURPLUS):
        said = order.state.value.replace("_", " ")
        raise OrderClosed(f"{order.number} is {said}: it awaits no money.", state=order.state.value)


def must_be_exact(order: Order, amount: object, currency: Currency) -> None:
    if currency is not order.currency or amount != order.total:
        raise WrongAmount(
            f"{order.number} costs exactly {written(order.total, order.currency)}. Where another amount has come, "
            "send it back to the payer, or have the payer send what is missing with a transfer of the whole amount.",
            order=order.number,
            total=order.total,
            currency=order.currency.value,
        )


def must_be_unused(session: Session, reference: str, order: Order, decision: Decision | None = None) -> None:
    """Raise SeenBefore where this line of the statement pays another order, or is proposed to."""
    used = session.scalars(select(Payment).where(Payment.payment == reference)).first()
    if used is not None:
        raise SeenBefore(f"{reference} pays {used.order.number} already.", order=used.order.number)
    waiting = select(Decision).where(
        Decision.kind == DecisionKind.BANK_PAYMENT, Decision.state == DecisionState.WAITING
    )
    for each in session.scalars(waiting):
        other = decision is None or each.id != decision.id
        if other and (each.request["reference"] == reference or each.subject == order.number):
            raise SeenBefore(f"{each.number} waits about this already, for {each.subject}.", decision=each.number)


def sound_reference(typed: str) -> str:
    """What names a line of the bank's statement, as it is compared. Raises UnsoundText."""
    return "BANK:" + references.tidied(typed, "Reference on the bank's statement")


def sound_day(typed: str, order: Order) -> date:
    """A value date that this order's money can have. Raises BadValueDate."""
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise BadValueDate("Value date: write a day as year-month-day, such as 2026-03-31.") from None
    if day < order.placed_at.date():
        raise BadValueDate(
            f"{order.number} was placed on {day_shown(order.placed_at)}: money of an earlier value date pays another "
            "thing."
        )
    return day


def must_have_come(request: dict[str, Any], at: datetime) -> None:
    """Raise BadValueDate where money is said to have come on a day that has yet to be."""
    if date.fromisoformat(request["value_date"]) > at.date():
        raise BadValueDate("The value date lies in the future: write down what has come, once that day has come.")


def payment_of(order: Order) -> Payment:
    """The attempt to pay an order by a transfer. Raises OrderClosed where it was never begun."""
    for payment in order.payments:
        if payment.means is Means.BANK_TRANSFER:
            return payment
    raise OrderClosed(f"{order.number} awaits no money.", state=order.state.value)


def awaited(session: Session, after: int = 0, *, before: datetime) -> list[int]:
    """The next ids above `after` of payments by transfer whose days are over at `before`, oldest first."""
    wanted = select(Payment.id).where(
        Payment.means == Means.BANK_TRANSFER,
        Payment.state == PaymentState.OPEN,
        Payment.expires_at <= before,
        Payment.id > after,
    )
    return list(session.scalars(wanted.order_by(Payment.id).limit(AT_A_TIME)))


def lapse(session: Session, *, payment_id: int, at: datetime) -> bool:
    """End an order whose money has not come, unless one issuer has seen it already; whether it ended. Flushes."""
    payment = session.get_one(Payment, payment_id)
    order = settling.locked(session, payment)
    if payment.state is not PaymentState.OPEN or payment.expires_at > at:
        return False
    seen = select(Decision.id).where(
        Decision.kind == DecisionKind.BANK_PAYMENT,
        Decision.subject == order.number,
        Decision.state == DecisionState.WAITING,
    )
    if session.scalars(seen).first() is not None:
        return False
    state = PaymentState.EXPIRED
    settling.came_to_nothing(session, order=order, payment=payment, state=state, why=LAPSED, by=None, at=at)
    return True


def warn(session: Session, *, payment_id: int, at: datetime) -> bool:
    """Tell the buyer once that the days to pay are nearly over; whether that was still to be done. Flushes."""
    payment = session.get_one(Payment, payment_id)
    order = settling.locked(session, payment)
    told = any(event.kind == "order.lapses_soon" for event in events.story(session, order.number))
    if told or payment.state is not PaymentState.OPEN or payment.expires_at <= at:
        return False
    tell(session, order, "order.lapses_soon", None, at, until=str(payment.expires_at.date()))
    return True


def soon(at: datetime) -> datetime:
    """Up to when days to pay that are over then are nearly over now."""
    return at + timedelta(days=DAYS_TO_WARN)
