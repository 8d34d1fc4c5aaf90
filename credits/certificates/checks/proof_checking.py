"""What the attachments of a certificate prove by themselves: its facts stand in the registry's log. Pure.

The facts are an entry of a small tree (all certificates of one decision), whose root stands in an event, which stands
in the log under a checkpoint that the registry has signed: RFC 6962 twice, which other people's programs check too.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from credits.certificates.checks.published_keys import PublishedLogKey, moment_in
from credits.certificates.checks.signature_checking import Unsound
from credits.errors import CreditsError
from credits.journal.canonical import encode
from credits.journal.heads import open_checkpoint
from credits.journal.merkle import HASH_SIZE, BadProof, leaf_hash, verify_inclusion
from credits.journal.notes import BadNote
from credits.journal.proofs import check, proof_in

INCLUSION = "asmc-inclusion-1"
KIND = "certificate.frozen"
APART = timedelta(minutes=5)  # between the clock that dated the entry and the one that dated the signature


@dataclass(frozen=True)
class LoggedEvent:
    """The event that speaks for the facts. index: its place in the log `origin`, which had `size` entries."""

    kind: str
    subject: str
    at: datetime
    facts: dict[str, Any]
    index: int
    size: int
    origin: str


def canonical(content: bytes, what: str) -> dict[str, Any]:
    """The JSON object in its one exact form. what: names it in the sentence. Raises Unsound."""
    try:
        told = json.loads(content)
        exact = isinstance(told, dict) and encode(told) == content
    except (ValueError, TypeError, RecursionError, CreditsError):
        exact = False
    if not exact:
        raise Unsound(f"{what} are not in their one exact form (canonical JSON).")
    return dict(told)


def must_lead(facts: bytes, inclusion: bytes, event: LoggedEvent) -> None:
    """Raise Unsound unless the exact bytes of `facts` lead to the root in the event, as `inclusion` says how."""
    told = canonical(inclusion, "The steps of the proof")
    try:
        index, leaves, path = told["index"], told["leaves"], [bytes.fromhex(each) for each in told["path"]]
        sound = (
            told.keys() == {"schema", "index", "leaves", "path"}
            and told["schema"] == INCLUSION
            and type(index) is type(leaves) is type(event.facts["leaves"]) is int  # True is 1 elsewhere
            and leaves == event.facts["leaves"]
            and all(len(each) == HASH_SIZE for each in path)
            and [each.hex() for each in path] == told["path"]
        )
        root = bytes.fromhex(event.facts["root"])
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise Unsound("The proof does not lead from the facts to the log: its steps are damaged.")
    try:
        verify_inclusion(index, leaves, leaf_hash(facts), path, root)
    except BadProof:
        raise Unsound("The facts are not those that the log has: they lead to another fingerprint.") from None


def event_in(proof: bytes, keys: Sequence[PublishedLogKey], signed_at: datetime) -> LoggedEvent:
    """The event that the proof shows to be in the log that `keys` speak for. Raises Unsound.

    signed_at: when the document was signed, which comes after the event. A key that began later, or ended before the
    event, proves nothing.
    """
    try:
        told = proof_in(proof)
        if told.body is None:
            raise Unsound("The log's proof goes without the event that it proves.")
        proven = check(told, body=told.body, keys=[key.key for key in keys])
        _head, note = open_checkpoint(told.checkpoint, [key.key for key in keys])
        event = canonical(told.body, "The entries of the log")
        found = LoggedEvent(
            kind=event["kind"],
            subject=event["subject"],
            at=moment_in(event["at"]),
            facts=dict(event["facts"]),
            index=proven.index,
            size=proven.head.size,
            origin=proven.head.origin,
        )
    except (BadProof, BadNote) as fault:
        raise Unsound(f"The log's proof does not hold. {fault}") from None
    except (KeyError, TypeError, ValueError):
        raise Unsound("The entry that the log's proof shows is damaged.") from None
    if found.at - signed_at > APART:
        raise Unsound(f"The entry of the log is of {found.at:%Y-%m-%d %H:%M:%S} UTC, after the document was signed.")
    used = [key for key in keys if key.key in note.signed_by]
    if not any(key.valid_from <= signed_at and (key.valid_to is None or key.valid_to >= found.at) for key in used):
        raise Unsound("The key that signed the head of the log was not in use at that time.")
    return found


def must_speak_of(event: LoggedEvent, facts: dict[str, Any]) -> None:
    """Raise Unsound unless `event` froze a certificate of this number, or the statement that it belongs to."""
    about = facts.get("statement") or facts.get("number")
    if event.kind != KIND:
        raise Unsound(f"The entry of the log tells of something else ({event.kind}).")
    if event.subject != about or event.facts.get("schema") != facts.get("schema"):
        raise Unsound(f"The entry of the log is about {event.subject}, and not about {about}.")
