"""Signed documents besides the certificates: statements of retirements and of account, certificates of issuance."""

from hashlib import sha256
from typing import Any

from flask import Response, current_app

from credits.api.blueprint import Area
from credits.api.doing import With, page_of
from credits.api.schemas.documents import Document, DocumentsQuery
from credits.certificates import issuing, records
from credits.certificates.models import Record, RecordKind
from credits.certificates.press import NotIssuedYet
from credits.extensions import db
from credits.identity import current_user

area = Area("documents", "Signed documents besides the certificates.")

FACTS = {"type": "object", "description": "All that the document says, as it was frozen when it was asked for."}
FILE = {"type": "string", "contentMediaType": "application/pdf"}


@area.get("/documents", takes=DocumentsQuery, gives=Document(many=True))
def list_documents(asked: dict[str, Any]) -> tuple[list[With], dict[str, str]]:
    """The documents of your organisation and its group, newest first; all of them for the registry."""
    wanted = records.records_of(current_user(), RecordKind(asked["kind"]) if asked["kind"] else None)
    rows, total = page_of(wanted, asked)
    return [told(each) for each in rows], total


@area.get("/documents/<number>", gives=Document)
def show_document(number: str) -> With:
    """One document: of an issuance for everybody, else for its organisation, its group and the registry."""
    return told(records.record_for(db.session(), current_user(), number))


@area.get("/documents/<number>/facts", gives=FACTS)
def show_facts(number: str) -> Response:
    """What the document says, in its exact bytes."""
    return Response(records.record_for(db.session(), current_user(), number).facts, mimetype="application/json")


@area.get("/documents/<number>/document", gives=FILE, content_types=("application/pdf",))
def download_document(number: str) -> Response:
    """The document as a PDF, the same bytes for ever. In its first minute: 409, to be asked for again."""
    digest = records.record_for(db.session(), current_user(), number).document_sha256
    if digest is None:
        raise NotIssuedYet("This document is being issued. Ask again in a minute.")
    answer = Response(current_app.extensions["certificate_files"].read(digest), mimetype="application/pdf")
    answer.headers.set("Content-Disposition", "inline", filename=f"{number}.pdf")
    return answer


def told(found: Record) -> With:
    """With what it is about, how far it is, and the hash of what it says."""
    about = found.bulk or found.issuance or found.organisation
    progress = issuing.progress_of(db.session(), found).value
    return With(found, about=about.number, progress=progress, facts_sha256=sha256(found.facts).hexdigest())
