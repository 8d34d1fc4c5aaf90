"""The newest checkpoint, kept outside the database: a database that was put back to an earlier day is found out.

Whoever restores a backup over the live database would lose retirements without a trace, and the log would then sign
another history under the same numbers. So such a database opens for reading alone.
"""

import fcntl
import os
from pathlib import Path

from sqlalchemy import Connection, Engine, event, func, inspect, select
from sqlalchemy.orm import Session

from credits.db import WRITING
from credits.errors import Conflict
from credits.journal.heads import Head, head_of
from credits.journal.log_models import LogCheckpoint
from credits.journal.losses import losses
from credits.journal.models import RegistryIdentity
from credits.journal.notes import BadNote, read

FILE = "checkpoint"
CLOSED = (
    "The registry is open for reading alone: its database is older than what was published."
    " Nothing is written until its operator has brought back the newest one."
)
# Execution option: writes although the database is older, to bring it up to date or to accept what was lost.
ALL_THE_SAME = "credits_all_the_same"


class ReadOnly(Conflict):
    """The database lacks what was published. Nothing is written until it is back."""

    code = "read_only"


def kept(data_dir: Path) -> str | None:
    """The checkpoint as it was kept last, or None."""
    try:
        return (data_dir / FILE).read_text(encoding="utf-8", errors="replace")  # damaged, it is found out later
    except FileNotFoundError:
        return None


def swap(data_dir: Path, *, expected: str | None, new: str) -> bool:
    """Keep `new` if `expected` is what is kept now. On the disk when it returns True."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory = os.open(data_dir, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        if kept(data_dir) != expected:
            return False
        partial = data_dir / f"{FILE}.part"
        with partial.open("w", encoding="utf-8") as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(data_dir / FILE)
        os.fsync(directory)
        return True
    finally:
        os.close(directory)


def keep_newest(session: Session, data_dir: Path) -> None:
    """Keep the newest checkpoint of the database. Ends the session's transaction. Raises ReadOnly."""
    while True:
        before = kept(data_dir)
        session.rollback()  # what is kept was committed first, so a look that begins now sees it
        if reason := why_read_only(session, data_dir, before):
            raise ReadOnly(reason)
        newest = session.scalars(select(LogCheckpoint).order_by(LogCheckpoint.size.desc()).limit(1)).first()
        if newest is None or newest.note == before or swap(data_dir, expected=before, new=newest.note):
            return


def why_read_only(session: Session, data_dir: Path, checkpoint: str | None) -> str:
    """A sentence for the operator where the database lacks what `checkpoint` says was published; empty where not."""
    if checkpoint is None:
        return ""
    where = data_dir / FILE
    try:
        head = head_of(read(checkpoint).text)
    except BadNote as fault:
        return f"The checkpoint kept in {where} is damaged ({fault}), so nobody can say whether the database is whole."
    registry_id = session.scalars(select(RegistryIdentity.registry_id)).one()
    if registry_id not in head.origin.split("/"):
        return f"The checkpoint kept in {where} is of another registry, {head.origin}."
    if has(session, head) or any(loss.lost == head for loss in losses(session)):
        return ""
    return (
        f"The database is not the one whose log was published: {where} says that the log had {head.size} events,"
        f" and the newest checkpoint of the database has {published(session)}, or another history."
        " It is open for reading alone, so that nothing published is lost unseen. Bring back the newest database;"
        " if it is gone for good, see: flask --app wsgi journal accept-loss."
    )


def has(session: Session, head: Head) -> bool:
    """Whether the database has published this very head."""
    if not inspect(session.connection()).has_table(LogCheckpoint.__tablename__):
        return False
    return session.scalar(select(LogCheckpoint.root).where(LogCheckpoint.size == head.size)) == head.root


def published(session: Session) -> int:
    """The size of the newest checkpoint in the database."""
    if not inspect(session.connection()).has_table(LogCheckpoint.__tablename__):
        return 0
    return session.scalar(select(func.max(LogCheckpoint.size))) or 0


def close_for_writing(engine: Engine) -> None:
    """Let nobody write through `engine` in this process: a unit of work that would raises ReadOnly."""
    on_sqlite = engine.dialect.name == "sqlite"

    @event.listens_for(engine, "set_connection_execution_options")
    def refuse(connection: Connection, options: dict[str, object]) -> None:
        allowed = {**connection.get_execution_options(), **options}.get(ALL_THE_SAME)
        if options.get(WRITING) and not allowed:
            raise ReadOnly(CLOSED)
        if allowed and on_sqlite:
            # Past SQLAlchemy, which would begin a transaction first: closed, SQLite begins none that writes.
            connection.connection.driver_connection.execute("PRAGMA query_only = OFF")  # type: ignore[union-attr]

    # What writes without saying so is stopped by the database itself.
    @event.listens_for(engine, "begin")
    def close(connection: Connection) -> None:
        if not connection.get_execution_options().get(ALL_THE_SAME):
            connection.exec_driver_sql("PRAGMA query_only = ON" if on_sqlite else "SET TRANSACTION READ ONLY")


def begin_all_the_same(session: Session) -> None:
    """Begin to write although the database is older than what was published: to accept what was lost."""
    session.rollback()
    session.connection(execution_options={WRITING: True, ALL_THE_SAME: True})
