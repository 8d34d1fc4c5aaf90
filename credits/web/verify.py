"""Checking a document on a page: by its number, or by the file itself, of which nothing is kept."""

import json
from dataclasses import dataclass

from flask import Response, current_app, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from credits.certificates import checking
from credits.certificates.checking import Outcome, Result, Verdict
from credits.certificates.issuing import NoSuchCertificate, certificate_numbered
from credits.certificates.models import Certificate, Record
from credits.certificates.published_keys import PublishedKeys, in_text, keys_in
from credits.certificates.records import NoSuchDocument, annulled_in, record_numbered
from credits.certificates.verify import as_plain
from credits.errors import CreditsError
from credits.extensions import csrf, db
from credits.journal.canonical import encode
from credits.problems import status_of
from credits.published import keys_published
from credits.registry import annotating
from credits.registry.annotating import Standing
from credits.registry.movements import CertificateAnnotation
from credits.web.blueprint import bp
from credits.web.paging import asked_text
from credits.web.search import RETIREMENT, padded, place_of

LABELS = {
    "file": lazy_gettext("Whole file under the signature"),
    "signer": lazy_gettext("Signed by a published key"),
    "signature": lazy_gettext("Every byte as it was signed"),
    "revision": lazy_gettext("Nothing added, no change allowed"),
    "time": lazy_gettext("Key in use when it signed"),
    "stamp": lazy_gettext("Time stamp"),
    "attachments": lazy_gettext("Facts and proof enclosed, nothing else"),
    "facts": lazy_gettext("Facts in their one exact form"),
    "registry": lazy_gettext("Of this registry"),
    "paper": lazy_gettext("Number and quantity agree"),
    "log": lazy_gettext("Entry in the registry's log"),
    "inclusion": lazy_gettext("Facts are those in the log"),
    "state": lazy_gettext("What was said of it later"),
}

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


@bp.get("/verify")
def verify() -> ResponseReturnValue:
    """Without a number, how to check; with one, the check of the registry's own copy."""
    asked = asked_text()
    tidy = "".join(asked.split()).upper() if asked.isascii() else ""
    try:
        if RETIREMENT.fullmatch(tidy):
            return page(asked=asked, looked=look_at_copy(certificate_numbered(db.session, padded(tidy))))
        if there := place_of(asked):
            return redirect(there, 302)
    except CreditsError as refusal:
        return page(asked=asked, problem=refusal.message), status_of(refusal)
    problem = _("This is not the number of a certificate. One looks like ASMC-R-000017.") if asked else ""
    return page(asked=asked, problem=problem), 404 if asked else 200


@bp.post("/verify")
@csrf.exempt  # type: ignore[untyped-decorator]  # it changes nothing, and programs may ask it too
def check_document() -> ResponseReturnValue:
    """Check a file that was sent. It is read once, in this request, and kept nowhere."""
    sent = request.files.get("file")
    content = b""
    if sent:
        content = sent.read()
        sent.close()  # a large one lay in a temporary file, which is gone now
    if not content:
        return page(problem=_("Choose the file of the certificate (PDF). An empty file cannot be checked.")), 422
    looked = look_at(content)
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return jsonify(as_plain(looked.verdict))
    return page(looked=looked)


@bp.get("/keys.json")
def key_file() -> ResponseReturnValue:
    """The public keys of all times, for those who check documents without this registry."""
    return Response(in_text(keys_published()), mimetype="application/json", headers={"Cache-Control": "max-age=5"})


@bp.get("/keys")
def public_keys() -> ResponseReturnValue:
    return render_template("verify/public_keys.html", keys=keys_published())


def page(*, asked: str = "", problem: str = "", looked: Looked | None = None) -> str:
    return render_template("verify/verify.html", asked=asked, problem=problem, looked=looked, labels=LABELS)


def look_at(content: bytes) -> Looked:
    """Check a document with the keys that are published, and ask the registry what became of it since."""
    verdict = checking.check(content, trusted())
    if verdict.outcome is not Outcome.GENUINE or verdict.facts is None:
        return Looked(verdict, unsigned=content.startswith(b"%PDF-") and b"/ByteRange" not in content)
    if verdict.kind != "certificate":
        record = record_of(verdict)
        if record and (annulled := annulled_in(db.session(), record)):
            text = _("Genuine, but annulled since of what it lists: %(numbers)s.", numbers=", ".join(annulled))
            verdict.say("state", Result.OK, text)
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
