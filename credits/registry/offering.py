"""What an offer of credits stands on, and how it is written down: nothing is done more often, so in few trips."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, and_, bindparam, column, func, insert, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from credits.db import dialect_of
from credits.ledger.models import AccountKind
from credits.ledger.serials import SerialRange
from credits.participants.models import ORGANISATION_IN_BRIEF, Organisation
from credits.registry.models import Holding, Issuance, Transfer, TransferRange
from credits.registry.production import Batch, BatchState
from credits.worded import Worded, at_hand

# Who suspends or holds locks the batch before its blocks, and so does everybody else, or two would wait for another.
STATE_AND_ACCOUNTS = (
    select(Batch.state, Holding.account_id, Holding.kind)
    .select_from(Batch)
    .outerjoin(
        Holding,
        and_(
            Holding.organisation_id == bindparam("sender"),
            or_(Holding.kind == AccountKind.AVAILABLE, Holding.kind == AccountKind.PENDING),
        ),
    )
    .with_for_update(read=True, of=Batch)
)
OF_BATCH = Worded(STATE_AND_ACCOUNTS.where(Batch.id == bindparam("batch")))
ISSUANCE_KNOWN = ("id", "number", "batch_id", "mineral_code", "facts")
OF_NUMBER = Worded(
    STATE_AND_ACCOUNTS.join(Issuance, Issuance.batch_id == Batch.id)
    .outerjoin(Organisation, Organisation.id == bindparam("recipient"))
    .where(Issuance.number == bindparam("number"))
    .add_columns(*(getattr(Issuance, name) for name in ISSUANCE_KNOWN))
    .add_columns(*(getattr(Organisation, name) for name in ORGANISATION_IN_BRIEF))
)
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


@dataclass(frozen=True)
class Footing:
    """What an offer stands on.

    state: of the issuance's batch, which nobody changes before this transaction ends. accounts: the sender's own, by
    kind, for what is available and what is pending; those alone that were opened already.
    """

    issuance: Issuance
    sender: Organisation
    recipient: Organisation
    state: BatchState
    accounts: dict[AccountKind, int]


def footing_of(session: Session, issuance: Issuance, sender: Organisation, recipient: Organisation) -> Footing:
    """What an offer of this stands on; `queries.footing_named` looks for issuance and recipient in the same trip."""
    rows = OF_BATCH.rows(session, batch=issuance.batch_id, sender=sender.id)
    return Footing(issuance, sender, recipient, rows[0][0], accounts_in(rows))


def accounts_in(rows: list[list[Any]]) -> dict[AccountKind, int]:
    """The accounts of a footing."""
    return {kind: account_id for _, account_id, kind, *_ in rows if account_id is not None}


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
    if dialect_of(session) == "postgresql":
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
