"""Money on its way back to the buyer: asked of the provider or the registry's bank, done, come back, sent once more."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.payments import references, settling
from credits.payments.gateway import Refunded, Seen
from credits.payments.going_back import bypassing
from credits.payments.going_back.going_back_models import Dispute, DisputeState, Refund, RefundState
from credits.payments.going_back.refunding import NotRefundable
from credits.payments.models import Means, Order, OrderState, Payment
from credits.payments.orders import tell

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


@dataclass(frozen=True)
class Due:
    """A refund that the provider has yet to be asked for. key: the same however often it is asked."""

    id: int
    payment: str
    amount: int
    key: str
    reason: str


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


def by_our_bank() -> Select[Refund]:
    """The refunds that the registry's own bank has yet to send, oldest first."""
    wanted = select(Refund).join(Refund.payment).where(Refund.settled_at.is_(None))
    return wanted.where(Payment.means == Means.BANK_TRANSFER).order_by(Refund.id)


def note(session: Session, *, refund_id: int, refunded: Refunded, at: datetime) -> None:
    """Write down what the provider says of a refund. Flushes."""
    found = session.get_one(Refund, refund_id)
    settling.locked(session, found.payment)
    session.refresh(found, with_for_update=True)
    settle(session, found, refunded.reference, refunded.state, None, at)


def refused(session: Session, *, refund_id: int, at: datetime, seen: Seen | None = None) -> None:
    """The provider will not send this money back: the issuers are told, and can ask for it once more. Flushes.

    seen: its checkout now. Where that has sent the same amount back before, past the registry, this refund is that one.
    """
    found = session.get_one(Refund, refund_id)
    settling.locked(session, found.payment)
    session.refresh(found, with_for_update=True)
    if seen is not None and seen.payment == found.payment.payment:
        note_seen(session, payment=found.payment, seen=seen, at=at)
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
        ours = open_ and open_[0].amount == each.amount and not bypassing.came_back(session, payment.order, each)
        if known or ours:
            changed = settle(session, (known or open_)[0], each.reference, each.state, None, at)
            came = "refund" if changed else came
        else:
            came = bypassing.note(session, payment=payment, refunded=each, at=at) or came
    return came


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
