"""The market's tables: offers, orders with their lines, and payments.

Money is in minor units of its currency (cents; whole yen), quantities are base units. `going_back_models.py` has the
money that goes back, `premium_models.py` what becomes of it after the sale.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Document, Model, Word, one_of
from credits.participants.models import Organisation, User
from credits.registry.minerals import Mineral, mineral_of
from credits.registry.models import Issuance
from credits.registry.movements import Earmark

SPLIT = "premium >= 0 AND verification_share >= 0 AND registry_fee >= 0"


class Currency(StrEnum):
    USD = "USD"
    EUR = "EUR"
    GBP = "GBP"
    CHF = "CHF"
    JPY = "JPY"


class OfferState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Offer(Model):
    """Available credits of one issuance that their producer sells at a price.

    quantity, remaining: base units; what an order takes is subtracted from `remaining` under the row's lock, and
    comes back when the order is cancelled. price: minor units per credit, before tax, all shares included.
    """

    __tablename__ = "offer"
    __table_args__ = (
        one_of("currency", Currency),
        one_of("state", OfferState),
        CheckConstraint("price > 0", name="price_positive"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("remaining BETWEEN 0 AND quantity", name="remaining_sound"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_at_a_time"),
        Index("ix_offer_state_mineral_code", "state", "mineral_code", "id"),
        Index("ix_offer_seller_id", "seller_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    issuance_id: Mapped[int] = mapped_column(ForeignKey("issuance_attributes.id"), index=True)
    mineral_code: Mapped[str]
    quantity: Mapped[int]
    remaining: Mapped[int]
    price: Mapped[int]
    currency: Mapped[Currency] = mapped_column(Word(Currency))
    state: Mapped[OfferState] = mapped_column(Word(OfferState))
    offered_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    offered_at: Mapped[datetime]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    closed_at: Mapped[datetime | None]

    seller: Mapped[Organisation] = relationship()
    issuance: Mapped[Issuance] = relationship()
    offered_by: Mapped[User] = relationship(foreign_keys=[offered_by_id])

    @property
    def number(self) -> str:
        return f"OFFER-{self.id:06d}"

    @property
    def mineral(self) -> Mineral:
        return mineral_of(self.mineral_code)


class Means(StrEnum):
    """How an order is paid."""

    STRIPE = "stripe"
    BANK_TRANSFER = "bank_transfer"


class Use(StrEnum):
    """What the buyer wants with the credits."""

    KEEP = "keep"
    RETIRE = "retire"


class OrderState(StrEnum):
    OPEN = "open"  # being put together; nothing is reserved
    AWAITING_PAYMENT = "awaiting_payment"  # reserved; the payment is under way
    PAID = "paid"  # the money is there, the credits could not be delivered yet
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


def order_number(order_id: int) -> str:
    """How an order is named: ORDER-000007."""
    return f"ORDER-{order_id:06d}"


class Order(Model):
    """Credits that somebody buys: reserved before the payment begins, delivered against cleared money (invariant 18).

    subtotal = premium + verification_share + registry_fee; total = subtotal + tax (invariant 19).
    tax_ppm: the rate, in parts per million. claim: what is retired at once with the delivery, where `use` says so, as
    the fields of `registry.retirement.Claim` in text, with the language of its certificate if somebody chose one.
    open_to_public: whether the amount may stand on public pages. revision: counts the changes while open, so that
    what another tab changed is seen.
    """

    __tablename__ = "purchase"
    __table_args__ = (
        one_of("means", Means),
        one_of("use", Use),
        one_of("state", OrderState),
        one_of("currency", Currency),
        CheckConstraint(SPLIT, name="split_sound"),
        CheckConstraint("premium + verification_share + registry_fee = subtotal", name="split_whole"),
        CheckConstraint("tax >= 0 AND subtotal + tax = total", name="total_whole"),
        CheckConstraint("(use = 'retire') = (claim IS NOT NULL)", name="retires_with_claim"),
        CheckConstraint("paid_at IS NOT NULL OR state NOT IN ('paid', 'delivered', 'refunded')", name="paid_first"),
        CheckConstraint("(posting_id IS NULL) = (delivered_at IS NULL)", name="delivered_by_posting"),
        CheckConstraint("state <> 'delivered' OR posting_id IS NOT NULL", name="delivered_once_moved"),
        CheckConstraint("(state IN ('cancelled', 'refunded')) = (closed_at IS NOT NULL)", name="closed_at_a_time"),
        Index("ix_purchase_buyer_id", "buyer_id", "id"),
        Index("ix_purchase_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    buyer_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    placed_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    placed_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)
    means: Mapped[Means] = mapped_column(Word(Means))
    use: Mapped[Use] = mapped_column(Word(Use))
    claim: Mapped[dict[str, Any] | None] = mapped_column(Document())
    billing: Mapped[dict[str, Any]] = mapped_column(Document())  # name, address, country, vat_number, email
    open_to_public: Mapped[bool]
    state: Mapped[OrderState] = mapped_column(Word(OrderState))
    currency: Mapped[Currency] = mapped_column(Word(Currency))
    premium: Mapped[int]
    verification_share: Mapped[int]
    registry_fee: Mapped[int]
    subtotal: Mapped[int]
    tax_ppm: Mapped[int]
    tax: Mapped[int]
    total: Mapped[int]
    policy_version: Mapped[str]
    pay_until: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    posting_id: Mapped[int | None] = mapped_column(ForeignKey("posting.id"), unique=True)
    closed_at: Mapped[datetime | None]
    reason: Mapped[str | None]  # why it was cancelled or refunded, or cannot be delivered yet

    buyer: Mapped[Organisation] = relationship()
    placed_by: Mapped[User] = relationship()
    lines: Mapped[list["OrderLine"]] = relationship(back_populates="order", order_by="OrderLine.line")
    payments: Mapped[list["Payment"]] = relationship(back_populates="order", order_by="Payment.attempt")

    @property
    def number(self) -> str:
        return order_number(self.id)


class OrderLine(Model):
    """Base units out of one offer, at the price it had. earmark: the reservation of the seller's credits."""

    __tablename__ = "purchase_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("price > 0", name="price_positive"),
        CheckConstraint(SPLIT, name="split_sound"),
        CheckConstraint("premium + verification_share + registry_fee = amount", name="split_whole"),
        UniqueConstraint("order_id", "offer_id"),
        Index("ix_purchase_line_issuance_id", "issuance_id"),
        Index("ix_purchase_line_seller_id", "seller_id"),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("purchase.id"), primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    issuance_id: Mapped[int] = mapped_column(ForeignKey("issuance_attributes.id"))
    seller_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    quantity: Mapped[int]
    price: Mapped[int]
    amount: Mapped[int]
    premium: Mapped[int]
    verification_share: Mapped[int]
    registry_fee: Mapped[int]
    earmark_id: Mapped[int | None] = mapped_column(ForeignKey("earmark.id"), unique=True)

    order: Mapped[Order] = relationship(back_populates="lines")
    offer: Mapped[Offer] = relationship()
    issuance: Mapped[Issuance] = relationship()
    seller: Mapped[Organisation] = relationship()
    earmark: Mapped[Earmark | None] = relationship()


class PaymentState(StrEnum):
    OPENING = "opening"  # the provider was not asked yet, or did not answer
    OPEN = "open"
    PROCESSING = "processing"  # promised; the money clears later
    PAID = "paid"
    EXPIRED = "expired"
    FAILED = "failed"
    SURPLUS = "surplus"  # paid when the order wanted no money any more: it goes back whole


class Payment(Model):
    """One attempt to pay an order: a checkout at the provider, or a transfer from a bank.

    reference: the provider's id of the checkout, or what the payer writes on the transfer. payment: the provider's id
    of the payment itself. At most one attempt of an order is under way, and one is paid.
    """

    __tablename__ = "payment"
    __table_args__ = (
        one_of("means", Means),
        one_of("state", PaymentState),
        one_of("currency", Currency),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint(
            "(state IN ('paid', 'expired', 'failed', 'surplus')) = (settled_at IS NOT NULL)", name="settled_at_a_time"
        ),
        UniqueConstraint("order_id", "attempt"),
        UniqueConstraint("reference"),
        UniqueConstraint("payment"),
        Index(
            "uq_payment_under_way",
            "order_id",
            unique=True,
            sqlite_where=text("state IN ('opening', 'open', 'processing', 'paid')"),
            postgresql_where=text("state IN ('opening', 'open', 'processing', 'paid')"),
        ),
        Index("ix_payment_state", "state", "opened_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("purchase.id"))
    attempt: Mapped[int]
    means: Mapped[Means] = mapped_column(Word(Means))
    state: Mapped[PaymentState] = mapped_column(Word(PaymentState))
    amount: Mapped[int]
    currency: Mapped[Currency] = mapped_column(Word(Currency))
    reference: Mapped[str | None]
    url: Mapped[str | None]
    payment: Mapped[str | None]
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    value_date: Mapped[date | None]  # of a bank transfer

    order: Mapped[Order] = relationship(back_populates="payments")


class ProviderEvent(Model):
    """That an event of the provider was taken in, in the same transaction as its effect. Never edited.

    effect: what it came to, in a word.
    """

    __tablename__ = "provider_event"
    __table_args__ = (
        CheckConstraint("trim(id) <> ''", name="id_not_blank"),
        Index("ix_provider_event_order_id", "order_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("purchase.id"))
    effect: Mapped[str]
    created_at: Mapped[datetime]
    received_at: Mapped[datetime]
