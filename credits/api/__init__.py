"""The machines' door: JSON under /api/v1, bearer tokens alone, problems (RFC 9457) for every refusal."""

from flask import Flask

from credits.api import (
    assurance,
    batches,
    bulk,
    claims,
    decisions,
    documentation,
    documents,
    evidence,
    holdings,
    holds,
    issuances,
    offers,
    orders,
    participants,
    premium,
    retirements,
    reviews,
    screening,
    serials,
    sites,
    standing,
    transfers,
    trust,
    uses,
    verification,
)
from credits.api.blueprint import PREFIX, Area, Documented
from credits.extensions import csrf

AREAS = tuple(
    module.area
    for module in (
        participants,
        sites,
        assurance,
        batches,
        evidence,
        reviews,
        screening,
        issuances,
        holdings,
        offers,
        orders,
        standing,
        premium,
        transfers,
        trust,
        retirements,
        uses,
        claims,
        verification,
        bulk,
        documents,
        serials,
        holds,
        decisions,
    )
)
ABOUT = (
    "A registry of book-and-claim credits for artisanal minerals. Quantities are whole base units of the mineral; "
    "credits are exact decimal texts. Send `Authorization: Bearer …` with a token from your account page, and a new "
    "`Idempotency-Key` with each request that changes something."
)


def register(app: Flask) -> None:
    """Let `app` answer machines."""
    app.config.update(API_TITLE="ASM credits", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    described = {
        "info": {"description": ABOUT},
        "security": [{"token": []}],
        "tags": [{"name": area.name, "description": area.description} for area in AREAS],
    }
    api = Documented(app, spec_kwargs=described)
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    # Made anew for each application: a blueprint takes no further parts once it was registered.
    everything = Area("api", ABOUT, url_prefix=PREFIX)
    for area in AREAS:
        everything.register_blueprint(area)
        csrf.exempt(area)
    api.register_blueprint(everything)
    app.extensions[documentation.DESCRIPTION] = api.spec
    app.register_blueprint(documentation.bp, url_prefix=PREFIX)
