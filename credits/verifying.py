"""Checking a document at any door: with the published keys, and against what the registry knows besides."""

import json
from dataclasses import dataclass

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from credits.certificates import verified
from credits.certificates.checks import checking
from credits.certificates.checks.checking import Outcome, Result, Verdict
from credits.certificates.checks.published_keys import PublishedKeys, keys_in
from credits.certificates.issuing import NoSuchCertificate, certificate_numbered
from credits.certificates.models import Certificate, Record
from credits.certificates.records import NoSuchDocument, annulled_in, is_suspended, record_numbered
from credits.extensions import db
from credits.journal.canonical import encode
from credits.published import keys_published
from credits.registry import annotating
from credits.registry.annotating import Standing
from credits.registry.movements import CertificateAnnotation

PRESENT = {
    Standing.RETIRED: (Result.OK, lazy_gettext("Retired, and nothing was said against it since.")),
    Standing.ANNOTATED: (Result.OK, lazy_gettext("Retired, and two people of the registry have added a word since.")),
    Standing.ANNULLED: (Result.FAILED, lazy_gettext("Two people of the registry have annulled it since.")),
}


@dataclass(frozen=True)
class Looked:
    """What a check found, and what the registry knows besides: of the certificate, or of the other document.

    kept: whether these are the bytes that it keeps. unsigned: a PDF without a signature, so nothing can be checked.
    """

    verdict: Verdict
    certificate: Certificate | None = None
    kept: bool = False
    standing: Standing = Standing.RETIRED
    annotations: tuple[CertificateAnnotation, ...] = ()
    record: Record | None = None
    unsigned: bool = False


def look_at(content: bytes) -> Looked:
    """Check a document with the keys that are published, and ask the registry what became of it since."""
    verdict = checking.check(content, trusted())
    if verdict.outcome is not Outcome.GENUINE:
        return Looked(verdict, unsigned=content.startswith(b"%PDF-") and b"/ByteRange" not in content)
    if verdict.facts is None:
        return Looked(verdict, kept=verified.keeps(db.session(), verdict.sha256))
    if verdict.kind != "certificate":
        record = record_of(verdict)
        if record is None:
            text = _("The registry has no such document any more: it may be from a part of its log that was lost.")
            verdict.say("state", Result.UNKNOWN, text)
        elif annulled := annulled_in(db.session(), record):
            text = _("Genuine, but annulled since of what it lists: %(numbers)s.", numbers=", ".join(annulled))
            verdict.say("state", Result.OK, text)
        elif is_suspended(record):
            verdict.say("state", Result.OK, _("Genuine, but the issuance is suspended since."))
        return Looked(verdict, record=record, kept=record is not None and record.document_sha256 == verdict.sha256)
    certificate = certificate_of(verdict)
    if certificate is None:
        text = _("The registry has no such certificate any more: it may be from a part of its log that was lost.")
        verdict.say("state", Result.UNKNOWN, text)
        return Looked(verdict)
    annotations = tuple(annotating.annotations_of(db.session(), certificate.retirement))
    standing = annotating.standing_of(list(annotations))
    result, text = PRESENT[standing]
    verdict.say("state", result, str(text))
    return Looked(verdict, certificate, certificate.document_sha256 == verdict.sha256, standing, annotations)


def certificate_of(verdict: Verdict) -> Certificate | None:
    """The certificate with these very facts. Its number alone would not do: after a loss it may be another one's."""
    try:
        found = certificate_numbered(db.session, verdict.number)
    except NoSuchCertificate:
        return None
    return found if found.facts == encode(verdict.facts or {}) else None


def record_of(verdict: Verdict) -> Record | None:
    """The other document with these very facts, which whoever has the file knows."""
    try:
        found = record_numbered(db.session(), verdict.number)
    except NoSuchDocument:
        return None
    return found if found.facts == encode(verdict.facts or {}) else None


def look_at_copy(certificate: Certificate) -> Looked | None:
    """Check the document that the registry keeps of a certificate; None while it is being issued."""
    if certificate.document_sha256 is None:
        return None
    return look_at(current_app.extensions["certificate_files"].read(certificate.document_sha256))


def trusted() -> PublishedKeys:
    """The published keys, read as everybody else reads them."""
    return keys_in(json.dumps(keys_published()).encode())
