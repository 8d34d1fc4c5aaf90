"""Serving standing orders: what fits is ordered and reserved as a buyer would, first come first served."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.payments import limiting, placing, reserving
from credits.payments.billing import Billing
from credits.payments.gateway import LEAST
from credits.payments.models import Means, Offer, Order, Use
from credits.payments.offering import filling
from credits.payments.offering.catalogue import Wish
from credits.payments.offering.filling import Line
from credits.payments.offering.portioning import portion
from credits.payments.offering.standing import tell
from credits.payments.offering.standing_models import StandingOrder, StandingPart, StandingState
from credits.payments.placing import Asked
from credits.payments.prices import tax_rate
from credits.registry.policy import Policy


def waiting(session: Session) -> list[int]:
    """The ids of the standing orders that wait, in their turn: who has waited longest comes first."""
    wanted = select(StandingOrder.id).where(StandingOrder.state == StandingState.WAITING)
    return list(session.scalars(wanted.order_by(StandingOrder.waiting_since, StandingOrder.id)))


def serve(
    session: Session, *, standing_id: int, policy: Policy, means: Collection[Means], at: datetime
) -> Order | None:
    """Place and reserve an order of what fits a standing order now; None where nothing does. Flushes.

    means: how orders can be paid here now. Whoever asks twice at once is given one order. Raises what `place` and
    `begin_payment` do, where somebody was quicker, or the buyer's person may not order any more.
    """
    standing = session.get_one(StandingOrder, standing_id, populate_existing=True)
    if standing.state is not StandingState.WAITING or standing.means not in means or standing.until < at.date():
        return None
    lines = what_fits(session, standing, policy, at)
    quantity = sum(line.quantity for line in lines)
    if quantity < min(standing.smallest, standing.missing):
        return None
    lock(session, standing, lines)
    parts = session.scalars(select(func.count()).where(StandingPart.standing_id == standing.id)).one()
    # Its own, and no person's, who could use it up.
    caller, key = standing.number, f"{standing.number}/{parts + 1}"
    order = placing.place(
        session,
        buyer=standing.buyer,
        asked=asked_by(standing, lines),
        policy=policy,
        by=standing.acting,
        key=key,
        at=at,
        caller=caller,
    )
    if session.get(StandingPart, order.id) is not None:
        return None  # another process was asked at the same moment
    reserving.begin_payment(
        session,
        order=order,
        seen=order.revision,
        policy=policy,
        by=standing.acting,
        key=f"{key}/pay",
        at=at,
        minutes=policy.market.standing_minutes,
        caller=caller,
    )
    # Its row is locked last, as whoever cancels an order of it does.
    session.add(StandingPart(order_id=order.id, standing_id=standing.id, quantity=quantity))
    session.flush()
    session.refresh(standing)
    tell(session, standing, "standing.filled", None, at, order=order.number, ordered=quantity)
    return order


def asked_by(standing: StandingOrder, lines: list[Line]) -> Asked:
    """What is ordered of these lines; whether it is retired at once the buyer says when paying."""
    return Asked(
        lines=[(line.offer, line.quantity) for line in lines],
        means=standing.means,
        use=Use.KEEP,
        claim=None,
        billing=billed(standing),
        open_to_public=standing.open_to_public,
    )


def billed(standing: StandingOrder) -> Billing:
    return Billing(**{name: standing.billing[name] for name in Billing.__dataclass_fields__})


def too_little_to_pay(session: Session, standing: StandingOrder, policy: Policy, at: datetime) -> int | None:
    """What all that fits now costs, in minor units, where no payment provider takes so little; None where one does."""
    if standing.state is not StandingState.WAITING or standing.means is not Means.STRIPE:
        return None
    lines = what_fits(session, standing, policy, at)
    if sum(line.quantity for line in lines) < min(standing.smallest, standing.missing):
        return None
    figures = placing.priced([(line.offer, line.quantity) for line in lines], billed(standing), policy)
    total = figures.whole.amount + figures.tax
    return total if total < LEAST[figures.currency] else None


def lock(session: Session, standing: StandingOrder, lines: list[Line]) -> None:
    """Lock the buyer and the offers before a line refers to them: whoever comes second waits with nothing in hand."""
    limiting.wait_for_turn(session, standing.buyer_id)
    wanted = select(Offer).where(Offer.id.in_([line.offer.id for line in lines])).order_by(Offer.id)
    session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).all()


def what_fits(session: Session, standing: StandingOrder, policy: Policy, at: datetime) -> list[Line]:
    """Lines of what is missing, as many as one order has, for as much as is paid at once."""
    wish = Wish(
        mineral_code=standing.mineral_code,
        currency=standing.currency,
        country=standing.country,
        level=standing.level,
        vintage=standing.vintage,
        highest=standing.price,
    )
    lines = filling.gathered(
        session,
        wish=wish,
        quantity=standing.missing,
        sorting=standing.sorting,
        buyer=standing.buyer,
        policy=policy,
        today=at.date(),
    )
    billing = standing.billing
    return portion(lines, standing.means, tax_rate(policy.market, billing["country"], billing["vat_number"]))
