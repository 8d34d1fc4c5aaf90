"""Papers that are nearly the same as one behind another batch: found, noted as questions, and answered by a person."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, insert, select, tuple_
from sqlalchemy.orm import Session

from credits.db import dialect_of
from credits.errors import Conflict
from credits.registry.papers.evidence_models import Ground, Likeness, PagePrint, PaperNumber, PrintBand
from credits.registry.policy import Policy
from credits.registry.production import Batch, Evidence

LOCK = 7_007  # of whoever adds a paper, among PostgreSQL's advisory locks
BANDS = 16  # parts of 16 bits
MOST_QUESTIONS = 3  # about one paper: who reads three knows enough
MOST_CANDIDATES = 2_000
KEYS_AT_A_TIME = 500


class OpenQuestions(Conflict):
    """Questions about the papers have to be answered first."""

    code = "open_questions"


def one_at_a_time(session: Session) -> None:
    """Let nobody else add a paper until this transaction ends: two alike added at once would not see each other.

    SQLite has one writer anyway.
    """
    if dialect_of(session) == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))


def note_likenesses(
    session: Session, paper: Evidence, prints: Sequence[Sequence[str]], policy: Policy, at: datetime
) -> list[Likeness]:
    """Note which papers of other batches `paper` resembles, the likest first. Flushes.

    prints: of each page, what it looks like upright and turned. Call it before `remember_pages`.
    """
    found = {(Ground.PICTURE, other): bits for other, bits in alike_in_pages(session, paper, prints, policy).items()}
    found |= {(Ground.NUMBER, other): 0 for other in alike_in_numbers(session, paper)}
    nearest = sorted(found.items(), key=lambda each: (each[1], each[0]))[:MOST_QUESTIONS]
    noted = [
        Likeness(evidence_id=paper.id, other_id=other, ground=ground, bits=bits, noted_at=at)
        for (ground, other), bits in nearest
    ]
    session.add_all(noted)
    session.flush()
    return noted


def alike_in_pages(
    session: Session, paper: Evidence, prints: Sequence[Sequence[str]], policy: Policy
) -> dict[int, int]:
    """The papers of other batches with a page nearly like one of these: their ids, and in how many bits it differs."""
    mine = [int(turned, 16) for page in prints for turned in page]
    keys = sorted({key for turned in mine for key in bands(turned)})
    nearest: dict[int, int] = {}
    for first in range(0, len(keys), KEYS_AT_A_TIME):
        shared = (
            select(PrintBand.evidence_id, PrintBand.page)
            .where(tuple_(PrintBand.band, PrintBand.value).in_(keys[first : first + KEYS_AT_A_TIME]))
            .distinct()
            .subquery()
        )
        candidates = (
            select(PagePrint.evidence_id, PagePrint.print)
            .join(shared, (shared.c.evidence_id == PagePrint.evidence_id) & (shared.c.page == PagePrint.page))
            .join(Evidence, Evidence.id == PagePrint.evidence_id)
            .where(*elsewhere(paper))
            .order_by(PagePrint.evidence_id.desc())
            .limit(MOST_CANDIDATES)
        )
        for other, theirs in session.execute(candidates):
            bits = min((turned ^ int(theirs, 16)).bit_count() for turned in mine)
            if bits <= min(policy.bits_alike, nearest.get(other, 256)):
                nearest[other] = bits
    return nearest


def alike_in_numbers(session: Session, paper: Evidence) -> list[int]:
    """The papers of their kind behind other batches with a number that could be one of this paper's, misread."""
    mine = select(PaperNumber.loose_key).where(PaperNumber.evidence_id == paper.id, PaperNumber.loose_key != "")
    wanted = (
        select(PaperNumber.evidence_id)
        .join(Evidence, Evidence.id == PaperNumber.evidence_id)
        .where(*elsewhere(paper), PaperNumber.kind == paper.kind, PaperNumber.loose_key.in_(mine))
        .distinct()
        .order_by(PaperNumber.evidence_id.desc())
        .limit(MOST_QUESTIONS)
    )
    return list(session.scalars(wanted))


def elsewhere(paper: Evidence) -> tuple[ColumnElement[bool], ...]:
    """The conditions for papers that count, behind batches other than that of `paper`."""
    return Evidence.counts.expression, Evidence.batch_id != paper.batch_id


def remember_pages(session: Session, paper: Evidence, prints: Sequence[Sequence[str]]) -> None:
    """Keep what the pages look like, upright, to compare later papers with. Flushes."""
    upright = [(page, turned[0]) for page, turned in enumerate(prints, 1) if turned]
    if not upright:
        return
    session.execute(
        insert(PagePrint), [{"evidence_id": paper.id, "page": page, "print": seen} for page, seen in upright]
    )
    parts = [
        {"band": band, "value": value, "evidence_id": paper.id, "page": page}
        for page, seen in upright
        for band, value in bands(int(seen, 16))
    ]
    session.execute(insert(PrintBand), parts)


def bands(turned: int) -> list[tuple[int, int]]:
    """The sixteen parts of a print, each with its place."""
    return [(band, turned >> (16 * band) & 0xFFFF) for band in range(BANDS)]


def likenesses_of(session: Session, batch: Batch) -> list[Likeness]:
    """The questions about the papers of a batch, in the order of the papers, the likest first."""
    return list(
        session.scalars(
            select(Likeness)
            .join(Evidence, Evidence.id == Likeness.evidence_id)
            .where(Evidence.batch_id == batch.id)
            .order_by(Likeness.evidence_id, Likeness.bits, Likeness.id)
        )
    )


def refuse_open_questions(session: Session, batch: Batch) -> None:
    """Raise OpenQuestions while a question about the papers of `batch` has no answer."""
    mine = select(Evidence.id).where(Evidence.batch_id == batch.id)
    if session.scalar(select(exists().where(Likeness.evidence_id.in_(mine), Likeness.answer.is_(None)))):
        raise OpenQuestions("Papers of this batch resemble papers behind others. Answer each of these questions first.")
