"""What the serials of an issuance stand for, who holds which, and where any single one is."""

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from credits import languages
from credits.certificates import records, verified
from credits.country_maps import area_of
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import now
from credits.ledger.serials import LARGEST, SerialRange, written
from credits.participants import countries
from credits.payments.offering import catalogue
from credits.payments.premiums import tracing
from credits.registry import public
from credits.registry.annotating import annulled_among
from credits.registry.doubts import plausibility
from credits.registry.models import Issuance
from credits.registry.production import BatchState
from credits.registry.whereabouts import whereabouts
from credits.web.blueprint import bp
from credits.web.paging import asked_number
from credits.web.search import explained
from credits.web.sites import WORDS

PLACES = 50
MOVEMENTS = 20
OFFERS = 5


@bp.get("/issuances/<number>")
def issuance(number: str) -> ResponseReturnValue:
    found = public.issuance_shown(db.session(), number)
    everything = SerialRange(1, found.quantity)
    return render_template(
        "issuances/issuance.html",
        shares=public.shares(db.session, found),
        **described(found, everything),
        serial=written(found.number, everything),
        overrides=plausibility.overrides_of(db.session, found.batch),
        statement=verified.statement_of(db.session(), found.batch),
        documents=records.records_of_issuance(db.session(), found),
    )


@bp.get("/issuances/<number>/unit")
def unit(number: str) -> ResponseReturnValue:
    """The look-up of one unit by its number within the issuance."""
    typed = "".join(request.args.get("unit", "").split())[:40]
    return serials(f"{number}-{typed:0>9}" if typed.isascii() and typed.isdigit() else f"{number}-{typed}")


@bp.get("/serials/<serial>")
def serials(serial: str) -> ResponseReturnValue:
    try:
        found, units = public.units_named(db.session, serial)
    except CreditsError as refusal:
        return explained(serial, refusal)
    return render_template("issuances/serials.html", **described(found, units), serial=written(found.number, units))


def described(found: Issuance, units: SerialRange) -> dict[str, object]:
    """What both pages show: origin, where the serials `units` are now and how they came there, a page of each."""
    first = min(max(asked_number("from", units.first), units.first), units.last)
    places = whereabouts(db.session, found, SerialRange(first, units.last), PLACES)
    offers = catalogue.of_issuance(db.session(), found, current_app.extensions["policy"], now().date(), OFFERS)
    moves = public.history(db.session, found, units, before=asked_number("before", LARGEST), limit=MOVEMENTS + 1)
    site = found.batch.site
    postings = list(dict.fromkeys(move.posting_id for move in moves))[:MOVEMENTS]
    bought, went_back = tracing.sales_of(db.session(), found, units)
    more = len({move.posting_id for move in moves}) > MOVEMENTS
    return {
        "issuance": found,
        "units": units,
        "origin": found.facts,
        "area": area_of(site.country, site.latitude, site.longitude),
        "country": countries.name_of(found.facts["producer"]["country"], languages.current()),
        "suspended": found.batch.state is BatchState.SUSPENDED,
        "first": first,
        "places": places,
        "annulled": annulled_among(db.session(), [each.retirement.id for each in places if each.retirement]),
        "next_from": places[-1].units.last + 1 if places[-1].units.last < units.last else None,
        "moves": [move for move in moves if move.posting_id in postings],
        "next_before": postings[-1] if more else None,
        "newest": "before" not in request.args,
        "written": written,
        "words": WORDS,
        "bought": bought,
        "went_back": went_back,
        "offers": offers,
        "left": catalogue.left(db.session(), offers),
    }
