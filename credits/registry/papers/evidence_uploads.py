"""Files that arrive in pieces over a slow link: begun, added to, taken, or dropped when nobody finishes them."""

import re
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid, Missing
from credits.files import FileMissing, Parts, WrongOffset
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import may_register_for
from credits.registry.papers.evidence import OPEN_FOR_EVIDENCE, EvidenceClosed
from credits.registry.papers.evidence_looking import (
    ENDINGS,
    NAMES,
    UnusableFile,
    promised,
    refuse_too_large,
    sound_name,
)
from credits.registry.papers.evidence_models import Upload
from credits.registry.papers.evidence_storage import must_have_room
from credits.registry.policy import Policy
from credits.registry.production import Batch, Evidence

HANDLE = re.compile("[0-9a-f]{64}")
MOST_OPEN = 10  # files of one person on their way; the oldest makes room


class NoSuchUpload(Missing):
    code = "no_such_upload"


class TooMuch(Invalid):
    """More bytes than the file was said to have."""

    code = "too_much"


class NotAtTheEnd(Conflict):
    """The piece does not begin where the file ends by now."""

    code = "wrong_offset"


class GivenUp(Conflict):
    """The file was given up, from another device perhaps, while it was being put behind the batch."""

    code = "upload_given_up"


class NotWhole(Conflict):
    """The file has not arrived whole."""

    code = "not_whole"


def begin(
    session: Session,
    *,
    batch: Batch,
    filename: str,
    size: int,
    handle: str,
    parts: Parts,
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> Upload:
    """Make room for a file of `size` bytes. What is not taken anyway is refused before anybody sends it.

    handle: 64 hexadecimal digits that nobody can guess. Flushes. Raises NotAllowed, EvidenceClosed, UnusableFile,
    TooMuchToday.
    Under an earlier key it is the earlier upload, or NoSuchUpload where that is gone.
    """
    may_register_for(by, batch.site.producer)
    asked = {"act": "evidence.upload", "batch": batch.number, "filename": filename, "size": size}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return upload_of(session, by, earlier["upload"])
    if batch.state not in OPEN_FOR_EVIDENCE:
        raise EvidenceClosed("Papers are added while a batch is a draft, or when the verifier asks for more.")
    name = sound_name(filename)
    if not name.lower().endswith(tuple(ending for endings in ENDINGS.values() for ending in endings)):
        raise UnusableFile("Please send a PDF, a JPEG or PNG picture, or a CSV table.")
    if size < 1:
        raise UnusableFile("The file is empty. Please choose it again.")
    refuse_too_large(size, policy)
    must_have_room(session, by.organisation_id, size, policy, at)
    mine = select(Upload).where(Upload.begun_by_id == by.id).order_by(Upload.id.desc())
    for oldest in session.scalars(mine.offset(MOST_OPEN - 1)):
        drop(session, oldest, parts)
    upload = Upload(handle=handle, batch=batch, filename=name, size=size, begun_by_id=by.id, begun_at=at)
    session.add(upload)
    session.flush()
    parts.begin(handle)
    settle(session, {"upload": handle})
    return upload


def upload_of(session: Session, by: User, handle: str) -> Upload:
    """The upload with this handle, if `by` has begun it. Raises NoSuchUpload."""
    mine = select(Upload).where(Upload.handle == handle, Upload.begun_by_id == by.id)
    upload = session.scalars(mine).one_or_none() if HANDLE.fullmatch(handle) else None
    if upload is None:
        raise NoSuchUpload("There is no such upload: it was finished or dropped. Please choose the file again.")
    return upload


def arrived(upload: Upload, parts: Parts) -> int:
    """How many bytes are there. Raises NoSuchUpload."""
    if upload.evidence_id is not None:
        return upload.size
    try:
        return parts.length(upload.handle)
    except FileMissing:
        raise gone() from None


def append(upload: Upload, *, offset: int, piece: bytes, parts: Parts) -> int:
    """Add a piece; how many bytes are there then. Changes no row.

    Raises TooMuch, NotAtTheEnd, NoSuchUpload, and UnusableFile where the first piece is none of a file that is taken.
    """
    if offset + len(piece) > upload.size:
        raise TooMuch(f"The file was said to have {upload.size:,} bytes, and this is more.", size=upload.size)
    if offset == 0 and piece:
        refuse_hopeless(upload.filename, piece)
    try:
        return parts.append(upload.handle, offset, piece)
    except WrongOffset as wrong:
        raise NotAtTheEnd(f"{wrong.there} bytes are there: go on from that one.", offset=wrong.there) from None
    except FileMissing:
        raise gone() from None


def refuse_hopeless(filename: str, beginning: bytes) -> None:
    """Raise UnusableFile where the first bytes say that the file is none that is taken, before all of it is sent."""
    found = promised(beginning)
    plain = filename.lower()
    if found is None and not plain.endswith(".csv"):
        raise UnusableFile("Please send a PDF, a JPEG or PNG picture, or a CSV table.")
    if found is not None and not plain.endswith(ENDINGS[found]):
        raise UnusableFile(
            f"The file is a {NAMES[found]}, but its name says something else. Name it {ENDINGS[found][0]}.", found=found
        )


def whole(upload: Upload, parts: Parts) -> bytes:
    """The file that has arrived. Raises NotWhole, NoSuchUpload."""
    there = arrived(upload, parts)
    if there != upload.size:
        raise NotWhole("The file has not arrived whole yet. Please send the rest.", offset=there)
    try:
        return parts.read(upload.handle)
    except FileMissing:
        raise gone() from None


def become(session: Session, upload: Upload, paper: Evidence) -> None:
    """Write down that the file is `paper` now. The door drops its parts after its commit. Flushes. Raises GivenUp."""
    mine = update(Upload).where(Upload.id == upload.id).values(evidence_id=paper.id)
    if session.scalars(mine.returning(Upload.id)).one_or_none() is None:
        raise GivenUp(
            "The file was given up meanwhile, so it is not behind the batch. Send it again if it belongs there."
        )


def drop(session: Session, upload: Upload, parts: Parts) -> None:
    """Forget a file that nobody will finish, unless somebody else has. Flushes."""
    session.execute(delete(Upload).where(Upload.id == upload.id))
    parts.drop(upload.handle)


def drop_abandoned(session: Session, *, parts: Parts, policy: Policy, at: datetime) -> int:
    """Forget what was begun too long ago, and the pieces that no row knows; how many. Flushes."""
    before = at - timedelta(hours=policy.hours_to_upload)
    rows = session.scalars(select(Upload).where(Upload.begun_at < before)).all()
    for upload in rows:
        drop(session, upload, parts)
    orphans = list(parts.untouched_since(before.timestamp()))
    for handle in orphans:
        parts.drop(handle)
    return len(rows) + len(orphans)


def gone() -> NoSuchUpload:
    return NoSuchUpload("The upload is not there any more. Please choose the file again.")
