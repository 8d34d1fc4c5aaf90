"""What posting says to the database, put together once: building a statement takes longer than answering it.

On PostgreSQL each is one trip: functions of the database (migrations/versions/0001_ledger.py) look and lock. Whoever
writes to SQLite writes alone, so there it is enough to look.
"""

from typing import cast

from sqlalchemy import ARRAY, BigInteger, LargeBinary, Table, bindparam, func, insert, select, text

from credits.db import Moment
from credits.ledger.models import Block, Entry, Issuance, Posting

BLOCKS = cast(Table, Block.__table__)
ISSUANCES = cast(Table, Issuance.__table__)
POSTINGS = cast(Table, Posting.__table__)
ENTRIES = cast(Table, Entry.__table__)

OPEN_ISSUANCE = insert(ISSUANCES).values(first=1).returning(ISSUANCES.c.id)
# The journal's own table (credits.journal.models): made with the ledger's, for no posting stands without an event.
TELL = text(
    "INSERT INTO event (kind, subject, actor, at, body) VALUES (:kind, :subject, :actor, :at, :body) RETURNING id"
).bindparams(bindparam("at", type_=Moment()), bindparam("body", type_=LargeBinary()))
OPEN = insert(POSTINGS).returning(POSTINGS.c.id)
ENTER = insert(ENTRIES)

HELD = (
    select(BLOCKS.c.first, BLOCKS.c.last)
    .where(BLOCKS.c.account_id == bindparam("source"), BLOCKS.c.issuance_id == bindparam("issuance"))
    .order_by(BLOCKS.c.first)
)
# The block that covers the first serial is found by one look into the index, however many lie below it.
COVERING = (
    select(func.max(BLOCKS.c.first))
    .where(BLOCKS.c.issuance_id == bindparam("issuance"), BLOCKS.c.first <= bindparam("from_serial"))
    .scalar_subquery()
)
HELD_NAMED = HELD.where(BLOCKS.c.first >= COVERING, BLOCKS.c.first <= bindparam("to_serial"))

ARRAYS = [bindparam(each, type_=ARRAY(BigInteger)) for each in ("issuances", "firsts", "lasts", "sources", "targets")]
PICK = text("SELECT first, last FROM ledger_pick(:issuance, :source, :quantity)")
LOCK = text("SELECT place, first, last FROM ledger_lock(:issuances, :firsts, :lasts, :sources)").bindparams(*ARRAYS[:4])
WRITE = text(
    """WITH told AS (INSERT INTO event (kind, subject, actor, at, body)
                     VALUES (:kind, :subject, :actor, :at, :body) RETURNING id),
            opened AS (INSERT INTO posting (event_id, at) SELECT told.id, :posted_at FROM told RETURNING id, event_id)
       INSERT INTO entry (posting_id, issuance_id, first, last, from_account_id, to_account_id)
       SELECT opened.id, move.* FROM opened, unnest(:issuances, :firsts, :lasts, :sources, :targets) move
       RETURNING posting_id, (SELECT opened.event_id FROM opened)"""
).bindparams(
    bindparam("at", type_=Moment()),
    bindparam("posted_at", type_=Moment()),
    bindparam("body", type_=LargeBinary()),
    *ARRAYS,
)
