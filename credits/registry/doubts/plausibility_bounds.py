"""The bounds of what a site can have produced: each with its value or "unknown", its source and its arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from credits.registry.calendar import months_before
from credits.registry.doubts.plausibility_claims import CONFIRMED, Claim, others_in, sites_around, weight, window
from credits.registry.doubts.plausibility_figures import Figures
from credits.registry.doubts.plausibility_limits import REGISTRY, current_limits, rank
from credits.registry.doubts.screened import Basis, LimitKind, Sale, SiteLimit
from credits.registry.doubts.screening_facts import Topic, seen_at
from credits.registry.making.reckoning import shown
from credits.registry.minerals import in_base_units
from credits.registry.production import Batch, Site

M_A_KM = 1_000
LICENCES, LIMITS = "Licences of the site", "Limits of the site"


class BoundName(StrEnum):
    LICENCE_CAP = "licence_cap"
    INSTALLED_CAPACITY = "installed_capacity"
    LABOUR = "labour"
    LABOUR_SEEN = "labour_seen"
    HISTORY = "history"
    NEIGHBOURS = "neighbours"
    PHYSICAL_SALES = "physical_sales"


@dataclass(frozen=True)
class Bound:
    """How much can have been produced, by one way of looking at it.

    value: base units, None where it is not known. hard: above it the batch stops; otherwise it is a warning.
    """

    name: BoundName
    value: int | None
    hard: bool
    source: str
    dated: date | None
    arithmetic: str

    def told(self) -> dict[str, Any]:
        """The bound as plain values, for what is kept and what programs read."""
        return {
            "name": self.name.value,
            "value": self.value,
            "hard": self.hard,
            "source": self.source,
            "date": str(self.dated) if self.dated else None,
            "arithmetic": self.arithmetic,
        }


def unknown(name: BoundName, why: str, *, hard: bool, source: str) -> Bound:
    """A bound of which nothing is known. source: where it would be found."""
    return Bound(name, None, hard, source, None, why)


def all_bounds(session: Session, claim: Claim, ground: Sequence[Site], figures: Figures) -> list[Bound]:
    """Every bound of a claim, known or not. ground: the other sites that share its ground."""
    sites = [claim.site.id, *(site.id for site in ground)]
    limits = current_limits(session, claim.site, claim.mineral.code, claim.last)
    return [
        licence_cap(session, claim, sites, limits),
        installed_capacity(session, claim, sites, limits),
        labour(claim, limits, figures),
        labour_seen(claim, limits, figures),
        history(session, claim, figures),
        neighbours(session, claim, sites, figures),
        physical_sales(session, claim),
    ]


def licence_cap(session: Session, claim: Claim, sites: Sequence[int], limits: Sequence[SiteLimit]) -> Bound:
    name = BoundName.LICENCE_CAP
    caps = [
        limit
        for limit in limits
        if limit.kind is LimitKind.LICENCE_CAP
        and limit.licence is not None
        and limit.licence.valid_from <= claim.last
        and limit.licence.valid_to >= claim.first
    ]
    if not caps:
        return unknown(name, "No licence that was in force has its cap entered.", hard=True, source=LICENCES)
    return _summed(name, [_of_limit(session, claim, sites, cap) for cap in caps])


def installed_capacity(session: Session, claim: Claim, sites: Sequence[int], limits: Sequence[SiteLimit]) -> Bound:
    name = BoundName.INSTALLED_CAPACITY
    entered = [limit for limit in limits if limit.kind is LimitKind.INSTALLED_CAPACITY]
    if not entered:
        why = "Nobody has entered what the plant and the tools of the site can handle."
        return unknown(name, why, hard=True, source=LIMITS)
    return _summed(name, [_of_limit(session, claim, sites, entered[0])])


def _of_limit(
    session: Session, claim: Claim, sites: Sequence[int], limit: SiteLimit
) -> tuple[int | None, SiteLimit, str]:
    """What a limit leaves for the claim, in nanograms, and how that is reckoned."""
    first, last, periods = window(claim, limit.per)
    others = others_in(session, claim, sites, first, last)
    taken = sum(batch.dry_mg if limit.basis is Basis.ORE else batch.contained_ng // 10**6 for batch in others)
    left = max(0, limit.milligrams * periods - taken)
    said = f"{claim.weighed(limit.milligrams, limit.basis)} a {limit.per.value} × {periods}"
    if taken:
        batches = "1 other batch" if len(others) == 1 else f"{len(others)} other batches"
        said += f" − {weight(taken)} of {batches} from {first} to {last}"
    if limit.basis is Basis.ORE:
        said += f", at the grade of the batch ({_grade(claim)})"
    return claim.contained_of(left, limit.basis), limit, said


def _summed(name: BoundName, parts: Sequence[tuple[int | None, SiteLimit, str]]) -> Bound:
    source = "; ".join(f"{limit.source} (entered by {limit.entered_by.organisation.name})" for _, limit, _ in parts)
    said = "; ".join(text for _, _, text in parts)
    values = [value for value, _, _ in parts if value is not None]
    if len(values) < len(parts):
        return unknown(name, f"{said}: nothing tells the grade in these days.", hard=True, source=source)
    dated = min(limit.source_date for _, limit, _ in parts)
    return Bound(name, _units(parts[0][1], sum(values)), True, source, dated, said)


def _units(limit: SiteLimit, nanograms: int) -> int:
    return in_base_units(limit.mineral, nanograms).base_units


def labour(claim: Claim, limits: Sequence[SiteLimit], figures: Figures) -> Bound:
    """Miners × days × what a miner brings out."""
    name = BoundName.LABOUR
    rate = _rate(claim, limits, figures)
    if rate is None:
        why = f"No source tells what a miner of {claim.mineral.name} brings out in a day."
        return unknown(name, why, hard=True, source=f"{LIMITS}; default figures {figures.version}")
    if not claim.miner_days:
        why = "No batch says how many miners worked on how many days."
        return unknown(name, why, hard=rate.hard, source=rate.source)
    if rate.days > 1:
        spans = [(batch.miners, (batch.produced_to - batch.produced_from).days + 1) for batch in claim.batches]
        person_days = sum(miners * days for miners, days in spans)
        value = claim.contained_of(person_days * rate.milligrams // rate.days, rate.basis)
        people = " + ".join(f"{miners:,} miners × {days} of {rate.days} days" for miners, days in spans[:5])
        people += f" and {len(spans) - 5} more batches" if len(spans) > 5 else ""
        said = f"{people} × {claim.weighed(rate.milligrams, rate.basis)}"
    else:
        value = claim.contained_of(claim.miner_days * rate.milligrams, rate.basis)
        work = " + ".join(f"{batch.miners:,} miners × {batch.days_worked:,} days" for batch in claim.batches[:5])
        work += f" and {len(claim.batches) - 5} more batches" if len(claim.batches) > 5 else ""
        said = f"{work} × {claim.weighed(rate.milligrams, rate.basis)}"
    if rate.basis is Basis.ORE:
        said += f", at the grade of the batch ({_grade(claim)})"
    return Bound(name, _whole(claim, value), rate.hard, rate.source, rate.dated, said)


def labour_seen(claim: Claim, limits: Sequence[SiteLimit], figures: Figures) -> Bound:
    """The same with the workers that others have counted: a warning, as they came and went."""
    name, source = BoundName.LABOUR_SEEN, "IPIS"
    rate = _rate(claim, limits, figures)
    if claim.site.observed is None:
        return unknown(name, "The site is not matched with one that others have visited.", hard=False, source=source)
    counted = next(seen for seen in seen_at(claim.site.observed, old_before=date.min) if seen.topic is Topic.WORKERS)
    if counted.value == "unknown":
        return unknown(name, "Nobody who visited it counted the workers.", hard=False, source=source)
    if rate is None:
        why = f"{counted.value} workers were counted, but no source tells what one brings out in a day."
        return unknown(name, why, hard=False, source=source)
    days = claim.days if rate.days > 1 else sum(batch.days_worked for batch in claim.batches)
    value = claim.contained_of(int(counted.value) * days * rate.milligrams // rate.days, rate.basis)
    said = f"{int(counted.value):,} workers counted × {days} days × {claim.weighed(rate.milligrams, rate.basis)}"
    said += f" in {rate.days} days" if rate.days > 1 else ""
    return Bound(name, _whole(claim, value), False, source, counted.on, said)


@dataclass(frozen=True)
class _Rate:
    milligrams: int
    basis: Basis
    days: int
    hard: bool
    source: str
    dated: date


def _rate(claim: Claim, limits: Sequence[SiteLimit], figures: Figures) -> _Rate | None:
    """What a miner brings out: as measured at the site, or else by the default figure.

    A verifier's measurement lowers a default that is a bound and never raises it, so that a colluding verifier gains
    nothing by one; the registry's own takes its place.
    """
    usual = figures.productivity.get(claim.mineral.code)
    default = None
    if usual is not None:
        default = _Rate(usual.milligrams, usual.basis, usual.days, usual.is_bound, usual.source, usual.dated)
    limit = next((limit for limit in limits if limit.kind is LimitKind.PRODUCTIVITY), None)
    if limit is None:
        return default
    source = f"{limit.source} (entered by {limit.entered_by.organisation.name})"
    measured = _Rate(limit.milligrams, limit.basis, 1, True, source, limit.source_date)
    if default is None or not default.hard or rank(limit) == REGISTRY:
        return measured
    return min(
        default, measured, key=lambda rate: claim.contained_of(rate.milligrams * 1_000 // rate.days, rate.basis) or 0
    )


def history(session: Session, claim: Claim, figures: Figures) -> Bound:
    """The best that the site itself has shown a day, some times over: a warning."""
    name, source = BoundName.HISTORY, "Earlier verified batches of the site"
    wanted = _confirmed(claim, figures).where(Batch.site_id == claim.site.id, Batch.produced_to < claim.first)
    earlier = [(each, (each.produced_to - each.produced_from).days + 1) for each in session.scalars(wanted)]
    if not earlier:
        return unknown(name, "The site has no earlier verified batch of this mineral.", hard=False, source=source)
    best, days = max(earlier, key=lambda each: (Fraction(each[0].contained_ng, each[1]), each[0].id))
    value = _whole(claim, best.contained_ng * claim.days * figures.times // days)
    had = claim.mineral.quantity(in_base_units(claim.mineral, best.contained_ng).base_units)
    said = f"{best.number}: {had} in {days} days; × {claim.days} days × {figures.times}"
    return Bound(name, value, False, source, best.produced_to, said)


def neighbours(session: Session, claim: Claim, sites: Sequence[int], figures: Figures) -> Bound:
    """The best that a miner of a neighbouring site has shown a day, some times over: a warning."""
    name, source = BoundName.NEIGHBOURS, f"Verified batches of sites within {figures.neighbour_km} km"
    near = sites_around(session, claim.site, figures.neighbour_km * M_A_KM)
    ids = [site.id for site in near if site.id not in sites]
    wanted = _confirmed(claim, figures).where(Batch.site_id.in_(ids), Batch.miners * Batch.days_worked > 0)
    theirs = session.scalars(wanted).all()
    if not theirs:
        return unknown(name, "No neighbouring site has a verified batch of this mineral.", hard=False, source=source)
    if not claim.miner_days:
        return unknown(name, "No batch says how many miners worked on how many days.", hard=False, source=source)
    best = max(theirs, key=lambda each: (Fraction(each.contained_ng, each.miners * each.days_worked), each.id))
    rate = best.contained_ng // (best.miners * best.days_worked)
    value = _whole(claim, rate * claim.miner_days * figures.times)
    said = (
        f"the best of {len(ids)} neighbours: {claim.weighed(rate // 10**6, Basis.CONTAINED)} a miner and day "
        f"× {claim.miner_days:,} days of miners × {figures.times}"
    )
    return Bound(name, value, False, source, best.produced_to, said)


def _confirmed(claim: Claim, figures: Figures) -> Select[Batch]:
    since = months_before(claim.first, figures.months_compared)
    return select(Batch).where(
        Batch.mineral_code == claim.mineral.code, Batch.state.in_(CONFIRMED), Batch.produced_to >= since
    )


def physical_sales(session: Session, claim: Claim) -> Bound:
    """What invoices say was sold of it."""
    name, source = BoundName.PHYSICAL_SALES, "Invoices and receipts entered with the batch"
    ids = [batch.id for batch in claim.batches]
    sales = session.scalars(select(Sale).where(Sale.batch_id.in_(ids)).order_by(Sale.sold_on, Sale.id)).all()
    if not ids or {sale.batch_id for sale in sales} != set(ids):
        return unknown(name, "Not every batch has its sales entered.", hard=True, source=source)
    value = _whole(claim, sum(sale.contained_ng for sale in sales))
    listed = " + ".join(f"{sale.number}: {weight(sale.weight_mg)} × {shown(sale.grade_ppm, 4)} %" for sale in sales[:8])
    listed += f" and {len(sales) - 8} more" if len(sales) > 8 else ""
    return Bound(name, value, True, source, max(sale.sold_on for sale in sales), listed)


def _whole(claim: Claim, nanograms: int | None) -> int | None:
    return None if nanograms is None else in_base_units(claim.mineral, nanograms).base_units


def _grade(claim: Claim) -> str:
    return f"{shown(claim.contained_ng // claim.ore_mg, 4)} %" if claim.ore_mg else "unknown"
