"""Certificates for machines that collect them: as verifiable credentials, and the DID document that names the keys."""

from hashlib import sha256

from flask import Response, current_app, json, request
from flask.typing import ResponseReturnValue

from credits.certificates import credential
from credits.certificates.issuing import certificate_numbered, facts_in, status_told
from credits.certificates.press import NotIssuedYet
from credits.drawing import document_seal
from credits.errors import Conflict
from credits.extensions import db
from credits.published import document_keys
from credits.registry.annotating import Standing
from credits.web.blueprint import bp


class Annulled(Conflict):
    code = "certificate_annulled"


@bp.get("/certificates/<number>.vc")
def certificate_credential(number: str) -> ResponseReturnValue:
    """The facts as a JWT that the registry has signed now. Raises NotIssuedYet, Annulled."""
    found = certificate_numbered(db.session, number)
    if found.document_sha256 is None:
        raise NotIssuedYet("This certificate is being issued: its credential is there within a minute, with its PDF.")
    now = status_told(db.session(), found)
    if now["status"] == Standing.ANNULLED.value:
        raise Annulled("This certificate was annulled: no credential is given of it any more.", number=number)
    told = credential.credential(
        facts_in(found),
        later=now["annotations"],
        url=current_app.extensions["settings"].public_url,
        frozen_sha256=sha256(found.facts).hexdigest(),
        document_sha256=found.document_sha256,
    )
    answer = Response(credential.secured(told, document_seal()), mimetype=credential.MEDIA_TYPE)
    answer.headers["Cache-Control"] = "no-store"  # what is said of it later shall be asked anew
    answer.vary.add("Accept")
    return answer


@bp.get("/.well-known/did.json")
def did_document() -> ResponseReturnValue:
    """Whose keys sign credentials (did:web)."""
    told = credential.did_document(current_app.extensions["settings"].public_url, document_keys())
    return Response(json.dumps(told), mimetype="application/did+json", headers={"Cache-Control": "max-age=60"})


def is_asked_for() -> bool:
    """Whether the request would rather have the credential than the page."""
    offered = ["text/html", credential.MEDIA_TYPE]
    return request.accept_mimetypes.best_match(offered) == credential.MEDIA_TYPE
