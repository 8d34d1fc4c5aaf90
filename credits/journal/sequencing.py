"""The sequencer: gives every committed event its place in the log, and misses none.

On PostgreSQL transactions commit in another order than their events are numbered, so a reader that follows the
numbers overlooks whatever commits late. Here a look takes every event without a place, whatever its number, and
remembers the oldest transaction that was still open (`pg_snapshot_xmin`): the next look of the same process need not
search below it, because everything of older transactions was visible and has a place. No writer waits for it.
On SQLite writers follow each other, and so do the numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, BigInteger, cast, func, select, text
from sqlalchemy.orm import Session

from credits.db import dialect_of
from credits.journal import storage
from credits.journal.log_models import LogLeaf
from credits.journal.merkle import leaf_hash
from credits.journal.models import Event

WITHOUT_PLACE = text(
    """SELECT e.id FROM event e
       WHERE e.transaction_id >= :since AND NOT EXISTS (SELECT 1 FROM log_leaf l WHERE l.event_id = e.id)
       ORDER BY e.transaction_id, e.id"""
)


@dataclass(frozen=True)
class Waiting:
    """Committed events without a place, in the order in which they get one.

    since: where the next look of this process may begin, once all of these have their place.
    """

    events: Sequence[int]
    since: int


def without_place(session: Session, *, since: int = 0) -> Waiting:
    """Look for committed events without a place.

    since: 0, which looks at everything, or what an earlier look of the same process has answered: never kept longer,
    for a database that was brought back elsewhere counts its transactions anew.
    """
    if dialect_of(session) != "postgresql":
        last = session.scalar(select(func.max(LogLeaf.event_id))) or 0
        return Waiting(session.scalars(select(Event.id).where(Event.id > last).order_by(Event.id)).all(), 0)
    # Before the look itself, so that all that older transactions wrote is visible to it.
    horizon = int(session.scalars(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")).one())
    return Waiting(session.scalars(WITHOUT_PLACE, {"since": since}).all(), horizon)


def place(session: Session, events: Sequence[int]) -> int:
    """Give these events the next places, but for those that have one by now; how many entries the log then has.

    The session must have begun to write. Flushes.
    """
    storage.keep_others_out(session)
    on_postgresql = dialect_of(session) == "postgresql"
    # An array is one parameter, where a list would be thousands.
    among = Event.id == func.any(cast(events, ARRAY(BigInteger))) if on_postgresql else Event.id.in_(events)
    rows = session.execute(
        select(Event.id, Event.body)
        .outerjoin(LogLeaf, LogLeaf.event_id == Event.id)
        .where(among, LogLeaf.event_id.is_(None))
    )
    leaves = {event_id: leaf_hash(bytes(body)) for event_id, body in rows}
    return storage.append(session, [(each, leaves[each]) for each in events if each in leaves])
