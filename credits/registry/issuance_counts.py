"""The tables of what issuing keeps for the next time: how many issuances there were, and what rounding left over."""

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from credits.db import Model


class SiteVintage(Model):
    """How many issuances a site has had of one vintage: where the next one's number comes from."""

    __tablename__ = "site_vintage"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True)
    vintage: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issuances: Mapped[int]


class CarriedRemainder(Model):
    """Nanograms of a mineral that rounding left over, waiting for the producer's next batch."""

    __tablename__ = "carried_remainder"
    __table_args__ = (CheckConstraint("nanograms >= 0", name="nanograms_positive"),)

    producer_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    mineral_code: Mapped[str] = mapped_column(primary_key=True)
    nanograms: Mapped[int]
