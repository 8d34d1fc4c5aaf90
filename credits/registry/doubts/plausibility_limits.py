"""What limits a site: the cap of its licence, what its plant can handle, what a miner of it brings out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Invalid
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import OwnAffair, is_issuer, is_verifier, may_register_for
from credits.participants.wording import line
from credits.registry.doubts.screened import Basis, LimitKind, Per, SiteLimit
from credits.registry.minerals import mineral_of, weight_mg
from credits.registry.mines.sites import number_of
from credits.registry.production import Licence, Site

REGISTRY, VERIFIER, PRODUCER = 2, 1, 0  # whose word counts more


class BadLimit(Invalid):
    """A limit that cannot be: of no licence, for no period, or from a source of tomorrow."""

    code = "bad_limit"


@dataclass(frozen=True)
class LimitFacts:
    """kilograms: decimal text. licence: whose cap it is, for a licence cap alone. source: where it is written."""

    kind: LimitKind
    mineral_code: str
    kilograms: str
    basis: Basis
    per: Per
    counts_from: date
    source: str
    source_date: date
    licence: Licence | None = None


def enter(session: Session, *, site: Site, facts: LimitFacts, by: User, key: str, at: datetime) -> SiteLimit:
    """Enter a limit of `site`. What a miner brings out is measured by others than the producer.

    Flushes. Raises NotAllowed, OwnAffair, BadLimit, BadMeasure, UnsoundText.
    """
    may_enter(by, site, facts.kind)
    asked = {name: str(value) for name, value in vars(facts).items() if name != "licence"}
    asked |= {"act": "site.limit", "site": number_of(site), "licence": facts.licence.number if facts.licence else ""}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(SiteLimit, earlier["limit"])
    _check(site, facts, at.date())
    limit = SiteLimit(
        site=site,
        licence=facts.licence,
        kind=facts.kind,
        mineral_code=mineral_of(facts.mineral_code).code,
        milligrams=weight_mg(facts.kilograms),
        basis=facts.basis,
        per=facts.per,
        counts_from=facts.counts_from,
        source=line(facts.source, "Where it is written", 300),
        source_date=facts.source_date,
        entered_by=by,
        entered_at=at,
    )
    session.add(limit)
    session.flush()
    events.append(
        session,
        kind="site.limit_entered",
        subject=number_of(site),
        actor=by.number,
        at=at,
        facts={
            "kind": limit.kind.value,
            "mineral": limit.mineral_code,
            "milligrams": limit.milligrams,
            "basis": limit.basis.value,
            "per": limit.per.value,
            "from": str(limit.counts_from),
            "source_date": str(limit.source_date),
        },
        private={"source": limit.source},
    )
    settle(session, {"limit": limit.id})
    return limit


def may_enter(by: User, site: Site, kind: LimitKind) -> None:
    """Raise NotAllowed or OwnAffair unless `by` may say so much of a site."""
    if is_verifier(by) or is_issuer(by):
        if by.organisation_id in (site.producer_id, site.producer.group_manager_id):
            raise OwnAffair("Nobody measures a site of their own organisation.")
        return
    may_register_for(by, site.producer)
    if kind is LimitKind.PRODUCTIVITY:
        raise OwnAffair("What a miner brings out is measured by a verifier or by the registry.")


def _check(site: Site, facts: LimitFacts, today: date) -> None:
    if (facts.per is Per.MINER_DAY) is not (facts.kind is LimitKind.PRODUCTIVITY):
        raise BadLimit("What a miner brings out is given for a miner and day, every other limit for a period.")
    if (facts.licence is not None) is not (facts.kind is LimitKind.LICENCE_CAP):
        raise BadLimit("Choose the licence whose cap it is.")
    if facts.licence is not None and facts.licence.site_id != site.id:
        raise BadLimit("This licence is of another site.")
    if facts.source_date > today:
        raise BadLimit("The paper lies in the future: on which day was it written?")


def current_limits(session: Session, site: Site, mineral_code: str, on: date) -> list[SiteLimit]:
    """The limits of a site and mineral that count on a day: one of each kind, of caps one for each licence.

    What the registry entered comes first, then what a verifier did, then the producer's own word; then the newest.
    """
    found: dict[tuple[LimitKind, int | None], SiteLimit] = {}
    for limit in limits_of(session, site):
        if limit.mineral_code != mineral_code or limit.counts_from > on:
            continue
        place = (limit.kind, limit.licence_id)
        known = found.get(place)
        if known is None or (rank(limit), limit.counts_from, limit.id) > (
            rank(known),
            known.counts_from,
            known.id,
        ):
            found[place] = limit
    return [found[place] for place in sorted(found, key=lambda each: (each[0].value, each[1] or 0))]


def limits_of(session: Session, site: Site) -> Sequence[SiteLimit]:
    """Everything that was ever entered, oldest first."""
    return session.scalars(select(SiteLimit).where(SiteLimit.site_id == site.id).order_by(SiteLimit.id)).all()


def rank(limit: SiteLimit) -> int:
    """Whose word it is: REGISTRY, VERIFIER or PRODUCER."""
    return REGISTRY if is_issuer(limit.entered_by) else VERIFIER if is_verifier(limit.entered_by) else PRODUCER


def is_independent(limit: SiteLimit) -> bool:
    """Whether somebody other than the producer's side entered it."""
    return rank(limit) > PRODUCER
