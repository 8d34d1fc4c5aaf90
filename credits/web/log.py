"""The published log: for software as checkpoint and tiles (c2sp.org/tlog-tiles), for people as pages."""

import json
from datetime import UTC, datetime
from typing import Any

from flask import Response, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from credits.extensions import csrf, db
from credits.identity import now
from credits.journal import checkpoints, keys, proving, storage
from credits.journal.log_models import LogCheckpoint, LogCosignature, LogLeaf
from credits.journal.losses import losses
from credits.journal.merkle import leaf_hash
from credits.journal.models import Event
from credits.journal.tiles import tile_at
from credits.registry import logged, queries
from credits.web.blueprint import bp
from credits.web.paging import ROWS, asked_number

SECONDS = "public, max-age=5"
A_DAY = "public, max-age=86400, immutable"
FOR_EVER = "public, max-age=31536000, immutable"


@bp.get("/checkpoint")
def checkpoint() -> ResponseReturnValue:
    """The newest head of the log, signed and cosigned."""
    newest = checkpoints.newest(db.session) or abort(404)
    return as_text(checkpoints.told(db.session, newest), SECONDS)


@bp.get("/log/checkpoints/<int:size>")
def older_checkpoint(size: int) -> ResponseReturnValue:
    """A head that was published before; cosignatures may still come to it."""
    found = db.session.get(LogCheckpoint, size) or abort(404)
    return as_text(checkpoints.told(db.session, found), SECONDS)


@bp.get("/tile/<path:path>")
def tile(path: str) -> ResponseReturnValue:
    """Hashes or entries of the log. What is served once never changes, so everybody may keep it."""
    asked, newest = tile_at(path), checkpoints.newest(db.session)
    if asked is None or newest is None or not asked.is_within(newest.size):
        abort(404)
    answer = Response(storage.content(db.session, asked), mimetype="application/octet-stream")
    answer.headers["Cache-Control"] = FOR_EVER if asked.is_full else A_DAY
    return answer


@bp.get("/log")
def log() -> ResponseReturnValue:
    newest = checkpoints.newest(db.session)
    before = min(asked_number("before", newest.size), newest.size) if newest else 0
    rows = db.session.execute(
        select(LogLeaf.position, Event.kind, Event.subject, Event.at)
        .join(Event, Event.id == LogLeaf.event_id)
        .where(LogLeaf.position < before)
        .order_by(LogLeaf.position.desc())
        .limit(ROWS)
    ).all()
    return render_template(
        "log/log.html",
        checkpoint=newest,
        text=checkpoints.told(db.session, newest) if newest else "",
        witnesses=witnesses_of(newest),
        keys=public_keys(),
        losses=losses(db.session()),
        events=rows,
        further=rows[-1].position if rows else 0,
        waiting_since=None if newest else db.session.scalar(select(func.min(Event.at))),
    )


@bp.get("/log/events/<int:index>")
def logged_event(index: int) -> ResponseReturnValue:
    event = proving.event_at(db.session, index)
    proof = proving.proof_of(db.session, index)
    return render_template(
        "log/event.html",
        event=event,
        index=index,
        said=json.dumps(json.loads(event.body), ensure_ascii=False, indent=2),
        leaf=leaf_hash(bytes(event.body)).hex(),
        size=int(proof.checkpoint.split("\n")[1]),
        keys=public_keys(),
    )


@bp.get("/log/events/<int:index>.tlog-proof")
def event_proof(index: int) -> ResponseReturnValue:
    return as_proof(index, f"event-{index}")


@bp.get("/log/proofs/<number>.tlog-proof")
def proof_of_number(number: str) -> ResponseReturnValue:
    """Of the newest that happened to a certificate, transfer, batch or whatever else has a number."""
    return as_proof(logged.place_of(db.session(), number), number)


@bp.get("/issuances/<number>.tlog-proof")
def proof_of_issuance(number: str) -> ResponseReturnValue:
    """Of what was written down when the serials were issued; their later ways are under their own numbers."""
    issued = queries.issuance_numbered(db.session(), number)
    return as_proof(logged.place_of_issuing(db.session(), issued), number)


@bp.get("/log/events/<int:index>.json")
def event_bytes(index: int) -> ResponseReturnValue:
    """The event's exact bytes, as they were hashed."""
    answer = Response(bytes(proving.event_at(db.session, index).body), mimetype="application/json")
    answer.headers["Cache-Control"] = FOR_EVER
    return answer


@bp.get("/log/keys")
def log_key_list() -> ResponseReturnValue:
    """The public keys of all times, one a line: key, since, until."""
    return as_text("".join(f"{key.public} {key.since} {key.until}".rstrip() + "\n" for key in public_keys()), SECONDS)


@bp.post("/log/checkpoints/<int:size>/cosignatures")
@csrf.exempt  # type: ignore[untyped-decorator]  # a witness is a program without a session; its signature says who it is
def take_cosignature(size: int) -> ResponseReturnValue:
    """Take in signature lines of a witness that the registry trusts."""
    trusted = keys.witnesses(current_app.extensions["settings"].data_dir)
    names = checkpoints.cosign(db.session(), answer=request.get_data(), size=size, witnesses=trusted, at=now())
    db.session.commit()
    return Response("".join(f"{name}\n" for name in names), 201, mimetype="text/plain")


def as_proof(index: int, name: str) -> Response:
    answer = as_text(proving.proof_of(db.session(), index).text, SECONDS)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.tlog-proof"'
    return answer


def as_text(text: str, cached: str) -> Response:
    answer = Response(text, content_type="text/plain; charset=utf-8")
    answer.headers["Cache-Control"] = cached
    return answer


def public_keys() -> list[keys.LogKey]:
    """Of the log and of the earlier ones whose end was lost, the present ones last."""
    kept = keys.load(current_app.extensions["settings"].data_dir)
    return [key for log in (*kept.earlier, kept) for key in log.keys] if kept else []


def witnesses_of(newest: LogCheckpoint | None) -> list[dict[str, Any]]:
    """Who saw which checkpoint last, of those who ever saw one."""
    if newest is None:
        return []
    rows = db.session.scalars(select(LogCosignature).order_by(LogCosignature.size, LogCosignature.seen_at))
    last = {row.witness: row for row in rows}
    return [
        {"name": witness.partition("+")[0], "size": row.size, "at": datetime.fromtimestamp(row.seen_at, UTC)}
        for witness, row in sorted(last.items())
    ]
