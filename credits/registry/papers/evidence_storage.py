"""Room for papers: how much an organisation adds a day, and files that no paper refers to any more."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.files import Files
from credits.registry.papers.evidence_likeness import one_at_a_time
from credits.registry.papers.evidence_models import EvidenceDay
from credits.registry.policy import Policy
from credits.registry.production import Evidence

FILES_AT_A_TIME = 200


class TooMuchToday(Conflict):
    """The organisation has added as many bytes as it may on one day."""

    code = "too_much_today"


def must_have_room(session: Session, organisation_id: int, size: int, policy: Policy, at: datetime) -> EvidenceDay:
    """The day's count of an organisation, written down or new. Raises TooMuchToday where `size` bytes are too many."""
    counted = session.get(EvidenceDay, (organisation_id, at.date()), populate_existing=True)
    if counted is None:
        counted = EvidenceDay(organisation_id=organisation_id, day=at.date(), bytes=0)
    most = policy.evidence_bytes_a_day
    if counted.bytes + size > most:
        raise TooMuchToday(
            f"Your organisation has added {counted.bytes // 1_000_000:,} MB of papers today, and at most "
            f"{most // 1_000_000:,} MB a day are taken. Please go on tomorrow (UTC).",
            sent=counted.bytes,
            most=most,
        )
    return counted


def count_in(session: Session, organisation_id: int, size: int, policy: Policy, at: datetime) -> None:
    """Count `size` bytes of a new paper. One at a time: after `one_at_a_time`. Flushes. Raises TooMuchToday."""
    counted = must_have_room(session, organisation_id, size, policy, at)
    counted.bytes += size
    session.add(counted)
    session.flush()


def unreferred(session: Session, files: Files, policy: Policy, at: datetime) -> list[str]:
    """The files that were neither added nor taken away for some hours, and that no paper refers to."""
    before = at - timedelta(hours=policy.hours_to_upload)
    old = sorted(files.untouched_since(before.timestamp()))
    parts = [old[first : first + FILES_AT_A_TIME] for first in range(0, len(old), FILES_AT_A_TIME)]
    return [sha256 for part in parts for sha256 in without_paper(session, part)]


def without_paper(session: Session, some: Sequence[str]) -> list[str]:
    known = set(session.scalars(select(Evidence.sha256).where(Evidence.sha256.in_(some))))
    return [sha256 for sha256 in some if sha256 not in known]


def drop_unreferred(session: Session, some: Sequence[str], files: Files) -> int:
    """Delete those of these files that no paper refers to even now; how many. Nobody adds a paper meanwhile."""
    one_at_a_time(session)
    gone = without_paper(session, some)
    for sha256 in gone:
        files.drop(sha256)
    return len(gone)
