"""The market's work over the network: a checkout opened, looked at or ended, an event taken in, money sent back.

Each asks the provider outside of any transaction and then writes in one of its own: so an answer that is lost, or a
process that ends in between, leaves what the next try takes up. Doors and the worker share them.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.payments import (
    bank,
    cancelling,
    delivering,
    disputes,
    receiving,
    reconciling,
    recovering,
    refunding,
    reserving,
)
from credits.payments.gateway import (
    CheckoutAsked,
    CheckoutState,
    EventKind,
    Gateway,
    NoSuchCheckout,
    ProviderRefused,
    ProviderUnreachable,
    Seen,
    Told,
)
from credits.payments.models import Means, Order, OrderLine, Payment, PaymentState
from credits.payments.reconciling import Reconciled
from credits.payments.refunding import Due
from credits.registry.policy import Policy

log = logging.getLogger(__name__)
T = TypeVar("T")

REFUSED = "The payment provider could not take this payment. Nothing was charged."
NEVER_OPENED = "The payment page could not be opened in time. Nothing was charged."
SOONEST = timedelta(minutes=2)  # before that, whoever began a payment is still about it
UNPAID = (PaymentState.OPENING, PaymentState.OPEN)


@dataclass(frozen=True)
class Till:
    """What the provider's work needs beside the database.

    addresses: where a buyer returns to after paying an order of this number, and where without.
    """

    gateway: Gateway
    policy: Policy
    addresses: Callable[[str], tuple[str, str]]


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
    livemode = till.gateway.livemode
    effect = receiving.receive(session, told=told, seen=seen, livemode=livemode, policy=till.policy, at=at)
    session.commit()
    return effect


def look(gateway: Gateway, told: Told) -> Seen | None:
    """The checkout that an event is about, as it is now; as it was signed where the provider cannot be asked."""
    if told.kind is EventKind.OTHER:
        return None
    try:
        if told.reference is not None:
            return gateway.look(told.reference)
        return gateway.look_at_payment(told.payment) if told.payment is not None else None
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
    livemode = till.gateway.livemode
    came = receiving.settle_seen(session, payment=payment, seen=seen, livemode=livemode, policy=till.policy, at=at)
    session.commit()
    return came


def poll(session: Session, *, till: Till, at: datetime, states: Iterable[PaymentState] = UNPAID) -> int:
    """Ask about every attempt in these states that no event has ended; of how many something came. Commits each."""
    wanted = select(Payment.id).where(
        Payment.means == Means.STRIPE, Payment.state.in_(list(states)), Payment.opened_at <= at - SOONEST
    )
    under_way = list(session.scalars(wanted.order_by(Payment.id)))
    session.rollback()
    came = 0
    for payment_id in under_way:
        asked = partial(ask_about, session, payment_id=payment_id, till=till, at=at)
        try:
            came += tried(session, f"payment {payment_id}", asked) not in (None, "nothing")
        except NoSuchCheckout:
            log.error("The provider does not know the checkout of payment %s.", payment_id)
        except ProviderUnreachable:
            log.warning("The payment provider does not answer. It is asked again.")
            return came
    return came


def tried(session: Session, what: str, act: Callable[[], T]) -> T | None:
    """Do one thing of many. What nobody foresaw of it is logged, and does not keep the others waiting: then None.

    Raises what a provider says: ProviderUnreachable, ProviderRefused.
    """
    try:
        return act()
    except (ProviderUnreachable, ProviderRefused):
        raise
    except Exception:
        session.rollback()
        log.exception("Nothing came of %s. It is tried again.", what)
        return None


def send_refunds(session: Session, *, gateway: Gateway, at: datetime) -> int:
    """Ask the provider to send back what was decided to go back; of how many it knows now. Commits each."""
    done = after = 0
    while due := refunding.due(session, after):
        session.rollback()
        after = due[-1].id
        for refund in due:
            try:
                done += bool(tried(session, refund.key, partial(send_refund, session, refund, gateway, at)))
            except ProviderUnreachable:
                log.warning("The payment provider does not answer. It is asked again.")
                return done
    session.rollback()
    return done


def send_refund(session: Session, refund: Due, gateway: Gateway, at: datetime) -> bool:
    """Ask for one refund; whether the provider does it. What it refuses the issuers are told. Commits."""
    try:
        refunded = gateway.refund(refund.payment, refund.amount, refund.key, refund.reason)
    except ProviderRefused as refusal:
        log.error("The provider refused %s: %s", refund.key, refusal.message)
        begin_writing(session)
        refunding.refused(session, refund_id=refund.id, at=at)
        session.commit()
        return False
    begin_writing(session)
    refunding.note(session, refund_id=refund.id, refunded=refunded, at=at)
    session.commit()
    return True


def deliver_waiting(session: Session, *, policy: Policy, at: datetime) -> int:
    """Deliver what was paid and could not be delivered then; how many orders. Commits each."""
    done = after = 0
    while waiting := delivering.waiting(session, after):
        session.rollback()
        after = waiting[-1]
        for order_id in waiting:
            again = partial(delivering.try_again, session, order_id=order_id, policy=policy, at=at)
            done += bool(tried(session, f"order {order_id}", partial(committed, session, again)))
    session.rollback()
    return done


def committed(session: Session, act: Callable[[], T]) -> T:
    """Do one thing in a transaction of its own."""
    begin_writing(session)
    came = act()
    session.commit()
    return came


def release_leftovers(session: Session, *, at: datetime) -> int:
    """Give back what orders that have ended still keep; how many reservations. Commits each."""
    released = after = 0
    while left := reserving.leftovers(session, after):
        session.rollback()
        after = left[-1]
        for earmark_id in left:
            again = partial(reserving.release_leftover, session, earmark_id=earmark_id, at=at)
            released += bool(tried(session, f"reservation {earmark_id}", partial(committed, session, again)))
    session.rollback()
    return released


def follow_disputes(session: Session, *, at: datetime) -> int:
    """Hold or take what has come back to buyers whose payment is or was disputed; of how many orders. Commits each."""
    done = after = 0
    while found := recovering.to_follow(session, after):
        session.rollback()
        after = found[-1]
        for order_id in found:
            look = partial(follow_dispute, session, order_id, at)
            done += bool(tried(session, f"the disputes of order {order_id}", partial(committed, session, look)))
    session.rollback()
    return done


def follow_dispute(session: Session, order_id: int, at: datetime) -> bool:
    order = session.get_one(Order, order_id)
    session.refresh(order, with_for_update=True)
    return disputes.follow(session, order=order, at=at)


def lapse_transfers(session: Session, *, at: datetime) -> int:
    """End orders whose transfer has not come, and warn of those that soon will; how many ended. Commits each."""
    over, nearly = bank.awaited(session, at), bank.awaited(session, bank.soon(at))
    session.rollback()
    lapsed = 0
    for payment_id in dict.fromkeys((*over, *nearly)):
        begin_writing(session)
        lapsed += bank.lapse(session, payment_id=payment_id, at=at)
        bank.warn(session, payment_id=payment_id, at=at)
        session.commit()
    return lapsed


def catch_up(session: Session, *, till: Till, at: datetime) -> int:
    """Go through everything that the provider has had of late, and let what no event told of have its effect.

    Of how many something came. Commits each. Raises ProviderUnreachable.
    """
    seen = {each.reference: each for each in reconciling.told_by_provider(session, till.gateway, at=at)}
    known = dict(session.execute(select(Payment.reference, Payment.id).where(Payment.means == Means.STRIPE)).all())
    session.rollback()
    came = 0
    for reference, each in seen.items():
        if reference in known and (each.state is not CheckoutState.OPEN or each.refunds or each.disputes):
            told = partial(settle, session, known[reference], each, till, at)
            came += tried(session, f"checkout {reference}", told) not in (None, "nothing")
    return came


def reconcile(session: Session, *, gateway: Gateway | None, at: datetime) -> Reconciled:
    """Compare provider, orders and ledger. Changes nothing.

    What has moved between asking and reading is no disagreement: only what two looks find counts.
    Raises ProviderUnreachable.
    """
    found = looked(session, gateway, at)
    if found.agrees:
        return found
    again = looked(session, gateway, at)
    return Reconciled(again.asked, again.counts, [each for each in again.disagreements if each in found.disagreements])


def looked(session: Session, gateway: Gateway | None, at: datetime) -> Reconciled:
    seen = reconciling.told_by_provider(session, gateway, at=at) if gateway is not None else None
    found = reconciling.reconcile(session, seen=seen, at=at)
    session.rollback()
    return found
