"""The log as it lies in the database: its leaves, the roots of its full subtrees, and tiles made of them."""

from collections.abc import Sequence
from typing import cast

from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.orm import Session

from credits.db import dialect_of
from credits.journal.log_models import LogLeaf, LogSubtree
from credits.journal.merkle import HASH_SIZE, Node, perfect_root
from credits.journal.models import Event
from credits.journal.tiles import HEIGHT, WIDTH, Tile, bundle, tree_of

LOCK = 6_962  # of whoever adds to the log, among PostgreSQL's advisory locks
# Past the object layer, which does nothing for rows but cost time.
LEAVES, SUBTREES = cast(Table, LogLeaf.__table__), cast(Table, LogSubtree.__table__)
# In one trip and with two parameters: row by row, the trips would take most of the time.
APPEND_MANY = text(
    f"""INSERT INTO log_leaf (position, event_id, hash)
        SELECT :start + at - 1, event_id, substr(:hashes, CAST((at - 1) * {HASH_SIZE} + 1 AS integer), {HASH_SIZE})
        FROM unnest(CAST(:events AS bigint[])) WITH ORDINALITY AS leaf (event_id, at)"""  # noqa: S608  our own number
)


def keep_others_out(session: Session) -> None:
    """Let nobody else add to the log until this transaction ends; what is read next is what they have added by now.

    The session must have begun to write: on SQLite that is all it takes.
    """
    if dialect_of(session) == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))


def size(session: Session) -> int:
    """How many events have a place in the log."""
    newest = session.scalar(select(func.max(LogLeaf.position)))
    return 0 if newest is None else newest + 1


def tree(session: Session, size: int) -> Node:
    """The tree of the first `size` events, read as it is asked for."""
    return tree_of(size, lambda tile: content(session, tile))


def content(session: Session, tile: Tile) -> bytes:
    """The bytes of a tile that the log has: its hashes, or its entries behind each other."""
    first, last = tile.number * WIDTH, tile.number * WIDTH + tile.width
    if tile.level is None:
        bodies = session.scalars(
            select(Event.body)
            .join(LogLeaf, LogLeaf.event_id == Event.id)
            .where(LogLeaf.position >= first, LogLeaf.position < last)
            .order_by(LogLeaf.position)
        )
        return bundle(bodies)
    if tile.level == 0:
        hashes = session.scalars(
            select(LogLeaf.hash).where(LogLeaf.position >= first, LogLeaf.position < last).order_by(LogLeaf.position)
        )
    else:
        hashes = session.scalars(
            select(LogSubtree.hash)
            .where(LogSubtree.level == tile.level, LogSubtree.number >= first, LogSubtree.number < last)
            .order_by(LogSubtree.number)
        )
    return b"".join(hashes)


def append(session: Session, leaves: Sequence[tuple[int, bytes]]) -> int:
    """Add (event id, leaf hash) behind the leaves there are; how many there are then. Flushes.

    Only the sequencer calls this, and only one at a time.
    """
    start = size(session)
    if not leaves:
        return start
    if dialect_of(session) == "postgresql":
        events, hashes = zip(*leaves, strict=True)
        session.execute(APPEND_MANY, {"start": start, "events": list(events), "hashes": b"".join(hashes)})
    else:
        rows = [{"position": at, "event_id": event, "hash": leaf} for at, (event, leaf) in enumerate(leaves, start)]
        session.execute(insert(LEAVES), rows)
    complete_subtrees(session, start, start + len(leaves))
    return start + len(leaves)


def complete_subtrees(session: Session, before: int, after: int) -> None:
    """Enter the roots of the subtrees that grew full as the tree grew from `before` to `after` leaves."""
    level = 1
    while after >> HEIGHT * level:
        completed = []
        for number in range(before >> HEIGHT * level, after >> HEIGHT * level):
            hashes = content(session, Tile(level - 1, number))
            root = perfect_root([hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)])
            completed.append({"level": level, "number": number, "hash": root})
        if completed:
            session.execute(insert(SUBTREES), completed)
        level += 1
