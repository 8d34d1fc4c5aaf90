"""Drawing documents at once, right after what they tell of was committed, and the key that signs them.

Doors ask here: the key's chance, the time of a signature and the language of a document begin with them.
"""

import logging
import secrets

from flask import current_app
from flask_babel import force_locale, gettext

from credits.certificates import signing, verified
from credits.certificates.signing import Seal
from credits.extensions import db
from credits.identity import now
from credits.jobs import draw_certificate, draw_statement
from credits.participants.models import Language

log = logging.getLogger(__name__)

STATEMENTS_AT_A_TIME = 20


def draw_now(number: str) -> None:
    """Draw the certificate of a retirement that stands already. Where that fails, the worker does it later."""
    try:
        files = current_app.extensions["certificate_files"]
        draw_certificate(db.session, number=number, files=files, at=now())
    except Exception:
        db.session.rollback()
        log.exception("The certificate %s was not drawn at once.", number)


def document_seal() -> Seal:
    """The key that signs documents, with its certificate; made when it is asked for the first time."""
    settings = current_app.extensions["settings"]
    kept = signing.load(settings.data_dir)
    if kept is not None:
        return kept
    seed = secrets.token_bytes(32)
    return signing.make(settings.data_dir, name=settings.registry_name, url=settings.public_url, seed=seed, at=now())


def spoken(language: Language) -> Language:
    """The language, if there is a catalogue of it, else English: no document has two."""
    known = [code for code, _name in current_app.extensions["languages"]]
    return language if language.value in known else Language.EN


def drawn_statement(number: str) -> str:
    """The SHA-256 of a verification statement's document, which is drawn and signed unless it was before. Commits."""
    statement = verified.statement_numbered(db.session, number)
    with force_locale(statement.language.value):
        return draw_statement(
            db.session,
            number=number,
            files=current_app.extensions["certificate_files"],
            seal=document_seal(),
            translate=gettext,
            at=now(),
        )


def draw_statements_waiting() -> int:
    """Draw the verification statements that nobody has asked for yet; how many."""
    numbers = [statement.number for statement in verified.undrawn(db.session(), STATEMENTS_AT_A_TIME)]
    for number in numbers:
        drawn_statement(number)
    return len(numbers)
