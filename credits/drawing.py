"""What documents are drawn and signed with: the key's chance, the time of a signature and a language begin here."""

import secrets

from flask import current_app
from flask_babel import force_locale, gettext

from credits.certificates import signing, verified
from credits.certificates.signing import Seal
from credits.document_jobs import Workshop, draw_some, draw_statement
from credits.extensions import db
from credits.identity import now
from credits.participants.models import Language

STATEMENTS_AT_A_TIME = 20


def workshop() -> Workshop:
    """Where documents are drawn, sealed and kept."""
    url = current_app.extensions["settings"].timestamp_url
    if url is None:
        return Workshop(current_app.extensions["certificate_files"], document_seal())
    from credits.certificates.pades import stamps_from  # it takes a second to load

    return Workshop(current_app.extensions["certificate_files"], document_seal(), stamps_from(url))


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
    session = db.session()

    def waiting(limit: int) -> list[str]:
        return [statement.number for statement in verified.undrawn(session, limit)]

    return draw_some(session, waiting, drawn_statement, STATEMENTS_AT_A_TIME)
