"""Appending events: one for each change, in the transaction of the change."""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from credits.db import Work, as_text, unwrapped
from credits.errors import Invalid
from credits.journal.canonical import encode, utf8
from credits.journal.models import Event, EventSecret, RegistryIdentity
from credits.ledger import Told, statements

SYSTEM = "system"
WITHHELD = "withheld"  # an actor whom the event names in private alone
APPENDED = "appended_events"
LARGEST = 2**16 - 1  # bytes of an event: an entry of the log says its length in two bytes (c2sp.org/tlog-tiles)


class EventTooLarge(Invalid):
    """What should be written down is more than one entry of the log holds."""

    code = "event_too_large"


def append(
    work: Work,
    *,
    kind: str,
    subject: str,
    actor: str,
    at: datetime,
    facts: Mapping[str, Any],
    private: Mapping[str, str] | None = None,
) -> int:
    """Append one event by itself and return its id. Flushes, never commits. Takes and raises what `drafted` does."""
    told = drafted(work, kind=kind, subject=subject, actor=actor, at=at, facts=facts, private=private)
    return enter(work, told)


def enter(work: Work, told: Told) -> int:
    """Append an event that is told by itself after all; its id. Flushes."""
    event_id: int = work.scalars(statements.TELL, told.row).one()
    told.entered(event_id, told.row["body"])
    return event_id


def append_all(work: Work, many: Iterable[Mapping[str, Any]]) -> None:
    """Append many events in their order, each with what `append` takes, in a few statements. Flushes."""
    told = [drafted(work, **each) for each in many]
    rows = [each.row for each in told]
    ids = work.scalars(insert(Event).returning(Event.id, sort_by_parameter_order=True), rows).all() if rows else []
    for event_id, each in zip(ids, told, strict=True):
        each.entered(event_id, each.row["body"])


def drafted(
    work: Work,
    *,
    kind: str,
    subject: str,
    actor: str,
    at: datetime,
    facts: Mapping[str, Any],
    private: Mapping[str, str] | None = None,
) -> Told:
    """An event in its exact bytes, for the ledger to write together with a movement.

    kind: "batch.submitted"; subject, actor: public ids ("BATCH-000007", "USR-000003", "system").
    facts: plain values that the public may read: no names of persons, no exact positions.
    private: texts of which only SHA-256(salt‖value) becomes public. Raises EventTooLarge. Invariant 21.
    """
    at = at.astimezone(UTC)
    body: dict[str, Any] = {
        "actor": actor,
        "at": as_text(at),
        "facts": dict(facts),
        "kind": kind,
        "subject": subject,
    }
    secrets = salted(work, encode(body), private) if private else []
    if secrets:
        body["hashed"] = {row["field"]: hashlib.sha256(row["salt"] + utf8(row["value"])).hexdigest() for row in secrets}
    written = encode(body)
    if len(written) > LARGEST:
        raise EventTooLarge(
            f"This would be an entry of {len(written)} bytes in the log, where {LARGEST} fit. Ask for less at once.",
            bytes=len(written),
            most=LARGEST,
        )

    row = {"kind": kind, "subject": subject, "actor": actor, "at": at, "body": written}

    def entered(event_id: int, body: bytes) -> None:
        if secrets:
            work.execute(insert(EventSecret), [{"event_id": event_id, **secret} for secret in secrets])
        note(work, row | {"id": event_id, "body": body})

    return Told(row, bool(secrets), entered)


def note(work: Work, row: dict[str, Any]) -> None:
    """Remember, for as long as the running transaction lasts, that it has appended this event."""
    work = unwrapped(work)
    transaction = work.get_transaction()
    noted: tuple[object, list[tuple[dict[str, Any], bool]]] | None = work.info.get(APPENDED)
    if noted is None or noted[0] is not transaction:
        noted = work.info[APPENDED] = (transaction, [])
    noted[1].append((row, work.in_nested_transaction()))


def appended(session: Session, kinds: Collection[str]) -> list[Event]:
    """The events of these kinds that the running transaction has appended and not undone, in their order.

    They are read from no database: they are what was written there a moment ago.
    """
    transaction, noted = session.info.get(APPENDED, (None, ()))
    wanted = [(row, perhaps_undone) for row, perhaps_undone in noted if row["kind"] in kinds]
    if not wanted or unwrapped(session).get_transaction() is not transaction:
        return []
    doubtful = [row["id"] for row, perhaps_undone in wanted if perhaps_undone]
    # A savepoint may have taken some of them back.
    there = set(session.scalars(select(Event.id).where(Event.id.in_(doubtful)))) if doubtful else set()
    return [Event(**row) for row, perhaps_undone in wanted if not perhaps_undone or row["id"] in there]


def forget_appended(session: Session) -> None:
    """Let what was appended so far no longer count as such."""
    session.info.pop(APPENDED, None)


def salted(work: Work, public: bytes, private: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every private field with a salt that nobody outside can guess and that differs from event to event."""
    key = work.scalars(select(RegistryIdentity.salt_key)).one()
    return [
        {
            "field": field,
            "salt": hmac.digest(key, public + field.encode(), "sha256"),
            "value": value,
        }
        for field, value in private.items()
    ]


def story(session: Session, subject: str) -> list[Event]:
    """All events about one subject, oldest first."""
    return list(session.scalars(select(Event).where(Event.subject == subject).order_by(Event.id)))


def private_of(session: Session, told: Iterable[Event]) -> dict[int, dict[str, str]]:
    """The private fields of these events, by event id: for those alone who may see the subject's affairs."""
    found: dict[int, dict[str, str]] = {}
    wanted = select(EventSecret).where(EventSecret.event_id.in_([event.id for event in told]))
    for secret in session.scalars(wanted):
        found.setdefault(secret.event_id, {})[secret.field] = secret.value
    return found
