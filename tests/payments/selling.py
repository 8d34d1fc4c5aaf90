"""Sales written past the operations, for what comes after them: an order that is paid and delivered, and its end."""

from typing import Any

from sqlalchemy.orm import Session

from credits.payments.gateway import CheckoutState, Seen
from credits.payments.going_back.going_back_models import Dispute, DisputeState, Refund, RefundState
from credits.payments.models import (
    Currency,
    Means,
    Offer,
    OfferState,
    Order,
    OrderLine,
    OrderState,
    Payment,
    PaymentState,
    Use,
)
from credits.payments.offering.floor_models import Floor
from credits.payments.premiums import premium
from credits.registry import sale
from credits.registry.models import Issuance
from tests.stage import Stage

BILLING = {"name": "Nordlicht", "address": "Kiruna 1", "country": "SWE", "vat_number": "", "email": "a@example.org"}


def added(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def offered(stage: Stage, made: Issuance, quantity: int, price: int, currency: Currency) -> Offer:
    asked = {"mineral_code": made.mineral_code, "currency": currency}
    added(
        stage.session,
        Floor(price=1, source="A trial", set_by_id=stage.issuer.id, set_at=stage.at, **asked),
    )
    return added(
        stage.session,
        Offer(
            seller_id=made.producer_id,
            issuance_id=made.id,
            quantity=quantity,
            remaining=0,
            price=price,
            state=OfferState.OPEN,
            offered_by_id=stage.manager.id,
            offered_at=stage.at,
            **asked,
        ),
    )


def sold(
    stage: Stage,
    *lines: tuple[Issuance, int, int],
    currency: Currency = Currency.USD,
    tax: int = 0,
    open_to_public: bool = False,
    booked: bool = True,
    at: Any = None,
) -> Order:
    """An order that is delivered. lines: issuance, base units, minor units for them: 88 % are premium.

    The credits of the first line go to the buyer.
    """
    session, at = stage.session, at or stage.at
    splits = [
        (amount - amount * 5 // 100 - amount * 7 // 100, amount * 5 // 100, amount * 7 // 100) for *_, amount in lines
    ]
    subtotal = sum(amount for *_, amount in lines)
    order = added(
        session,
        Order(
            buyer=stage.buyer.organisation,
            placed_by=stage.buyer,
            placed_at=at,
            means=Means.STRIPE,
            use=Use.KEEP,
            billing=BILLING,
            open_to_public=open_to_public,
            state=OrderState.OPEN,
            currency=currency,
            premium=sum(split[0] for split in splits),
            verification_share=sum(split[1] for split in splits),
            registry_fee=sum(split[2] for split in splits),
            subtotal=subtotal,
            tax_ppm=0,
            tax=tax,
            total=subtotal + tax,
            policy_version="trial",
        ),
    )
    for number, ((made, quantity, amount), split) in enumerate(zip(lines, splits, strict=True), 1):
        offer = offered(stage, made, quantity, amount, currency)
        added(
            session,
            OrderLine(
                order=order,
                line=number,
                offer=offer,
                issuance=made,
                seller_id=made.producer_id,
                quantity=quantity,
                price=amount,
                amount=amount,
                premium=split[0],
                verification_share=split[1],
                registry_fee=split[2],
            ),
        )
    made, quantity, _ = lines[0]
    order.lines[0].earmark = apart = sale.set_aside(
        session,
        seller=made.producer,
        issuance=made,
        quantity=quantity,
        order=order.number,
        policy=stage.policy,
        by=stage.buyer,
        at=stage.at,
    )
    order.state = OrderState.AWAITING_PAYMENT
    session.flush()
    paid = added(
        session,
        Payment(
            order=order,
            attempt=1,
            means=Means.STRIPE,
            state=PaymentState.OPEN,
            amount=order.total,
            currency=currency,
            reference=f"REF-{order.id}",
            opened_at=at,
            expires_at=at,
        ),
    )
    paid.state, paid.settled_at = PaymentState.PAID, at
    session.flush()
    order.state, order.paid_at = OrderState.PAID, at
    session.flush()
    asked = {"earmarks": [apart], "buyer": order.buyer, "order": order.number, "facts": {}, "policy": stage.policy}
    delivery = sale.hand_over(session, **asked, at=stage.at)
    order.state, order.delivered_at = OrderState.DELIVERED, at
    order.posting_id = delivery.id
    session.flush()
    session.refresh(order)
    if booked:
        premium.book_sale(session, order=order, payment=paid, at=at)
    return order


def checkout_of(order: Order, payment: Payment, **bent: Any) -> Seen:
    """How the provider tells of a paid checkout."""
    seen = {
        "reference": "cs_1",
        "order_number": order.number,
        "attempt": 1,
        "state": CheckoutState.PAID,
        "amount": order.total,
        "currency": "USD",
        "payment": "pi_1",
        "livemode": False,
        "account": None,
        "created": payment.opened_at,
    }
    return Seen(**seen | bent)


def refunded(stage: Stage, order: Order, **bent: Any) -> Refund:
    """Money that goes back whole."""
    refund = Refund(
        **{
            "payment": order.payments[0],
            "amount": order.total,
            "reason": "Ordered twice.",
            "state": RefundState.ASKED,
            "asked_at": stage.at,
        }
        | bent
    )
    return added(stage.session, refund)


def disputed(stage: Stage, order: Order, shortfall: int, **bent: Any) -> Dispute:
    """A dispute that was lost."""
    dispute = Dispute(
        **{
            "payment": order.payments[0],
            "reference": f"DP-{order.id}",
            "amount": order.total,
            "state": DisputeState.LOST,
            "shortfall": shortfall,
            "opened_at": stage.at,
            "closed_at": stage.at,
        }
        | bent
    )
    return added(stage.session, dispute)
