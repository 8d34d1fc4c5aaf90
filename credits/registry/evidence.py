"""Evidence: papers and pictures behind one batch, and behind no other (invariant 6)."""

import csv
import io
import unicodedata
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid, Missing
from credits.files import Files
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import may_register_for
from credits.participants.wording import line
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState, Evidence, EvidenceKind

OPEN_FOR_EVIDENCE = (BatchState.DRAFT, BatchState.INFORMATION_REQUESTED)
BEGINNINGS = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
ENDINGS = {
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "text/csv": (".csv",),
}


class UnusableFile(Invalid):
    """Too large, empty, or not what its name says."""

    code = "unusable_file"


class EvidenceUsed(Conflict):
    """The same paper stands behind a batch already."""

    code = "evidence_used"


class EvidenceClosed(Conflict):
    """The batch is not in a state in which papers are added or taken away."""

    code = "evidence_closed"


class NoSuchEvidence(Missing):
    code = "no_such_evidence"


def add(
    session: Session,
    *,
    batch: Batch,
    kind: EvidenceKind,
    reference: str,
    filename: str,
    content: bytes,
    files: Files,
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> Evidence:
    """Put a file behind a batch. What it is, its content says; its name must agree.

    reference: number of the assay, invoice, tag or ticket, or "".
    Flushes, and keeps the file. Raises NotAllowed, UnusableFile, EvidenceUsed, EvidenceClosed.
    """
    may_register_for(by, batch.site.producer)
    name = line(filename.replace("\\", "/").rpartition("/")[2], "Name of the file", 150)
    media_type = checked(name, content, policy.largest_file_bytes)
    sha256 = files.keep(content)
    asked = {"act": "evidence.add", "batch": batch.number, "kind": kind.value, "reference": reference, "file": sha256}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Evidence, earlier["evidence"])
    session.refresh(batch, with_for_update=True)
    if batch.state not in OPEN_FOR_EVIDENCE:
        raise EvidenceClosed("Papers are added while a batch is a draft, or when the verifier asks for more.")
    number = line(reference, "Number of the paper", 80) if reference.strip() else None
    compared = number_key(kind, number, batch.site.producer_id) if number else None
    refuse_used(session, batch, kind, compared, sha256)
    try:
        with session.begin_nested():
            paper = Evidence(
                batch=batch,
                kind=kind,
                reference=number,
                number_key=compared,
                filename=name,
                media_type=media_type,
                size=len(content),
                sha256=sha256,
                added_by_id=by.id,
                added_at=at,
            )
            session.add(paper)
            session.flush()
    except IntegrityError:
        raise EvidenceUsed("This paper stands behind another batch already.", sha256=sha256) from None
    tell(session, "evidence.added", paper, by, at)
    settle(session, {"evidence": paper.id})
    return paper


def remove(session: Session, *, paper: Evidence, by: User, at: datetime) -> None:
    """Take a paper away from a draft. The file itself is kept. Flushes. Raises NotAllowed, EvidenceClosed."""
    may_register_for(by, paper.batch.site.producer)
    session.refresh(paper.batch, with_for_update=True)
    if paper.batch.state is not BatchState.DRAFT:
        raise EvidenceClosed("What was submitted stays with the batch.")
    tell(session, "evidence.removed", paper, by, at)
    session.delete(paper)
    session.flush()


def free(session: Session, batch: Batch) -> None:
    """Let the papers of a batch that came to nothing stand behind another one. Flushes."""
    for paper in batch.evidence:
        paper.counts = False
    session.flush()


def checked(filename: str, content: bytes, largest: int) -> str:
    """The media type of a file that may be evidence. Raises UnusableFile."""
    if not content:
        raise UnusableFile("The file is empty. Please choose it again.")
    if len(content) > largest:
        raise UnusableFile(f"The file is too large: at most {largest // 1_000_000} MB.", size=len(content))
    media_type = next((kind for mark, kind in BEGINNINGS.items() if content.startswith(mark)), None)
    if media_type is None and is_csv(content):
        media_type = "text/csv"
    if media_type is None:
        raise UnusableFile("Please send a PDF, a JPEG or PNG picture, or a CSV table.")
    if not filename.lower().endswith(ENDINGS[media_type]):
        raise UnusableFile(
            f"The file is a {media_type}, but its name says something else. Name it {ENDINGS[media_type][0]}.",
            found=media_type,
        )
    return media_type


def is_csv(content: bytes) -> bool:
    """Whether this is a table as text: UTF-8, nothing unprintable, at least two columns, no markup."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    if "\x00" in text or text.lstrip().startswith("<"):
        return False
    try:
        first = next(csv.reader(io.StringIO(text)), [])
    except csv.Error:
        return False
    return len(first) >= 2 or ";" in text.partition("\n")[0]


def number_key(kind: EvidenceKind, number: str, producer_id: int) -> str | None:
    """The number of a paper as it is compared: "inv 1" is "INV-1". None where nothing is left of it.

    Tags are numbered once for all; every producer numbers its other papers itself.
    """
    folded = unicodedata.normalize("NFKC", number).casefold()
    plain = "".join(sign for sign in folded if not sign.isspace() and unicodedata.category(sign) != "Pd")
    if not plain or kind is EvidenceKind.TAG_LOG:
        return plain or None
    return f"{producer_id}:{plain}"


def refuse_used(session: Session, batch: Batch, kind: EvidenceKind, compared: str | None, sha256: str) -> None:
    """Raise EvidenceUsed where the file, or such a paper of this number, is in the registry already.

    compared: what `number_key` makes of the number.
    """
    same = Evidence.sha256 == sha256
    if compared is not None:  # papers without a number are not the same for that
        same |= (Evidence.kind == kind) & (Evidence.number_key == compared)
    other = session.scalars(select(Evidence).where(Evidence.counts, same).limit(1)).one_or_none()
    if other is None:
        return
    if other.batch_id == batch.id:
        raise EvidenceUsed("This paper is with the batch already.", sha256=sha256)
    # Which other batch, only its own people may know.
    own = other.batch.site.producer_id == batch.site.producer_id
    where = f" ({other.batch.number})" if own else ""
    raise EvidenceUsed(f"This paper stands behind another batch already{where}. Each paper supports one batch only.")


def tell(session: Session, what: str, paper: Evidence, by: User, at: datetime) -> None:
    events.append(
        session,
        kind=what,
        subject=paper.batch.number,
        actor=by.number,
        at=at,
        facts={"evidence": paper.kind.value, "sha256": paper.sha256, "size": paper.size},
        private={"reference": paper.reference or "", "filename": paper.filename},
    )
