"""Reserving what an order asks for before its payment begins, and letting it go again."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import ledger
from credits.participants.models import User
from credits.participants.permissions import may_buy
from credits.payments import limiting, orders
from credits.payments.delivering import SellerNotApproved
from credits.payments.models import Means, Order, OrderLine, OrderState, Payment, PaymentState
from credits.payments.orders import ChangedMeanwhile, billing_in, claim_in, tell
from credits.payments.placing import asked_in, must_be_for_sale, must_be_retirable, priced
from credits.registry import sale
from credits.registry.market import Market
from credits.registry.movements import Earmark
from credits.registry.policy import Policy

ENDED = (OrderState.CANCELLED, OrderState.REFUNDED)
AT_A_TIME = 100


def begin_payment(
    session: Session,
    *,
    order: Order,
    seen: int,
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
    minutes: int | None = None,
    caller: str | None = None,
) -> Payment:
    """Reserve every line of an open order, all or nothing, and write down the attempt to pay it.

    seen: the revision whose price was shown. minutes: how long a checkout stays open, where its buyer is not at hand.
    caller: whose the key is, where nobody asks; else it is `by`'s.
    The payment is `opening` where a provider has yet to be asked, with the key that `key_of` gives; a transfer from a
    bank is awaited at once. Flushes.
    Raises NotAllowed, OrderClosed, ChangedMeanwhile, NotForSale, SellerNotApproved, Suspended, Expired,
    InsufficientBalance, OutsideClaimWindow, BeyondDeclaredUse, TooManyUnpaid.
    """
    may_buy(by, order.buyer)
    request = {"act": "order.begin_payment", "order": order.number, "seen": str(seen)}
    if earlier := ledger.claim(session, caller=caller or by.number, key=key, request=request):
        return session.get_one(Payment, earlier["payment"])
    orders.lock(session, order, OrderState.OPEN)
    orders.must_be_as_seen(order, seen)
    must_cost_the_same(order, policy)
    limiting.must_not_keep_too_much(session, order.buyer, order.means, policy, at)
    reserve(session, order, policy, by, at)
    payment = attempt(order, policy.market, minutes or policy.market.checkout_minutes, at)
    session.add(payment)
    order.state, order.pay_until = OrderState.AWAITING_PAYMENT, payment.expires_at
    session.flush()
    tell(session, order, "order.reserved", by, at)
    ledger.settle(session, {"payment": payment.id})
    return payment


def attempt(order: Order, market: Market, minutes: int, at: datetime) -> Payment:
    """The one attempt to pay an order: by a checkout of so many minutes, or by a transfer."""
    bank = order.means is Means.BANK_TRANSFER
    until = at + (timedelta(days=market.days_to_pay) if bank else timedelta(minutes=minutes))
    return Payment(
        order=order,
        attempt=1,
        means=order.means,
        state=PaymentState.OPEN if bank else PaymentState.OPENING,
        amount=order.total,
        currency=order.currency,
        reference=order.number if bank else None,
        opened_at=at,
        expires_at=until.replace(microsecond=0),
    )


def must_cost_the_same(order: Order, policy: Policy) -> None:
    """Raise ChangedMeanwhile where shares or taxes are others than were shown."""
    figures = priced([(line.offer, line.quantity) for line in order.lines], billing_in(order), policy)
    if any(getattr(order, name) != value for name, value in figures.row.items()):
        raise ChangedMeanwhile(
            "The registry's shares or taxes have changed since this order was put together. Open it, choose Change, "
            "and look at the new figures.",
            revision=order.revision,
        )


def reserve(session: Session, order: Order, policy: Policy, by: User, at: datetime) -> None:
    """Take every line out of its offer and set the seller's serials apart. Flushes."""
    offers = orders.offers_locked(session, order)
    for line in order.lines:
        offer = offers[line.offer_id]
        must_be_for_sale(offer, line.quantity)
        if not line.seller.approved:
            raise SellerNotApproved(f"The registry has suspended {line.seller.name}: nothing of it is sold now.")
        offer.remaining -= line.quantity
    # In the order of issuances, as everybody locks them.
    for line in sorted(order.lines, key=lambda each: (each.issuance_id, each.line)):
        line.earmark = sale.set_aside(
            session,
            seller=line.seller,
            issuance=line.issuance,
            quantity=line.quantity,
            order=order.number,
            policy=policy,
            by=by,
            at=at,
        )
    if (claim := claim_in(order)) is not None:
        lines = [(offer.issuance, quantity) for offer, quantity in asked_in(order).lines]
        must_be_retirable(session, order.buyer, lines, claim, policy, at)
    session.flush()


def release(session: Session, order: Order, at: datetime) -> None:
    """Give what was reserved back, to the sellers and to the offers. Flushes."""
    for offer_id, offer in orders.offers_locked(session, order).items():
        offer.remaining += sum(line.quantity for line in order.lines if line.offer_id == offer_id and line.earmark_id)
    give_back(session, order, at)


def give_back(session: Session, order: Order, at: datetime) -> None:
    """Let what was reserved be the sellers' own again, but for what the registry holds: that follows later. Flushes."""
    for line in sorted((each for each in order.lines if each.earmark_id), key=lambda each: each.earmark_id or 0):
        assert line.earmark is not None
        sale.give_back(session, earmark=line.earmark, order=order.number, at=at)


def leftovers(session: Session, after: int = 0) -> list[int]:
    """The next reservations above the id `after` that orders which have ended still keep, oldest first."""
    wanted = (
        select(Earmark.id)
        .join(OrderLine, OrderLine.earmark_id == Earmark.id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.state.in_(ENDED), Earmark.closing_posting_id.is_(None), Earmark.id > after)
        .order_by(Earmark.id)
        .limit(AT_A_TIME)
    )
    return list(session.scalars(wanted))


def release_leftover(session: Session, *, earmark_id: int, at: datetime) -> bool:
    """Give back what the registry held when its order ended, if it does not still; whether it was. Flushes."""
    earmark = session.get_one(Earmark, earmark_id)
    return sale.give_back(session, earmark=earmark, order=earmark.why, at=at)


def key_of(payment: Payment) -> str:
    """Under which key the provider is asked for this attempt, however often: ORDER-000001/1."""
    return f"{payment.order.number}/{payment.attempt}"
