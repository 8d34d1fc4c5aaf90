"""How files come in at every door: looked at outside of any transaction, whole or in pieces.

Pieces travel by the core of tus 1.0 (https://tus.io/protocols/resumable-upload) with its extensions creation,
termination and expiration: a client that lost the connection asks how much is there, and goes on from that byte.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from flask import Response, current_app, request
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge, UnsupportedMediaType

from credits.db import begin_writing
from credits.errors import Invalid
from credits.extensions import db
from credits.identity import current_user, new_handle, now
from credits.registry import queries
from credits.registry.papers import evidence_uploads
from credits.registry.papers.evidence_looking import Looked, look
from credits.registry.papers.evidence_models import Upload

VERSION = "1.0.0"
PIECE = "application/offset+octet-stream"
MOST_DIGITS = 15


class OtherVersion(HTTPException):
    code = 412
    description = f"Send the header Tus-Resumable: {VERSION}."

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        return [*super().get_headers(*args, **kwargs), ("Tus-Version", VERSION)]


class BadHeader(Invalid):
    """A header of the upload that says nothing, or something else."""

    code = "bad_header"


def looked_at(filename: str, content: bytes) -> Looked:
    """What the file is. Ends the transaction, since looking takes time, and begins a new one that writes.

    Whatever was read before has to be read again. Raises UnusableFile and its like.
    """
    db.session.rollback()  # nobody else waits meanwhile
    looked = look(filename, content, current_app.extensions["policy"])
    begin_writing(db.session)
    return looked


def options() -> Response:
    """What this server knows of the protocol."""
    most = current_app.extensions["policy"].largest_file_bytes
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": "creation,termination,expiration",
        "Tus-Max-Size": str(most),
    }
    return answer(204, headers)


def begin(number: str, key: str, address: Callable[[str], str]) -> Response:
    """Make room for a file of `Upload-Length` bytes with the `filename` in `Upload-Metadata`. Commits.

    address: where the upload with this handle is reached.
    """
    must_speak_tus()
    policy = current_app.extensions["policy"]
    size = whole_number("Upload-Length")
    if size > policy.largest_file_bytes:
        raise RequestEntityTooLarge(
            description=f"The file is too large: at most {policy.largest_file_bytes // 1_000_000} MB."
        )
    upload = evidence_uploads.begin(
        db.session,
        batch=queries.batch_numbered(db.session, current_user(), number),
        filename=metadata(request.headers.get("Upload-Metadata", "")).get("filename", ""),
        size=size,
        handle=new_handle(),
        parts=current_app.extensions["evidence_parts"],
        policy=policy,
        by=current_user(),
        key=key,
        at=now(),
    )
    made = answer(201, {"Location": address(upload.handle), "Upload-Offset": "0"} | expiry(upload))
    db.session.commit()
    return made


def offset(handle: str) -> Response:
    """How much of a file is there."""
    must_speak_tus()
    upload = evidence_uploads.upload_of(db.session, current_user(), handle)
    there = evidence_uploads.arrived(upload, current_app.extensions["evidence_parts"])
    return answer(200, {"Upload-Offset": str(there), "Upload-Length": str(upload.size)} | expiry(upload))


def append(handle: str) -> Response:
    """Add the piece that the request carries."""
    must_speak_tus()
    if request.mimetype != PIECE:
        raise UnsupportedMediaType(description=f"Send the piece as {PIECE}.")
    upload = evidence_uploads.upload_of(db.session, current_user(), handle)
    headers = expiry(upload)
    db.session.refresh(upload)
    db.session.expunge(upload)
    db.session.rollback()  # a piece changes no row, so nobody waits for it
    there = evidence_uploads.append(
        upload,
        offset=whole_number("Upload-Offset"),
        piece=request.get_data(),
        parts=current_app.extensions["evidence_parts"],
    )
    return answer(204, {"Upload-Offset": str(there)} | headers)


def drop(handle: str) -> Response:
    """Forget a file. Commits."""
    must_speak_tus()
    upload = evidence_uploads.upload_of(db.session, current_user(), handle)
    evidence_uploads.drop(db.session, upload, current_app.extensions["evidence_parts"])
    db.session.commit()
    return answer(204, {})


def must_speak_tus() -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise OtherVersion


def whole_number(name: str) -> int:
    """The number in a header. Raises BadRequest."""
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise BadRequest(f"The header {name} must hold a whole number of bytes.")
    return int(text)


def metadata(header: str) -> dict[str, str]:
    """The texts of `Upload-Metadata`: names, each with its value in Base64. Raises BadHeader."""
    found = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        name, _, value = pair.partition(" ")
        try:
            found[name] = b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise BadHeader("Upload-Metadata must hold names, each with its value in Base64.") from None
    return found


def expiry(upload: Upload) -> dict[str, str]:
    """Until when the file may be finished."""
    hours = current_app.extensions["policy"].hours_to_upload
    return {"Upload-Expires": format_datetime(upload.begun_at + timedelta(hours=hours), usegmt=True)}


def answer(status: int, headers: Mapping[str, str]) -> Response:
    made = Response(status=status, headers=dict(headers), mimetype="text/plain")
    made.headers["Tus-Resumable"] = VERSION
    made.headers["Cache-Control"] = "no-store"
    return made
