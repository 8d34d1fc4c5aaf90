"""The table of premium floors. Prices are in minor units of their currency."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model, Word, one_of
from credits.participants.models import User
from credits.payments.models import Currency
from credits.registry.minerals import Mineral, mineral_of


class Floor(Model):
    """The lowest price of a credit of a mineral in a currency. Append-only: the newest counts, without conversion.

    price: minor units per credit. source: where the figure comes from.
    """

    __tablename__ = "premium_floor"
    __table_args__ = (
        one_of("currency", Currency),
        CheckConstraint("price > 0", name="price_positive"),
        CheckConstraint("trim(source) <> ''", name="source_not_blank"),
        Index("ix_premium_floor_mineral_code_currency", "mineral_code", "currency", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mineral_code: Mapped[str]
    currency: Mapped[Currency] = mapped_column(Word(Currency))
    price: Mapped[int]
    source: Mapped[str]
    set_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    set_at: Mapped[datetime]

    set_by: Mapped[User] = relationship()

    @property
    def number(self) -> str:
        return f"FLOOR-{self.id:06d}"

    @property
    def mineral(self) -> Mineral:
        return mineral_of(self.mineral_code)
