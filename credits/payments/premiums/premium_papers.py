"""Papers of the premium: minutes, proofs of payment, receipts, photos. Looked at before, kept under their hash."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.errors import Conflict, Missing
from credits.files import Files
from credits.journal import events
from credits.participants.models import User
from credits.participants.permissions import is_auditor, is_issuer, is_own
from credits.payments.premiums.premium_models import Minute, PaperKind, Payout, PremiumPaper, PremiumUse
from credits.registry.mines.sites import number_of
from credits.registry.papers.evidence_likeness import one_at_a_time
from credits.registry.papers.evidence_looking import Looked, UnusableFile
from credits.registry.papers.evidence_storage import count_in
from credits.registry.policy import Policy
from credits.registry.production import Site


class PaperUsed(Conflict):
    """The same file stands behind something else already."""

    code = "paper_used"


class NoSuchPaper(Missing):
    code = "no_such_paper"


def keep(
    session: Session,
    *,
    looked: Looked,
    kind: PaperKind,
    behind: Minute | Payout | PremiumUse,
    open_to_public: bool,
    files: Files,
    policy: Policy,
    by: User,
    at: datetime,
) -> PremiumPaper:
    """Put a file that was looked at behind a minute, a payout or a use. Flushes, and keeps the file.

    Raises UnusableFile for a table, PaperUsed, TooMuchToday.
    """
    if looked.pages is None:
        raise UnusableFile("Please send a PDF or a picture: a table is no signed paper.", found=looked.media_type)
    one_at_a_time(session)
    there = session.scalars(
        select(PremiumPaper).where(PremiumPaper.sha256 == looked.sha256, PremiumPaper.counts)
    ).one_or_none()
    if there is not None:
        if isinstance(behind, Payout) and there.disbursement_id == behind.id:
            return there
        raise used(looked)
    count_in(session, by.organisation_id, len(looked.content), policy, at)
    files.keep(looked.content)
    paper = PremiumPaper(
        kind=kind,
        decision_id=behind.id if isinstance(behind, Minute) else None,
        disbursement_id=behind.id if isinstance(behind, Payout) else None,
        use_id=behind.id if isinstance(behind, PremiumUse) else None,
        filename=looked.filename,
        media_type=looked.media_type,
        size=len(looked.content),
        sha256=looked.sha256,
        pages=looked.pages,
        open_to_public=open_to_public,
        added_by_id=by.id,
        added_at=at,
    )
    try:
        with session.begin_nested():
            session.add(paper)
            session.flush()
    except IntegrityError:
        raise used(looked) from None
    return paper


def used(looked: Looked) -> PaperUsed:
    return PaperUsed(
        f"{looked.filename} was sent before and stands behind something else. Each paper counts once.",
        sha256=looked.sha256,
    )


def consent(session: Session, *, paper: PremiumPaper, open_to_public: bool, by: User, at: datetime) -> None:
    """Let everybody see the pages of a paper, or nobody but its own people and the registry. Flushes."""
    session.refresh(paper, with_for_update=True)
    if paper.open_to_public == open_to_public:
        return
    paper.open_to_public = open_to_public
    session.flush()
    facts = {"paper": paper.kind.value, "sha256": paper.sha256, "open": open_to_public}
    subject = number_of(site_behind(session, paper))
    events.append(session, kind="premium.consent", subject=subject, actor=by.number, at=at, facts=facts)


def site_behind(session: Session, paper: PremiumPaper) -> Site:
    """The site whose premium a paper is about."""
    if paper.use_id is not None:
        return session.get_one(PremiumUse, paper.use_id).payout.minute.site
    if paper.disbursement_id is not None:
        return session.get_one(Payout, paper.disbursement_id).minute.site
    return session.get_one(Minute, paper.decision_id).site


def paper_for(session: Session, by: User | None, paper_id: int) -> PremiumPaper:
    """A paper that `by` may look at: everybody where there is consent, else its own people and the registry.

    Raises NoSuchPaper.
    """
    paper = session.get(PremiumPaper, paper_id)
    if paper is None or not (paper.open_to_public or (by is not None and sees(session, by, paper))):
        raise NoSuchPaper("There is no such paper.")
    return paper


def sees(session: Session, by: User, paper: PremiumPaper) -> bool:
    return is_issuer(by) or is_auditor(by) or (by.active and is_own(by, site_behind(session, paper).producer))
