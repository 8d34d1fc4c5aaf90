"""The tables of what others have published about mine sites."""

from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Document, Model


class ObservedSite(Model):
    """A mine site as somebody else's open data know it. Positions in micro-degrees, WGS 84."""

    __tablename__ = "observed_site"
    __table_args__ = (Index("ix_observed_site_latitude_longitude", "latitude", "longitude"),)

    pcode: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    name: Mapped[str]
    country: Mapped[str]
    province: Mapped[str]
    territory: Mapped[str]
    village: Mapped[str]
    latitude: Mapped[int | None]
    longitude: Mapped[int | None]

    observations: Mapped[list["SiteObservation"]] = relationship(
        back_populates="site", order_by="(SiteObservation.visited_on, SiteObservation.visit)"
    )


class SiteObservation(Model):
    """One dated visit to an observed site. recorded: the published columns that were filled in, untouched."""

    __tablename__ = "site_observation"
    __table_args__ = (Index("ix_site_observation_pcode_visited_on", "pcode", "visited_on"),)

    visit: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # the source's own number
    pcode: Mapped[str] = mapped_column(ForeignKey("observed_site.pcode"))
    visited_on: Mapped[date]
    recorded: Mapped[dict[str, Any]] = mapped_column(Document())

    site: Mapped[ObservedSite] = relationship(back_populates="observations")
