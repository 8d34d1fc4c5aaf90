"""The market's work over the network: a checkout opened, looked at or ended, an event taken in.

Each asks the provider outside of any transaction and then writes in one of its own: so an answer that is lost, or a
process that ends in between, leaves what the next try takes up. Doors and the worker's rounds share them.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.payments import cancelling, receiving, reserving
from credits.payments.delivering import Certify
from credits.payments.gateway import (
    CheckoutAsked,
    CheckoutState,
    EventKind,
    Gateway,
    ProviderRefused,
    ProviderUnreachable,
    Seen,
    Told,
)
from credits.payments.models import OrderLine, Payment, PaymentState
from credits.payments.receiving import Terms
from credits.registry.policy import Policy

log = logging.getLogger(__name__)

REFUSED = "The payment provider could not take this payment. Nothing was charged."
NEVER_OPENED = "The payment page could not be opened in time. Nothing was charged."


@dataclass(frozen=True)
class Till:
    """What the provider's work needs beside the database.

    addresses: where a buyer returns to after paying an order of this number, and where without. certify: who certifies
    what is retired at once.
    """

    gateway: Gateway
    policy: Policy
    addresses: Callable[[str], tuple[str, str]]
    certify: Certify

    @property
    def terms(self) -> Terms:
        return Terms(self.gateway.livemode, self.policy, self.certify)


def open_checkout(session: Session, *, payment_id: int, till: Till, at: datetime) -> str | None:
    """Have the provider make the page for an attempt; where the buyer pays, None where the attempt has ended. Commits.

    Asked again, it is the same page. Raises ProviderUnreachable: the attempt stays, and is asked for again later.
    """
    payment = session.get_one(Payment, payment_id, populate_existing=True)
    if payment.state is not PaymentState.OPENING:
        return payment.url if payment.state is PaymentState.OPEN else None
    asked, key = asked_of(payment, till), reserving.key_of(payment)
    session.rollback()
    try:
        checkout = till.gateway.open_checkout(asked, key)
    except ProviderRefused as refusal:
        log.error("The provider refused the checkout of %s: %s", asked.order_number, refusal.message)
        begin_writing(session)
        receiving.refused(session, payment=session.get_one(Payment, payment_id), why=REFUSED, at=at)
        session.commit()
        return None
    begin_writing(session)
    payment = session.get_one(Payment, payment_id)
    receiving.note_opened(session, payment=payment, checkout=checkout)
    url = payment.url if payment.state is PaymentState.OPEN else None
    session.commit()
    return url


def asked_of(payment: Payment, till: Till) -> CheckoutAsked:
    """What the provider is asked for: from what was kept before the first try alone, so that each try says the same."""
    order = payment.order
    success, cancel = till.addresses(order.number)
    return CheckoutAsked(
        order_number=order.number,
        attempt=payment.attempt,
        lines=[(label_of(line), line.amount) for line in order.lines],
        tax=(f"Tax, {order.tax_ppm / 10_000:g} %", order.tax) if order.tax else None,
        currency=payment.currency.value,
        total=payment.amount,
        email=order.billing["email"],
        success_url=success,
        cancel_url=cancel,
        expires_at=payment.expires_at,
    )


def label_of(line: OrderLine) -> str:
    """What the buyer reads on the provider's page: 2.5 credits of cobalt (2,500 kg), ASMC-CO-COD-KAM001-2026-0042."""
    mineral = line.offer.mineral
    amount = mineral.in_credits(line.quantity)
    of = f"credit{'' if amount == '1' else 's'} of {mineral.name}"
    return f"{amount} {of} ({mineral.quantity(line.quantity)}), {line.issuance.number}"


def take_in(session: Session, *, told: Told, till: Till, at: datetime) -> str:
    """Let an event have its effect, once, by what its checkout is now; a word for what it came to. Commits.

    Raises ProviderUnreachable where the event alone says too little: it comes again.
    """
    seen = look(till.gateway, told)
    try:
        return receive(session, told, seen, till, at)
    except IntegrityError:
        # The same event at the same moment in another process. That one has ended now, so it is found.
        session.rollback()
        return receive(session, told, seen, till, at)


def receive(session: Session, told: Told, seen: Seen | None, till: Till, at: datetime) -> str:
    begin_writing(session)
    effect = receiving.receive(session, told=told, seen=seen, terms=till.terms, at=at)
    session.commit()
    return effect


def look(gateway: Gateway, told: Told) -> Seen | None:
    """The checkout that an event is about, as it is now; as it was signed where the provider cannot be asked."""
    if told.kind is EventKind.OTHER:
        return None
    try:
        if told.reference is not None:
            return gateway.look(told.reference)
        if told.payment is not None:
            return gateway.look_at_payment(told.payment)
        return gateway.look_at_charge(told.charge) if told.charge is not None else None
    except ProviderRefused:
        return told.seen
    except ProviderUnreachable:
        if told.seen is None:
            raise  # an event of a refund or a dispute does not say enough
        return told.seen


def ask_about(session: Session, *, payment_id: int, till: Till, at: datetime) -> str:
    """Ask the provider what has become of an attempt, and let that have its effect; a word for it. Commits.

    Raises ProviderUnreachable, NoSuchCheckout.
    """
    payment = session.get_one(Payment, payment_id, populate_existing=True)
    reference, state, until, opened = payment.reference, payment.state, payment.expires_at, payment.opened_at
    number, attempt = payment.order.number, payment.attempt
    session.rollback()
    if reference is None:
        if state is not PaymentState.OPENING or at <= until:
            return "opened" if open_checkout(session, payment_id=payment_id, till=till, at=at) else "nothing"
        return end_unopened(session, payment_id, till, (number, attempt), opened, at)
    seen = till.gateway.look(reference)
    if seen.state is CheckoutState.OPEN and at > until:
        seen = till.gateway.expire(reference)
    return settle(session, payment_id, seen, till, at)


def end_unopened(
    session: Session, payment_id: int, till: Till, wanted: tuple[str, int], opened: datetime, at: datetime
) -> str:
    """An attempt whose page nobody was ever shown, past its time: as it is at the provider, or ended. Commits."""
    for seen in till.gateway.payments_since(opened - timedelta(hours=1)):
        if (seen.order_number, seen.attempt) == wanted:
            if seen.state is CheckoutState.OPEN:
                seen = till.gateway.expire(seen.reference)
            return settle(session, payment_id, seen, till, at)
    begin_writing(session)
    receiving.refused(session, payment=session.get_one(Payment, payment_id), why=NEVER_OPENED, at=at)
    session.commit()
    return "released"


def end_checkout(session: Session, *, payment_id: int, till: Till, at: datetime) -> str:
    """End an attempt that its buyer does not want any more; a word for what it came to. Commits.

    Somebody may have paid a moment before: then the order is paid. Raises ProviderUnreachable, NoSuchCheckout.
    """
    if open_checkout(session, payment_id=payment_id, till=till, at=at) is None:
        return "nothing"
    begin_writing(session)
    payment = session.get_one(Payment, payment_id)
    reference = payment.reference
    cancelling.note_wish(session, order=payment.order)
    session.commit()
    assert reference is not None
    return settle(session, payment_id, till.gateway.expire(reference), till, at)


def settle(session: Session, payment_id: int, seen: Seen, till: Till, at: datetime) -> str:
    begin_writing(session)
    payment = session.get_one(Payment, payment_id)
    came = receiving.settle_seen(session, payment=payment, seen=seen, terms=till.terms, at=at)
    session.commit()
    return came
