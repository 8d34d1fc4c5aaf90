"""Looking orders up: for buyers their own, for sellers what was sold of theirs, for the registry all."""

from collections.abc import Collection
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from credits.errors import Missing
from credits.participants.models import Organisation, User
from credits.participants.permissions import is_auditor, is_issuer
from credits.payments.going_back.going_back_models import Dispute, DisputeState
from credits.payments.models import Order, OrderLine, OrderState, Payment
from credits.registry.movements import Decision, DecisionKind, DecisionState
from credits.registry.queries import digits_of, of_own

Row = TypeVar("Row")

PAGE = 50
UNSOLD = (OrderState.OPEN, OrderState.CANCELLED)


class Contested(StrEnum):
    """What the payer's bank does about the money of an order, beside the order's own state."""

    DISPUTED = "disputed"  # it asks for it back
    CHARGED_BACK = "charged_back"  # it has taken it back, whole or in part


DISPUTES = {Contested.DISPUTED: DisputeState.OPEN, Contested.CHARGED_BACK: DisputeState.LOST}


class NoSuchOrder(Missing):
    code = "no_such_order"


def orders_of(by: User) -> Select[Order]:
    """The orders that `by` may see, newest first: those of their organisation; all for the registry."""
    wanted = select(Order).order_by(Order.id.desc())
    if is_issuer(by) or is_auditor(by):
        return wanted
    return wanted.where(Order.buyer_id.in_(select(Organisation.id).where(of_own(by))))


def orders_in(by: User, which: str) -> Select[Order]:
    """Those in this state, or whose money is so contested; all that `by` may see where it is no word for either."""
    wanted = orders_of(by)
    if which in set(OrderState):
        return wanted.where(Order.state == OrderState(which))
    if which in set(Contested):
        disputed = select(Payment.order_id).join(Dispute, Dispute.payment_id == Payment.id)
        return wanted.where(Order.id.in_(disputed.where(Dispute.state == DISPUTES[Contested(which)])))
    return wanted


def contested_among(session: Session, orders: Collection[Order]) -> dict[int, Contested]:
    """How the money of each of these orders is contested, by its id; none where it is not. What is open comes first."""
    rows = session.execute(
        select(Payment.order_id, Dispute.state)
        .join(Dispute, Dispute.payment_id == Payment.id)
        .where(Payment.order_id.in_([order.id for order in orders]))
    ).all()
    found = {(order_id, state) for order_id, state in rows}
    return {
        order_id: how
        for how in (Contested.CHARGED_BACK, Contested.DISPUTED)
        for order_id, state in found
        if state is DISPUTES[how]
    }


def order_numbered(session: Session, by: User, number: str) -> Order:
    """The order with this public number, if `by` may see it whole. Raises NoSuchOrder."""
    found = session.scalars(orders_of(by).where(Order.id == digits_of(number, "ORDER-"))).one_or_none()
    if found is None:
        raise NoSuchOrder("There is no such order.")
    return found


def order_known_as(session: Session, number: str) -> Order:
    """The order with this public number, for whoever may see all. Raises NoSuchOrder."""
    found = session.get(Order, digits_of(number, "ORDER-"))
    if found is None or found.number != number:  # what is noted about it is found by its one number
        raise NoSuchOrder("There is no such order.")
    return found


def sales_of(by: User) -> Select[OrderLine]:
    """The lines of orders that buy credits of one's own organisation or group, newest first."""
    return (
        select(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            OrderLine.seller_id.in_(select(Organisation.id).where(of_own(by))),
            Order.state.not_in(UNSOLD),
        )
        .order_by(OrderLine.order_id.desc(), OrderLine.line)
    )


def refund_proposed(session: Session, order: Order) -> bool:
    """Whether one issuer has proposed to refund the order, and another one has yet to say so."""
    waiting = select(Decision.id).where(
        Decision.kind == DecisionKind.REFUND, Decision.subject == order.number, Decision.state == DecisionState.WAITING
    )
    return session.scalars(waiting).first() is not None


def page_of(session: Session, wanted: Select[Row], page: int) -> tuple[list[Row], int, int]:
    """One page of what is wanted, its number and how many there are. Past the end it is the last one."""
    total = session.scalars(select(func.count()).select_from(wanted.order_by(None).subquery())).one()
    pages = max(1, -(-total // PAGE))
    number = min(max(page, 1), pages)
    return list(session.scalars(wanted.limit(PAGE).offset((number - 1) * PAGE))), number, pages
