"""What a retirement says for ever: as a page, as the stored document and as plain facts."""

from hashlib import sha256
from typing import Any

from flask import Response, current_app, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from credits import languages
from credits.certificates import issuing
from credits.certificates.claiming import published
from credits.certificates.issuing import certificate_numbered, facts_in
from credits.certificates.models import Certificate
from credits.country_maps import area_of
from credits.extensions import db
from credits.ledger.serials import parse
from credits.participants import countries
from credits.payments.premiums.tracing import bought_in
from credits.registry import annotating, queries
from credits.web import credentials
from credits.web.blueprint import bp
from credits.web.sites import WORDS

FOR_EVER = "public, max-age=31536000, immutable"
SECONDS_TO_WAIT = 20  # for a document that is being issued


@bp.get("/certificates/<number>")
def certificate(number: str) -> ResponseReturnValue:
    """The page, or the credential for a program that would rather have that."""
    if credentials.is_asked_for():
        return credentials.certificate_credential(number)
    answer = make_response(certificate_page(number))
    answer.vary.add("Accept")
    return answer


@bp.get("/retirements/<number>")
def retirement(number: str) -> ResponseReturnValue:
    return certificate_page(queries.retirement_numbered(db.session, number).number)


@bp.get("/certificates/<number>.pdf")
def certificate_pdf(number: str) -> ResponseReturnValue:
    """The stored bytes, the same for ever. Until they are there, a page that says when to ask again."""
    found = certificate_numbered(db.session, number)
    digest = found.document_sha256
    if digest is None:
        progress = issuing.progress_of(db.session(), found)
        page = render_template("certificates/waiting.html", number=number, progress=progress)
        return page, 503, {"Retry-After": str(SECONDS_TO_WAIT), "Cache-Control": "no-store"}
    answer = Response(current_app.extensions["certificate_files"].read(digest), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{number}.pdf"'
    return kept_for_ever(answer, digest)


@bp.get("/certificates/<number>.json")
def certificate_facts(number: str) -> ResponseReturnValue:
    found = certificate_numbered(db.session, number)
    return kept_for_ever(Response(found.facts, mimetype="application/json"), sha256(found.facts).hexdigest())


@bp.get("/certificates/<number>/status.json")
def certificate_status(number: str) -> ResponseReturnValue:
    """What is to be thought of a certificate now, for programs. The facts beside it never change."""
    answer = jsonify(issuing.status_told(db.session(), certificate_numbered(db.session, number)))
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def kept_for_ever(answer: Response, digest: str) -> Response:
    """Let whoever has it keep it: under this address there will never be anything else."""
    answer.set_etag(digest)
    answer.headers["Cache-Control"] = FOR_EVER
    answer.make_conditional(request)
    return answer


def is_bought_here(certificate: Certificate, facts: dict[str, Any]) -> bool:
    """Whether the units were sold on this market: then their price is known, and not public where it is not told."""
    ranges = [parse(serial)[1] for origin in facts["origins"] for serial in origin["serials"]]
    return bool(bought_in(db.session(), certificate.retirement.issuance, ranges, most=1))


def certificate_page(number: str) -> str:
    found = certificate_numbered(db.session, number, issuing.SHOWN)
    language = languages.current()
    facts = facts_in(found)
    named = {facts["beneficiary"]["country"], facts["account"]["country"]}
    named |= {origin["producer"]["country"] for origin in facts["origins"]}
    site = found.retirement.issuance.batch.site
    claims = published.claims_about(db.session(), found.retirement)
    return render_template(
        "certificates/certificate.html",
        certificate=found,
        progress=issuing.progress_of(db.session(), found),
        annotations=(said := annotating.annotations_of(db.session(), found.retirement)),
        standing=annotating.standing_of(said).value,
        claims=claims,
        standings=published.standings_in(db.session(), claims),
        facts=facts,
        area=area_of(site.country, site.latitude, site.longitude),
        bought_here=facts["premium"] is None and is_bought_here(found, facts),
        words=WORDS,
        countries={code: countries.name_of(code, language) for code in named},
    )
