"""Sites, their licences, and what others have seen there."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_
from sqlalchemy.orm import joinedload

from credits.api.blueprint import Area
from credits.api.doing import Sent, With, acting, created, page_of
from credits.api.schemas.sites import (
    Candidate,
    Licence,
    LicenceRequest,
    MatchRequest,
    ObservedSiteWithVisits,
    Site,
    SiteRecords,
    SiteRequest,
    SitesQuery,
    SiteSummary,
)
from credits.extensions import db
from credits.identity import current_user, now
from credits.registry import production, queries, searching
from credits.registry.doubts import screening
from credits.registry.mines import observations, site_records, sites
from credits.registry.mines.ipis import LICENCE

area = Area("sites", "Sites, their licences, and what others have seen there.")

MOST_CANDIDATES = 10


@area.get("/sites", takes=SitesQuery, gives=SiteSummary(many=True))
def list_sites(asked: dict[str, Any]) -> tuple[Sequence[With], dict[str, str]]:
    """The sites that you may see in full, by name."""
    wanted = queries.sites_of(current_user()).options(joinedload(production.Site.producer))
    if asked["q"]:
        wanted = wanted.where(or_(*searching.about_site(asked["q"])))
    rows, headers = page_of(wanted, asked)
    return [told(site) for site in rows], headers


@area.post("/sites", takes=SiteRequest, gives=Site, creates=True)
def register_site(key: str, asked: dict[str, Any]) -> Sent:
    """Register a site. It is given its number, such as COD-KAM001."""
    producer = acting(asked.pop("producer"))
    facts = sites.SiteFacts(**asked)
    site = sites.register(db.session, producer=producer, facts=facts, by=current_user(), key=key, at=now())
    db.session.commit()
    return created(told(site), "api.sites.show_site", number=sites.number_of(site))


@area.get("/sites/<number>", gives=Site)
def show_site(number: str) -> With:
    """One site in full."""
    return told(queries.site_coded(db.session, current_user(), number))


@area.post("/sites/<number>/licences", takes=LicenceRequest, gives=Licence, creates=True)
def add_licence(key: str, asked: dict[str, Any], number: str) -> Sent:
    """Enter a licence of a site."""
    site = queries.site_coded(db.session, current_user(), number)
    licence = sites.add_licence(db.session, site=site, **asked, by=current_user(), key=key, at=now())
    db.session.commit()
    return created(licence, "api.sites.show_site", number=number)


@area.get("/sites/<number>/candidates", gives=Candidate(many=True))
def list_candidates(number: str) -> list[screening.Candidate]:
    """Sites of the open data within 25 km that may be this one, the likeliest first. Source: IPIS."""
    site = queries.site_coded(db.session, current_user(), number)
    return screening.nearest(
        db.session, latitude=site.latitude, longitude=site.longitude, name=site.name, limit=MOST_CANDIDATES
    )


@area.get("/sites/<number>/records", gives=SiteRecords)
def list_records(number: str) -> dict[str, list[With]]:
    """What was written down of a site: the newest day first, with what was struck out."""
    site = queries.site_coded(db.session, current_user(), number)
    return {
        kind: [recorded(kind, record) for record in site_records.records_of(db.session, site, kind, struck=True)]
        for kind in site_records.KINDS
    }


@area.put("/sites/<number>/match", takes=MatchRequest, gives=Site)
def match_site(asked: dict[str, Any], number: str) -> With:
    """Say which site of the open data this is, or with null that it is none of them."""
    site = queries.site_coded(db.session, current_user(), number)
    observed = observations.observed(db.session, asked["pcode"]) if asked["pcode"] is not None else None
    sites.confirm_match(db.session, site=site, observed=observed, by=current_user(), at=now())
    db.session.commit()
    return told(site)


@area.get("/observed-sites/<pcode>", gives=ObservedSiteWithVisits)
def show_observed_site(pcode: str) -> With:
    """A site of the open data that is matched with a site of yours, or near one, with its visits. Source: IPIS."""
    return With(searching.observed_site(db.session, current_user(), pcode), licence=LICENCE)


def recorded(kind: str, record: Any) -> With:
    return With(record, day=getattr(record, site_records.DAYS[kind]), struck=record.struck_at is not None)


def told(site: production.Site) -> With:
    return With(site, number=sites.number_of(site))
