"""What Stripe's words mean in ours. They come as plain JSON, in an answer or in an event, and nothing is asked here."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from credits.payments.gateway import (
    CheckoutState,
    Disputed,
    EventKind,
    NoSuchCheckout,
    ProviderUnreachable,
    Refunded,
    Seen,
    Told,
)
from credits.payments.models import DisputeState, RefundState

Words = Mapping[str, Any]  # one of Stripe's objects

ATTEMPT = re.compile(r"[0-9]{1,9}")
IDENTITY = re.compile(r"[A-Za-z0-9_]{1,255}")
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


def told_of(event: Words) -> Told:
    """An event out of Stripe's words. Raises an error of Python's own where they are others."""
    kind, about = KINDS.get(event["type"], EventKind.OTHER), event["data"]["object"]
    account = event.get("account")
    if account is not None:  # somebody else's: never taken for our own because it is written oddly
        account = identity(account)
    is_checkout = about.get("object") == "checkout.session"
    seen = None
    if is_checkout and kind is not EventKind.OTHER:
        seen = seen_of(about, about.get("payment_intent"), account=account, told_as=kind)
    reference, payment = text_of(about, "id") if is_checkout else None, reference_of(about, "payment_intent")
    return Told(
        id=identity(event["id"]),
        kind=kind,
        reference=identity(reference) if reference else None,
        payment=identity(payment) if payment else None,
        order_number=order_number_of(about),
        livemode=bool(event["livemode"]),
        account=account,
        created=moment_of(event, "created"),
        seen=seen,
    )


def seen_of(
    session: Words,
    payment: Words | str | None,
    *,
    account: str | None = None,
    disputes: tuple[Disputed, ...] = (),
    told_as: EventKind | None = None,
) -> Seen:
    """A checkout out of Stripe's words. told_as: the event that brought them, where they came alone."""
    whole = payment if isinstance(payment, dict) else None
    refunds = (charge_of(whole).get("refunds") or {}).get("data") or []
    reference, amount, currency = text_of(session, "id"), session.get("amount_total"), text_of(session, "currency")
    if reference is None or currency is None or not isinstance(amount, int) or isinstance(amount, bool):
        raise ProviderUnreachable("The payment provider's answer lacks an amount.")
    attempt = str((session.get("metadata") or {}).get("attempt", ""))
    return Seen(
        reference=reference,
        order_number=order_number_of(session),
        attempt=int(attempt) if ATTEMPT.fullmatch(attempt) else None,
        state=state_of(session, whole, told_as),
        amount=amount,
        currency=currency.upper(),
        payment=named(payment) if payment else None,
        livemode=bool(session.get("livemode")),
        account=account,
        created=moment_of(session, "created"),
        refunds=tuple(refund_of(refund) for refund in refunds),
        disputes=disputes,
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


def charge_of(payment: Words | None) -> Words:
    charge = payment.get("latest_charge") if payment is not None else None
    return charge if isinstance(charge, dict) else {}


def refund_of(refund: Words) -> Refunded:
    state = REFUNDS.get(str(refund.get("status")), RefundState.ASKED)
    return Refunded(reference=str(refund["id"]), amount=int(refund["amount"]), state=state)


def dispute_of(dispute: Words) -> Disputed:
    state = DISPUTES.get(str(dispute.get("status")), DisputeState.OPEN)
    return Disputed(reference=str(dispute["id"]), amount=int(dispute["amount"]), state=state)


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


def identity(found: object) -> str:
    if not (isinstance(found, str) and IDENTITY.fullmatch(found)):
        raise ValueError("no id")
    return found


def text_of(about: Words, field: str) -> str | None:
    found = about.get(field)
    return found if isinstance(found, str) and found else None


def moment_of(about: Words, field: str) -> datetime:
    """A time in UTC. Raises ProviderUnreachable where there is none."""
    found = about.get(field)
    if not isinstance(found, int) or not 0 <= found < 2**35:
        raise ProviderUnreachable("The payment provider's answer lacks a time.")
    return datetime.fromtimestamp(found, UTC)
