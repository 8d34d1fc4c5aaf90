"""What is declared to be used of a mineral in a year, by product line. No version is changed: a newer one counts."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model
from credits.participants.models import Organisation, User
from credits.registry.minerals import Mineral, mineral_of


class UseLine(Model):
    """A product line of a beneficiary and one year of it. How much it uses stands in its versions.

    party: by what the beneficiary is known again, as `uses.party_of` says. organisation: who declares.
    """

    __tablename__ = "use_line"
    __table_args__ = (
        CheckConstraint("year BETWEEN 2000 AND 2199", name="year_sound"),
        CheckConstraint("trim(product_line) <> ''", name="product_line_not_blank"),
        UniqueConstraint("organisation_id", "party", "mineral_code", "year", "product_line", name="uq_use_line_once"),
        Index("ix_use_line_party", "party", "mineral_code", "year"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    party: Mapped[str]
    beneficiary: Mapped[str]
    mineral_code: Mapped[str]
    year: Mapped[int]
    product_line: Mapped[str]

    organisation: Mapped[Organisation] = relationship()
    versions: Mapped[list["UseVersion"]] = relationship(order_by="UseVersion.version", back_populates="line")

    @property
    def number(self) -> str:
        return f"USE-{self.id:06d}"

    @property
    def mineral(self) -> Mineral:
        return mineral_of(self.mineral_code)

    @property
    def current(self) -> "UseVersion":
        return self.versions[-1]


class UseVersion(Model):
    """How much a product line uses, as it was declared once. quantity: base units of the mineral, 0 for none any more.

    per_unit_ng, units: nanograms in one unit of the product, and how many units, where it was worked out from them.
    """

    __tablename__ = "use_version"
    __table_args__ = (
        CheckConstraint("version >= 1", name="version_counted"),
        CheckConstraint("quantity >= 0", name="quantity_sound"),
        CheckConstraint("(per_unit_ng IS NULL) = (units IS NULL)", name="worked_out_whole"),
        CheckConstraint("per_unit_ng > 0 AND units > 0", name="worked_out_sound"),
        CheckConstraint("version = 1 OR trim(reason) <> ''", name="changed_for_a_reason"),
    )

    line_id: Mapped[int] = mapped_column(ForeignKey("use_line.id"), primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    quantity: Mapped[int]
    per_unit_ng: Mapped[int | None]
    units: Mapped[int | None]
    reason: Mapped[str]
    declared_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    declared_at: Mapped[datetime]

    line: Mapped[UseLine] = relationship(back_populates="versions")
    declared_by: Mapped[User] = relationship()
