"""Drawing a certificate at once, right after its retirement was committed."""

import logging

from flask import current_app

from credits.extensions import db
from credits.identity import now
from credits.jobs import draw_certificate

log = logging.getLogger(__name__)


def draw_now(number: str) -> None:
    """Draw the certificate of a retirement that stands already. Where that fails, the worker does it later."""
    try:
        files = current_app.extensions["certificate_files"]
        draw_certificate(db.session, number=number, files=files, at=now())
    except Exception:
        db.session.rollback()
        log.exception("The certificate %s was not drawn at once.", number)
