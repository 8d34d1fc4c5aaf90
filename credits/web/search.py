"""One box that understands what stands on a certificate, an invoice or a label, and names."""

import re
from collections.abc import Callable

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from credits.certificates import records
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import visitor
from credits.ledger.serials import ISSUANCE, SerialRange, written
from credits.payments.offering import offers
from credits.registry import public, queries
from credits.web.blueprint import bp
from credits.web.paging import asked_text

SHORTEST_NAME = 2
MOST_FOUND = 20
EXAMPLE = written("ASMC-CO-COD-KAM001-2026-0042", SerialRange(1, 2500))


@bp.get("/search")
def search() -> ResponseReturnValue:
    asked = asked_text()
    try:
        if there := place_of(asked):
            return redirect(there, 302)
    except CreditsError as refusal:
        return explained(asked, refusal)
    return results(asked, "")


def explained(asked: str, refusal: CreditsError) -> ResponseReturnValue:
    """The search page, saying why nothing has the number that was asked for."""
    return results("".join(sign for sign in asked if sign.isprintable())[:200], refusal.message), 404


def results(asked: str, problem: str) -> str:
    """The page that lists what has such a name, or says why nothing was found."""
    by_name = len(asked) >= SHORTEST_NAME and not problem
    organisations = sites = []
    if by_name:
        organisations = list(db.session.scalars(public.organisations_named(asked).limit(MOST_FOUND)))
        sites = list(db.session.scalars(public.sites_named(asked).limit(MOST_FOUND)))
    return render_template(
        "public/search.html",
        asked=asked,
        problem=problem,
        organisations=organisations,
        sites=sites,
        most=MOST_FOUND,
        check=EXAMPLE[-1],
        searched=bool(asked),
        too_short=bool(asked) and not problem and not by_name,
    )


def place_of(asked: str) -> str:
    """The address of the one thing that `asked` numbers; empty where it is a name. Raises CreditsError."""
    tidy = "".join(asked.split()).upper() if asked.isascii() else ""
    for pattern, address in ADDRESSES:
        if pattern.fullmatch(tidy):
            return address(tidy)
    return ""


def retirement_address(number: str) -> str:
    return url_for("web.retirement", number=queries.retirement_numbered(db.session, padded(number)).number)


def organisation_address(number: str) -> str:
    return url_for("web.organisation", number=public.organisation_known_as(db.session, padded(number)).number)


def offer_address(number: str) -> str:
    return url_for("web.offer", number=offers.offer_numbered(db.session(), padded(number)).number)


def document_address(number: str) -> str:
    return url_for("web.document", number=records.record_for(db.session(), visitor(), padded(number)).number)


def issuance_address(number: str) -> str:
    return url_for("web.issuance", number=queries.issuance_numbered(db.session, number).number)


def serials_address(serial: str) -> str:
    issuance, units = public.units_named(db.session, serial)
    return url_for("web.serials", serial=written(issuance.number, units))


def order_address(number: str) -> str:
    return url_for("web.follow_money", asked=padded(number))


def padded(number: str) -> str:
    """ASMC-R-17 as it is written in full: ASMC-R-000017."""
    prefix, _hyphen, digits = number.rpartition("-")
    return f"{prefix}-{int(digits):06d}"


def site_address(number: str) -> str:
    """The page of the site with this number; empty where there is none, for a name may look like one."""
    try:
        public.site_known_as(db.session, number)
    except CreditsError:
        return ""
    return url_for("web.public_site", number=number)


RETIREMENT = re.compile(r"ASMC-R-[0-9]{1,18}")
DOCUMENT = re.compile(r"ASMC-D-[0-9]{1,18}")
ADDRESSES: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (RETIREMENT, retirement_address),
    (re.compile(r"ORG-[0-9]{1,18}"), organisation_address),
    (re.compile(r"OFFER-[0-9]{1,18}"), offer_address),
    (re.compile(r"ORDER-[0-9]{1,18}"), order_address),
    (DOCUMENT, document_address),
    (ISSUANCE, issuance_address),
    (re.compile(r"ASMC-.*"), serials_address),
    (re.compile(r"[A-Z]{3}-[A-Z0-9]{3,12}"), site_address),
)
