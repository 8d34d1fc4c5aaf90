"""What a certificate says of the money: of units that were bought here, where the buyer lets it be public."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.ledger.serials import SerialRange
from credits.payments.models import Currency, Order, OrderLine
from credits.payments.money_models import MoneyKind
from credits.payments.premiums import premium
from credits.payments.premiums.tracing import Purchase, purchases_of
from credits.payments.prices import written
from credits.registry.models import Issuance


class PublicPrices:
    """What was paid for units of some issuances. Asked of thousands of retirements, it looks for few."""

    def __init__(self, session: Session, issuances: Collection[int]) -> None:
        self.session = session
        self.told_of = set(
            session.scalars(
                select(OrderLine.issuance_id)
                .join(Order, Order.id == OrderLine.order_id)
                .where(
                    OrderLine.issuance_id.in_(issuances),
                    Order.open_to_public,
                    Order.posting_id.is_not(None),
                )
                .distinct()
            )
        )

    def paid_for(self, issuance: Issuance, ranges: Sequence[SerialRange]) -> dict[str, Any] | None:
        """What these units brought the site and what it cost, as text with the currency; None where nothing is public.

        Of a line that was bought whole and used in part, the same part, rounded down, less what has gone back.
        `quantity`: what it was paid for.
        """
        if issuance.id not in self.told_of:
            return None
        bought = purchases_of(self.session, issuance, ranges)
        public = [each for each in bought if each.line.order.open_to_public]
        if not public:
            return None
        return {
            "to_site": summed(self.part(each, each.line.premium, MoneyKind.PREMIUM_HELD) for each in public),
            "verification": summed(
                self.part(each, each.line.verification_share, MoneyKind.VERIFICATION) for each in public
            ),
            "fee": summed(self.part(each, each.line.registry_fee, MoneyKind.REGISTRY_FEE) for each in public),
            "quantity": issuance.mineral.quantity(sum(each.units for each in public)),
        }

    def part(self, bought: Purchase, came: int, kind: MoneyKind) -> tuple[Currency, int]:
        """These units' part of a share of their line, less what of it has gone back to the buyer."""
        order = bought.line.order
        back = sum(
            share.back
            for share in premium.shares_of(self.session, order)
            if share.kind is kind and share.line == bought.line.line
        )
        return order.currency, (came - back) * bought.units // bought.kept


def summed(parts: Iterable[tuple[Currency, int]]) -> str:
    """Amounts by currency: EUR 12.00, USD 950.40."""
    sums: Counter[Currency] = Counter()
    for currency, amount in parts:
        sums[currency] += amount
    return ", ".join(written(amount, currency) for currency, amount in sorted(sums.items()))
