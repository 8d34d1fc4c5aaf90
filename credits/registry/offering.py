"""What an offer of credits stands on, and how it is written down: nothing is done more often, so in few trips."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, bindparam, column, func, insert, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from credits.ledger.serials import SerialRange
from credits.participants.models import Organisation
from credits.registry.models import Issuance, Transfer, TransferRange
from credits.worded import Worded, at_hand

OFFER = (
    *("issuance_id", "quantity", "sender_id", "recipient_id", "note", "state"),
    *("opening_posting_id", "proposed_by_id", "proposed_at", "expires_at"),
)
NOT_YET = dict.fromkeys(("closing_posting_id", "closed_by_id", "closed_at", "reason", "bulk_id"))
RANGE = ("transfer_id", "first", "last")
OPEN = insert(Transfer).values({name: bindparam(name) for name in OFFER}).returning(Transfer.id)
OPENED = OPEN.cte("opened")
NUMBERS = ARRAY(BigInteger)
PARTS = (
    func.unnest(bindparam("firsts", type_=NUMBERS), bindparam("lasts", type_=NUMBERS))
    .table_valued(column("first", BigInteger), column("last", BigInteger))
    .render_derived(name="parts")
)
NAMED = select(OPENED.c.id, PARTS.c.first, PARTS.c.last).join_from(OPENED, PARTS, true())
IN_ONE_TRIP = Worded(insert(TransferRange).from_select(RANGE, NAMED).returning(TransferRange.transfer_id))
# For SQLite, to which there is no trip.
ALONE = Worded(OPEN)
NAME = Worded(
    insert(TransferRange).values({name: bindparam(name) for name in RANGE}).returning(TransferRange.transfer_id)
)


def enter(
    session: Session,
    ranges: Sequence[SerialRange],
    *,
    issuance: Issuance,
    sender: Organisation,
    recipient: Organisation,
    **row: Any,
) -> Transfer:
    """Write a new transfer down with its ranges."""
    row |= {"issuance_id": issuance.id, "sender_id": sender.id, "recipient_id": recipient.id}
    firsts, lasts = [units.first for units in ranges], [units.last for units in ranges]
    if session.get_bind().dialect.name == "postgresql":
        (made, *_), *_ = IN_ONE_TRIP.rows(session, firsts=firsts, lasts=lasts, **row)
    else:
        ((made,),) = ALONE.rows(session, **row)
        for first, last in zip(firsts, lasts, strict=True):
            NAME.rows(session, transfer_id=made, first=first, last=last)
    named = [
        at_hand(session, TransferRange, {"transfer_id": made, "first": first, "last": last})
        for first, last in zip(firsts, lasts, strict=True)
    ]
    related = {"issuance": issuance, "sender": sender, "recipient": recipient, "ranges": named, "guard": None}
    return at_hand(session, Transfer, NOT_YET | row | {"id": made}, **related)
