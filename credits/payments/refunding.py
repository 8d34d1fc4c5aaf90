"""Refunds: decided by two issuers while nothing was retired or passed on; the credits go back in the same moment.

The money follows by the provider, or by the registry's bank. Partial refunds are not offered.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict
from credits.journal import events
from credits.ledger.posting import NotHeld, Posted
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.payments import delivering, orders, premium, references, reserving, settling
from credits.payments.gateway import Refunded, Seen
from credits.payments.looking import order_known_as
from credits.payments.models import (
    Dispute,
    DisputeState,
    Means,
    Order,
    OrderState,
    Payment,
    PaymentState,
    Refund,
    RefundState,
)
from credits.payments.orders import tell
from credits.registry import sale
from credits.registry.movements import Decision, Earmark
from credits.registry.policy import Policy
from credits.registry.telling import both_people, recorded

AT_A_TIME = 100
STEPS = {
    RefundState.ASKED: "refund.asked",
    RefundState.DONE: "refund.done",
    RefundState.FAILED: "refund.failed",
}
# One that came back has ended: a look at the provider may be an old one.
NEXT = {
    RefundState.ASKED: (RefundState.ASKED, RefundState.DONE, RefundState.FAILED),
    RefundState.DONE: (RefundState.FAILED,),  # its bank sends the money back days later
    RefundState.FAILED: (),
}
UNWANTED = (OrderState.CANCELLED, OrderState.REFUNDED)  # whose money goes back


class NotRefundable(Conflict):
    """Nothing was paid, or it goes back already."""

    code = "not_refundable"


class NotAllThere(Conflict):
    """Some of the credits were retired, passed on or are held: an order is refunded whole or not at all."""

    code = "not_all_there"


@dataclass(frozen=True)
class Due:
    """A refund that the provider has yet to be asked for. key: the same however often it is asked."""

    id: int
    payment: str
    amount: int
    key: str
    reason: str


def check(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """Whether the order `subject` could be refunded now. Raises NotAllowed, NoSuchOrder, NotRefundable, NotAllThere."""
    must_issue(by)
    order = order_known_as(session, subject)
    paid_for(session, order)
    delivering.must_be_undisputed(session, order)
    if order.state is OrderState.DELIVERED:
        must_be_all_there(session, order)
    return {"amount": order.total, "currency": order.currency.value}


def refund(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> Posted | None:
    """Give the credits back to their sellers and ask for the money to be sent back, whole. Flushes.

    Raises NotRefundable, NotAllThere, Disputed.
    """
    order = order_known_as(session, decision.subject)
    payment = paid_for(session, order)
    order = settling.locked(session, payment)
    paid_for(session, order)
    delivering.must_be_undisputed(session, order)
    posting = None
    facts = orders.facts_of(order) | both_people(decision)
    if order.state is OrderState.DELIVERED:
        posting = taken_back(session, order, facts, decision.reason, by, at)
    else:
        reserving.give_back(session, order, at)
        events.append(
            session,
            kind="order.refunded",
            subject=order.number,
            actor=by.number,
            at=at,
            facts=facts,
            private={"reason": decision.reason},
        )
    made = Refund(
        payment=payment,
        amount=payment.amount,
        reason=decision.reason,
        state=RefundState.ASKED,
        decision_id=decision.id,
        posting_id=posting.id if posting else None,
        asked_at=at,
    )
    session.add(made)
    session.flush()  # before the order: the database asks for it
    order.state, order.closed_at, order.reason = OrderState.REFUNDED, at, decision.reason
    session.flush()
    premium.book_refund(session, refund=made, at=at)
    return posting


def taken_back(session: Session, order: Order, facts: dict[str, Any], reason: str, by: User, at: datetime) -> Posted:
    """Move what was delivered back to the sellers, in one posting. Flushes. Raises NotAllThere."""
    moves = [move for line_moves in sale.ways_back(session, delivered(order), order.buyer) for move in line_moves]
    numbers = {line.issuance_id: line.issuance.number for line in order.lines}
    record = recorded(session, "order.refunded", order.number, numbers, facts, reason, by, at)
    try:
        return ledger.move(session, moves, at=at, record=record)
    except NotHeld:
        raise not_all_there(order) from None


def must_be_all_there(session: Session, order: Order) -> None:
    there = sale.still_there(session, delivered(order), order.buyer)
    if any(
        sum(units.quantity for units in ranges) < line.quantity for line, ranges in zip(order.lines, there, strict=True)
    ):
        raise not_all_there(order)


def delivered(order: Order) -> list[Earmark]:
    """The reservations whose serials were delivered, in the order of the lines."""
    return [line.earmark for line in order.lines if line.earmark is not None]


def not_all_there(order: Order) -> NotAllThere:
    return NotAllThere(
        f"Some of the credits of {order.number} were retired, passed on or are held. An order is refunded whole or not "
        "at all, and what is retired stays retired.",
        order=order.number,
    )


def paid_for(session: Session, order: Order) -> Payment:
    """The payment that an order was paid with and that could go back. Raises NotRefundable."""
    paid = session.scalars(
        select(Payment).where(Payment.order_id == order.id, Payment.state == PaymentState.PAID)
    ).one_or_none()
    if paid is None or order.state not in (OrderState.PAID, OrderState.DELIVERED):
        said = order.state.value.replace("_", " ")
        raise NotRefundable(f"{order.number} is {said}: there is nothing to refund.", state=order.state.value)
    return paid


def due(session: Session, after: int = 0) -> list[Due]:
    """The next refunds above the id `after` that the provider has to be asked for. Asked again, it sends money once.

    While a payment is disputed its refund waits: the payer's bank may take the same money.
    """
    disputed = select(Dispute.id).where(Dispute.payment_id == Payment.id, Dispute.state == DisputeState.OPEN)
    wanted = (
        select(Refund.id, Payment.payment, Refund.amount, Refund.reason)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.state == RefundState.ASKED, Refund.reference.is_(None), Payment.means == Means.STRIPE)
        .where(Payment.payment.is_not(None), Refund.id > after, ~disputed.exists())
        .order_by(Refund.id)
        .limit(AT_A_TIME)
    )
    rows = session.execute(wanted).all()
    return [Due(made, str(payment), amount, f"REFUND-{made:06d}", reason) for made, payment, amount, reason in rows]


def note(session: Session, *, refund_id: int, refunded: Refunded, at: datetime) -> None:
    """Write down what the provider says of a refund. Flushes."""
    found = session.get_one(Refund, refund_id)
    settling.locked(session, found.payment)
    session.refresh(found, with_for_update=True)
    settle(session, found, refunded.reference, refunded.state, None, at)


def refused(session: Session, *, refund_id: int, at: datetime) -> None:
    """The provider will not send this money back: the issuers are told, and can ask for it once more. Flushes."""
    found = session.get_one(Refund, refund_id)
    settling.locked(session, found.payment)
    session.refresh(found, with_for_update=True)
    if found.state is RefundState.ASKED and found.reference is None:
        found.state, found.settled_at = RefundState.FAILED, at
        session.flush()
        tell(session, found.payment.order, STEPS[found.state], None, at, None, attempt=found.payment.attempt)


def money_left(session: Session, payment: Payment) -> int:
    """Minor units of a payment that neither a refund nor a dispute takes or has taken back."""
    refunds = select(func.coalesce(func.sum(Refund.amount), 0)).where(
        Refund.payment_id == payment.id, Refund.state != RefundState.FAILED
    )
    losses = select(func.coalesce(func.sum(Dispute.amount), 0)).where(
        Dispute.payment_id == payment.id, Dispute.state != DisputeState.WON
    )
    return payment.amount - int(session.scalars(refunds).one()) - int(session.scalars(losses).one())


def send_the_rest(session: Session, *, order: Order, payment: Payment, reason: str, at: datetime) -> None:
    """After a dispute: what of the money is to go back goes back once, by the bank or by a refund. Flushes.

    A refund that was not sent yet ends where another amount is left for it; of an order that wants no money what is
    left is asked for. reason: where no refund says one. Both rows are locked.
    """
    mine = session.scalars(select(Refund).where(Refund.payment_id == payment.id).order_by(Refund.id)).all()
    unsent = [each for each in mine if each.state is RefundState.ASKED and each.reference is None]
    rest = money_left(session, payment) + sum(each.amount for each in unsent)
    if unsent and unsent[0].amount == rest:
        return
    for refund in unsent:
        refund.state, refund.settled_at = RefundState.FAILED, at
    session.flush()
    if order.state not in UNWANTED or rest <= 0 or any(each.state is not RefundState.FAILED for each in mine):
        return
    before = mine[-1] if mine else None
    made = Refund(
        payment=payment,
        amount=rest,
        reason=before.reason if before else reason,
        state=RefundState.ASKED,
        decision_id=before.decision_id if before else None,
        posting_id=before.posting_id if before else None,
        asked_at=at,
    )
    session.add(made)
    session.flush()


def note_seen(session: Session, *, payment: Payment, seen: Seen, at: datetime) -> str | None:
    """Write down what a checkout says of its refunds; a word if anything is new. Both rows are locked. Flushes."""
    mine = list(session.scalars(select(Refund).where(Refund.payment_id == payment.id).order_by(Refund.id)))
    came = None
    for each in seen.refunds:
        known = [refund for refund in mine if refund.reference == each.reference]
        open_ = [refund for refund in mine if refund.reference is None and refund.state is RefundState.ASKED]
        if known or (open_ and open_[0].amount == each.amount):
            changed = settle(session, (known or open_)[0], each.reference, each.state, None, at)
            came = "refund" if changed else came
        elif each.state is not RefundState.FAILED and not is_told(session, payment, each):
            facts: dict[str, Any] = {"attempt": payment.attempt, "refund": each.reference}
            tell(session, payment.order, "refund.not_ours", None, at, None, **facts)
            came = "refund_not_ours"
    return came


def is_told(session: Session, payment: Payment, refunded: Refunded) -> bool:
    """Whether the log has it already that somebody has sent money back past the registry."""
    mark = f'"refund":"{refunded.reference}"'.encode()
    return any(
        event.kind == "refund.not_ours" and mark in event.body for event in events.story(session, payment.order.number)
    )


def settle(session: Session, found: Refund, reference: str, state: RefundState, by: User | None, at: datetime) -> bool:
    """Whether the refund has come further by this. One that came back has ended: it is sent anew."""
    if state not in NEXT[found.state] or (found.state is state and found.reference == reference):
        return False
    moved_on = found.state is not state
    found.reference, found.state = reference, state
    found.settled_at = None if state is RefundState.ASKED else at
    session.flush()
    if moved_on:
        tell(session, found.payment.order, STEPS[state], by, at, None, attempt=found.payment.attempt)
    return True


def sent(session: Session, *, refund: Refund, reference: str, by: User, at: datetime) -> None:
    """The registry's bank has sent the money back. reference: on the bank's statement. Flushes.

    Raises NotAllowed, UnsoundText, NotRefundable where the provider does it, it was done, or this is another's line.
    """
    must_issue(by)
    settling.locked(session, refund.payment)
    session.refresh(refund, with_for_update=True)
    if refund.payment.means is not Means.BANK_TRANSFER or refund.state is not RefundState.ASKED:
        raise NotRefundable("This refund is done, or the payment provider does it.")
    sent_as = "BANK:" + references.tidied(reference, "Reference on the bank's statement")
    if other := session.scalars(select(Refund).where(Refund.reference == sent_as)).first():
        raise NotRefundable(f"{reference} has sent money back for {other.payment.order.number} already.")
    settle(session, refund, sent_as, RefundState.DONE, by, at)


def ask_again(session: Session, *, refund: Refund, by: User, at: datetime) -> Refund:
    """Send money back once more that had come back to us. Flushes. Raises NotAllowed, NotRefundable."""
    must_issue(by)
    settling.locked(session, refund.payment)
    session.refresh(refund, with_for_update=True)
    under_way = select(Refund.id).where(Refund.payment_id == refund.payment_id, Refund.state != RefundState.FAILED)
    if refund.state is not RefundState.FAILED or session.scalars(under_way).first() is not None:
        raise NotRefundable("This refund is done or under way.")
    if refund.amount > money_left(session, refund.payment):
        raise NotRefundable("The payer's bank has taken this money back already.")
    made = Refund(
        payment=refund.payment,
        amount=refund.amount,
        reason=refund.reason,
        state=RefundState.ASKED,
        decision_id=refund.decision_id,
        posting_id=refund.posting_id,
        asked_at=at,
    )
    session.add(made)
    session.flush()
    tell(session, refund.payment.order, "refund.asked_again", by, at, None, attempt=refund.payment.attempt)
    return made


def refunds_of(session: Session, order: Order) -> list[Refund]:
    """All that goes or went back of an order, oldest first."""
    wanted = select(Refund).join(Payment, Payment.id == Refund.payment_id).where(Payment.order_id == order.id)
    return list(session.scalars(wanted.order_by(Refund.id)))
