"""A person's own notices: listed, counted and marked as read."""

from datetime import datetime

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from credits.errors import Missing
from credits.notices.models import Notice
from credits.participants.models import User


class NoSuchNotice(Missing):
    code = "no_such_notice"


def notices_of(by: User, *, unread: bool = False) -> Select[Notice]:
    """What `by` was told, newest first; with `unread` only what they have not read yet."""
    wanted = select(Notice).where(Notice.person_id == by.id).order_by(Notice.id.desc())
    return wanted.where(Notice.read_at.is_(None)) if unread else wanted


def unread(session: Session, by: User) -> int:
    """How many notices `by` has not read yet."""
    wanted = select(func.count()).select_from(Notice).where(Notice.person_id == by.id, Notice.read_at.is_(None))
    return session.scalars(wanted).one()


def read(session: Session, notice_id: int, *, by: User, at: datetime) -> Notice:
    """Mark one notice as read; once read it stays so. Flushes. Raises NoSuchNotice."""
    notice = session.scalars(notices_of(by).where(Notice.id == notice_id)).one_or_none()
    if notice is None:
        raise NoSuchNotice("There is no such notice.")
    notice.read_at = notice.read_at or at
    session.flush()
    return notice


def read_all(session: Session, *, until: int, by: User, at: datetime) -> None:
    """Mark everything up to the notice with the id `until` as read: what came since was not seen yet. Flushes."""
    session.execute(
        update(Notice)
        .where(Notice.person_id == by.id, Notice.read_at.is_(None), Notice.id <= until)
        .values(read_at=at)
        .execution_options(synchronize_session=False)
    )
