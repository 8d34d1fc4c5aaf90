"""The mail of notices: tried until it has left, each time later, and outside of every transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from credits.notices.models import GIVEN_UP, Notice
from credits.notices.wordings import Kind
from credits.participants.models import Language, User

AT_A_TIME = 100
LONGEST_WAIT = timedelta(hours=6)
MOST_TRIES = 40  # more than a week


@dataclass(frozen=True)
class Letter:
    """A notice on its way to its reader: all that is needed without the database."""

    notice_id: int
    kind: Kind
    facts: dict[str, Any]
    name: str
    email: str
    language: Language


def due(session: Session, *, at: datetime) -> list[int]:
    """The ids of the notices whose mail is to be tried now, the longest waiting first."""
    wanted = select(Notice.id).where(Notice.mail_due_at <= at).order_by(Notice.mail_due_at, Notice.id)
    return list(session.scalars(wanted.limit(AT_A_TIME)))


def begin_try(session: Session, notice_id: int, *, at: datetime) -> Letter | None:
    """Take a notice's mail in hand; None where somebody else has, its reader has left, or it is given up. Flushes.

    The next try is put off at once, twice as long each time: what happens to this try, or to who makes it, the
    mail comes up again unless it is marked as sent.
    """
    notice = session.scalars(
        select(Notice)
        .where(Notice.id == notice_id, Notice.mail_due_at <= at)
        .with_for_update(skip_locked=True, of=Notice)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if notice is None:
        return None
    if not notice.person.active or notice.mail_tries >= MOST_TRIES:
        notice.mail_due_at = None
        session.flush()
        return None
    notice.mail_tries += 1
    notice.mail_due_at = at + min(timedelta(minutes=2 ** min(notice.mail_tries, 12)), LONGEST_WAIT)
    session.flush()
    person = notice.person
    return Letter(notice.id, notice.kind, notice.facts, person.name, person.email, person.language)


def mark_sent(session: Session, notice_id: int, *, at: datetime) -> None:
    """Note that a mail has left. Flushes."""
    session.execute(
        update(Notice)
        .where(Notice.id == notice_id, Notice.mailed_at.is_(None))
        .values(mailed_at=at, mail_due_at=None)
        .execution_options(synchronize_session=False)
    )


def keep_from_leaving(session: Session) -> int:
    """Let no mail of what was told so far leave, because nobody reads there; how many. Flushes."""
    waiting = update(Notice).where(Notice.mail_due_at.is_not(None)).values(mail_due_at=None)
    return len(session.scalars(waiting.returning(Notice.id)).all())


def given_up(session: Session) -> list[tuple[User, int]]:
    """To whom no mail gets through, and how many letters did not; by name. Who got one since is not among them."""
    lost = (
        select(Notice.person_id, func.count().label("letters"), func.max(Notice.id).label("newest"))
        .where(GIVEN_UP, Notice.mail_tries >= MOST_TRIES)
        .group_by(Notice.person_id)
        .subquery()
    )
    arrived = (
        select(Notice.id)
        .where(Notice.person_id == lost.c.person_id, Notice.id > lost.c.newest, Notice.mailed_at.is_not(None))
        .exists()
    )
    wanted = select(User, lost.c.letters).join(lost, lost.c.person_id == User.id).where(User.active, ~arrived)
    return [(person, letters) for person, letters in session.execute(wanted.order_by(User.name, User.id))]
