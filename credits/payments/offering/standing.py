"""Standing orders: left by a buyer until credits that fit are offered, paused, resumed and ended by it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict, Invalid, Missing
from credits.journal import events
from credits.ledger.posting import checked_quantity
from credits.participants import countries
from credits.participants.models import Organisation, User
from credits.participants.permissions import is_auditor, is_issuer, may_buy
from credits.participants.wording import day_shown, line
from credits.payments import limiting
from credits.payments.billing import Billing, tidied
from credits.payments.models import Currency, Means, Order
from credits.payments.offering import floors, portioning
from credits.payments.offering.catalogue import Sorting
from credits.payments.offering.standing_models import StandingOrder, StandingPart, StandingState
from credits.payments.orders import CANCELLED_BY_BUYER
from credits.payments.prices import amount_of, checked_price, tax, tax_rate, written
from credits.registry.minerals import mineral_of
from credits.registry.policy import Policy
from credits.registry.queries import digits_of, of_own

LONGEST = timedelta(days=731)
MOST_WAITING = 50  # of one buyer
FIRST_VINTAGE, LAST_VINTAGE = 2000, 2199
BY_BUYER = "Paused by the buyer."
UNPAID = "{order} of a standing order was not paid."
CANCELLED = "{order} of a standing order was cancelled by the buyer."
GOING_ON = (StandingState.WAITING, StandingState.PAUSED)


class BadDay(Invalid):
    """A standing order ends on a day from today on, and not in many years."""

    code = "bad_last_day"


class BadPart(Invalid):
    code = "bad_smallest_part"


class BadVintage(Invalid):
    code = "bad_vintage"


class TooManyWait(Conflict):
    code = "too_many_standing_orders"


class StandingClosed(Conflict):
    """The standing order is in a state in which this is not possible."""

    code = "standing_order_closed"


class NoSuchStandingOrder(Missing):
    code = "no_such_standing_order"


@dataclass(frozen=True)
class Wanted:
    """What a buyer waits for. quantity, smallest: base units. price: the highest, in minor units a credit."""

    mineral_code: str
    quantity: int
    smallest: int
    price: int
    currency: Currency
    sorting: Sorting
    until: date
    means: Means
    billing: Billing
    open_to_public: bool = False
    vintage: int | None = None
    country: str | None = None
    level: str | None = None

    def told(self) -> dict[str, Any]:
        """As plain values."""
        said = {name: str(value) for name, value in vars(self).items() if name != "billing" and value is not None}
        return said | {f"billing_{name}": value for name, value in self.billing.told.items()}


def leave(
    session: Session, *, buyer: Organisation, wanted: Wanted, policy: Policy, by: User, key: str, at: datetime
) -> StandingOrder:
    """Leave a standing order. Nothing is reserved before credits that fit are on offer. Flushes.

    Raises NotAllowed, UnknownMineral, BadQuantity, BadPart, BadPrice, BadAmount, NoFloor, BelowFloor, BadDay,
    BadVintage, UnknownCountry, UnsoundText, BadVatNumber, TooManyWait.
    """
    may_buy(by, buyer)
    request = {"act": "standing.leave", "buyer": buyer.number} | wanted.told()
    if earlier := ledger.claim(session, caller=by.number, key=key, request=request):
        return session.get_one(StandingOrder, earlier["standing"])
    must_be_sound(session, wanted, policy, at.date())
    must_not_be_too_many(session, buyer)
    sound = vars(wanted) | {"billing": tidied(wanted.billing).told}
    left = StandingOrder(
        buyer=buyer, placed_by=by, placed_at=at, acting=by, waiting_since=at, state=StandingState.WAITING, **sound
    )
    session.add(left)
    session.flush()
    tell(session, left, "standing.left", by, at, until=left.until.isoformat())
    ledger.settle(session, {"standing": left.id})
    return left


def must_be_sound(session: Session, wanted: Wanted, policy: Policy, today: date) -> None:
    """Raise where this could never be filled, or is not what an order can be."""
    mineral = mineral_of(wanted.mineral_code)
    checked_quantity(wanted.quantity)
    checked_quantity(wanted.smallest)
    if wanted.smallest > wanted.quantity:
        raise BadPart("The smallest part is at most all that you want.", field="smallest")
    checked_price(wanted.price)
    amount_of(wanted.price, wanted.quantity, mineral.units_per_credit)
    must_be_payable(wanted, policy)
    floors.must_reach(session, mineral, wanted.currency, wanted.price)
    if not today <= wanted.until <= today + LONGEST:
        raise BadDay("The last day is today or later, and not over two years ahead.", field="until")
    if wanted.vintage is not None and not FIRST_VINTAGE <= wanted.vintage <= LAST_VINTAGE:
        raise BadVintage("A vintage is a year such as 2026.", field="vintage")
    if wanted.country is not None:
        countries.country(wanted.country)
    if wanted.level is not None:
        line(wanted.level, "Level")


def must_be_payable(wanted: Wanted, policy: Policy) -> None:
    """Raise BadPart where the smallest part costs more, with its tax, than is paid at once."""
    part = amount_of(wanted.price, wanted.smallest, mineral_of(wanted.mineral_code).units_per_credit)
    part += tax(part, tax_rate(policy.market, wanted.billing.country, wanted.billing.vat_number))
    if part > (most := portioning.most_of(wanted.means)):
        raise BadPart(
            f"The smallest part costs up to {written(part, wanted.currency)}, and at most "
            f"{written(most, wanted.currency)} are paid by card at once. Make it smaller, or pay by bank transfer.",
            field="smallest",
        )


def must_not_be_too_many(session: Session, buyer: Organisation) -> None:
    counted = select(func.count()).where(StandingOrder.buyer_id == buyer.id, StandingOrder.state.in_(GOING_ON))
    if session.scalars(counted).one() >= MOST_WAITING:
        raise TooManyWait(f"{MOST_WAITING} standing orders of yours go on already. End one that you need no more.")


def pause(session: Session, *, standing: StandingOrder, by: User | None, at: datetime, reason: str = BY_BUYER) -> None:
    """Order nothing more for it until it is resumed. by: None where the registry's own work does so.

    Flushes. Raises NotAllowed, StandingClosed.
    """
    locked(session, standing, by, StandingState.WAITING)
    standing.state, standing.reason = StandingState.PAUSED, reason
    session.flush()
    tell(session, standing, "standing.paused", by, at)


def resume(session: Session, *, standing: StandingOrder, policy: Policy, by: User, at: datetime) -> None:
    """Let it wait again, behind those that wait already; orders are placed in the name of `by` from now on.

    Not while so much of its buyer is unpaid that nothing would be reserved.
    Flushes. Raises NotAllowed, TooManyUnpaid, StandingClosed.
    """
    may_buy(by, standing.buyer)
    limiting.must_not_keep_too_much(session, standing.buyer, standing.means, policy, at)
    locked(session, standing, by, StandingState.PAUSED)
    if standing.until < at.date():
        raise StandingClosed(
            f"The last day of {standing.number} was {day_shown(standing.until)}.", until=str(standing.until)
        )
    standing.state, standing.reason = StandingState.WAITING, None
    standing.acting_id, standing.waiting_since = by.id, at
    session.flush()
    tell(session, standing, "standing.resumed", by, at)


def end(session: Session, *, standing: StandingOrder, by: User, at: datetime) -> None:
    """Want no more of it. Orders that were placed go on. Flushes. Raises NotAllowed, StandingClosed."""
    locked(session, standing, by, *GOING_ON)
    standing.state, standing.closed_at = StandingState.ENDED, at
    session.flush()
    tell(session, standing, "standing.ended", by, at)


def expire_due(session: Session, *, at: datetime) -> int:
    """Close what is past its last day; how many. Flushes."""
    late = select(StandingOrder).where(StandingOrder.state.in_(GOING_ON), StandingOrder.until < at.date())
    found = session.scalars(late.order_by(StandingOrder.id).with_for_update()).all()
    for standing in found:
        standing.state, standing.closed_at = StandingState.EXPIRED, at
        session.flush()
        tell(session, standing, "standing.expired", None, at)
    return len(found)


def lock_waiting(session: Session, order: Order) -> list[StandingOrder]:
    """Lock what pauses with an order that ends: its own standing order, and the buyer's others that wait.

    To be locked before the offers. Empty where the order was placed for none.
    """
    part = session.get(StandingPart, order.id)
    if part is None:
        return []
    limiting.wait_for_turn(session, order.buyer_id)
    others = (StandingOrder.buyer_id == order.buyer_id) & (StandingOrder.state == StandingState.WAITING)
    wanted = select(StandingOrder).where(others | (StandingOrder.id == part.standing_id)).order_by(StandingOrder.id)
    return list(session.scalars(wanted.with_for_update().execution_options(populate_existing=True)))


def follow_cancelled(session: Session, order: Order, found: list[StandingOrder], at: datetime) -> None:
    """An order has ended unpaid: if it was placed for a standing order, all that wait for its buyer pause. Flushes.

    found: as `lock_waiting` gave them. The database has counted back what its own had ordered, and paused that one.
    """
    why = CANCELLED if order.reason == CANCELLED_BY_BUYER else UNPAID
    for standing in found:
        paused = standing.state is StandingState.PAUSED  # by its buyer, or for another order
        session.refresh(standing)
        if not paused and standing.state in GOING_ON:
            standing.state, standing.reason = StandingState.PAUSED, why.format(order=order.number)
            session.flush()
            tell(session, standing, "standing.paused", None, at, order=order.number)


def cancelled_in(standing: StandingOrder) -> str | None:
    """The order that the buyer itself cancelled, where it is for that that the standing order has paused."""
    reason = standing.reason or ""
    order = reason.partition(" ")[0]
    return order if reason == CANCELLED.format(order=order) else None


def locked(session: Session, standing: StandingOrder, by: User | None, *states: StandingState) -> None:
    """Lock it, read it anew, see that it is in one of `states`: the last of locks. Raises NotAllowed,
    StandingClosed.
    """
    if by is not None:
        may_buy(by, standing.buyer)
    session.refresh(standing, with_for_update=True)
    if standing.state not in states:
        raise StandingClosed(
            f"{standing.number} is {standing.state.value}: this is not possible any more.", state=standing.state.value
        )


def tell(session: Session, standing: StandingOrder, kind: str, by: User | None, at: datetime, **facts: Any) -> None:
    """The event of a step. What its buyer would pay at most is private."""
    public: dict[str, Any] = {"buyer": standing.buyer.number, "mineral": standing.mineral_code}
    public |= {"quantity": standing.quantity, "filled": standing.filled} | facts
    if standing.vintage is not None:
        public["vintage"] = standing.vintage
    private = {"price": written(standing.price, standing.currency)}
    actor = by.number if by else events.SYSTEM
    events.append(session, kind=kind, subject=standing.number, actor=actor, at=at, facts=public, private=private)


def standing_orders_of(by: User) -> Select[StandingOrder]:
    """The standing orders that `by` may see, newest first: those of their organisation; all for the registry."""
    wanted = select(StandingOrder).order_by(StandingOrder.id.desc())
    if is_issuer(by) or is_auditor(by):
        return wanted
    return wanted.where(StandingOrder.buyer_id.in_(select(Organisation.id).where(of_own(by))))


def standing_order_numbered(session: Session, by: User, number: str) -> StandingOrder:
    """The standing order with this public number, if `by` may see it. Raises NoSuchStandingOrder."""
    wanted = standing_orders_of(by).where(StandingOrder.id == digits_of(number, "STANDING-"))
    found = session.scalars(wanted).one_or_none()
    if found is None or found.number != number:
        raise NoSuchStandingOrder("There is no such standing order.")
    return found


def parts_of(standing: StandingOrder) -> Select[StandingPart]:
    """The orders that were placed for it, newest first."""
    return select(StandingPart).where(StandingPart.standing_id == standing.id).order_by(StandingPart.order_id.desc())


def standing_of(session: Session, order: Order) -> StandingOrder | None:
    """The standing order for which an order was placed, if there is one."""
    part = session.get(StandingPart, order.id)
    return part.standing if part is not None else None
