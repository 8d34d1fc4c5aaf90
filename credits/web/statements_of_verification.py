"""The verification statement of a batch: its signed document, the proof that the log holds it, and who signs."""

from flask import Response, current_app
from flask.typing import ResponseReturnValue

from credits.certificates import verified
from credits.drawing import document_seal, drawn_statement
from credits.extensions import db
from credits.identity import visitor
from credits.journal import proving
from credits.web.blueprint import bp
from credits.web.certificates import kept_for_ever
from credits.web.log import as_proof

PRIVATE = "private, no-store"


@bp.get("/verifications/<number>")
def verification_statement(number: str) -> ResponseReturnValue:
    """The stored bytes, the same for ever; before credits are issued for the parties alone."""
    found = verified.statement_for(db.session(), visitor(), number)
    is_public = found.batch.state.value in verified.PUBLIC_STATES
    digest = drawn_statement(number)
    content = current_app.extensions["certificate_files"].read(digest)
    answer = Response(content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{number}.pdf"'
    if is_public:
        return kept_for_ever(answer, digest)
    answer.headers["Cache-Control"] = PRIVATE
    return answer


@bp.get("/verifications/<number>.tlog-proof")
def statement_proof(number: str) -> ResponseReturnValue:
    """That the log holds the verification that the statement tells of."""
    found = verified.statement_for(db.session(), visitor(), number)
    event = verified.event_of(db.session(), found.batch)
    return as_proof(proving.place_of(db.session(), event.id), number)


@bp.get("/documents/certificate.pem")
def document_certificate() -> ResponseReturnValue:
    """The certificate of the key that signs the registry's documents, to be compared with what a reader shows."""
    return Response(document_seal().public, mimetype="application/x-pem-file")
