"""What the registry did in a score of schedules, held against the payment provider's own books, order by order."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.ledger.models import AccountKind, Block
from credits.payments.models import Offer, Order, OrderState
from credits.registry.models import Holding
from tests.stripe_standin.shelf import Thing, Things
from tests.suites.turmoil import Chaos


def wrong(chaos: Chaos, offer: Offer) -> list[str]:
    """What the registry did, held against what the provider has, order by order."""
    session, things = chaos.session, chaos.standin.provider.things
    session.refresh(offer)
    found, sold, back, kept = [], 0, 0, 0
    for order in session.scalars(select(Order).execution_options(populate_existing=True)):
        (payment,) = order.payments
        charge = charge_of(things, things["checkout.session"].get(payment.reference or ""))
        taken = lost(things, charge) if charge else 0
        money = charge["amount"] - charge["amount_refunded"] - taken if charge else 0
        chaos.counted[order.state.value] += 1
        quantity = sum(line.quantity for line in order.lines)
        sold += quantity if order.state is OrderState.DELIVERED else 0
        back += quantity if order.state is OrderState.REFUNDED else 0
        if order.state is OrderState.DELIVERED:
            kept += sum(line.quantity + -line.quantity * taken // order.total for line in order.lines)
        if charge is None and order.state is not OrderState.CANCELLED:
            found.append(f"{order.number} is {order.state.value}, and nobody has paid")
        if charge and not (
            money > 0 and money + taken == order.total if order.state is OrderState.DELIVERED else not money
        ):
            found.append(f"{order.number} is {order.state.value}, and the provider has {money} of {order.total}")
    if not sold <= offer.quantity - offer.remaining <= sold + back:
        found.append(f"{offer.number}: {sold} sold, {offer.remaining} left of {offer.quantity}")
    there = balances(session, chaos.stage.buyer.organisation.id)
    if there != (kept, 0):
        found.append(f"the buyer has paid for {kept}, and has {there[0]}, and {there[1]} that are held")
    session.rollback()
    return found


def charge_of(things: Things, checkout: Thing | None) -> Thing | None:
    intent = things["payment_intent"].get(checkout["payment_intent"] or "") if checkout else None
    return things["charge"].get(intent["latest_charge"] or "") if intent else None


def lost(things: Things, charge: Thing) -> int:
    """What the buyer's bank has taken back of a charge."""
    mine = [each for each in things["dispute"].values() if each["charge"] == charge["id"]]
    return sum(each["amount"] for each in mine if each["status"] == "lost")


def balances(session: Session, holder: int) -> tuple[int, int]:
    """How much of everything an organisation has free, and set apart in any way."""
    wanted = (
        select(Holding.kind, func.sum(Block.last - Block.first + 1))
        .join(Block, Block.account_id == Holding.account_id)
        .where(Holding.organisation_id == holder)
        .group_by(Holding.kind)
    )
    found = {kind: int(quantity) for kind, quantity in session.execute(wanted)}
    free = found.pop(AccountKind.AVAILABLE, 0)
    return free, sum(found.values())
