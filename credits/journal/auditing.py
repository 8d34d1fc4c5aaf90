"""Looking for tampering: everything is computed anew from the events' bytes and compared with all that was published.

Behind `flask journal verify`. What it trusts are the keys and the checkpoint in DATA_DIR, which stand outside the
database; whoever changes the database and those too still meets the witnesses.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.db import dialect_of
from credits.journal import outside
from credits.journal.heads import LARGEST, Head, open_checkpoint
from credits.journal.keys import LogKeys
from credits.journal.log_models import LogCheckpoint, LogCosignature, LogLeaf, LogSubtree
from credits.journal.losses import AnotherLog, losses, must_go_on_as
from credits.journal.merkle import leaf_hash, node_hash
from credits.journal.models import Event, EventSecret
from credits.journal.notes import BadKey, BadNote, open_note, verifying_key
from credits.journal.tiles import HEIGHT

MOST_TOLD = 100
ROWS_AT_A_TIME = 1_000


@dataclass
class Audit:
    """What was looked at, and a sentence for each place, at most a hundred, where something disagrees.

    losses: a sentence for each older log whose end was lost and publicly given up. They are no disagreement.
    """

    events: int = 0
    waiting: int = 0
    checkpoints: int = 0
    cosignatures: int = 0
    losses: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def disagrees(self, sentence: str) -> None:
        if len(self.findings) < MOST_TOLD:
            self.findings.append(sentence)


class GrowingTree:
    """The tree as it is built leaf by leaf: `roots` has the full subtrees, largest first, whose sizes sum to `size`."""

    def __init__(self) -> None:
        self.size = 0
        self.roots: list[bytes] = []

    def grow(self, leaf: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Add a leaf; level, number and root of each subtree that this completes."""
        level, found = 0, leaf
        while self.size >> level & 1:
            found = node_hash(self.roots.pop(), found)
            level += 1
            yield level, self.size >> level, found
        self.roots.append(found)
        self.size += 1

    @property
    def root(self) -> bytes:
        found = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            found = node_hash(left, found)
        return found


def audit(session: Session, *, keys: LogKeys | None, data_dir: Path) -> Audit:
    """Compare events, leaves, subtrees, checkpoints, cosignatures and what is kept outside. Ends the transaction."""
    found = Audit()
    kept = outside.kept(data_dir)
    session.rollback()
    if dialect_of(session) == "postgresql":
        # All of it as of one moment: the registry goes on meanwhile.
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    checkpoints = {row.size: row for row in session.scalars(select(LogCheckpoint).order_by(LogCheckpoint.size))}
    compare_tree(session, checkpoints, found)
    compare_checkpoints(checkpoints, names_of(session, keys, found), keys, found)
    compare_cosignatures(session, checkpoints, found)
    compare_secrets(session, found)
    compare_outside(session, kept, keys, data_dir, found)
    found.waiting = (session.scalar(select(func.count(Event.id))) or 0) - found.events
    session.rollback()
    return found


def compare_tree(session: Session, checkpoints: dict[int, LogCheckpoint], found: Audit) -> None:
    """Leaves with the bytes of their events, subtrees and the roots of checkpoints with the leaves."""
    stored = {(row.level, row.number): row.hash for row in session.execute(select(LogSubtree.__table__))}
    tree = GrowingTree()
    rows = session.execute(
        select(LogLeaf.position, LogLeaf.event_id, LogLeaf.hash, Event.body)
        .outerjoin(Event, Event.id == LogLeaf.event_id)
        .order_by(LogLeaf.position)
        .execution_options(yield_per=ROWS_AT_A_TIME)
    )
    with rows:
        for position, event_id, kept, body in rows:
            if position != tree.size:
                found.disagrees(f"Place {tree.size} of the log is empty: the next event stands at {position}.")
                break
            leaf = compare_leaf(position, event_id, kept, body, found)
            for level, number, root in tree.grow(leaf):
                row, between = divmod(level, HEIGHT)
                if not between and stored.pop((row, number), None) != root:
                    found.disagrees(f"The subtree {number} of level {row} does not follow from its events.")
            if (checkpoint := checkpoints.get(tree.size)) is not None and checkpoint.root != tree.root:
                found.disagrees(f"The checkpoint of {tree.size} events has another root than these events.")
    for row, number in stored:
        found.disagrees(f"The subtree {number} of level {row} has no events under it.")
    for size in checkpoints:
        if size > tree.size:
            found.disagrees(f"A checkpoint of {size} events was published, and the log has {tree.size}.")
    found.events, found.checkpoints = tree.size, len(checkpoints)
    compare_columns(session, found)


def compare_leaf(position: int, event_id: int, kept: bytes, body: bytes | None, found: Audit) -> bytes:
    """The hash of an event's bytes as they are now, or where they are gone, of what was entered."""
    if body is None:
        found.disagrees(f"Event {event_id}, at place {position} of the log, was deleted.")
        return kept
    leaf = leaf_hash(bytes(body))
    if leaf != kept:
        found.disagrees(f"Event {event_id} is not what was entered at place {position} of the log.")
    return leaf


def compare_columns(session: Session, found: Audit) -> None:
    """The columns by which events are looked up with what their bytes say."""
    rows = session.execute(
        select(Event.id, Event.kind, Event.subject, Event.actor, Event.at, Event.body)
        .order_by(Event.id)
        .execution_options(yield_per=ROWS_AT_A_TIME)
    )
    for event_id, kind, subject, actor, at, body in rows:
        said = facts_in(body)
        shown = {"kind": kind, "subject": subject, "actor": actor}
        shown["at"] = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for name, value in shown.items():
            if said.get(name) != value:
                found.disagrees(f"Event {event_id} is listed with another {name} than its bytes have.")


def names_of(session: Session, keys: LogKeys | None, found: Audit) -> list[tuple[int, str]]:
    """Up to which size checkpoints bear which name: more than one where the end of an older log was given up."""
    accepted = losses(session)
    signers = keys.of_all_times if keys else []
    for loss in accepted:
        found.losses.append(
            f"Of the log {loss.lost.origin} the end was lost: it had {loss.lost.size} entries (root"
            f" {loss.lost.root.hex()}), and the database that was left had published {loss.left.size}."
            f" Given up by {loss.by} on {loss.at:%Y-%m-%d}: {loss.reason} It goes on as {loss.origin}."
        )
        try:
            open_checkpoint(loss.checkpoint, signers)
        except BadNote as fault:
            found.disagrees(f"The checkpoint that was given up as lost is not the log's: {fault}")
    try:
        if keys is not None:
            must_go_on_as(session, keys)
    except AnotherLog as fault:
        found.disagrees(str(fault))
    return [*((loss.left.size, loss.left.origin) for loss in accepted), (LARGEST, keys.origin if keys else "")]


def compare_checkpoints(
    checkpoints: dict[int, LogCheckpoint], names: list[tuple[int, str]], keys: LogKeys | None, found: Audit
) -> None:
    """Each checkpoint with the log's own keys, and its columns with the text that was signed."""
    if checkpoints and keys is None:
        found.disagrees("Checkpoints were published, and DATA_DIR has no keys of the log.")
        return
    for size, row in checkpoints.items():
        try:
            head, _note = open_checkpoint(row.note, keys.of_all_times if keys else [])
        except BadNote as fault:
            found.disagrees(f"The checkpoint of {size} events is not signed by the log: {fault}")
            continue
        if head != Head(next(name for last, name in names if size <= last), size, row.root):
            found.disagrees(f"The checkpoint of {size} events says something else than what is listed of it.")


def compare_cosignatures(session: Session, checkpoints: dict[int, LogCheckpoint], found: Audit) -> None:
    """Each cosignature with its checkpoint."""
    for row in session.scalars(select(LogCosignature)):
        found.cosignatures += 1
        try:
            text = checkpoints[row.size].note.rpartition("\n\n")[0]
            open_note(f"{text}\n\n{row.line}", [verifying_key(row.witness)])
        except (KeyError, BadKey, BadNote):
            found.disagrees(f"A cosignature under the checkpoint of {row.size} events does not belong to it.")


def compare_secrets(session: Session, found: Audit) -> None:
    """Private fields with the hash that their event carries of them."""
    rows = session.execute(
        select(EventSecret.event_id, EventSecret.field, EventSecret.salt, EventSecret.value, Event.body)
        .join(Event, Event.id == EventSecret.event_id)
        .execution_options(yield_per=ROWS_AT_A_TIME)
    )
    for event_id, name, salt, value, body in rows:
        hashed = facts_in(body).get("hashed")
        if not isinstance(hashed, dict) or hashed.get(name) != hashlib.sha256(salt + value.encode()).hexdigest():
            found.disagrees(f"The private field {name!r} of event {event_id} is not what was entered.")


def compare_outside(session: Session, kept: str | None, keys: LogKeys | None, data_dir: Path, found: Audit) -> None:
    """The checkpoint in DATA_DIR with the keys, and the database with it."""
    if kept is None:
        if found.checkpoints:
            found.disagrees(f"No checkpoint is kept in {data_dir / outside.FILE}; `journal publish` keeps one.")
        return
    try:
        open_checkpoint(kept, keys.of_all_times if keys else [])
    except BadNote as fault:
        found.disagrees(f"The checkpoint kept in {data_dir / outside.FILE} is not the log's: {fault}")
    if reason := outside.why_read_only(session, data_dir, kept):
        found.disagrees(reason)


def facts_in(body: bytes) -> dict[str, object]:
    """What an event says, or nothing where its bytes are no such thing."""
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
