"""The market on the stage: floors, offers, orders and their money, one call each."""

from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from credits.certificates.issuing import Issuer
from credits.delivered import freeze_delivered
from credits.participants.models import User
from credits.payments import acts, placing, reserving
from credits.payments.billing import Billing
from credits.payments.certified import PublicPrices
from credits.payments.models import Currency, Means, Offer, Order, Payment, Use
from credits.payments.offering import floors, offers
from credits.payments.offering.floor_models import Floor
from credits.payments.placing import Asked
from credits.registry.models import Issuance
from credits.registry.movements import Decision, DecisionKind
from credits.registry.policy import Policy

BILLING = Billing(
    name="Nordlicht Batteries AB",
    address="Hamngatan 1\n111 47 Stockholm",
    country="SWE",
    vat_number="",
    email="invoices@example.org",
)
ISSUER = Issuer("Artisanal Mineral Credit Registry", "http://localhost:8000", PublicPrices)
certify = partial(freeze_delivered, issuer=ISSUER)


class MarketStage:
    """What the stage does of the market, with the people, the policy and the keys that are on it."""

    session: Session
    policy: Policy
    at: datetime
    manager: User
    issuer: User
    buyer: User

    def floor(self, mineral_code: str = "CO", price: int = 500_000, currency: Currency = Currency.USD) -> Floor:
        """The floor that counts from now on: USD 5,000 a tonne of cobalt, unless it is another."""
        return floors.set_floor(
            self.session,
            mineral_code=mineral_code,
            currency=currency,
            price=price,
            source="As the buyers agreed.",
            by=self.issuer,
            key=self.key(),
            at=self.at,
        )

    def for_sale(self, made: Issuance, quantity: int = 2_500, price: int = 520_000, **bent: Any) -> Offer:
        """Credits on offer at USD 5,200, under the known floors."""
        floors.seed(self.session, by=self.issuer, at=self.at)
        asked = {
            "seller": made.producer,
            "issuance": made,
            "quantity": quantity,
            "price": price,
            "currency": Currency.USD,
            "policy": self.policy,
            "by": self.manager,
            "key": self.key(),
            "at": self.at,
        }
        return offers.offer(self.session, **asked | bent)

    def ordered(self, *lines: tuple[Offer, int], **bent: Any) -> Order:
        """An open order of the buyer, to be kept and paid by a transfer."""
        asked = {"means": Means.BANK_TRANSFER, "use": Use.KEEP, "claim": None, "billing": BILLING}
        asked |= {"lines": lines, "open_to_public": False}
        asked |= {name: bent.pop(name) for name in list(bent) if name in asked}
        by = {"buyer": self.buyer.organisation, "by": self.buyer, "key": self.key(), "at": self.at}
        return placing.place(self.session, asked=Asked(**asked), policy=self.policy, **by | bent)

    def begun(self, order: Order, **bent: Any) -> Payment:
        """Everything of an order reserved, its payment under way."""
        asked = {"order": order, "seen": order.revision, "policy": self.policy, "by": order.placed_by}
        return reserving.begin_payment(self.session, **asked | {"key": self.key(), "at": self.at} | bent)

    def money_seen(self, order: Order, **bent: Any) -> Decision:
        """What one issuer proposes of a transfer that has come."""
        acts.register(certify)
        asked = {"amount": order.total, "currency": order.currency.value, "value_date": str(self.at.date())}
        asked |= {"reference": f"LINE {order.number}"}
        return self.proposed(DecisionKind.BANK_PAYMENT, order.number, **asked | bent)

    def bought(self, *lines: tuple[Offer, int], **bent: Any) -> Order:
        """An order whose transfer two issuers have seen: delivered."""
        order = self.ordered(*lines, **bent)
        self.begun(order)
        self.approve(self.money_seen(order))
        return order
