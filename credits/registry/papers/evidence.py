"""Evidence: papers and pictures behind one batch, and behind no other (invariant 6)."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.errors import Conflict, Missing
from credits.files import Files
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import may_register_for
from credits.participants.wording import line
from credits.registry.papers.evidence_likeness import note_likenesses, one_at_a_time, remember_pages
from credits.registry.papers.evidence_looking import Looked
from credits.registry.papers.evidence_models import PaperNumber
from credits.registry.papers.evidence_numbers import LONGEST_ISSUER, Numbered, numbers_on, shown
from credits.registry.papers.evidence_storage import count_in
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState, Evidence, EvidenceKind

OPEN_FOR_EVIDENCE = (BatchState.DRAFT, BatchState.INFORMATION_REQUESTED)
NUMBERS_AT_A_TIME = 500


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
    issuer: str,
    looked: Looked,
    files: Files,
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> Evidence:
    """Put a file that was looked at behind a batch. What resembles another batch's paper becomes a question.

    reference: the numbers on the paper (assay, invoice, tags, tickets), or ""; issuer: who gave them, or "".
    Flushes, and keeps the file. Raises NotAllowed, EvidenceUsed, EvidenceClosed, TooMuchToday, TooManyNumbers,
    BadRange, UnsoundText.
    """
    may_register_for(by, batch.site.producer)
    asked = {"act": "evidence.add", "batch": batch.number, "kind": kind.value, "reference": reference}
    asked |= {"issuer": issuer} if issuer else {}  # keys from before there were issuers mean the same
    if earlier := claim(session, caller=by.number, key=key, request=asked | {"file": looked.sha256}):
        return session.get_one(Evidence, earlier["evidence"])
    session.refresh(batch, with_for_update=True)
    if batch.state not in OPEN_FOR_EVIDENCE:
        raise EvidenceClosed("Papers are added while a batch is a draft, or when the verifier asks for more.")
    given_by = line(issuer, "Who gave the number", LONGEST_ISSUER) if issuer.strip() else None
    numbers = numbers_on(kind, reference, given_by or "", batch.site.producer_id)
    one_at_a_time(session)
    refuse_same_file(session, batch, looked.sha256)
    refuse_same_number(session, batch, kind, numbers)
    count_in(session, by.organisation_id, len(looked.content), policy, at)
    files.keep(looked.content)
    told = {"kind": kind, "issuer": given_by, "added_by_id": by.id, "added_at": at}
    paper = put_behind(session, batch, looked, numbers, told)
    likenesses = note_likenesses(session, paper, looked.prints, policy, at)
    remember_pages(session, paper, looked.prints)
    tell(session, "evidence.added", paper, by, at, {"questions": len(likenesses)} if likenesses else {})
    settle(session, {"evidence": paper.id})
    return paper


def put_behind(
    session: Session, batch: Batch, looked: Looked, numbers: list[Numbered], told: dict[str, Any]
) -> Evidence:
    """Write a paper down with its numbers. Flushes. Raises EvidenceUsed where somebody was quicker."""
    try:
        with session.begin_nested():
            paper = Evidence(
                batch=batch,
                reference=shown(numbers),
                filename=looked.filename,
                media_type=looked.media_type,
                size=len(looked.content),
                sha256=looked.sha256,
                pages=looked.pages,
                **told,
            )
            session.add(paper)
            session.flush()
            session.add_all(PaperNumber(evidence_id=paper.id, kind=paper.kind, **vars(number)) for number in numbers)
            session.flush()
    except IntegrityError:
        raise EvidenceUsed("This paper stands behind another batch already.", sha256=looked.sha256) from None
    return paper


def remove(session: Session, *, paper: Evidence, files: Files, by: User, at: datetime) -> None:
    """Take a paper away from a draft. Flushes. Raises NotAllowed, EvidenceClosed.

    The file itself stays for some hours from now on, see evidence_storage.
    """
    may_register_for(by, paper.batch.site.producer)
    session.refresh(paper.batch, with_for_update=True)
    if paper.batch.state is not BatchState.DRAFT:
        raise EvidenceClosed("What was submitted stays with the batch.")
    tell(session, "evidence.removed", paper, by, at, {})
    files.touch(paper.sha256, at)
    session.delete(paper)
    session.flush()


def free(session: Session, batch: Batch) -> None:
    """Let the papers of a batch that came to nothing stand behind another one. Flushes."""
    for paper in batch.evidence:
        paper.counts = False
    session.flush()
    papers = [paper.id for paper in batch.evidence]
    for number in session.scalars(select(PaperNumber).where(PaperNumber.evidence_id.in_(papers))):
        number.counts = False
    session.flush()


def refuse_same_file(session: Session, batch: Batch, sha256: str) -> None:
    """Raise EvidenceUsed where the very file stands behind a batch that counts."""
    other = session.scalars(select(Evidence).where(Evidence.counts, Evidence.sha256 == sha256)).one_or_none()
    if other is not None:
        refuse_used(batch, other, "This paper", sha256=sha256)


def refuse_same_number(session: Session, batch: Batch, kind: EvidenceKind, numbers: list[Numbered]) -> None:
    """Raise EvidenceUsed where such a paper with one of these numbers, given by the same, stands behind a batch."""
    by_key = {numbered.number_key: numbered for numbered in numbers}
    keys = list(by_key)
    for first in range(0, len(keys), NUMBERS_AT_A_TIME):
        found = session.execute(
            select(PaperNumber.number_key, Evidence)
            .join(Evidence, Evidence.id == PaperNumber.evidence_id)
            .where(
                PaperNumber.counts,
                PaperNumber.kind == kind,
                PaperNumber.issuer_key == numbers[0].issuer_key,
                PaperNumber.number_key.in_(keys[first : first + NUMBERS_AT_A_TIME]),
            )
            .order_by(PaperNumber.id)
            .limit(1)
        ).one_or_none()
        if found is not None:
            number = by_key[found[0]].number
            refuse_used(batch, found[1], f"The number {number}", number=number)


def refuse_used(batch: Batch, other: Evidence, what: str, **detail: object) -> None:
    """Raise EvidenceUsed: `what` stands behind the batch of `other`, which is named to its own people alone."""
    if other.batch_id == batch.id:
        raise EvidenceUsed(f"{what} is with the batch already, on {other.filename}.", **detail)
    own = other.batch.site.producer_id == batch.site.producer_id
    where = f" ({other.batch.number})" if own else ""
    raise EvidenceUsed(
        f"{what} stands behind another batch already{where}. Each paper supports one batch only.", **detail
    )


def tell(session: Session, what: str, paper: Evidence, by: User, at: datetime, more: dict[str, int]) -> None:
    facts = {"evidence": paper.kind.value, "sha256": paper.sha256, "size": paper.size} | more
    private = {"reference": paper.reference or "", "filename": paper.filename}
    if paper.issuer:
        private["issuer"] = paper.issuer
    events.append(session, kind=what, subject=paper.batch.number, actor=by.number, at=at, facts=facts, private=private)
