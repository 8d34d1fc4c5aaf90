"""An independent judge of the ledger: imports nothing of the application, and trusts none of its words.

It reads the tables over a plain DB-API connection, plays the whole history serial by serial range, and compares it with
what the clients of a trial say they were told. `judge(connection, told)` gives every broken promise as a sentence.

    python tests/checker.py sqlite:///credits.db told.jsonl      # exit status 1 if a promise is broken

A line of the history: {"caller", "key", "kind": "retire" | "transfer" | "reserve", "issuance": its number,
"quantity": base units, "outcome": "acknowledged" | "refused" | "unknown"}; acknowledged ones may name their "number".

Here are serials and their events; what was told of them is in checker_told.py, orders and money in checker_market.py.
"""

import json
import re
import sqlite3
import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any

try:
    from tests.checker_market import market, rows
    from tests.checker_told import answered, listed
except ModuleNotFoundError:  # run as a program of its own
    from checker_market import market, rows  # type: ignore[no-redef]
    from checker_told import answered, listed  # type: ignore[no-redef]

FINAL = {"retired", "cancelled", "expired", "exported"}
SERIALS = re.compile(r"(.+)-([0-9]{9,})-([0-9]{9,})-[0-9A-Z]")
# The kinds of events that never come without a movement.
MOVE = {
    "issuance": ("issued", "rolled_back"),
    "transfer": ("proposed", "accepted", "rejected", "withdrawn", "expired"),
    "retirement": ("retired",),
    "bulk": ("retirement", "transfer"),
    "reservation": ("reserved", "released"),
    "hold": ("held", "released"),
    "cancellation": ("cancelled",),
    "buffer": ("contributed", "drawn"),
    "expiry": ("expired",),
    "export": ("exported",),
}


Held = tuple[int, int, int]
"""First serial, last serial, and the account that they are in."""


def move(held: list[Held], first: int, last: int, source: int | None, target: int) -> str | None:
    """Give [first, last] to `target` in `held`, sorted; says what is wrong where `source` has not all of them."""
    if source is None and held:
        return "issued twice"
    if source is None:
        held.append((first, last, target))
        return None
    left, right = bisect_right(held, first, key=itemgetter(0)) - 1, bisect_right(held, last, key=itemgetter(0))
    near = held[max(left, 0) : right]
    own = join((max(a, first), min(b, last), owner) for a, b, owner in near if owner == source and b >= first)
    if own != [(first, last, source)]:
        return f"serial {own[0][1] + 1 if own and own[0][0] == first else first} was not in account {source}"
    before = [(a, first - 1, owner) for a, _, owner in near if a < first]
    behind = [(last + 1, b, owner) for _, b, owner in near if b > last]
    held[left:right] = [*before, (first, last, target), *behind]
    return None


def join(ranges: Iterable[Held]) -> list[Held]:
    """The same ranges, sorted, neighbours of one owner as one."""
    joined: list[Held] = []
    for first, last, owner in sorted(ranges):
        if joined and joined[-1][2] == owner and joined[-1][1] + 1 == first:
            joined[-1] = (joined[-1][0], last, owner)
        else:
            joined.append((first, last, owner))
    return joined


def judge(connection: Any, told: Iterable[dict[str, Any]] = ()) -> list[str]:
    """Every broken promise, as a sentence. The connection must see one moment of the database."""
    ledger = [*replay(connection), *recorded(connection), *listed(connection), *answered(connection, list(told))]
    return [*ledger, *market(connection)]


def replay(connection: Any) -> Iterator[str]:
    """One owner a serial at every time, retired is final, nothing lost or minted, and the present is the replay."""
    kinds = dict(rows(connection, "SELECT id, kind FROM account"))
    held: dict[int, list[Held]] = defaultdict(list)
    history = """SELECT issuance_id, posting_id, first, last, from_account_id, to_account_id
                 FROM entry ORDER BY posting_id, first"""
    for issuance, posting, first, last, source, target in rows(connection, history):
        if source is not None and kinds.get(source) in FINAL:
            yield f"posting {posting} took serials out of a final account"
        if wrong := move(held[issuance], first, last, source, target):
            yield f"posting {posting}, issuance {issuance}: {wrong}"
    present: dict[int, list[Held]] = defaultdict(list)
    for issuance, first, last, account in rows(connection, "SELECT issuance_id, first, last, account_id FROM block"):
        present[issuance].append((first, last, account))
    quantities = dict(rows(connection, "SELECT id, quantity FROM issuance"))
    for issuance in sorted({*quantities, *present, *held}):
        blocks = sorted(present[issuance])
        expected = 1
        for first, last, _ in blocks:
            if first != expected:
                yield f"issuance {issuance}: serials {expected} to {first - 1} are lost or doubled"
            expected = last + 1
        if expected - 1 != quantities.get(issuance):
            yield f"issuance {issuance}: {expected - 1} serials stand where {quantities.get(issuance)} were issued"
        if join(blocks) != join(held[issuance]):
            yield f"issuance {issuance}: the present is not what its history says"


def recorded(connection: Any) -> Iterator[str]:
    """Every movement stands under an event that tells of these serials, and every event of a movement has it."""
    bodies = rows(connection, "SELECT id, kind, body FROM event")
    events = {event: (kind, json.loads(body)) for event, kind, body in bodies}
    numbers = dict(rows(connection, "SELECT number, id FROM issuance_attributes"))
    moved: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for posting, issuance, first, last in rows(connection, "SELECT posting_id, issuance_id, first, last FROM entry"):
        moved[posting].append((issuance, first, last))
    waiting = {event for event, (kind, _) in events.items() if is_movement(kind)}
    for posting, event in rows(connection, "SELECT id, event_id FROM posting"):
        waiting.discard(event)
        if event not in events:
            yield f"posting {posting} has no event"
        elif posting not in moved:
            yield f"posting {posting} moved nothing"
        elif (told := serials_told(events[event][1]["facts"], numbers)) and told != join_each(moved[posting]):
            yield f"posting {posting} moved other serials than its event tells"
    for event in sorted(waiting):
        yield f"event {event} tells of a movement that was not made"


def is_movement(kind: str) -> bool:
    what, _, how = kind.partition(".")
    return how in MOVE.get(what, ())


def serials_told(facts: dict[str, Any], numbers: dict[str, int]) -> list[tuple[int, int, int]]:
    """(issuance, first, last) of the serials that an event lists; nothing where it lists none, or not all."""
    told = facts.get("serials")
    if not told or "ranges" in facts:
        return []
    found = [SERIALS.fullmatch(each) for each in ([told] if isinstance(told, str) else told)]
    return join_each((numbers.get(each[1], 0), int(each[2]), int(each[3])) for each in found if each)


def join_each(ranges: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """(issuance, first, last), sorted, neighbours as one."""
    by_issuance: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for issuance, first, last in ranges:
        by_issuance[issuance].append((first, last, issuance))
    return [(issuance, *each[:2]) for issuance in sorted(by_issuance) for each in join(by_issuance[issuance])]


def main(arguments: list[str]) -> int:
    url, *files = arguments
    if url.startswith("sqlite"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"))
    else:
        import psycopg

        connection = psycopg.connect(url)
    told = [json.loads(line) for name in files for line in open(name, encoding="utf-8")]  # noqa: PTH123, SIM115
    broken = judge(connection, told)
    print("\n".join(broken) or "Every promise holds.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
