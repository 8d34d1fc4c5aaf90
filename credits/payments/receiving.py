"""What the provider tells, however often, late or out of order: taken in once, in the transaction of its effect.

`settle_seen` is the one way: the webhooks, the poller, the buyer who asks again and the reconciliation share it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from credits.journal import events
from credits.payments import delivering, settling
from credits.payments.delivering import Certify
from credits.payments.gateway import Checkout, CheckoutState, EventKind, Seen, Told
from credits.payments.going_back import disputes, sending_back
from credits.payments.models import Means, Order, OrderState, Payment, PaymentState, ProviderEvent
from credits.payments.orders import tell
from credits.registry.policy import Policy
from credits.registry.queries import digits_of

ENDS = {
    CheckoutState.EXPIRED: (PaymentState.EXPIRED, "The payment page was not used in time, or was closed."),
    CheckoutState.FAILED: (PaymentState.FAILED, "The money did not come: the bank has refused it."),
}
UNPAID = (PaymentState.OPENING, PaymentState.OPEN)


@dataclass(frozen=True)
class Terms:
    """How money is taken in here. livemode: whether it is real. certify: who certifies what is retired at once."""

    livemode: bool
    policy: Policy
    certify: Certify


def receive(session: Session, *, told: Told, seen: Seen | None, terms: Terms, at: datetime) -> str:
    """Take an event in, once; a word for what it came to. Flushes.

    seen: what the provider says its checkout is now, asked for before this transaction began.
    """
    payment = payment_meant(session, told, seen)
    order = settling.locked(session, payment) if payment is not None else None
    # Behind the lock: the same event at the same moment has ended before this one looks.
    if (earlier := session.get(ProviderEvent, told.id)) is not None:
        return earlier.effect
    effect = effect_of(session, told, seen or told.seen, payment, order, terms, at)
    event = ProviderEvent(
        id=told.id,
        kind=told.kind.value,
        order_id=order.id if order else None,
        effect=effect,
        created_at=told.created,
        received_at=at,
    )
    session.add(event)
    session.flush()
    return effect


def effect_of(
    session: Session,
    told: Told,
    seen: Seen | None,
    payment: Payment | None,
    order: Order | None,
    terms: Terms,
    at: datetime,
) -> str:
    if payment is None or order is None:
        named = told.order_number or told.reference or told.payment
        return "unknown_order" if named and told.kind is not EventKind.OTHER else "nothing"
    if told.livemode is not terms.livemode or told.account is not None:
        return mismatched(session, order, payment, ["livemode" if told.account is None else "account"], at)
    # What is signed counts as much as what we see: an event that tells of another payment moves nothing.
    if told.seen is not None and (differs := differences(order, payment, told.seen, terms.livemode)):
        return mismatched(session, order, payment, differs, at)
    if seen is None:
        return "nothing"
    return settle_seen(session, payment=payment, seen=with_refusal(told, seen), terms=terms, at=at)


def with_refusal(told: Told, seen: Seen) -> Seen:
    """That the bank has refused is never taken back once it is signed, though the payment may be late to say so."""
    refused = told.kind is EventKind.FAILED and told.seen is not None and told.seen.state is CheckoutState.FAILED
    return replace(seen, state=CheckoutState.FAILED) if refused and seen.state is CheckoutState.PROCESSING else seen


def payment_meant(session: Session, told: Told, seen: Seen | None) -> Payment | None:
    """The attempt that an event is about: by the provider's names first, else by ours. None where we know of none."""
    found = seen or told.seen
    references = {each for each in (told.reference, found.reference if found else None) if each}
    payments = {each for each in (told.payment, found.payment if found else None) if each}
    for column, names in ((Payment.reference, references), (Payment.payment, payments)):
        if names and (known := one_of(session, column.in_(names))):
            return known
    number = digits_of(found.order_number or told.order_number or "" if found else told.order_number or "", "ORDER-")
    attempt = found.attempt if found and found.attempt is not None else 1
    return one_of(session, (Payment.order_id == number) & (Payment.attempt == attempt))


def one_of(session: Session, which: ColumnElement[bool]) -> Payment | None:
    return session.scalars(select(Payment).where(Payment.means == Means.STRIPE, which)).first()


def settle_seen(session: Session, *, payment: Payment, seen: Seen, terms: Terms, at: datetime) -> str:
    """Bring an order to where the provider's checkout is; a word for what came of it. Flushes.

    What differs from the order in amount, currency, account or name moves nothing: the issuers are told. Only where it
    is the page that we had made and nobody can pay it any more, what was reserved is free again.
    """
    order = settling.locked(session, payment)
    if differs := differences(order, payment, seen, terms.livemode) or anothers(session, payment, seen):
        came = mismatched(session, order, payment, differs, at)
        ours = seen.reference == payment.reference and not {"livemode", "account"} & set(differs)
        return ended(session, order, payment, seen, at) or came if ours else came
    if payment.reference is None:
        payment.reference = seen.reference  # our answer was lost on its way
    if payment.state is PaymentState.OPENING:
        payment.state = PaymentState.OPEN
    if payment.payment is None:
        payment.payment = seen.payment
    session.flush()
    came = ""
    if seen.state is CheckoutState.PAID and payment.state not in (PaymentState.PAID, PaymentState.SURPLUS):
        came = settling.note_cleared(session, order=order, payment=payment, by=None, at=at)
    elif seen.state is CheckoutState.PROCESSING and payment.state is PaymentState.OPEN:
        payment.state, came = PaymentState.PROCESSING, "processing"
        session.flush()
        tell(session, order, "order.processing", None, at)
    else:
        came = ended(session, order, payment, seen, at)
    backwards = gone_back(session, order, payment, seen, at)
    if came == "paid":
        # Only now: what the provider says of the same money comes before anything is retired for ever.
        asked: dict[str, Any] = {"policy": terms.policy, "certify": terms.certify, "at": at}
        done = order.state is OrderState.PAID and delivering.deliver(session, order=order, **asked)
        came = "delivered" if done else backwards or came
    return came or backwards or "nothing"


def gone_back(session: Session, order: Order, payment: Payment, seen: Seen, at: datetime) -> str:
    """Take in what a checkout says of money that went back; a word if any of it is new. Both rows are locked. Flushes.

    A dispute about no money is passed over, and the issuers are told.
    """
    sound = tuple(each for each in seen.disputes if each.amount > 0)
    if sound != seen.disputes:
        mismatched(session, order, payment, ["dispute"], at)
    refund = sending_back.note_seen(session, payment=payment, seen=seen, at=at)
    dispute = disputes.take_in(session, order=order, payment=payment, seen=replace(seen, disputes=sound), at=at)
    return refund or dispute or ""


def ended(session: Session, order: Order, payment: Payment, seen: Seen, at: datetime) -> str:
    """Free what was reserved where nobody can pay any more; a word, or none. Both rows are locked. Flushes."""
    if seen.state not in ENDS or payment.state not in settling.UNDER_WAY:
        return ""
    state, why = ENDS[seen.state]
    return settling.came_to_nothing(session, order=order, payment=payment, state=state, why=why, by=None, at=at)


def differences(order: Order, payment: Payment, seen: Seen, livemode: bool) -> list[str]:
    """In what a checkout is another than the attempt of the order that it is held to be."""
    ours = {
        "livemode": (seen.livemode, livemode),
        "account": (seen.account, None),
        "amount": (seen.amount, payment.amount),
        "currency": (seen.currency, payment.currency.value),
        "order": (seen.order_number, order.number),
        "attempt": (seen.attempt or payment.attempt, payment.attempt),
        "reference": (seen.reference, payment.reference or seen.reference),
        "payment": (seen.payment or payment.payment, payment.payment or seen.payment),
    }
    return [name for name, (theirs, mine) in ours.items() if theirs != mine]


def anothers(session: Session, payment: Payment, seen: Seen) -> list[str]:
    """What of the names of a checkout is another attempt's already."""
    names = {"reference": (Payment.reference, seen.reference), "payment": (Payment.payment, seen.payment)}
    others = select(Payment.id).where(Payment.id != payment.id)
    return [
        name
        for name, (column, theirs) in names.items()
        if theirs is not None and session.scalars(others.where(column == theirs)).first() is not None
    ]


def mismatched(session: Session, order: Order, payment: Payment, differs: list[str], at: datetime) -> str:
    """Tell the issuers, once of each difference, of a checkout that is not what the order says. Flushes."""
    mark = f'"differs_in":"{" ".join(differs)}"'.encode()
    story = events.story(session, order.number)
    if not any(event.kind == "payment.mismatch" and mark in event.body for event in story):
        facts: dict[str, Any] = {"attempt": payment.attempt, "differs_in": " ".join(differs)}
        tell(session, order, "payment.mismatch", None, at, None, **facts)
    return "mismatch"


def note_opened(session: Session, *, payment: Payment, checkout: Checkout) -> None:
    """The provider has made the page on which an attempt is paid. Flushes."""
    settling.locked(session, payment)
    if payment.state in UNPAID:
        payment.state, payment.reference, payment.url = PaymentState.OPEN, checkout.reference, checkout.url
        session.flush()


def refused(session: Session, *, payment: Payment, why: str, at: datetime) -> None:
    """The provider will not make the page: nobody can pay this attempt, so the order ends. Flushes."""
    order = settling.locked(session, payment)
    if payment.state is PaymentState.OPENING:
        state = PaymentState.FAILED
        settling.came_to_nothing(session, order=order, payment=payment, state=state, why=why, by=None, at=at)
