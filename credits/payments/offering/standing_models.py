"""The tables of standing orders: what a buyer waits for, and the ordinary orders that were placed for it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Document, Model, Word, one_of
from credits.participants.models import Organisation, User
from credits.payments.models import Currency, Means, Order
from credits.payments.offering.catalogue import Sorting
from credits.registry.minerals import Mineral, mineral_of


class StandingState(StrEnum):
    WAITING = "waiting"
    PAUSED = "paused"  # an order of it was not paid, or its buyer wants nothing now
    FULFILLED = "fulfilled"  # all of it is ordered
    ENDED = "ended"
    EXPIRED = "expired"


class StandingOrder(Model):
    """So much of a mineral, for which ordinary orders are placed as soon as credits that fit are on offer.

    quantity, smallest, filled: base units that are wanted in all, at least at once (or all that is missing), and
    ordered by now. price: the highest, in minor units a credit. until: the last day. acting: in whose name orders are
    placed, who has left or resumed it last. waiting_since: decides whose turn it is. vintage, country, level: None
    where they do not matter. `filled` and the state that follows from it are counted by the database.
    """

    __tablename__ = "standing_order"
    __table_args__ = (
        one_of("currency", Currency),
        one_of("sorting", Sorting),
        one_of("means", Means),
        one_of("state", StandingState),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("smallest BETWEEN 1 AND quantity", name="smallest_sound"),
        CheckConstraint("price > 0", name="price_positive"),
        CheckConstraint("filled BETWEEN 0 AND quantity", name="filled_sound"),
        CheckConstraint("(state = 'fulfilled') = (filled = quantity)", name="fulfilled_whole"),
        CheckConstraint("(state IN ('ended', 'expired')) = (closed_at IS NOT NULL)", name="closed_at_a_time"),
        Index("ix_standing_order_buyer_id", "buyer_id", "id"),
        Index("ix_standing_order_state", "state", "waiting_since", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    buyer_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    placed_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    placed_at: Mapped[datetime]
    acting_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    waiting_since: Mapped[datetime]
    mineral_code: Mapped[str]
    currency: Mapped[Currency] = mapped_column(Word(Currency))
    vintage: Mapped[int | None]
    country: Mapped[str | None]
    level: Mapped[str | None]
    sorting: Mapped[Sorting] = mapped_column(Word(Sorting))
    quantity: Mapped[int]
    smallest: Mapped[int]
    filled: Mapped[int] = mapped_column(default=0)
    price: Mapped[int]
    until: Mapped[date]
    means: Mapped[Means] = mapped_column(Word(Means))
    billing: Mapped[dict[str, Any]] = mapped_column(Document())  # as an order has it
    open_to_public: Mapped[bool]
    state: Mapped[StandingState] = mapped_column(Word(StandingState))
    reason: Mapped[str | None]  # why it is paused
    closed_at: Mapped[datetime | None]

    buyer: Mapped[Organisation] = relationship()
    placed_by: Mapped[User] = relationship(foreign_keys=[placed_by_id])
    acting: Mapped[User] = relationship(foreign_keys=[acting_id])
    parts: Mapped[list["StandingPart"]] = relationship(back_populates="standing", order_by="StandingPart.order_id")

    @property
    def number(self) -> str:
        return f"STANDING-{self.id:06d}"

    @property
    def mineral(self) -> Mineral:
        return mineral_of(self.mineral_code)

    @property
    def missing(self) -> int:
        """Base units that are not ordered yet."""
        return self.quantity - self.filled


class StandingPart(Model):
    """An order that was placed for a standing order. quantity: base units of all its lines. Never edited."""

    __tablename__ = "standing_part"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        Index("ix_standing_part_standing_id", "standing_id"),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("purchase.id"), primary_key=True, autoincrement=False)
    standing_id: Mapped[int] = mapped_column(ForeignKey("standing_order.id"))
    quantity: Mapped[int]

    standing: Mapped[StandingOrder] = relationship(back_populates="parts")
    order: Mapped[Order] = relationship()
