"""Making proofs out of the database: that an event is in the log, that the log only grew."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Missing
from credits.journal import checkpoints, merkle, storage
from credits.journal.log_models import LogLeaf
from credits.journal.models import Event
from credits.journal.proofs import Proof


class NotInLog(Missing):
    """The event is not under a published checkpoint: there is none, or its minute is not over yet."""

    code = "not_in_log"


def place_of(session: Session, event_id: int) -> int:
    """The place of an event in the log. Raises NotInLog."""
    position = session.scalar(select(LogLeaf.position).where(LogLeaf.event_id == event_id))
    if position is None:
        raise NotInLog("This event is not in the published log yet. Ask again in a minute.")
    return position


def event_at(session: Session, index: int) -> Event:
    """The event at a place of the log, if a checkpoint has published it. Raises NotInLog."""
    found = session.scalars(
        select(Event).join(LogLeaf, LogLeaf.event_id == Event.id).where(LogLeaf.position == index)
    ).first()
    newest = checkpoints.newest(session)
    if found is None or newest is None or newest.size <= index:
        raise NotInLog("There is no event at this place of the published log.")
    return found


def proof_of(session: Session, index: int) -> Proof:
    """The proof that the event at this place is in the log, under the newest checkpoint that a witness has seen.

    Raises NotInLog.
    """
    event = event_at(session, index)
    checkpoint = checkpoints.newest_witnessed(session, above=index)
    assert checkpoint is not None  # `event_at` has seen one
    hashes = merkle.inclusion_proof(index, checkpoint.size, storage.tree(session, checkpoint.size))
    return Proof(index, tuple(hashes), checkpoints.told(session, checkpoint), bytes(event.body))


def consistency(session: Session, old: int, new: int) -> list[bytes]:
    """The hashes that show that the log of `new` events begins with the log of `old`. Raises NotInLog."""
    if not 0 <= old <= new <= storage.size(session):
        raise NotInLog("The log has not so many events, or the first number is above the second.")
    return merkle.consistency_proof(old, new, storage.tree(session, new))
