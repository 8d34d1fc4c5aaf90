"""How much of what is claimed a site can have produced (invariant 7): the ceiling above which a batch stops."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.participants.models import User
from credits.participants.permissions import is_auditor, is_issuer, is_verifier
from credits.registry.doubts import plausibility_claims as claims
from credits.registry.doubts.plausibility_bounds import Bound, BoundName, all_bounds
from credits.registry.doubts.plausibility_claims import Claim
from credits.registry.doubts.plausibility_figures import Figures, default_figures
from credits.registry.doubts.plausibility_limits import limits_of
from credits.registry.doubts.screened import CeilingOverride, PlausibilityCheck
from credits.registry.doubts.screening_facts import minerals_seen
from credits.registry.making.completeness import COUNTED
from credits.registry.minerals import MINERALS
from credits.registry.production import Batch, Site


class AboveCeiling(Conflict):
    """More is claimed than the site can have produced, and no two administrators let it through."""

    code = "above_ceiling"


@dataclass(frozen=True)
class Plausibility:
    """A claim beside its bounds. shared: other sites on the same ground; figures: version of the default figures."""

    claim: Claim
    bounds: list[Bound]
    shared: list[Site]
    figures: str

    @property
    def claimed(self) -> int:
        """Base units, whole."""
        return self.claim.base_units

    @property
    def lowest(self) -> Bound | None:
        """The hard bound that is reached first, if any is known."""
        known = [bound for bound in self.bounds if bound.hard and bound.value is not None]
        return min(known, key=lambda bound: bound.value or 0, default=None)

    @property
    def ceiling(self) -> int | None:
        """Base units; None where no bound is known. It is then shown as unknown, never guessed."""
        return self.lowest.value if self.lowest else None

    @property
    def exceeded(self) -> list[Bound]:
        """The hard bounds that the claim is above."""
        return [bound for bound in self.bounds if bound.hard and _is_above(self.claimed, bound)]

    @property
    def warnings(self) -> list[Bound]:
        """The other bounds that the claim is above: questions for the reviewer."""
        return [bound for bound in self.bounds if not bound.hard and _is_above(self.claimed, bound)]


def _is_above(claimed: int, bound: Bound) -> bool:
    return bound.value is not None and claimed > bound.value


def of_batch(session: Session, batch: Batch, figures: Figures | None = None) -> Plausibility:
    """The bounds of one batch as things stand now."""
    return _weighed(session, claims.of_batch(batch), figures or default_figures())


def of_period(
    session: Session, site: Site, mineral_code: str, first: date, last: date, figures: Figures | None = None
) -> Plausibility:
    """The bounds of all that a site claims of a mineral for some days."""
    return _weighed(session, claims.of_period(session, site, mineral_code, first, last), figures or default_figures())


def _weighed(session: Session, claim: Claim, figures: Figures) -> Plausibility:
    shared = claims.same_ground(session, claim.site, figures.same_ground_m)
    return Plausibility(claim, all_bounds(session, claim, shared, figures), shared, figures.version)


def seen_by(by: User, found: Plausibility) -> Plausibility:
    """What `by` may see of it: what a single neighbour brings out is theirs to tell, to verifiers and the registry."""
    if is_verifier(by) or is_issuer(by) or is_auditor(by):
        return found
    return replace(found, bounds=[bound for bound in found.bounds if bound.name is not BoundName.NEIGHBOURS])


def keep_ground_still(session: Session, site: Site) -> None:
    """Lock a site and those on the same ground. Before any lock on their batches.

    One at a time a ground: two batches under one cap would not see each other.
    """
    ground = select(Site.id).where(Site.id.in_(_ground(session, site))).order_by(Site.id)
    session.execute(ground.with_for_update(key_share=True))


def keep_ground_as_it_is(session: Session, site: Site) -> None:
    """Lock a site and those on the same ground against findings and changes of their state meanwhile.

    Before any lock on their batches.
    """
    ground = select(Site.id).where(Site.id.in_(_ground(session, site))).order_by(Site.id)
    session.execute(ground.with_for_update(read=True))


def others_on_ground(session: Session, site: Site) -> list[Site]:
    """The other sites whose stops and suspensions count for this one, and whose production shares its ceiling."""
    return claims.same_ground(session, site, default_figures().same_ground_m)


def _ground(session: Session, site: Site) -> list[int]:
    return [site.id, *(other.id for other in others_on_ground(session, site))]


def hold_against(session: Session, batch: Batch, *, by: User, at: datetime) -> PlausibilityCheck:
    """Hold a batch's quantity against its ceiling and write the outcome down, after `keep_ground_still`.

    Flushes. Raises AboveCeiling.
    """
    found = of_batch(session, batch)
    override = override_for(session, found)
    if found.exceeded and override is None:
        raise AboveCeiling(said_of(found), claimed=found.claimed, ceiling=found.ceiling)
    check = PlausibilityCheck(
        batch=batch,
        contained_ng=batch.contained_ng,
        claimed=found.claimed,
        ceiling=found.ceiling,
        bounds=[bound.told() for bound in found.bounds],
        figures=found.figures,
        override=override if found.exceeded else None,
        checked_by_id=by.id,
        checked_at=at,
    )
    session.add(check)
    session.flush()
    return check


def said_of(found: Plausibility) -> str:
    """Why a batch stops, with the bound that is reached first."""
    lowest, mineral = found.lowest, found.claim.mineral
    assert lowest is not None
    return (
        f"{mineral.quantity(found.claimed)} are claimed, but at most {mineral.quantity(lowest.value or 0)} are "
        f"plausible ({lowest.name.value.replace('_', ' ')}: {lowest.arithmetic}). The batch stops here: correct it, or "
        "two administrators of the registry let it through with a public reason."
    )


def override_for(session: Session, found: Plausibility) -> CeilingOverride | None:
    """The decision that lets so much of this batch through, if there is one."""
    (batch,) = found.claim.batches
    return next((each for each in reversed(overrides_of(session, batch)) if each.most >= found.claimed), None)


def overrides_of(session: Session, batch: Batch) -> Sequence[CeilingOverride]:
    """Every decision to let a batch through, oldest first; public."""
    wanted = select(CeilingOverride).where(CeilingOverride.batch_id == batch.id).order_by(CeilingOverride.id)
    return session.scalars(wanted).all()


def obstacle(session: Session, batch: Batch) -> str | None:
    """What stands against issuing a verified batch by now, as a sentence: limits may have been entered since."""
    found = of_batch(session, batch)
    return said_of(found) if found.exceeded and override_for(session, found) is None else None


def minerals_at(session: Session, site: Site) -> list[str]:
    """The minerals of a site: of its batches and limits, or else those that others have seen there."""
    counted = select(Batch.mineral_code).where(Batch.site_id == site.id, Batch.state.in_(COUNTED))
    found = set(session.scalars(counted.group_by(Batch.mineral_code)))
    found |= {limit.mineral_code for limit in limits_of(session, site)}
    if not found and site.observed is not None:
        found = set(minerals_seen(site.observed.observations))
    return [code for code in MINERALS if code in found]
