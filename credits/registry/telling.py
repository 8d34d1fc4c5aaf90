"""What an event says of the serials that moved."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from credits.journal import events
from credits.journal.canonical import encode
from credits.ledger import Move
from credits.ledger.posting import Record, Told
from credits.ledger.serials import tidied, written
from credits.participants.models import User
from credits.registry.movements import Decision

# An entry of the log has at most 64 KiB.
MOST_RANGES = 500
MOST_LISTED = 500


def serials_told(numbers: Mapping[int, str], moves: Sequence[Move]) -> dict[str, Any]:
    """The moved serials as an event lists them; of more than 500 ranges the rest as a digest of them all.

    numbers: the issuances' public numbers by their ids.
    """
    serials = [
        written(number, units)
        for issuance_id, number in sorted(numbers.items())
        for units in tidied(each.units for each in moves if each.issuance_id == issuance_id)
    ]
    if len(serials) <= MOST_RANGES:
        return {"serials": serials}
    digest = hashlib.sha256(encode({"serials": serials})).hexdigest()
    return {"serials": serials[:MOST_RANGES], "ranges": len(serials), "serials_sha256": digest}


def listed(what: str, numbers: Sequence[str]) -> dict[str, Any]:
    """Public numbers as an event lists them: the first 500, and how many there are where these are not all."""
    told: dict[str, Any] = {what: list(numbers[:MOST_LISTED])}
    return told if len(numbers) <= MOST_LISTED else told | {f"{what}_in_all": len(numbers)}


def quantity_of(moves: Sequence[Move]) -> int:
    """Base units in all."""
    return sum(each.units.quantity for each in moves)


def both_people(decision: Decision) -> dict[str, Any]:
    """What the event of an act of two people says of the one who proposed it; who approved it is the actor."""
    return {"decision": decision.number, "proposed_by": decision.proposed_by.number}


def recorded(
    session: Session,
    kind: str,
    subject: str,
    numbers: Mapping[int, str],
    facts: dict[str, Any],
    reason: str,
    by: User | None,
    at: datetime,
) -> Record:
    """How an event is written once its serials are known. by: None for the system. The reason itself is private."""

    def record(moves: Sequence[Move]) -> Told:
        told = facts | serials_told(numbers, moves)
        actor, private = by.number if by else events.SYSTEM, {"reason": reason} if reason else None
        return events.drafted(session, kind=kind, subject=subject, actor=actor, at=at, facts=told, private=private)

    return record
