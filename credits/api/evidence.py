"""The papers and pictures behind a batch."""

from typing import Any

from flask import Response, current_app

from credits.api.blueprint import Area
from credits.api.doing import Sent, created
from credits.api.reading import MULTIPART
from credits.api.schemas.batches import Evidence, EvidenceRequest
from credits.extensions import db
from credits.identity import current_user, now
from credits.registry import evidence, queries

area = Area("evidence", "The papers and pictures behind a batch.")

CONTENT = {"type": "string", "contentMediaType": "application/octet-stream"}


@area.post("/batches/<number>/evidence", takes=EvidenceRequest, location=MULTIPART, gives=Evidence, creates=True)
def add_evidence(key: str, asked: dict[str, Any], number: str) -> Sent:
    """Put a file behind a batch, as multipart/form-data."""
    user = current_user()
    paper = evidence.add(
        db.session,
        batch=queries.batch_numbered(db.session, user, number),
        kind=asked["kind"],
        reference=asked["reference"],
        filename=asked["file"].filename or "",
        content=asked["file"].read(),
        files=current_app.extensions["evidence_files"],
        policy=current_app.extensions["policy"],
        by=user,
        key=key,
        at=now(),
    )
    db.session.commit()
    return created(paper, "api.evidence.download_evidence", number=number, evidence_id=paper.id)


@area.get("/batches/<number>/evidence/<int:evidence_id>", gives=CONTENT, content_types=tuple(evidence.ENDINGS))
def download_evidence(number: str, evidence_id: int) -> Response:
    """The file itself, as it was sent."""
    paper = queries.evidence_of(db.session, current_user(), number, evidence_id)
    content = current_app.extensions["evidence_files"].read(paper.sha256)
    answer = Response(content, mimetype=paper.media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=paper.filename)
    # Others wrote this: shown as a page it could run their programs in our name.
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
