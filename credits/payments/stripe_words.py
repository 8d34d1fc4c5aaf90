"""What Stripe's words mean in ours. They come as plain JSON, in an answer or in an event, and nothing is asked here."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from credits.payments.gateway import (
    CheckoutState,
    Disputed,
    EventKind,
    NoSuchCheckout,
    Refunded,
    Seen,
    Told,
    Unreadable,
)
from credits.payments.going_back.going_back_models import DisputeState, RefundState

Words = Mapping[str, Any]  # one of Stripe's objects

ATTEMPT = re.compile(r"[0-9]{1,9}")
IDENTITY = re.compile(r"[A-Za-z0-9_]{1,255}")
EVENT = re.compile(r"[A-Za-z0-9_.-]{1,255}")
GONE_BACK = (EventKind.REFUNDED, EventKind.DISPUTED)
KINDS = {
    "checkout.session.completed": EventKind.COMPLETED,
    "checkout.session.async_payment_succeeded": EventKind.CLEARED,
    "checkout.session.async_payment_failed": EventKind.FAILED,
    "checkout.session.expired": EventKind.EXPIRED,
    "charge.refunded": EventKind.REFUNDED,
    "refund.created": EventKind.REFUNDED,
    "refund.updated": EventKind.REFUNDED,
    "refund.failed": EventKind.REFUNDED,
    "charge.refund.updated": EventKind.REFUNDED,
    "charge.dispute.created": EventKind.DISPUTED,
    "charge.dispute.updated": EventKind.DISPUTED,
    "charge.dispute.closed": EventKind.DISPUTED,
    "charge.dispute.funds_withdrawn": EventKind.DISPUTED,
    "charge.dispute.funds_reinstated": EventKind.DISPUTED,
}
# What makes a payment that clears later fail for good.
NOT_PAID = {"requires_payment_method", "canceled"}
REFUNDS = {"succeeded": RefundState.DONE, "failed": RefundState.FAILED, "canceled": RefundState.FAILED}
DISPUTES = {
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
    "warning_closed": DisputeState.WON,  # was never more than a question
    "prevented": DisputeState.WON,
}


def told_of(event: Words, *, signed: datetime, livemode: bool) -> Told:
    """An event out of Stripe's words. Raises an error of Python's own where they are others.

    signed, livemode: when it was signed and our own mode, where it says nothing of them itself.
    """
    kind, about = KINDS.get(event["type"], EventKind.OTHER), event["data"]["object"]
    account = event.get("account")
    if account == "":
        account = None
    if account is not None:  # somebody else's: never taken for our own because it is written oddly
        account = identity(account)
    is_checkout = about.get("object") == "checkout.session"
    if is_checkout and not takes_money(about):
        kind = EventKind.OTHER  # the account is used for something else, too
    seen = None
    if is_checkout and kind is not EventKind.OTHER:
        seen = seen_of(about, about.get("payment_intent"), account=account, told_as=kind)
    reference, payment = text_of(about, "id") if is_checkout else None, reference_of(about, "payment_intent")
    charge = charge_named(about) if kind in GONE_BACK else None
    modes = (event.get("livemode"), about.get("livemode"), livemode)
    created = event.get("created")
    return Told(
        id=identity(event["id"], EVENT),
        kind=kind,
        reference=identity(reference) if reference else None,
        payment=identity(payment) if payment else None,
        order_number=order_number_of(about),
        livemode=bool(next(each for each in modes if each is not None)),
        account=account,
        created=signed if created is None or isinstance(created, float) else moment_of(event, "created"),
        seen=seen,
        charge=identity(charge) if charge else None,
    )


def takes_money(session: Words) -> bool:
    """Whether a checkout says how much it asks for. One that only keeps a card for later, for one, does not."""
    amount = session.get("amount_total")
    return isinstance(amount, int) and not isinstance(amount, bool) and text_of(session, "currency") is not None


def seen_of(
    session: Words,
    payment: Words | str | None,
    *,
    account: str | None = None,
    refunds: Iterable[Words] = (),
    disputes: Iterable[Words] = (),
    told_as: EventKind | None = None,
) -> Seen:
    """A checkout out of Stripe's words. told_as: the event that brought them, where they came alone.

    Raises Unreadable.
    """
    whole = payment if isinstance(payment, dict) else None
    reference = text_of(session, "id")
    if reference is None or not takes_money(session):
        raise Unreadable("The payment provider's answer lacks an amount.")
    attempt = str((session.get("metadata") or {}).get("attempt", ""))
    return Seen(
        reference=reference,
        order_number=order_number_of(session),
        attempt=int(attempt) if ATTEMPT.fullmatch(attempt) else None,
        state=state_of(session, whole, told_as),
        amount=session["amount_total"],
        currency=session["currency"].upper(),
        payment=named(payment) if payment else None,
        livemode=bool(session.get("livemode")),
        account=account,
        created=moment_of(session, "created") if session.get("created") is not None else None,
        refunds=tuple(refund_of(refund) for refund in refunds),
        disputes=tuple(dispute_of(dispute) for dispute in disputes),
    )


def state_of(session: Words, payment: Words | None, told_as: EventKind | None) -> CheckoutState:
    status, money = session.get("status"), session.get("payment_status")
    if status == "expired":
        return CheckoutState.EXPIRED
    if status != "complete":
        return CheckoutState.OPEN
    if money == "paid":
        return CheckoutState.PAID
    failed = told_as is EventKind.FAILED or (payment is not None and payment.get("status") in NOT_PAID)
    return CheckoutState.FAILED if failed else CheckoutState.PROCESSING


def charge_of(payment: Words | str) -> Words:
    charge = payment.get("latest_charge") if not isinstance(payment, str) else None
    return charge if isinstance(charge, dict) else {}


def refund_of(refund: Words) -> Refunded:
    state = REFUNDS.get(str(refund.get("status")), RefundState.ASKED)
    reference, amount = sum_of(refund)
    return Refunded(reference=reference, amount=amount, state=state)


def dispute_of(dispute: Words) -> Disputed:
    state = DISPUTES.get(str(dispute.get("status")), DisputeState.OPEN)
    reference, amount = sum_of(dispute)
    return Disputed(reference=reference, amount=amount, state=state)


def sum_of(gone_back: Words) -> tuple[str, int]:
    """The name of a refund or a dispute, and its amount in minor units. Raises Unreadable."""
    reference, amount = text_of(gone_back, "id"), gone_back.get("amount")
    if reference is None or not isinstance(amount, int) or isinstance(amount, bool):
        raise Unreadable("The payment provider's answer does not say what went back.")
    return reference, amount


def charge_named(about: Words) -> str | None:
    """The id of the charge that a refund or a dispute is about, or of the charge itself."""
    return text_of(about, "id") if about.get("object") == "charge" else reference_of(about, "charge")


def order_number_of(about: Words) -> str | None:
    """What we gave along when the checkout was made; a charge has it from its payment."""
    return text_of(about, "client_reference_id") or text_of(about.get("metadata") or {}, "order")


def reference_of(about: Words, field: str) -> str | None:
    found = about.get(field)
    return named(found) if found else None


def named(thing: Words | str) -> str:
    """The id of what Stripe gives whole or by its id alone."""
    return thing if isinstance(thing, str) else str(thing["id"])


def addressable(reference: str) -> str:
    """An id that may stand in an address. Raises NoSuchCheckout."""
    if not IDENTITY.fullmatch(reference):
        raise NoSuchCheckout("The payment provider gives no such names.")
    return reference


def identity(found: object, allowed: re.Pattern[str] = IDENTITY) -> str:
    if not (isinstance(found, str) and allowed.fullmatch(found)):
        raise ValueError("no id")
    return found


def text_of(about: Words, field: str) -> str | None:
    found = about.get(field)
    return found if isinstance(found, str) and found else None


def moment_of(about: Words, field: str) -> datetime:
    """A time in UTC. Raises Unreadable where there is none."""
    found = about.get(field)
    if not isinstance(found, int) or not 0 <= found < 2**35:
        raise Unreadable("The payment provider's answer lacks a time.")
    return datetime.fromtimestamp(found, UTC)
