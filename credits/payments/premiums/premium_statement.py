"""A site's statement: who bought, at what price, what was paid when, what was paid out, and what is still held."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from credits.payments.models import Currency, Order, OrderLine
from credits.payments.premiums.following import Followed, follow
from credits.payments.premiums.premium_models import Minute, Payout, PayoutState
from credits.payments.premiums.site_premium import premium_of
from credits.registry.production import Site


@dataclass(frozen=True)
class Sale:
    """One order line of a site, with what its premium became."""

    line: OrderLine
    followed: Followed

    @property
    def order(self) -> Order:
        return self.line.order

    @property
    def gone_back(self) -> int:
        """Minor units of its premium that went back to the buyer."""
        return self.line.premium - self.followed.collected.amount


@dataclass(frozen=True)
class Sums:
    """What sales in one currency come to, in minor units."""

    amount: int
    premium: int
    gone_back: int
    paid_out: int
    held: int


def sums_of(sales: Sequence[Sale]) -> Sums:
    return Sums(
        amount=sum(sale.line.amount for sale in sales),
        premium=sum(sale.line.premium for sale in sales),
        gone_back=sum(sale.gone_back for sale in sales),
        paid_out=sum(sale.followed.paid_out for sale in sales),
        held=sum(sale.followed.held for sale in sales),
    )


def paid_of(minutes: Iterable[Minute], currency: Currency) -> list[Payout]:
    """The payouts of these decisions in a currency, the oldest day first."""
    paid = [
        payout
        for minute in minutes
        if minute.currency is currency
        for payout in minute.payouts
        if payout.state is PayoutState.PAID
    ]
    return sorted(paid, key=lambda payout: (payout.paid_on or payout.asked_at.date(), payout.id))


def sales_of(session: Session, site: Site) -> dict[Currency, list[Sale]]:
    """All sales of a site by currency, the oldest first."""
    found = {premium.currency: follow(session, site.id, premium.currency) for premium in premium_of(session, site)}
    orders = {each.collected.order_id for every in found.values() for each in every}
    lines = lines_of(session, sorted(orders))
    return {
        currency: [Sale(lines[each.collected.order_id, each.collected.line], each) for each in every]
        for currency, every in found.items()
    }


def lines_of(session: Session, orders: Sequence[int]) -> dict[tuple[int, int], OrderLine]:
    wanted = select(OrderLine).where(OrderLine.order_id.in_(orders)).options(joinedload(OrderLine.issuance))
    found = session.scalars(wanted.options(joinedload(OrderLine.order).joinedload(Order.buyer)))
    return {(line.order_id, line.line): line for line in found}
