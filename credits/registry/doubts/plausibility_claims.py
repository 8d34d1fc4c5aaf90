"""What is claimed for a site, a mineral and some days, and what others have claimed beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from credits.registry.doubts.screened import Basis, Per
from credits.registry.making.completeness import COUNTED
from credits.registry.making.reckoning import shown
from credits.registry.minerals import MILLION, Mineral, in_base_units, mineral_of
from credits.registry.mines.observations import KM_A_DEGREE, MICRO, distance_km
from credits.registry.mines.sites import namesakes
from credits.registry.production import Batch, BatchState, Site

CONFIRMED = (BatchState.VERIFIED, BatchState.ISSUED, BatchState.SUSPENDED)
M_A_KM = 1_000


@dataclass(frozen=True)
class Claim:
    """What some batches of one site say that it produced of one mineral from `first` to `last`."""

    site: Site
    mineral: Mineral
    first: date
    last: date
    batches: tuple[Batch, ...]

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @cached_property
    def contained_ng(self) -> int:
        return sum(batch.contained_ng for batch in self.batches)

    @cached_property
    def ore_mg(self) -> int:
        """The dry weight; of gold the doré as it was weighed."""
        return sum(batch.dry_mg for batch in self.batches)

    @cached_property
    def miner_days(self) -> int:
        return sum(batch.miners * batch.days_worked for batch in self.batches)

    @property
    def base_units(self) -> int:
        return in_base_units(self.mineral, self.contained_ng).base_units

    def contained_of(self, milligrams: int, basis: Basis) -> int | None:
        """Nanograms contained in so much ore of the claimed grade; None where nothing tells the grade."""
        if basis is Basis.CONTAINED:
            return milligrams * MILLION
        return milligrams * self.contained_ng // self.ore_mg if self.ore_mg else None

    def weighed(self, milligrams: int, basis: Basis) -> str:
        """A quantity for people: "180 kg of ore"."""
        what = "of ore" if basis is Basis.ORE else f"of {self.mineral.contained}"
        return f"{weight(milligrams)} {what}"


def weight(milligrams: int) -> str:
    """A weight for people, in kilograms, grams below one."""
    return f"{shown(milligrams, 3)} g" if milligrams < MILLION else f"{shown(milligrams, 6)} kg"


def of_batch(batch: Batch) -> Claim:
    return Claim(batch.site, batch.mineral, batch.produced_from, batch.produced_to, (batch,))


def of_period(session: Session, site: Site, mineral_code: str, first: date, last: date) -> Claim:
    """Every counted batch of the site with a day in the period, whole."""
    wanted = _of_mineral([site.id], mineral_code, first, last).where(Batch.state.in_(COUNTED))
    batches = tuple(session.scalars(wanted.order_by(Batch.produced_from, Batch.id)))
    return Claim(site, mineral_of(mineral_code), first, last, batches)


def window(claim: Claim, per: Per) -> tuple[date, date, int]:
    """The whole days, calendar months or calendar years that a claim touches, and how many there are."""
    first, last = claim.first, claim.last
    if per is Per.MONTH:
        after = date(last.year + last.month // 12, last.month % 12 + 1, 1)
        return first.replace(day=1), after - timedelta(1), (last.year - first.year) * 12 + last.month - first.month + 1
    if per is Per.YEAR:
        return date(first.year, 1, 1), date(last.year, 12, 31), last.year - first.year + 1
    return first, last, claim.days


def others_in(session: Session, claim: Claim, ground: Sequence[int], first: date, last: date) -> list[Batch]:
    """What else was claimed from the ground of a claim in some days, and comes before it.

    ground: ids of the sites that share it. Of the claim's own site every earlier batch that counts, of the others
    those that a verifier has confirmed: nobody stops a neighbour by a mere claim.
    """
    own = [batch.id for batch in claim.batches]
    confirmed = Batch.state.in_(CONFIRMED)
    earlier = and_(Batch.site_id == claim.site.id, Batch.state.in_(COUNTED), Batch.id < min(own, default=0))
    wanted = _of_mineral(ground, claim.mineral.code, first, last)
    return list(session.scalars(wanted.where(Batch.id.not_in(own), or_(confirmed, earlier)).order_by(Batch.id)))


def _of_mineral(sites: Sequence[int], mineral_code: str, first: date, last: date) -> Select[Batch]:
    return select(Batch).where(
        Batch.site_id.in_(sites),
        Batch.mineral_code == mineral_code,
        Batch.produced_from <= last,
        Batch.produced_to >= first,
    )


def sites_around(session: Session, site: Site, metres: int) -> list[Site]:
    """Other sites within so many metres, nearest first."""
    reach = int(metres / M_A_KM / KM_A_DEGREE * MICRO) + 1
    band = select(Site).where(Site.id != site.id, Site.latitude.between(site.latitude - reach, site.latitude + reach))
    here = (site.latitude, site.longitude)
    away = [(distance_km(here, (other.latitude, other.longitude)), other) for other in session.scalars(band)]
    near = [(km, other) for km, other in away if km * M_A_KM <= metres]
    return [other for _, other in sorted(near, key=lambda each: (each[0], each[1].id))]


def same_ground(session: Session, site: Site, metres: int) -> list[Site]:
    """Other sites that are worked on the same ground: so near, or known as the same mine in the open data.

    Of the same producer also those that bear the same name in the same district, wherever they are said to lie.
    """
    found = sites_around(session, site, metres)
    found += [other for other in namesakes(session, site) if other not in found]
    if site.pcode is not None:
        known = session.scalars(select(Site).where(Site.pcode == site.pcode, Site.id != site.id).order_by(Site.id))
        found += [other for other in known if other not in found]
    return found
