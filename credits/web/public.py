"""The registry as anybody meets it: first page, how it works, sites and organisations."""

from typing import Any

from flask import current_app, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from credits import languages
from credits.certificates.claiming import claims, published
from credits.country_maps import area_of
from credits.extensions import db
from credits.identity import now, visitor
from credits.participants import countries
from credits.participants.permissions import BUYERS, PRODUCERS
from credits.payments.offering import catalogue
from credits.payments.premiums.site_premium import premium_of
from credits.registry import public
from credits.registry.annotating import standings_among
from credits.registry.assurance import assessed
from credits.registry.minerals import MINERALS
from credits.registry.mines import grievances, site_records, site_states
from credits.registry.production import Site
from credits.web.blueprint import bp
from credits.web.paging import page_of
from credits.web.search import EXAMPLE
from credits.web.sites import WORDS

MOST_OFFERS = 5
NEWEST_CLAIMS = 10  # on the page of an organisation
CAUSES = {
    "finding": lazy_gettext("A finding of zero tolerance"),
    "registry": lazy_gettext("The registry"),
    "clock": lazy_gettext("The clock"),
    "decision": lazy_gettext("Two people of the registry"),
}


@bp.get("/")
def home() -> ResponseReturnValue:
    return render_template("public/home.html", figures=public.figures(db.session), person=visitor())


@bp.get("/about")
def about() -> ResponseReturnValue:
    return render_template(
        "public/about.html",
        minerals=MINERALS.values(),
        limits=claims.LIMITS,
        check=EXAMPLE[-1],
        standard=current_app.extensions["policy"].standards.default,
    )


@bp.get("/sites/<number>")
def public_site(number: str) -> ResponseReturnValue:
    site = public.site_known_as(db.session, number)
    return render_template(
        "public/site.html",
        place=site,
        area=area_of(site.country, site.latitude, site.longitude),
        number=number,
        words=WORDS,
        country=countries.name_of(site.country, languages.current()),
        assurance=site.assurances[-1] if site.assurances else None,
        **standing_of(site),
        page=page_of(public.issuances_from(site)),
        **offers_from(site),
        last_seen=last_seen_in(site),
        grievances=grievances.counted(db.session(), site),
        premium=premium_of(db.session(), site),
        summary=site_records.summary(db.session, site, today=now().date()),
    )


def offers_from(site: Site) -> dict[str, Any]:
    """The first few offers of credits from a site, and what is left of each."""
    found = catalogue.from_site(db.session(), site, current_app.extensions["policy"], now().date(), MOST_OFFERS)
    return {"offers": found, "left": catalogue.left(db.session(), found)}


def standing_of(site: Site) -> dict[str, Any]:
    """How a site stands today, the level it has reached, its plan, and how it stood before."""
    completed = assessed.completed_of(db.session(), site)
    return {
        "standing": site_states.standing(db.session(), site, now().date(), current_app.extensions["policy"]),
        "assessment": completed[0] if completed else None,
        "plan": assessed.plan_of(db.session(), site),
        "history": site_states.history_of(db.session(), site),
        "causes": CAUSES,
        "today": now().date(),
    }


@bp.get("/organisations/<number>")
def organisation(number: str) -> ResponseReturnValue:
    found = public.organisation_known_as(db.session, number)
    retirements = page_of(public.retirements_by(found)) if found.kind in BUYERS else None
    claims = db.session.scalars(published.claims_by(found).limit(NEWEST_CLAIMS)).all()
    retired = standings_among(db.session(), [each.id for each in retirements.rows] if retirements else [])
    return render_template(
        "public/organisation.html",
        organisation=found,
        country=countries.name_of(found.country, languages.current()),
        sites=page_of(public.sites_worked_by(found)) if found.kind in PRODUCERS else None,
        retirements=retirements,
        claims=claims,
        standings=retired | published.standings_in(db.session(), claims),
    )


def last_seen_in(site: Site) -> int | None:
    """The year in which others last saw a matched site.

    No more of it: a day, minerals or workers would find the visit in the open data, and there the exact position.
    """
    if site.observed is None or not site.observed.observations:
        return None
    return site.observed.observations[-1].visited_on.year
