"""The independent judge of what people were told: lists, and answers that a history has recorded."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

try:
    from tests.checker_market import rows
except ModuleNotFoundError:  # beside a program of its own
    from checker_market import rows  # type: ignore[no-redef]

RESULTS = {"retire": "retirement", "transfer": "transfer", "reserve": "earmark"}
POSTING = {
    "retirement": "SELECT id, posting_id, quantity, issuance_id FROM retirement",
    "transfer": "SELECT id, opening_posting_id, quantity, issuance_id FROM transfer",
    "earmark": """SELECT e.id, e.opening_posting_id, sum(r.last - r.first + 1), r.issuance_id FROM earmark e
                  JOIN earmark_range r ON r.earmark_id = e.id WHERE e.kind = 'reserved'
                  GROUP BY e.id, e.opening_posting_id, r.issuance_id""",
}


def listed(connection: Any) -> Iterator[str]:
    """What lists show of retirements and transfers equals the serials that moved."""
    entries: dict[tuple[int, int], int] = defaultdict(int)
    for posting, issuance, first, last in rows(connection, "SELECT posting_id, issuance_id, first, last FROM entry"):
        entries[posting, issuance] += last - first + 1
    for name, query in POSTING.items():
        sums: dict[tuple[int, int], int] = defaultdict(int)
        for _, posting, quantity, issuance in rows(connection, query):
            sums[posting, issuance] += quantity
        for place, quantity in sums.items():
            if entries[place] != quantity:
                yield f"{name}s under posting {place[0]} say {quantity}, but {entries[place]} serials moved"
    retired = "SELECT issuance_id, sum(last - first + 1) FROM retired_range GROUP BY issuance_id"
    standing = """SELECT b.issuance_id, sum(b.last - b.first + 1) FROM block b JOIN account a ON a.id = b.account_id
                  WHERE a.kind = 'retired' GROUP BY b.issuance_id"""
    if sorted(rows(connection, retired)) != sorted(rows(connection, standing)):
        yield "the retired ranges are not the serials that stand as retired"


def answered(connection: Any, told: list[dict[str, Any]]) -> Iterator[str]:
    """Acknowledged: there exactly once. Refused: not there. Unknown: not at all, or once."""
    claims = {
        (caller, key): json.loads(answer) if answer else {}
        for caller, key, answer in rows(connection, "SELECT caller, key, answer FROM request_claim")
    }
    quantities = made(connection)
    numbers = {(name, row[1]): row[0] for name, query in POSTING.items() for row in rows(connection, query)}
    seen: dict[tuple[str, int], tuple[str, str]] = {}
    for act in told:
        place, name = (act["caller"], act["key"]), RESULTS[act["kind"]]
        result = claims.get(place, {}).get("result", {})
        number = result.get(name) or numbers.get((name, result.get("posting")))
        if act["outcome"] == "acknowledged" and (name, number) not in quantities:
            yield f"{act['kind']} {place} was acknowledged and is not there"
        if act["outcome"] == "refused" and number is not None:
            yield f"{act['kind']} {place} was refused and is there"
        if number is None:
            continue
        if quantities.get((name, number)) != act["quantity"]:
            yield f"{act['kind']} {place} has another quantity than was asked"
        if seen.setdefault((name, number), place) != place:
            yield f"{act['kind']} {place} answers for the same {name} as another key"
    for name, number in sorted({*quantities} - {*seen}):
        if told:
            yield f"{name} {number} was asked for by nobody"


def made(connection: Any) -> dict[tuple[str, int], int]:
    """Base units of each retirement, transfer and reservation there is."""
    quantities: dict[tuple[str, int], int] = defaultdict(int)
    for name, query in POSTING.items():
        for number, _, quantity, _ in rows(connection, query):
            quantities[name, number] += quantity
    return quantities
