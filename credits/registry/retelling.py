"""Whether movements are what the log tells of them, each asked of the database. Behind `flask ledger check`.

Events cannot be changed unseen (`journal verify`); here the tables beside them are held against them, so that nobody
who writes into both the present and its history, past every trigger, can agree with the log as well.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.orm import Session

from credits.ledger import Move
from credits.ledger.invariants import Promise
from credits.ledger.serials import SerialRange
from credits.participants.models import organisation_number
from credits.registry.telling import serials_told

AT_A_TIME = 500  # postings
MOST_PLACES = 10

# By the kind of event: where the serials are afterwards, and which of its facts names whose they are then.
TARGETS: dict[str, tuple[str, str | None]] = {
    "issuance.issued": ("available", "producer"),
    "issuance.rolled_back": ("cancelled", None),
    "transfer.proposed": ("pending", "from"),
    "transfer.accepted": ("available", "to"),
    "transfer.rejected": ("available", "from"),
    "transfer.withdrawn": ("available", "from"),
    "transfer.expired": ("available", "from"),
    "order.delivered": ("available", "buyer"),
    "retirement.retired": ("retired", None),
    "bulk.retirement": ("retired", None),
    "bulk.transfer": ("pending", "organisation"),
    "reservation.reserved": ("reserved", None),
    "hold.held": ("held", "holder"),
    "buffer.contributed": ("buffer", None),
    "buffer.drawn": ("cancelled", None),
    "expiry.expired": ("expired", None),
    "export.exported": ("exported", None),
}

ENTRIES = text(
    """SELECT p.id, p.event_id, e.issuance_id, e.first, e.last, i.number, a.kind, h.organisation_id
       FROM posting p LEFT JOIN entry e ON e.posting_id = p.id
       LEFT JOIN issuance_attributes i ON i.id = e.issuance_id
       LEFT JOIN account a ON a.id = e.to_account_id LEFT JOIN holding h ON h.account_id = e.to_account_id
       ORDER BY p.id, e.issuance_id, e.first"""
)
BODIES = text("SELECT id, kind, body FROM event WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
# The number of a transfer stands in its closing event alone: its opening one is told before it has one.
TRANSFERS = text(
    """SELECT t.id, v.kind, v.body, t.sender_id, t.recipient_id, t.state
       FROM transfer t JOIN posting p ON p.id = coalesce(t.closing_posting_id, t.opening_posting_id)
       JOIN event v ON v.id = p.event_id WHERE v.kind LIKE 'transfer.%' ORDER BY t.id"""
)
RETIREMENTS = text(
    """SELECT r.id, v.kind, v.body, r.holder_id, r.quantity, r.beneficiary, r.beneficiary_identifier, r.purpose,
              c.facts
       FROM retirement r JOIN posting p ON p.id = r.posting_id JOIN event v ON v.id = p.event_id
       LEFT JOIN certificate c ON c.retirement_id = r.id ORDER BY r.id"""
)
WITHOUT_MOVEMENT = text(
    """SELECT v.id, v.kind FROM event v
       WHERE v.kind IN :kinds AND NOT EXISTS (SELECT 1 FROM posting p WHERE p.event_id = v.id)"""
).bindparams(bindparam("kinds", expanding=True))


def check(session: Session) -> list[Promise]:
    """Both promises with the places, at most ten each, where they are broken."""
    return [
        Promise(
            "told",
            "Every movement is what its event in the log tells: the same serials, to the same account.",
            list(islice(untold(session), MOST_PLACES)),
        ),
        Promise(
            "listed",
            "Transfers, retirements and certificates say what their events in the log say.",
            list(islice(unlike(session), MOST_PLACES)),
        ),
    ]


def untold(session: Session) -> Iterator[str]:
    """Postings that are not as their events tell, and events of movements without one."""
    rows = session.execute(ENTRIES, execution_options={"yield_per": AT_A_TIME})
    postings = ((posting, list(entries)) for posting, entries in groupby(rows, key=lambda row: row.id))
    while some := list(islice(postings, AT_A_TIME)):
        ids = [entries[0].event_id for _, entries in some]
        told = {event.id: event for event in session.execute(BODIES, {"ids": ids})}
        for posting, entries in some:
            event = told.get(entries[0].event_id)
            if event is None or differs(event.kind, facts_in(event.body), entries):
                yield f"posting {posting}"
    for event_id, kind in session.execute(WITHOUT_MOVEMENT, {"kinds": list(TARGETS)}):
        yield f"event {event_id} {kind} without a movement"


def differs(kind: str, facts: dict[str, Any], entries: Sequence[Row[Any]]) -> bool:
    """Whether an event tells of other serials than these entries moved, or of another account."""
    if entries[0].first is None or any(row.number is None for row in entries):
        return True
    moves = [Move(row.issuance_id, SerialRange(row.first, row.last), None, 0) for row in entries]
    expected = serials_told({row.issuance_id: row.number for row in entries}, moves)
    if kind == "issuance.issued":
        expected = {"serials": expected["serials"][0], "quantity": sum(move.units.quantity for move in moves)}
    if any(facts.get(name) != value for name, value in expected.items()):
        return True
    where, whose = TARGETS.get(kind, (None, None))
    if where is None:
        return False
    owners = {organisation_number(row.organisation_id) if row.organisation_id else None for row in entries}
    return {row.kind for row in entries} != {where} or (whose is not None and owners != {facts.get(whose)})


def unlike(session: Session) -> Iterator[str]:
    """Transfers and retirements that are not as their events tell, and certificates that are not as they are."""
    for row in session.execute(TRANSFERS):
        facts = facts_in(row.body)
        state = "pending" if row.kind == "transfer.proposed" else row.kind.removeprefix("transfer.")
        parties = {"from": organisation_number(row.sender_id), "to": organisation_number(row.recipient_id)}
        if row.state != state or any(facts.get(name) != number for name, number in parties.items()):
            yield f"transfer {row.id}"
    for row in session.execute(RETIREMENTS):
        shown = {"quantity": row.quantity, "beneficiary": row.beneficiary, "purpose": row.purpose}
        shown["identifier"] = row.beneficiary_identifier
        told = facts_in(row.body) if row.kind == "retirement.retired" else shown
        if any(told.get(name) != value for name, value in shown.items()):
            yield f"retirement {row.id}"
        if told.get("holder", holder := organisation_number(row.holder_id)) != holder:
            yield f"holder of retirement {row.id}"
        if row.facts is not None and certified(json.loads(row.facts)) != shown:
            yield f"certificate of retirement {row.id}"


def certified(facts: dict[str, Any]) -> dict[str, Any]:
    """What a certificate says of its retirement."""
    whom = {"beneficiary": facts["beneficiary"]["name"], "identifier": facts["beneficiary"]["identifier"]}
    return whom | {"quantity": facts["quantity_base_units"], "purpose": facts["purpose"]}


def facts_in(body: bytes) -> dict[str, Any]:
    """The facts of an event, or none where its bytes are no such thing."""
    try:
        facts = json.loads(body)["facts"]
    except (ValueError, TypeError, KeyError):
        return {}
    return facts if isinstance(facts, dict) else {}
