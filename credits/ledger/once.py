"""Post once for each key: claim it, pick the serials, and write event, posting and entries.

The movement that the registry makes most often, so it is written for the database: one trip to PostgreSQL, by a
function of the database (migrations/versions/0013_one_trip.py), and on SQLite, where there is no trip to save, the
driver's own statements. `claim`, `post` and `settle` one after the other come to the same.

Both go straight to the driver: what SQLAlchemy does around a statement takes as long as the rest of this module.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credits.db import Work, as_text, connection_of, straight
from credits.ledger.claims import OpenClaim, opening, said_again, write_answer
from credits.ledger.posting import (
    Move,
    Posted,
    Record,
    checked_quantity,
    pick,
    too_little,
    write,
)
from credits.ledger.serials import SerialRange, check_product, lowest

NONE_YET = b'"serials":[]'  # in the bytes of an event without serials: no text inside it reads so, quotes being escaped
IN_ONE_TRIP = "SELECT ledger_post_once(" + ", ".join(["%s"] * 17) + ")"
# For SQLite.
FIND = "SELECT request, answer FROM request_claim WHERE caller = ? AND key = ?"
HELD = "SELECT first, last FROM block WHERE account_id = ? AND issuance_id = ? ORDER BY first"
TELL = "INSERT INTO event (kind, subject, actor, at, body) VALUES (?, ?, ?, ?, ?)"
OPEN = "INSERT INTO posting (event_id, at) VALUES (?, ?)"
ENTER = """INSERT INTO entry (posting_id, issuance_id, first, last, from_account_id, to_account_id)
           VALUES (?, ?, ?, ?, ?, ?)"""
CLAIM = "INSERT INTO request_claim (caller, key, request, answer) VALUES (?, ?, ?, ?)"
KEPT = json.JSONEncoder(sort_keys=True)
MOST_RANGES = 100  # that the function writes into an event; more are written by whoever can also see that they fit


@dataclass(frozen=True)
class Wanted:
    """The lowest serials of an issuance that go from account `source` to `target`.

    number: of the issuance, as its serials begin. quantity: base units.
    """

    issuance_id: int
    number: str
    source: int
    target: int
    quantity: int

    def moves(self, ranges: list[SerialRange]) -> list[Move]:
        return [Move(self.issuance_id, units, self.source, self.target) for units in ranges]


def post_once(
    work: Work,
    wanted: Wanted,
    *,
    caller: str,
    key: str | None,
    request: dict[str, Any],
    at: datetime,
    record: Record,
) -> Posted:
    """Move what is wanted, once for this key of `caller`.

    request: all that was asked, as in `claim`. record: tells of the moves nothing but their serials, in the list
    "serials". Who asks again is told what it came to, `again`, and nothing moves: so a rule that reads what may change
    is asked after this, in the same transaction, and its refusal undoes the movement.
    Flushes, never commits. Raises BadQuantity, InsufficientBalance, and what `claim` raises.
    """
    checked_quantity(wanted.quantity)
    asked = opening(work, caller=caller, key=key, request=request)
    connection = connection_of(work)
    posted = posted_in_one_trip if connection.dialect.name == "postgresql" else posted_alone
    with straight(connection) as cursor:
        return posted(work, cursor, wanted, asked, at, record)


def posted_alone(work: Work, cursor: Any, wanted: Wanted, asked: OpenClaim, at: datetime, record: Record) -> Posted:
    """On SQLite, where nobody else writes meanwhile."""
    earlier = cursor.execute(FIND, (asked.caller, asked.key)).fetchone()
    if earlier is not None:
        request, answer = earlier
        return again(work, asked, json.loads(request), json.loads(answer) if answer else None)
    ranges: list[SerialRange] = []
    missing = wanted.quantity
    for first, last in cursor.execute(HELD, (wanted.source, wanted.issuance_id)):
        ranges.append(SerialRange(first, last))
        missing -= ranges[-1].quantity
        if missing <= 0:
            break
    if missing > 0:
        raise too_little(wanted.quantity, wanted.quantity - missing)
    moves = wanted.moves(lowest(ranges, wanted.quantity))
    told = record(moves)
    event = told.row
    texts = (event["kind"], event["subject"], event["actor"], as_text(event["at"]), event["body"])
    event_id = cursor.execute(TELL, texts).lastrowid
    posting_id = cursor.execute(OPEN, (event_id, as_text(at))).lastrowid
    entries = [
        (posting_id, each.issuance_id, each.units.first, each.units.last, each.source, each.target) for each in moves
    ]
    cursor.executemany(ENTER, entries)
    answer = f'{{"result": {{"posting": {posting_id}}}}}'  # as `as_kept` would write it
    cursor.execute(CLAIM, (asked.caller, asked.key, as_kept(asked.request), answer))
    told.entered(event_id, event["body"])
    return Posted(posting_id, tuple(moves))


def posted_in_one_trip(
    work: Work, cursor: Any, wanted: Wanted, asked: OpenClaim, at: datetime, record: Record
) -> Posted:
    """On PostgreSQL. The trip only claims where there are too few, or many ranges, or the event is more than a row."""
    told = record(())
    event = told.row
    before, listed, after = event["body"].partition(NONE_YET)
    whole = bool(listed) and not told.private
    # As text: the driver has a type for each length of number, and would have a statement prepared for each of them.
    numbers = (str(wanted.issuance_id), str(wanted.source), str(wanted.target), str(wanted.quantity))
    parameters = (
        *(asked.caller, asked.key, as_kept(asked.request), *numbers, at),
        *(event["kind"], event["subject"], event["actor"], event["at"]),
        *(before + b'"serials":' if whole else None, after),
        *(wanted.number, check_product(wanted.number), MOST_RANGES),
    )
    cursor.execute(IN_ONE_TRIP, parameters)
    [(answer,)] = cursor.fetchall()
    found = json.loads(answer)
    if "request" in found:
        return again(work, asked, found["request"], found["answer"])
    if found["posting"] is None:
        ranges = pick(work, issuance_id=wanted.issuance_id, source=wanted.source, quantity=wanted.quantity)
        posted = write(work, wanted.moves(ranges), at=at, record=record)
        write_answer(work, asked, {"posting": posted.id})
        return posted
    moves = wanted.moves([SerialRange(*pair) for pair in zip(found["firsts"], found["lasts"], strict=True)])
    serials = ",".join(f'"{serial}"' for serial in found["serials"])
    told.entered(found["event"], before + b'"serials":[' + serials.encode() + b"]" + after)
    return Posted(found["posting"], tuple(moves))


def again(work: Work, asked: OpenClaim, request: dict[str, Any], answer: dict[str, Any] | None) -> Posted:
    """What the request that has the key came to. Raises what `claim` does."""
    result = said_again(work, asked, request, answer)
    return Posted(result.get("posting", 0), (), again=result)


def as_kept(document: dict[str, Any]) -> str:
    """A document as a column keeps it (credits.db.Document)."""
    return KEPT.encode(document)
