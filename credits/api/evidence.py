"""The papers and pictures behind a batch, sent whole or in pieces."""

from typing import Any

from flask import Response, current_app, url_for

from credits import receiving
from credits.api.batches import told
from credits.api.blueprint import Area
from credits.api.doing import Sent, With, created, once
from credits.api.reading import MULTIPART
from credits.api.schemas.batches import Batch, Evidence, EvidenceRequest, UploadedRequest
from credits.api.schemas.shared import KeySchema
from credits.extensions import db
from credits.identity import current_user, now
from credits.registry import queries
from credits.registry.papers import evidence, evidence_uploads
from credits.registry.papers.evidence_looking import ENDINGS, Looked

area = Area("evidence", "The papers and pictures behind a batch.")

CONTENT = {"type": "string", "contentMediaType": "application/octet-stream"}
NOTHING: dict[str, str] = {}


@area.post("/batches/<number>/evidence", takes=EvidenceRequest, location=MULTIPART, gives=Evidence, creates=True)
def add_evidence(key: str, asked: dict[str, Any], number: str) -> Sent:
    """Put a file behind a batch, as multipart/form-data."""
    queries.batch_numbered(db.session, current_user(), number)
    looked = receiving.looked_at(asked["file"].filename or "", asked["file"].read())
    paper = added(looked, key, asked, number)
    db.session.commit()
    return created(paper, "api.evidence.download_evidence", number=number, evidence_id=paper.id)


@area.get("/batches/<number>/evidence/<int:evidence_id>", gives=CONTENT, content_types=tuple(ENDINGS))
def download_evidence(number: str, evidence_id: int) -> Response:
    """The file itself, as it was sent."""
    paper = queries.evidence_of(db.session, current_user(), number, evidence_id)
    content = current_app.extensions["evidence_files"].read(paper.sha256)
    answer = Response(content, mimetype=paper.media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=paper.filename)
    # Others wrote this: shown as a page it could run their programs in our name.
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


@area.post("/batches/<number>/evidence/<int:evidence_id>/remove", gives=Batch)
def remove_evidence(key: str, asked: dict[str, Any], number: str, evidence_id: int) -> With:
    """Take a paper away from a draft. The batch as it is then."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)

    def remove() -> None:
        paper = queries.evidence_of(db.session, user, number, evidence_id)
        evidence.remove(db.session, paper=paper, files=current_app.extensions["evidence_files"], by=user, at=now())
        db.session.refresh(batch)

    once(key, "evidence.remove", number, remove, paper=str(evidence_id))
    db.session.commit()
    return told(batch)


def begin_upload(key: str, number: str) -> Response:
    """Begin to send a large file in pieces (tus 1.0: `Upload-Length`, and in `Upload-Metadata` the `filename`)."""
    return receiving.begin(number, key, lambda handle: url_for("api.evidence.append_piece", handle=handle))


area.opened(
    "/batches/<number>/uploads",
    "POST",
    [area.arguments(KeySchema, location="headers"), area.response(201, NOTHING, description="Send pieces there.")],
)(begin_upload)


def sent_so_far(handle: str) -> Response:
    """How many bytes of a file have arrived, in `Upload-Offset`."""
    return receiving.offset(handle)


area.opened("/uploads/<handle>", "HEAD", [area.response(200, NOTHING)])(sent_so_far)


def append_piece(handle: str) -> Response:
    """Send the next piece, from `Upload-Offset` on, as application/offset+octet-stream."""
    return receiving.append(handle)


area.opened("/uploads/<handle>", "PATCH", [area.response(204, NOTHING)])(append_piece)


def drop_upload(handle: str) -> Response:
    """Give a file up that is on its way."""
    return receiving.drop(handle)


area.opened("/uploads/<handle>", "DELETE", [area.response(204, NOTHING)])(drop_upload)


@area.post("/uploads/<handle>/evidence", takes=UploadedRequest, gives=Evidence, creates=True)
def add_uploaded(key: str, asked: dict[str, Any], handle: str) -> Sent:
    """Put a file that has arrived whole behind the batch that it was sent for."""
    parts = current_app.extensions["evidence_parts"]
    upload = evidence_uploads.upload_of(db.session, current_user(), handle)
    number = upload.batch.number
    if upload.evidence_id is not None:  # the answer was lost, or another key says the same
        paper = queries.evidence_of(db.session, current_user(), number, upload.evidence_id)
        where = url_for("api.evidence.download_evidence", _external=True, number=number, evidence_id=paper.id)
        return paper, 200, {"Location": where}
    looked = receiving.looked_at(upload.filename, evidence_uploads.whole(upload, parts))
    paper = added(looked, key, asked, number)
    evidence_uploads.become(db.session, evidence_uploads.upload_of(db.session, current_user(), handle), paper)
    db.session.commit()
    parts.drop(handle)
    return created(paper, "api.evidence.download_evidence", number=number, evidence_id=paper.id)


def added(looked: Looked, key: str, asked: dict[str, Any], number: str) -> Any:
    return evidence.add(
        db.session,
        batch=queries.batch_numbered(db.session, current_user(), number),
        kind=asked["kind"],
        reference=asked["reference"],
        issuer=asked["issuer"],
        looked=looked,
        files=current_app.extensions["evidence_files"],
        policy=current_app.extensions["policy"],
        by=current_user(),
        key=key,
        at=now(),
    )
