"""Checking a document on a page: by its number, or by the file itself, of which nothing is kept."""

from flask import Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from credits.certificates.checks.published_keys import in_text
from credits.certificates.issuing import certificate_numbered
from credits.certificates.records import record_for
from credits.certificates.verify import as_plain
from credits.errors import CreditsError
from credits.extensions import csrf, db
from credits.identity import visitor
from credits.problems import as_problem, asks_for_json, status_of
from credits.published import keys_published
from credits.verifying import Looked, look_at, look_at_copy
from credits.web.blueprint import bp
from credits.web.paging import asked_text
from credits.web.search import DOCUMENT, RETIREMENT, padded, place_of

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


@bp.get("/verify")
def verify() -> ResponseReturnValue:
    """Without a number, how to check; with one, the check of the registry's own copy."""
    asked = asked_text()
    tidy = "".join(asked.split()).upper() if asked.isascii() else ""
    try:
        if RETIREMENT.fullmatch(tidy):
            return page(asked=asked, looked=look_at_copy(certificate_numbered(db.session, padded(tidy))))
        if DOCUMENT.fullmatch(tidy) and not public_document(padded(tidy)):
            return page(asked=asked, private=True)
        if there := place_of(asked):
            return redirect(there, 302)
    except CreditsError as refusal:
        return page(asked=asked, problem=refusal.message), status_of(refusal)
    problem = _("This is not the number of a certificate. One looks like ASMC-R-000017.") if asked else ""
    return page(asked=asked, problem=problem), 404 if asked else 200


def public_document(number: str) -> bool:
    """Whether the asker may open the document; of others none learns whether there is such a number."""
    try:
        record_for(db.session(), visitor(), number)
    except CreditsError:
        return False
    return True


@bp.post("/verify")
@csrf.exempt  # type: ignore[untyped-decorator]  # it changes nothing, and programs may ask it too
def check_document() -> ResponseReturnValue:
    """Check a file that was sent. It is read once, in this request, and kept nowhere."""
    try:
        sent = request.files.getlist("file")
    except RequestEntityTooLarge:
        return refused(413, "too_large", too_large())
    if request.mimetype not in ("", "multipart/form-data"):
        return refused(415, "wrong_media_type", _("Send the document as multipart/form-data, in the field “file”."))
    if len(sent) > 1:
        return refused(422, "invalid", _("Send one file at a time: nothing was checked."))
    content = b"".join(read(file) for file in sent)
    if not content and not any(file.filename for file in sent):
        return refused(422, "invalid", _("Choose the file of the certificate (PDF)."))
    looked = look_at(content)
    return jsonify(as_plain(looked.verdict)) if asks_for_json() else page(looked=looked)


def read(sent: FileStorage) -> bytes:
    content: bytes = sent.read()
    sent.close()  # a large one lay in a temporary file, which is gone now
    return content


def too_large() -> str:
    """Why so much is not looked at: the file, or what was sent besides."""
    if 0 < (request.content_length or 0) <= (request.max_content_length or 0):
        return str(_("Send one file, and nothing beside it."))
    return str(_("A certificate is far smaller: a file of more than 25 MB is none."))


def refused(status: int, code: str, sentence: str) -> ResponseReturnValue:
    """Why nothing was checked: on the page, or as a problem for programs."""
    return as_problem(status, sentence, code) if asks_for_json() else (page(problem=sentence), status)


@bp.get("/keys.json")
def key_file() -> ResponseReturnValue:
    """The public keys of all times, for those who check documents without this registry."""
    return Response(in_text(keys_published()), mimetype="application/json", headers={"Cache-Control": "max-age=5"})


@bp.get("/keys")
def public_keys() -> ResponseReturnValue:
    return render_template("verify/public_keys.html", keys=keys_published())


def page(*, asked: str = "", problem: str = "", looked: Looked | None = None, private: bool = False) -> str:
    return render_template(
        "verify/verify.html", asked=asked, problem=problem, looked=looked, private=private, labels=LABELS
    )
