"""Drawing documents in the background. Each job is one call of an operation, and one commit."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from credits.certificates import issuing, press, records, signing, verified
from credits.db import begin_writing
from credits.files import Files
from credits.one_by_one import tried

if TYPE_CHECKING:
    from pyhanko.sign.timestamps import TimeStamper

log = logging.getLogger(__name__)

AT_A_TIME = 20  # certificates: between two parts the log is published, which nobody should wait for
RECORDS_AT_A_TIME = 4  # other documents: one of ten thousand lines takes as long as hundreds of certificates
MOST_FAILED = 100  # in one round


@dataclass(frozen=True)
class Workshop:
    """What every document needs besides its facts. stamper: who stamps the time, if anybody does."""

    files: Files
    seal: signing.Seal
    stamper: "TimeStamper | None" = None


def draw_certificate(session: Session, *, number: str, workshop: Workshop, at: datetime) -> str:
    """Draw, sign and keep a certificate's document if that was not done yet; its SHA-256. Commits.

    Outside of any transaction, since it takes a twentieth of a second, or as long as a time stamp takes.
    Raises NoSuchCertificate, NotIssuedYet, NoTimeStamp.
    """
    certificate = issuing.certificate_numbered(session, number)
    if certificate.document_sha256 is None:
        facts, inclusion = certificate.facts, certificate.inclusion
        proof = press.proof_of(session, certificate)
        session.rollback()
        document = press.pressed(
            facts, inclusion=inclusion, proof=proof, seal=workshop.seal, stamper=workshop.stamper, at=at
        )
        sha256 = workshop.files.keep(document)
        begin_writing(session)
        issuing.keep_document(session, number=number, sha256=sha256, at=at)
        session.commit()
        certificate = issuing.certificate_numbered(session, number)
    assert certificate.document_sha256 is not None
    return certificate.document_sha256


def draw_waiting(session: Session, *, workshop: Workshop, at: datetime) -> int:
    """Draw some of the certificates whose event is in the log by now; how many. Commits each."""
    return draw_some(
        session,
        partial(issuing.undrawn, session),
        lambda number: draw_certificate(session, number=number, workshop=workshop, at=at),
        AT_A_TIME,
    )


def draw_some(session: Session, waiting: Callable[[int], Sequence[str]], draw: Callable[[str], str], most: int) -> int:
    """Draw up to `most` of the documents that wait, oldest first; how many.

    Those that cannot be drawn hold up none behind them. A time stamp server that does not answer delays all of them.
    waiting: the numbers of the oldest, so many. draw: draws one, and commits.
    """
    drawn, failed = 0, set[str]()
    while drawn < most and len(failed) < MOST_FAILED:
        numbers = [number for number in waiting(most + len(failed)) if number not in failed]
        session.rollback()
        if not numbers:
            break
        for number in numbers[: most - drawn]:
            try:
                if tried(session, f"the document {number}", partial(draw, number), (signing.NoTimeStamp,)) is None:
                    failed.add(number)
                else:
                    drawn += 1
            except signing.NoTimeStamp as failure:
                session.rollback()
                log.warning("No document is issued now: %s All of them are tried again.", failure)
                return drawn
    return drawn


def draw_record(session: Session, *, number: str, workshop: Workshop, at: datetime) -> str:
    """Draw, sign and keep another document if that was not done yet; its SHA-256. Commits, as `draw_certificate` does.

    Raises NoSuchDocument, NotIssuedYet, NoTimeStamp.
    """
    record = records.record_numbered(session, number)
    if record.document_sha256 is None:
        facts, inclusion = record.facts, record.inclusion
        proof = press.proof_of(session, record)
        session.rollback()
        document = press.pressed(
            facts, inclusion=inclusion, proof=proof, seal=workshop.seal, stamper=workshop.stamper, at=at
        )
        sha256 = workshop.files.keep(document)
        begin_writing(session)
        records.keep_document(session, number=number, sha256=sha256, at=at)
        session.commit()
        record = records.record_numbered(session, number)
    assert record.document_sha256 is not None
    return record.document_sha256


def draw_records(session: Session, *, workshop: Workshop, at: datetime) -> int:
    """Draw some of the other documents whose event is in the log by now; how many. Commits each."""
    return draw_some(
        session,
        partial(records.undrawn, session),
        lambda number: draw_record(session, number=number, workshop=workshop, at=at),
        RECORDS_AT_A_TIME,
    )


def draw_statement(
    session: Session,
    *,
    number: str,
    files: Files,
    seal: signing.Seal,
    translate: Callable[[str], str],
    at: datetime,
) -> str:
    """Draw, sign and keep a verification statement if that was not done yet; its SHA-256. Commits.

    Outside of any transaction, as a certificate is. translate: into the statement's language. Raises NoSuchStatement.
    """
    statement = verified.statement_numbered(session, number)
    if statement.document_sha256 is None:
        sha256 = verified.drawn(statement, files, seal=seal, translate=translate, at=at)
        begin_writing(session)
        verified.keep_document(session, number=number, sha256=sha256, at=at)
        session.commit()
        session.refresh(statement)
    assert statement.document_sha256 is not None
    return statement.document_sha256
