"""Retirements and their certificates."""

from typing import Any

from flask import Response, current_app, jsonify
from sqlalchemy.orm import joinedload

from credits.api.blueprint import Area
from credits.api.doing import Sent, With, created, page_of
from credits.api.schemas.market import Retirement, RetirementSummary, RetireRequest
from credits.api.schemas.shared import PagingSchema
from credits.certificates import issuing
from credits.certificates.issuing import certificate_numbered, freeze
from credits.certificates.models import Certificate
from credits.certificates.press import NotIssuedYet
from credits.extensions import db
from credits.identity import current_user, now
from credits.registry import models, queries, retirement
from credits.registry.annotating import Standing, annotations_of, standing_of, standings_among
from credits.registry.retirement import Claim

area = Area("retirements", "Retirements and their certificates.")

FACTS = {"type": "object", "description": "All that the certificate says, as it was frozen with the retirement."}
STATUS = {"type": "object", "description": "How the certificate stands now, and what was said of it later."}
DOCUMENT = {"type": "string", "contentMediaType": "application/pdf"}


@area.get("/retirements", takes=PagingSchema, gives=RetirementSummary(many=True))
def list_retirements(asked: dict[str, Any]) -> tuple[list[With], dict[str, str]]:
    """The retirements of your organisation and its group, newest first; all of them for the registry."""
    wanted = queries.retirements_of(current_user()).options(
        joinedload(models.Retirement.issuance), joinedload(models.Retirement.holder)
    )
    rows, total = page_of(wanted, asked)
    standings = standings_among(db.session(), [each.id for each in rows])
    return [With(each, status=standings.get(each.id, Standing.RETIRED).value) for each in rows], total


@area.post("/retirements", takes=RetireRequest, gives=Retirement, creates=True)
def retire_credits(key: str, asked: dict[str, Any]) -> Sent:
    """Retire credits for good, in somebody's name. There is no way back."""
    user = current_user()
    issuance = queries.issuance_numbered(db.session, asked.pop("issuance"))
    language = asked.pop("language")
    made = retirement.retire(
        db.session,
        issuance=issuance,
        holder=user.organisation,
        quantity=asked.pop("quantity"),
        claim=Claim(**asked),
        policy=current_app.extensions["policy"],
        by=user,
        key=key,
        at=now(),
    )
    freeze(db.session, retirement=made, issuer=current_app.extensions["issuer"], language=language)
    db.session.commit()
    return created(told(made), "api.retirements.show_retirement", number=made.number)


@area.get("/retirements/<number>", gives=Retirement, public=True)
def show_retirement(number: str) -> With:
    """One retirement. Public."""
    return told(queries.retirement_numbered(db.session, number))


@area.get("/certificates/<number>", gives=FACTS, public=True)
def show_certificate(number: str) -> Response:
    """What the certificate says, in its exact bytes. Public. The header `Certificate-Status` says how it stands now."""
    found = certificate_numbered(db.session, number)
    answer = Response(found.facts, mimetype="application/json")
    return with_status(answer, found)


@area.get("/certificates/<number>/status", gives=STATUS, public=True)
def show_status(number: str) -> Response:
    """How the certificate stands now: retired, annotated or annulled, and what was said of it later. Public."""
    return jsonify(issuing.status_told(db.session(), certificate_numbered(db.session, number)))


@area.get("/certificates/<number>/document", gives=DOCUMENT, content_types=("application/pdf",), public=True)
def download_certificate(number: str) -> Response:
    """The certificate as a PDF, the same bytes for ever. Public. In its first minute: 409, to be asked for again.

    The header `Certificate-Status` says how it stands now: retired, annotated or annulled.
    """
    found = certificate_numbered(db.session, number)
    digest = found.document_sha256
    if digest is None:
        raise NotIssuedYet("This certificate is being issued. Ask again in a minute.")
    answer = Response(current_app.extensions["certificate_files"].read(digest), mimetype="application/pdf")
    answer.headers.set("Content-Disposition", "inline", filename=f"{number}.pdf")
    return with_status(answer, found)


def with_status(answer: Response, found: Certificate) -> Response:
    """The bytes say for ever what they said; how the certificate stands now is told beside them."""
    answer.headers["Certificate-Status"] = standing_of(annotations_of(db.session(), found.retirement)).value
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def told(made: models.Retirement) -> With:
    """With where its serials are, and how its certificate stands today."""
    status = standing_of(annotations_of(db.session(), made)).value
    return With(made, serials=retirement.serials_of(db.session, made), status=status)
