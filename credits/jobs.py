"""Background work. Each job is one call of an operation, and one commit."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from smtplib import SMTPDataError, SMTPNotSupportedError, SMTPRecipientsRefused

from sqlalchemy import update
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import CreditsError
from credits.files import Files, Parts
from credits.journal import checkpoints, outside, sequencing
from credits.journal.keys import LogKeys
from credits.notices import outbox
from credits.one_by_one import by_itself, tried
from credits.registry import expiry, transfer
from credits.registry.files import importing
from credits.registry.files.import_files import ImportFile, ImportState
from credits.registry.mines import site_clock
from credits.registry.models import Issuance
from credits.registry.papers import evidence_storage, evidence_uploads
from credits.registry.policy import Policy
from credits.registry.production import Batch, Site
from credits.registry.reviews import reassigning, risk
from credits.registry.reviews.review_queue import to_assess

log = logging.getLogger(__name__)

RISKS_AT_A_TIME = 50
MOST_UNANSWERED = 3
EVENTS_AT_A_TIME = 2_000  # on SQLite nobody else writes while a part is entered: a tenth of a second


def expire_transfers(session: Session, *, at: datetime) -> int:
    """Give back what was offered and not answered in time; how many transfers. Commits each."""
    due = transfer.unanswered(session, at=at)
    session.rollback()
    return sum(
        bool(by_itself(session, f"transfer {each}", partial(transfer.expire, session, transfer_id=each, at=at)))
        for each in due
    )


def draw_late(session: Session, *, policy: Policy, at: datetime) -> int:
    """Draw another verifier for what was not taken in time; for how many batches. Commits each."""
    due = reassigning.not_taken(session, at=at)
    session.rollback()
    drawn = 0
    for batch_id in due:
        draw = partial(reassigning.lapse, session, batch_id=batch_id, policy=policy, at=at)
        drawn += bool(by_itself(session, f"the draw for batch {batch_id}", draw))
    return drawn


def expire_credits(session: Session, *, policy: Policy, at: datetime) -> int:
    """Take what is past its last day out of circulation; how many issuances. Commits each."""
    total = 0
    while True:
        due = expiry.due(session, policy=policy, at=at)
        session.rollback()
        done = 0
        for issuance_id in due:
            done += bool(
                by_itself(session, f"issuance {issuance_id}", partial(expire, session, issuance_id, policy, at))
            )
        total += done
        if not done:
            return total


def expire(session: Session, issuance_id: int, policy: Policy, at: datetime) -> bool:
    return expiry.expire(session, session.get_one(Issuance, issuance_id), policy, at)


def drop_abandoned_uploads(session: Session, *, parts: Parts, policy: Policy, at: datetime) -> int:
    """Forget the files in pieces that nobody finished in time; how many. Commits."""
    begin_writing(session)
    dropped = evidence_uploads.drop_abandoned(session, parts=parts, policy=policy, at=at)
    session.commit()
    return dropped


def drop_unreferred_files(session: Session, *, files: Files, policy: Policy, at: datetime) -> int:
    """Delete the files that no paper refers to any more for some hours; how many. Commits each part."""
    waiting = evidence_storage.unreferred(session, files, policy, at)
    session.rollback()
    dropped = 0
    for start in range(0, len(waiting), evidence_storage.FILES_AT_A_TIME):
        begin_writing(session)
        some = waiting[start : start + evidence_storage.FILES_AT_A_TIME]
        dropped += evidence_storage.drop_unreferred(session, some, files)
        session.commit()
    return dropped


def assess_risks(session: Session, *, policy: Policy, at: datetime) -> int:
    """Assess the batches that wait and whose risk is not known or an hour old; how many. Commits each."""
    due = to_assess(session, at=at, older_than=timedelta(hours=1), limit=RISKS_AT_A_TIME)
    session.rollback()
    return sum(
        by_itself(session, f"the risk of batch {each}", partial(assess_risk, session, each, policy, at)) is not None
        for each in due
    )


def assess_risk(session: Session, batch_id: int, policy: Policy, at: datetime) -> risk.Risk:
    return risk.assess(session, session.get_one(Batch, batch_id), policy, at)


def run_site_clocks(session: Session, *, policy: Policy, at: datetime) -> int:
    """Suspend sites whose probation ended without mitigation, put those with an overdue major finding on probation.

    How many. Commits each.
    """
    total = 0
    while True:
        due = site_clock.due(session, at=at)
        session.rollback()
        done = 0
        for site_id in due:
            done += bool(by_itself(session, f"site {site_id}", partial(run_site_clock, session, site_id, policy, at)))
        total += done
        if not done:
            return total


def run_site_clock(session: Session, site_id: int, policy: Policy, at: datetime) -> bool:
    return site_clock.run(session, session.get_one(Site, site_id), policy, at) is not None


def warn_of_expiry(session: Session, *, policy: Policy, at: datetime) -> list[expiry.Warned]:
    """Note, and return, which holders are to be told that credits expire soon. Commits."""
    begin_writing(session)
    warned = expiry.warn_due(session, policy=policy, at=at)
    session.commit()
    return warned


def send_notices(session: Session, *, deliver: Callable[[outbox.Letter], None], at: datetime) -> int:
    """Mail what people were told and not mailed yet; how many have left. Commits before and after each.

    deliver: sends one letter, and raises where it could not. Nothing is lost by that, or by an end in the middle:
    the mail comes up again later, at worst twice, until it is given up. No letter stops the others, unless three in
    a row find no server.
    """
    sent = unanswered = 0
    waiting = outbox.due(session, at=at)
    session.rollback()
    for notice_id in waiting:
        begin_writing(session)
        letter = outbox.begin_try(session, notice_id, at=at)
        session.commit()
        if letter is None:
            continue
        try:
            deliver(letter)
        except Exception as failure:
            log.exception("The mail of notice %s has not left. It is tried again.", notice_id)
            session.rollback()
            unanswered = unanswered + 1 if is_no_answer(failure) else 0
            if unanswered == MOST_UNANSWERED:
                log.error("No mail leaves now: the server does not answer. All of it is tried again.")
                break
            continue
        begin_writing(session)
        outbox.mark_sent(session, notice_id, at=at)
        session.commit()
        sent, unanswered = sent + 1, 0
    return sent


def is_no_answer(failure: Exception) -> bool:
    """Whether the mail server is to blame, and not the one letter."""
    one_letter = (SMTPRecipientsRefused, SMTPDataError, SMTPNotSupportedError)
    return isinstance(failure, OSError) and not isinstance(failure, one_letter)


def check_import(session: Session, *, file_id: int, at: datetime) -> None:
    """Look through a file of many rows, and say now and then how far it is. Commits, by a session of its own."""
    file = session.get_one(ImportFile, file_id)
    with Session(session.get_bind()) as telling:

        def watch(done: int) -> None:
            begin_writing(telling)
            still = update(ImportFile).where(ImportFile.id == file_id, ImportFile.state == ImportState.CHECKING)
            telling.execute(still.values(checked=done))
            telling.commit()

        if file.state is ImportState.CHECKING:
            looked = importing.look_through(session, file, by=file.sent_by, at=at, watch=watch)
            begin_writing(telling)
            importing.note(telling, telling.get_one(ImportFile, file_id), looked.findings, at=at)
            telling.commit()
    session.rollback()


def enter_import(session: Session, *, file_id: int, at: datetime) -> None:
    """Enter a file that somebody has confirmed, all of it or none. Commits."""
    begin_writing(session)
    file = session.get_one(ImportFile, file_id)
    try:
        importing.enter(session, file=file, by=file.confirmed_by or file.sent_by, at=at)
    except CreditsError as refusal:
        session.rollback()
        begin_writing(session)
        importing.refuse(session, session.get_one(ImportFile, file_id), str(refusal), at=at)
    session.commit()


def take_up_imports(session: Session, *, at: datetime) -> int:
    """Go on with the files whose process has ended in the middle; how many. Commits each."""
    waiting = importing.abandoned(session, at=at)
    session.rollback()
    for file_id, state in waiting:
        go_on = check_import if state is ImportState.CHECKING else enter_import
        tried(session, f"imported file {file_id}", partial(go_on, session, file_id=file_id, at=at))
    return len(waiting)


@dataclass(frozen=True)
class Published:
    """What one publication has done. since: where the next one of this process may begin to look."""

    events: int
    size: int
    since: int


def publish_log(session: Session, *, keys: LogKeys, data_dir: Path, at: datetime, since: int = 0) -> Published:
    """Give committed events their places, sign a checkpoint over them and keep it outside. Commits each part.

    since: of an earlier publication by this process. Raises ReadOnly where the database lacks what was published.
    """
    outside.keep_newest(session, data_dir)
    waiting = sequencing.without_place(session, since=since)
    for start in range(0, len(waiting.events), EVENTS_AT_A_TIME):
        begin_writing(session)
        sequencing.place(session, waiting.events[start : start + EVENTS_AT_A_TIME])
        session.commit()
    begin_writing(session)
    newest = checkpoints.publish(session, keys=keys, at=at)
    size = newest.size if newest else 0
    session.commit()
    outside.keep_newest(session, data_dir)
    return Published(len(waiting.events), size, waiting.since)
