"""Delivery: against cleared money, all of an order in one transaction, and retired at once where that was ordered.

Who delivers is handed a `Certify`: what is retired at once has its certificates in the same transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict, CreditsError
from credits.ledger.serials import SerialRange
from credits.participants.models import Kyc, Organisation
from credits.payments import orders
from credits.payments.going_back import bypassing
from credits.payments.going_back.going_back_models import Dispute, DisputeState
from credits.payments.models import Order, OrderState, Payment, PaymentState, Use
from credits.payments.orders import claim_in, tell
from credits.payments.premiums import premium
from credits.registry import sale
from credits.registry.annotating import Standing, standings_among
from credits.registry.models import Retirement
from credits.registry.policy import Policy
from credits.registry.queries import digits_of

AT_A_TIME = 100

# Writes down for ever, in the transaction at hand, the certificates of what an order's delivery has retired. Flushes.
Certify = Callable[[Session, Order], None]


class Disputed(Conflict):
    """The payer's bank asks for the money back."""

    code = "payment_disputed"


class SentBack(Conflict):
    """The provider has sent money back that nobody here has decided on."""

    code = "payment_sent_back"


class BuyerNotApproved(Conflict):
    code = "buyer_not_approved"


class SellerNotApproved(Conflict):
    """The registry has suspended who sells this."""

    code = "seller_not_approved"


def deliver(session: Session, *, order: Order, policy: Policy, certify: Certify, at: datetime) -> bool:
    """Deliver a paid order, whose row is locked; whether that was possible. Flushes.

    Where it is not, the order stays paid, with the reason, and is tried again. Where the credits cannot be retired as
    ordered any more, they are the buyer's own, with the reason.
    """
    try:
        with session.begin_nested():
            ranges = handed_over(session, order, policy, at)
    except CreditsError as refusal:
        if order.reason != refusal.message:
            order.reason = refusal.message
            session.flush()
            tell(session, order, "order.waits", None, at, reason=refusal.code)
        return False
    if order.use is Use.RETIRE:
        retire(session, order, ranges, policy, certify, at)
    return True


def handed_over(session: Session, order: Order, policy: Policy, at: datetime) -> Mapping[int, Sequence[SerialRange]]:
    """Move all lines to the buyer: the serials of each line by its number. Raises where anything forbids it."""
    must_be_undisputed(session, order)
    must_not_be_sent_back(session, order)
    buyer = session.scalars(select(Organisation.kyc).where(Organisation.id == order.buyer_id)).one()
    if buyer is not Kyc.APPROVED:
        raise BuyerNotApproved(f"{order.buyer.name} is suspended by the registry.", organisation=order.buyer.number)
    must_have_sound_sellers(session, order)
    earmarks = {line.line: line.earmark for line in order.lines if line.earmark is not None}
    facts = orders.facts_of(order)
    posting = sale.hand_over(
        session,
        earmarks=list(earmarks.values()),
        buyer=order.buyer,
        order=order.number,
        facts=facts,
        policy=policy,
        at=at,
    )
    order.posting_id, order.delivered_at = posting.id, at
    order.state, order.reason = OrderState.DELIVERED, None
    session.flush()
    paid = session.scalars(
        select(Payment).where(Payment.order_id == order.id, Payment.state == PaymentState.PAID)
    ).one()
    premium.book_sale(session, order=order, payment=paid, at=at)
    return {number: sale.serials_set_apart(session, earmark) for number, earmark in earmarks.items()}


def must_have_sound_sellers(session: Session, order: Order) -> None:
    """Raise SellerNotApproved where the registry has suspended one since, as the database says now."""
    sellers = Organisation.id.in_([line.seller_id for line in order.lines])
    found = session.scalars(select(Organisation).where(sellers, Organisation.kyc != Kyc.APPROVED)).first()
    if found is not None:
        raise SellerNotApproved(f"The registry has suspended {found.name}.", organisation=found.number)


def retire(
    session: Session,
    order: Order,
    ranges: Mapping[int, Sequence[SerialRange]],
    policy: Policy,
    certify: Certify,
    at: datetime,
) -> None:
    """Retire what was just delivered, every line by itself with its certificate, or none of it. Flushes."""
    claim = claim_in(order)
    assert claim is not None
    made: list[Retirement] = []
    try:
        with session.begin_nested():
            for line in sorted(order.lines, key=lambda each: (each.issuance_id, each.line)):
                retirement = sale.retire_delivered(
                    session,
                    issuance=line.issuance,
                    ranges=ranges[line.line],
                    holder=order.buyer,
                    claim=claim,
                    order=order.number,
                    policy=policy,
                    by=order.placed_by,
                    at=at,
                )
                made.append(retirement)
            order.claim = (order.claim or {}) | {"retirements": [each.number for each in made]}
            session.flush()
            certify(session, order)
    except CreditsError as refusal:
        order.reason = f"The credits are yours and were not retired: {refusal.message}"
        session.flush()
        tell(session, order, "order.kept", None, at, reason=refusal.code)


def retirements_in(order: Order) -> list[str]:
    """The numbers of the retirements that the order's delivery has made."""
    return list((order.claim or {}).get("retirements", ()))


def standings_in(session: Session, order: Order) -> dict[str, Standing]:
    """How the certificates of these retirements stand, by their numbers; none where nothing was said of it."""
    numbers = {digits_of(each, "ASMC-R-"): each for each in retirements_in(order)}
    return {numbers[each]: standing for each, standing in standings_among(session, numbers).items()}


def must_be_undisputed(session: Session, order: Order) -> None:
    wanted = (
        select(Dispute.id)
        .join(Payment, Payment.id == Dispute.payment_id)
        .where(Payment.order_id == order.id, Payment.state == PaymentState.PAID, Dispute.state != DisputeState.WON)
    )
    if session.scalars(wanted).first() is not None:
        raise Disputed("The payment is disputed: nothing moves before that has ended.", order=order.number)


def must_not_be_sent_back(session: Session, order: Order) -> None:
    """Raise SentBack where money of the order went back past the registry: it ends as two issuers decide.

    Unless the provider's refund fails, and the money is with us again.
    """
    if bypassing.stands(session, order):
        raise SentBack("The payment provider has sent money back: nothing is delivered for it.", order=order.number)


def waiting(session: Session, after: int = 0) -> list[int]:
    """The ids of the next orders above `after` that are paid and not delivered, oldest first."""
    wanted = select(Order.id).where(Order.state == OrderState.PAID, Order.id > after)
    return list(session.scalars(wanted.order_by(Order.id).limit(AT_A_TIME)))


def try_again(session: Session, *, order_id: int, policy: Policy, certify: Certify, at: datetime) -> bool:
    """Deliver an order that waits, if it still does and can be; whether it was. Flushes."""
    order = session.get_one(Order, order_id)
    session.refresh(order, with_for_update=True)
    return order.state is OrderState.PAID and deliver(session, order=order, policy=policy, certify=certify, at=at)
