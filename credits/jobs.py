"""Background work. Each job is one call of an operation, and one commit."""

from datetime import datetime

from sqlalchemy.orm import Session

from credits.certificates import issuing
from credits.db import begin_writing
from credits.files import Files
from credits.registry import transfer

CERTIFICATES_AT_A_TIME = 20


def draw_certificate(session: Session, *, number: str, files: Files, at: datetime) -> str:
    """Draw and keep a certificate's document if that was not done yet; its SHA-256. Commits.

    Drawing takes a tenth of a second, so it happens outside of any transaction. Raises NoSuchCertificate.
    """
    certificate = issuing.certificate_numbered(session, number)
    if certificate.document_sha256 is None:
        sha256 = issuing.drawn(certificate, files)
        begin_writing(session)
        issuing.keep_document(session, number=number, sha256=sha256, at=at)
        session.commit()
        session.refresh(certificate)
    assert certificate.document_sha256 is not None
    return certificate.document_sha256


def draw_waiting(session: Session, *, files: Files, at: datetime) -> int:
    """Draw the certificates that nobody has asked for yet; how many. Commits each."""
    numbers = [certificate.number for certificate in issuing.undrawn(session, CERTIFICATES_AT_A_TIME)]
    for number in numbers:
        draw_certificate(session, number=number, files=files, at=at)
    return len(numbers)


def expire_transfers(session: Session, *, at: datetime) -> int:
    """Give back what was offered and not answered in time; how many transfers. Commits."""
    begin_writing(session)
    closed = transfer.expire_due(session, at=at)
    session.commit()
    return len(closed)
