"""The reconciliation: what the payment provider says, what the orders say, and what the ledger says."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from credits.payments import comparing
from credits.payments.comparing import Disagreement
from credits.payments.gateway import (
    CheckoutState,
    Gateway,
    ProviderAtFault,
    ProviderRefused,
    Seen,
    Unreadable,
    is_here,
)
from credits.payments.going_back import bypassing
from credits.payments.going_back.going_back_models import Dispute, DisputeState, Refund, RefundState
from credits.payments.models import Means, Payment, PaymentState

DAYS = 90  # how far back the provider is asked; what is older cannot be paid, and is looked at where money went back
AT_ONCE = 500  # values of one look-up; SQLite bounds them
MOST_FAULTS = 10  # of the provider's own: then it has them whatever it is asked for
UNTOLD = timedelta(minutes=10)  # an event may be on its way for so long
CLEARED = (PaymentState.PAID, PaymentState.SURPLUS)
ENDED = {CheckoutState.EXPIRED: PaymentState.EXPIRED, CheckoutState.FAILED: PaymentState.FAILED}


@dataclass(frozen=True)
class Reconciled:
    """What was compared, and where it does not agree. asked: whether a provider was there to be asked."""

    asked: bool
    counts: dict[str, int]
    disagreements: list[Disagreement]

    @property
    def agrees(self) -> bool:
        return not self.disagreements


@dataclass(frozen=True)
class Heard:
    """What the provider has told. faults: the checkouts and payments, by its own names, that it has a fault with."""

    seen: list[Seen]
    faults: frozenset[str]


def told_by_provider(session: Session, gateway: Gateway, *, at: datetime) -> Heard:
    """Every checkout of the last DAYS, and older ones of which money went back since, as the provider has it.

    Those too whose dispute or refund we know of and of whose end we do not: money goes back long after it came.
    Over the network: ends the session's transaction first.
    Raises ProviderUnreachable, also where it has too many faults, and ProviderRefused where it tells nothing at all.
    """
    since = at - timedelta(days=DAYS)
    ours = select(Payment.reference).where(Payment.means == Means.STRIPE, Payment.opened_at >= since)
    references = {reference for reference in session.scalars(ours) if reference is not None}
    unended = unended_of(session)
    session.rollback()
    seen = {each.reference: each for each in gateway.payments_since(since - timedelta(hours=1))}
    faults: set[str] = set()

    def look(ask: Callable[[str], Seen], name: str) -> None:
        try:
            each = ask(name)
        except (ProviderRefused, Unreadable):
            return  # `reconcile` misses it, or the account is used for something else, too
        except ProviderAtFault:
            faults.add(name)
            if len(faults) == MOST_FAULTS:
                raise
        else:
            seen[each.reference] = each

    for reference in references - seen.keys():
        look(gateway.look, reference)
    gone_back = unended.union(gateway.gone_back_since(since))
    for payment in sorted(gone_back - {each.payment for each in seen.values()}):
        look(gateway.look_at_payment, payment)
    return Heard(list(seen.values()), frozenset(faults))


def unended_of(session: Session) -> set[str]:
    """The provider's names of payments that are disputed or go back, as far as we know."""
    disputed = select(Dispute.payment_id).where(Dispute.state == DisputeState.OPEN)
    going_back = select(Refund.payment_id).where(Refund.state == RefundState.ASKED, Refund.reference.is_not(None))
    wanted = select(Payment.payment).where(
        Payment.means == Means.STRIPE, Payment.id.in_(disputed) | Payment.id.in_(going_back)
    )
    return {payment for payment in session.scalars(wanted) if payment is not None}


def reconcile(session: Session, *, heard: Heard | None, pages: str = "", at: datetime) -> Reconciled:
    """Compare everything. Only reads.

    heard: what the provider has told just now, whose own pages begin with `pages`; None where there is none.
    """
    found = [*comparing.disagreements(session), *comparing.overdue(session, at)]
    if heard is not None:
        found += with_provider(session, heard, pages, at)
    return Reconciled(asked=heard is not None, counts=comparing.counts(session), disagreements=found)


def with_provider(session: Session, heard: Heard, pages: str, at: datetime) -> Iterator[Disagreement]:
    references = [each.reference for each in heard.seen]
    payments = {payment.reference: payment for payment in compared(session, references, at)}
    refunds, disputes = refunds_of(session), disputes_of(session)
    for each in heard.seen:
        payment = payments.pop(each.reference, None)
        if payment is None:
            if each.state is CheckoutState.PAID and each.account is None:
                yield Disagreement("unknown_payment", each.reference, "The provider has money that no order asked for.")
            continue
        yield from states(each, payment, at)
        noted = bypassing.noted(session, payment.order) if each.refunds else set()
        yield from moved_back(each, payment, refunds.get(payment.id, []), disputes.get(payment.id, []), noted)
    for payment in named(session, heard.faults):
        payments.pop(payment.reference, None)
        says = "The provider has a fault where it is asked for its payment."
        yield Disagreement("provider_at_fault", payment.order.number, says)
    for payment in payments.values():
        if not of_another(payment, pages):
            yield Disagreement(
                "unknown_to_provider", payment.order.number, "The provider knows nothing of its payment."
            )


def of_another(payment: Payment, pages: str) -> bool:
    """Whether it began at another stand-in on this machine than the provider that is asked now: no real money ever."""
    return payment.url is not None and is_here(payment.url) and not payment.url.startswith(pages)


def named(session: Session, names: Collection[str]) -> Sequence[Payment]:
    """Our attempts that the provider calls so, or their payments."""
    ours = select(Payment).where(Payment.reference.in_(names) | Payment.payment.in_(names))
    return session.scalars(ours.order_by(Payment.id)).all() if names else []


def compared(session: Session, references: Sequence[str], at: datetime) -> Iterator[Payment]:
    """Our attempts of the last DAYS, and the older ones among these references."""
    ours = select(Payment).where(Payment.means == Means.STRIPE, Payment.reference.is_not(None))
    ours = ours.options(selectinload(Payment.order))
    since = Payment.opened_at >= at - timedelta(days=DAYS)
    yield from session.scalars(ours.where(since))
    for start in range(0, len(references), AT_ONCE):
        some = references[start : start + AT_ONCE]
        yield from session.scalars(ours.where(~since, Payment.reference.in_(some)))


def refunds_of(session: Session) -> dict[int, list[Refund]]:
    found: dict[int, list[Refund]] = {}
    for refund in session.scalars(select(Refund)):
        found.setdefault(refund.payment_id, []).append(refund)
    return found


def disputes_of(session: Session) -> dict[int, list[Dispute]]:
    found: dict[int, list[Dispute]] = {}
    for dispute in session.scalars(select(Dispute)):
        found.setdefault(dispute.payment_id, []).append(dispute)
    return found


def states(seen: Seen, payment: Payment, at: datetime) -> Iterator[Disagreement]:
    """Whether provider and order tell the same of one checkout."""
    number = payment.order.number
    if (seen.amount, seen.currency) != (payment.amount, payment.currency.value):
        yield Disagreement("other_amount_at_provider", number, "The provider takes another amount than it costs.")
    if seen.order_number != number or seen.account is not None:
        yield Disagreement("other_order_at_provider", number, "The provider takes the money for something else.")
    if seen.state is CheckoutState.PAID and payment.state not in CLEARED:
        yield Disagreement("paid_at_provider", number, "The provider has the money, and the order waits for it.")
    if seen.state is not CheckoutState.PAID and payment.state in CLEARED:
        yield Disagreement("unpaid_at_provider", number, "The order counts as paid, and the provider has no money.")
    ended = ENDED.get(seen.state)
    if ended is not None and payment.state not in (ended, *CLEARED) and payment.expires_at + UNTOLD < at:
        yield Disagreement("ended_at_provider", number, "Nobody can pay it any more, and its credits are kept for it.")


def moved_back(
    seen: Seen, payment: Payment, refunds: Sequence[Refund], disputes: Sequence[Dispute], noted: Collection[str]
) -> Iterator[Disagreement]:
    """Whether both tell the same of money that went back. noted: refunds past the registry that an issuer knows of."""
    number = payment.order.number
    known = sum(refund.amount for refund in refunds if refund.state is RefundState.DONE)
    under_way = sum(refund.amount for refund in refunds if refund.state is RefundState.ASKED)
    past = part_noted(seen, payment, set(noted) - {refund.reference for refund in refunds})
    if not known <= seen.refunded - past <= known + under_way:
        yield Disagreement("other_refund", number, "Another amount went back to the buyer than the order says.")
    lost = {each.reference: each.state for each in seen.disputes}
    ours = {each.reference: each.state for each in disputes}
    if {name: state for name, state in lost.items() if state is not DisputeState.WON} != {
        name: state for name, state in ours.items() if state is not DisputeState.WON
    }:
        yield Disagreement("other_dispute", number, "The buyer's bank disputes it otherwise than the order says.")


def part_noted(seen: Seen, payment: Payment, noted: Collection[str]) -> int:
    """Minor units of these refunds, as far as they are a part of the payment: all of it ends as two issuers decide."""
    stand = [each for each in seen.refunds if each.state is not RefundState.FAILED and each.reference in noted]
    part = sum(each.amount for each in stand)
    return part if part < payment.amount else 0
