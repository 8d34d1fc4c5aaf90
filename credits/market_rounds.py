"""The market's rounds: what the worker looks after by the clock, each thing by itself, so that none keeps the others.

What asks the provider does so outside of any transaction, as `market_jobs` does.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import market_jobs
from credits.db import begin_writing
from credits.market_jobs import Till
from credits.one_by_one import by_itself, tried
from credits.payments import bank, delivering, lapsing, reconciling, reserving
from credits.payments.delivering import Certify
from credits.payments.gateway import (
    CheckoutState,
    Gateway,
    ProviderAtFault,
    ProviderRefused,
    ProviderUnreachable,
    Seen,
    Unreadable,
)
from credits.payments.going_back import disputes, recovering, sending_back
from credits.payments.going_back.sending_back import Due
from credits.payments.models import Means, Order, Payment, PaymentState
from credits.payments.reconciling import Reconciled
from credits.registry.policy import Policy

log = logging.getLogger(__name__)

SOONEST = timedelta(minutes=2)  # before that, whoever began a payment is still about it
UNPAID = (PaymentState.OPENING, PaymentState.OPEN)
MOST_FAULTS = 10  # in a row: then it has them whatever it is asked for
PROVIDER = (ProviderUnreachable, ProviderRefused)  # what it says is not a fault of the one thing that was asked about


def poll(session: Session, *, till: Till, at: datetime, states: Iterable[PaymentState] = UNPAID) -> int:
    """Ask about every attempt in these states that no event has ended; of how many something came. Commits each."""
    wanted = select(Payment.id).where(
        Payment.means == Means.STRIPE, Payment.state.in_(list(states)), Payment.opened_at <= at - SOONEST
    )
    under_way = list(session.scalars(wanted.order_by(Payment.id)))
    session.rollback()
    return one_after_the_other(
        session, ((f"payment {each}", partial(ask_about, session, each, till, at)) for each in under_way)
    )


def ask_about(session: Session, payment_id: int, till: Till, at: datetime) -> bool:
    return market_jobs.ask_about(session, payment_id=payment_id, till=till, at=at) != "nothing"


def one_after_the_other(session: Session, wanted: Iterable[tuple[str, Callable[[], bool]]]) -> int:
    """Ask the provider for each of these; of how many something came.

    What it answers about one, be it a fault of its own, keeps no other. The round ends where no answer comes at all,
    or nothing but faults.
    """
    came = faults = 0
    for what, ask in wanted:
        try:
            came += bool(tried(session, what, ask, PROVIDER))
            faults = 0
        except (ProviderRefused, Unreadable) as refusal:
            log.error("Nothing can be told of %s: %s", what, refusal.message)
            faults = 0
        except ProviderAtFault:
            log.error("The payment provider has a fault where it is asked for %s. It is asked again.", what)
            faults += 1
            if faults == MOST_FAULTS:
                return came
        except ProviderUnreachable:
            log.warning("The payment provider does not answer. It is asked again.")
            return came
    return came


def send_refunds(session: Session, *, gateway: Gateway, at: datetime) -> int:
    """Ask the provider to send back what was decided to go back; of how many it knows now. Commits each."""
    send = partial(send_refund, session, gateway=gateway, at=at)
    return one_after_the_other(session, ((each.key, partial(send, each)) for each in due_refunds(session)))


def due_refunds(session: Session) -> Iterator[Due]:
    """What has yet to be asked for, the oldest first; no transaction is left open in between."""
    after = 0
    while due := sending_back.due(session, after):
        session.rollback()
        after = due[-1].id
        yield from due
    session.rollback()


def send_refund(session: Session, refund: Due, gateway: Gateway, at: datetime) -> bool:
    """Ask for one refund; whether the provider does it. What it refuses the issuers are told. Commits."""
    try:
        refunded = gateway.refund(refund.payment, refund.amount, refund.key, refund.reason)
    except ProviderRefused as refusal:
        log.error("The provider refused %s: %s", refund.key, refusal.message)
        seen = as_it_is(gateway, refund)
        begin_writing(session)
        sending_back.refused(session, refund_id=refund.id, at=at, seen=seen)
        session.commit()
        return False
    begin_writing(session)
    sending_back.note(session, refund_id=refund.id, refunded=refunded, at=at)
    session.commit()
    return True


def as_it_is(gateway: Gateway, refund: Due) -> Seen | None:
    """The checkout of a refund that was refused, which may have been sent back before; None where none is shown."""
    try:
        return gateway.look_at_payment(refund.payment)
    except (ProviderRefused, Unreadable):
        return None


def deliver_waiting(session: Session, *, policy: Policy, certify: Certify, at: datetime) -> int:
    """Deliver what was paid and could not be delivered then; how many orders. Commits each."""
    again = partial(delivering.try_again, session, policy=policy, certify=certify, at=at)
    return each_of(session, "order", delivering.waiting, lambda order_id: again(order_id=order_id))


def release_leftovers(session: Session, *, at: datetime) -> int:
    """Give back what orders that have ended still keep; how many reservations. Commits each."""
    again = partial(reserving.release_leftover, session, at=at)
    return each_of(session, "reservation", reserving.leftovers, lambda earmark_id: again(earmark_id=earmark_id))


def follow_disputes(session: Session, *, at: datetime) -> int:
    """Hold or take what has come back to buyers whose payment is or was disputed; of how many orders. Commits each."""
    return each_of(session, "disputed order", recovering.to_follow, lambda order_id: follow(session, order_id, at))


def follow(session: Session, order_id: int, at: datetime) -> bool:
    order = session.get_one(Order, order_id)
    session.refresh(order, with_for_update=True)
    return disputes.follow(session, order=order, at=at)


def lapse_transfers(session: Session, *, at: datetime) -> int:
    """End orders whose transfer has not come, and warn of those that soon will; how many ended. Commits each."""
    lapsed = each_of(
        session,
        "transfer",
        partial(bank.awaited, before=at),
        lambda payment_id: bank.lapse(session, payment_id=payment_id, at=at),
    )
    each_of(
        session,
        "transfer",
        partial(bank.awaited, before=bank.soon(at)),
        lambda payment_id: bank.warn(session, payment_id=payment_id, at=at),
    )
    return lapsed


def lapse_orders(session: Session, *, policy: Policy, at: datetime) -> int:
    """End orders that nobody has begun to pay in time; how many. Commits each."""
    return each_of(
        session,
        "open order",
        partial(lapsing.never_begun, policy=policy, at=at),
        lambda order_id: lapsing.end_unbegun(session, order_id=order_id, at=at),
    )


def each_of(session: Session, what: str, some: Callable[[Session, int], list[int]], act: Callable[[int], bool]) -> int:
    """Act on everything that `some` gives, the next ones above an id at a time; on how many it did. Commits each."""
    done = after = 0
    while found := some(session, after):
        session.rollback()
        after = found[-1]
        done += sum(bool(by_itself(session, f"{what} {number}", partial(act, number))) for number in found)
    session.rollback()
    return done


def catch_up(session: Session, *, till: Till, at: datetime) -> int:
    """Go through everything that the provider has had of late, and let what no event told of have its effect.

    Of how many something came. Commits each. Raises ProviderUnreachable.
    """
    seen = {each.reference: each for each in reconciling.told_by_provider(session, till.gateway, at=at).seen}
    known = dict(session.execute(select(Payment.reference, Payment.id).where(Payment.means == Means.STRIPE)).all())
    session.rollback()
    came = 0
    for reference, each in seen.items():
        if reference in known and (each.state is not CheckoutState.OPEN or each.refunds or each.disputes):
            told = partial(market_jobs.settle, session, known[reference], each, till, at)
            came += tried(session, f"checkout {reference}", told, PROVIDER) not in (None, "nothing")
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
    heard = reconciling.told_by_provider(session, gateway, at=at) if gateway is not None else None
    found = reconciling.reconcile(session, heard=heard, pages=gateway.pages if gateway is not None else "", at=at)
    session.rollback()
    return found
