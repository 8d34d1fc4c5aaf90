"""What was lost for good and accepted so in public: the end of an older log, and the log that goes on in its place.

Read from the events that say so: they stand in the log themselves, with the lost checkpoint in them as evidence.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.journal.heads import Head, head_of
from credits.journal.keys import LogKeys
from credits.journal.models import Event
from credits.journal.notes import read

KIND = "log.loss_accepted"
SUBJECT = "LOG"


class AnotherLog(Conflict):
    """The keys are not those of the log that this database goes on with."""

    code = "another_log"


@dataclass(frozen=True)
class Loss:
    """lost: the newest known head of the older log; checkpoint: its exact text. left: the newest head that the
    database had, of size 0 where none. origin, key: of the log that goes on.
    """

    event_id: int
    lost: Head
    checkpoint: str
    left: Head
    origin: str
    key: str
    reason: str
    by: str
    at: datetime


def losses(session: Session) -> list[Loss]:
    """Every loss that was accepted, oldest first."""
    wanted = select(Event).where(Event.subject == SUBJECT, Event.kind == KIND).order_by(Event.id)
    return [loss_in(event) for event in session.scalars(wanted)]


def loss_in(event: Event) -> Loss:
    facts = json.loads(event.body)["facts"]
    return Loss(
        event_id=event.id,
        lost=head_of(read(facts["checkpoint"]).text),
        checkpoint=facts["checkpoint"],
        left=Head(facts["left"]["origin"], facts["left"]["size"], bytes.fromhex(facts["left"]["root"])),
        origin=facts["goes_on_as"]["origin"],
        key=facts["goes_on_as"]["key"],
        reason=facts["reason"],
        by=event.actor,
        at=event.at,
    )


def in_facts(head: Head) -> dict[str, Any]:
    """A head as an event says it."""
    return {"origin": head.origin, "size": head.size, "root": head.root.hex()}


def begins_above(session: Session) -> int:
    """Checkpoints of so many entries and fewer are of an older log; 0 where none was lost."""
    accepted = losses(session)
    return accepted[-1].left.size if accepted else 0


def must_go_on_as(session: Session, keys: LogKeys) -> None:
    """Raise AnotherLog unless `keys` are those with which this database goes on: else two histories had one name."""
    accepted = losses(session)
    if accepted[-1].origin != keys.origin if accepted else keys.earlier:
        goes_on = f"log {accepted[-1].origin}" if accepted else "first log of this registry"
        raise AnotherLog(f"The keys are of the log {keys.origin}, and this database goes on with the {goes_on}.")
