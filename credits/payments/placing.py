"""Placing orders: put together and changed by the buyer, before anything is reserved or paid."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict, Invalid
from credits.ledger.posting import checked_quantity
from credits.participants.models import Language, Organisation, User
from credits.participants.permissions import may_buy
from credits.payments.billing import Billing, tidied
from credits.payments.gateway import must_be_payable
from credits.payments.models import Currency, Means, Offer, OfferState, Order, OrderLine, OrderState, Use
from credits.payments.offering.filling import MOST_LINES
from credits.payments.orders import billing_in, claim_in, language_in, lock, must_be_as_seen, tell
from credits.payments.prices import LARGEST, Split, amount_of, split, tax, tax_rate
from credits.registry.policy import Policy
from credits.registry.retirement import Claim, must_fit_window, tidy
from credits.registry.use.uses import Tally
from credits.registry.validity import must_not_have_expired


class NotForSale(Conflict):
    """The offer is closed, or has not so much left."""

    code = "not_for_sale"


class OwnCredits(Conflict):
    code = "own_credits"


class OneCurrency(Invalid):
    """An order is paid in one currency."""

    code = "one_currency"


class NoLines(Invalid):
    code = "no_lines"


class TooMuchMoney(Invalid):
    code = "too_much_money"


class NoClaim(Invalid):
    """Credits that are retired at once need somebody in whose name, and only those."""

    code = "claim_missing"


@dataclass(frozen=True)
class Asked:
    """What a buyer orders. lines: offers with base units. claim: in whose name, where it is retired at once.

    language: of the certificate then, else that of who orders.
    """

    lines: Sequence[tuple[Offer, int]]
    means: Means
    use: Use
    claim: Claim | None
    billing: Billing
    open_to_public: bool
    language: Language | None = None

    def told(self) -> dict[str, Any]:
        """As plain values."""
        claim = {f"claim_{name}": str(value) for name, value in vars(self.claim).items()} if self.claim else {}
        lines = [f"{offer.number} {quantity!s:.60}" for offer, quantity in self.lines]
        billing = {f"billing_{name}": value for name, value in self.billing.told.items()}
        said = {"means": self.means.value, "use": self.use.value, "open": str(self.open_to_public)}
        spoken = {"language": self.language.value} if self.language else {}
        return said | claim | spoken | billing | {"lines": lines}


@dataclass(frozen=True)
class Figures:
    """The money of an order, in minor units, a line by itself and in all."""

    currency: Currency
    lines: tuple[Split, ...]
    tax_ppm: int

    @property
    def whole(self) -> Split:
        return sum(self.lines, Split(0, 0, 0))

    @property
    def tax(self) -> int:
        return tax(self.whole.amount, self.tax_ppm)

    @property
    def row(self) -> dict[str, Any]:
        """The columns of an order."""
        whole = self.whole
        return {
            "currency": self.currency,
            **vars(whole),
            "subtotal": whole.amount,
            "tax_ppm": self.tax_ppm,
            "tax": self.tax,
            "total": whole.amount + self.tax,
        }


def place(
    session: Session,
    *,
    buyer: Organisation,
    asked: Asked,
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
    caller: str | None = None,
) -> Order:
    """Put an order together. Nothing is reserved yet, and it can still be changed. Flushes.

    caller: whose the key is, where nobody asks; else it is `by`'s.

    Raises NotAllowed, NoLines, NotForSale, OwnCredits, OneCurrency, BadQuantity, BadAmount, TooMuchMoney, NoClaim,
    UnsoundText, UnknownCountry, BadVatNumber, NotByProvider, Expired, OutsideClaimWindow, BeyondDeclaredUse.
    """
    may_buy(by, buyer)
    request = {"act": "order.place", "buyer": buyer.number} | asked.told()
    if earlier := ledger.claim(session, caller=caller or by.number, key=key, request=request):
        return session.get_one(Order, earlier["order"])
    sound, figures = checked(session, buyer, asked, policy, at)
    order = Order(
        buyer=buyer,
        placed_by=by,
        placed_at=at,
        revision=1,
        state=OrderState.OPEN,
        **agreed(sound, figures, policy),
    )
    session.add(order)
    session.flush()
    write_lines(session, order, sound, figures)
    tell(session, order, "order.placed", by, at)
    ledger.settle(session, {"order": order.id})
    return order


def amend(session: Session, *, order: Order, seen: int, asked: Asked, policy: Policy, by: User, at: datetime) -> None:
    """Change an order that is still open. seen: the revision that was shown. Flushes.

    Raises what `place` does, OrderClosed, ChangedMeanwhile.
    """
    may_buy(by, order.buyer)
    lock(session, order, OrderState.OPEN)
    must_be_as_seen(order, seen)
    sound, figures = checked(session, order.buyer, asked, policy, at)
    session.execute(delete(OrderLine).where(OrderLine.order_id == order.id))
    session.expire(order, ["lines"])
    for name, value in agreed(sound, figures, policy).items():
        setattr(order, name, value)
    order.revision += 1
    session.flush()
    write_lines(session, order, sound, figures)
    tell(session, order, "order.changed", by, at)


def checked(session: Session, buyer: Organisation, asked: Asked, policy: Policy, at: datetime) -> tuple[Asked, Figures]:
    """What is asked in sound form, and what it costs; every rule that can be asked now is asked."""
    if not asked.lines or len({offer.id for offer, _ in asked.lines}) < len(asked.lines):
        raise NoLines("Choose at least one offer, each of them once.")
    if len(asked.lines) > MOST_LINES:
        raise NoLines(f"An order has at most {MOST_LINES} lines.")
    for offer, quantity in asked.lines:
        checked_quantity(quantity)
        must_be_for_sale(offer, quantity)
        must_not_have_expired(offer.issuance, policy, at)
        if offer.seller_id == buyer.id:
            raise OwnCredits("These are your own credits: nobody buys from themselves.", offer=offer.number)
    if (asked.use is Use.RETIRE) != (asked.claim is not None):
        raise NoClaim("Say in whose name the credits are retired, or keep them.")
    claim = tidy(asked.claim) if asked.claim else None
    billing = tidied(asked.billing)
    if claim is not None:
        must_be_retirable(
            session, buyer, [(offer.issuance, quantity) for offer, quantity in asked.lines], claim, policy, at
        )
    figures = priced(asked.lines, billing, policy)
    if asked.means is Means.STRIPE:
        must_be_payable(figures.whole.amount + figures.tax, figures.currency)
    return replace(asked, claim=claim, billing=billing), figures


def must_be_for_sale(offer: Offer, quantity: int) -> None:
    """Raise NotForSale where the offer is closed or has less left."""
    if offer.state is not OfferState.OPEN or not offer.remaining:
        raise NotForSale(f"{offer.number} is sold out or closed. Look at the other offers.", offer=offer.number)
    if offer.remaining < quantity:
        left = f"{offer.mineral.in_credits(offer.remaining)} ({offer.mineral.quantity(offer.remaining)})"
        raise NotForSale(
            f"Of {offer.number} only {left} are left.", offer=offer.number, asked=quantity, available=offer.remaining
        )


def must_be_retirable(
    session: Session,
    buyer: Organisation,
    lines: Sequence[tuple[Any, int]],
    claim: Claim,
    policy: Policy,
    at: datetime,
) -> None:
    """Raise unless these issuances could be retired under the claim now."""
    tally = Tally(session, buyer, [(claim, issuance.mineral_code) for issuance, _ in lines], policy)
    for issuance, quantity in lines:
        must_fit_window(issuance, claim, policy, at)
        tally.count(claim, issuance.mineral_code, quantity)


def priced(lines: Sequence[tuple[Offer, int]], billing: Billing, policy: Policy) -> Figures:
    """What the lines cost. Raises OneCurrency, BadAmount, TooMuchMoney."""
    currencies = sorted({offer.currency for offer, _ in lines})
    if len(currencies) > 1:
        raise OneCurrency(
            f"An order is paid in one currency: these offers are in {', '.join(currencies)}. Place one for each.",
            currencies=[each.value for each in currencies],
        )
    parts = tuple(
        split(amount_of(offer.price, quantity, offer.mineral.units_per_credit), policy.market)
        for offer, quantity in lines
    )
    figures = Figures(currencies[0], parts, tax_rate(policy.market, billing.country, billing.vat_number))
    if figures.whole.amount + figures.tax > LARGEST:
        raise TooMuchMoney("This is more than one order can be. Place several.")
    return figures


def agreed(asked: Asked, figures: Figures, policy: Policy) -> dict[str, Any]:
    """The columns of an order that its buyer decides."""
    return {
        "means": asked.means,
        "use": asked.use,
        "claim": claimed(asked.claim, asked.language),
        "billing": asked.billing.told,
        "open_to_public": asked.open_to_public,
        "policy_version": policy.version,
        **figures.row,
    }


def claimed(claim: Claim | None, language: Language | None) -> dict[str, Any] | None:
    """A claim as an order keeps it, with the language of its certificate."""
    if claim is None:
        return None
    said = {name: str(value) for name, value in vars(claim).items()}
    return said | {"language": language.value} if language is not None else said


def write_lines(session: Session, order: Order, asked: Asked, figures: Figures) -> None:
    session.add_all(
        OrderLine(
            order=order,
            line=number,
            offer=offer,
            issuance_id=offer.issuance_id,
            seller_id=offer.seller_id,
            quantity=quantity,
            price=offer.price,
            amount=part.amount,
            **vars(part),
        )
        for number, ((offer, quantity), part) in enumerate(zip(asked.lines, figures.lines, strict=True), 1)
    )
    session.flush()


def asked_in(order: Order) -> Asked:
    """An order as it would be asked for again."""
    lines = [(line.offer, line.quantity) for line in order.lines]
    claim, billing = claim_in(order), billing_in(order)
    return Asked(lines, order.means, order.use, claim, billing, order.open_to_public, language_in(order))
