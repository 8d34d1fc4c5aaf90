"""Sites and batches as their producer's people look for them: each only what the person may see."""

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, joinedload

from credits.errors import CreditsError
from credits.participants.models import Kyc, Organisation, User
from credits.participants.permissions import PRODUCERS, may_register_for
from credits.registry import queries
from credits.registry.minerals import MINERALS
from credits.registry.mines.observations import NoSuchObservedSite, is_near, observed
from credits.registry.mines.observed import ObservedSite
from credits.registry.models import Issuance
from credits.registry.production import Batch, BatchState, Site


def sites(by: User, *, text: str) -> Select[Site]:
    """The sites that `by` may see, by name. text: part of a name, code, district or producer; empty for all."""
    wanted = queries.sites_of(by).options(joinedload(Site.producer))
    if not text:
        return wanted
    return wanted.where(or_(*about_site(text), Site.district.icontains(text, autoescape=True)))


def batches(by: User, *, state: BatchState | None, text: str) -> Select[Batch]:
    """The batches that `by` may see, newest first. text: as for sites, or a batch number or mineral."""
    wanted = queries.batches_of(by).options(joinedload(Batch.site).joinedload(Site.producer))
    if state is not None:
        wanted = wanted.where(Batch.state == state)
    if not text:
        return wanted
    minerals = [each.code for each in MINERALS.values() if text.lower() in (each.name, each.code.lower())]
    return wanted.where(
        or_(
            Batch.id == queries.digits_of(text.upper(), "BATCH-"),
            Batch.mineral_code.in_(minerals),
            Batch.site_id.in_(select(Site.id).where(or_(*about_site(text)))),
        )
    )


def about_site(text: str) -> list[ColumnElement[bool]]:
    """Conditions on a site: its name, its code with or without the country, or its producer's name."""
    producers = select(Organisation.id).where(Organisation.name.icontains(text, autoescape=True))
    return [
        Site.name.icontains(text, autoescape=True),
        (Site.country + "-" + Site.code).icontains(text, autoescape=True),
        Site.producer_id.in_(producers),
    ]


def observed_site(session: Session, by: User, pcode: str) -> ObservedSite:
    """A site of the open data, if `by` may see a site in full that is matched with it or near it; for the registry any.

    Raises NoSuchObservedSite.
    """
    found = observed(session, pcode)
    if queries.sees_all_production(by):
        return found
    seen = queries.sites_of(by).order_by(None).with_only_columns(Site.pcode, Site.latitude, Site.longitude)
    for matched, latitude, longitude in session.execute(seen):
        if matched == pcode or is_near((latitude, longitude), found):
            return found
    raise NoSuchObservedSite("There is no observed site with this code.", pcode=pcode[:40])


def batches_at(session: Session, by: User, site: Site, *, most: int) -> list[Batch]:
    """The newest batches of one site that `by` may see."""
    return list(session.scalars(queries.batches_of(by).where(Batch.site_id == site.id).limit(most)))


def issuance_of(session: Session, batch: Batch) -> Issuance | None:
    """What was issued for a batch, if anything yet."""
    return session.scalars(select(Issuance).where(Issuance.batch_id == batch.id)).one_or_none()


def producers_for(session: Session, by: User) -> list[Organisation]:
    """For whom `by` may record now: the own organisation first, then the members of its group."""
    found = session.scalars(
        select(Organisation)
        .where(queries.of_own(by), Organisation.kyc == Kyc.APPROVED, Organisation.kind.in_(PRODUCERS))
        .order_by(Organisation.id != by.organisation_id, Organisation.name, Organisation.id)
    )
    return [producer for producer in found if registers_for(by, producer)]


def sites_to_produce(session: Session, by: User, *, most: int | None = None) -> list[Site]:
    """The sites for which `by` may begin a batch, by producer and name. most: so many of them at most."""
    producers = [producer.id for producer in producers_for(session, by)]
    wanted = select(Site).join(Organisation, Organisation.id == Site.producer_id).options(joinedload(Site.producer))
    ordered = wanted.where(Site.producer_id.in_(producers)).order_by(Organisation.name, Site.name, Site.id)
    return list(session.scalars(ordered.limit(most)))


def registers_for(by: User, producer: Organisation) -> bool:
    """Whether `by` could record something for `producer` now: what pages offer."""
    try:
        may_register_for(by, producer)
    except CreditsError:
        return False
    return True
