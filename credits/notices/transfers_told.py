"""Who is told of transfers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from credits.ledger.models import Posting
from credits.notices.occurrence import Occurrence, measured
from credits.notices.telling import tell, tell_each
from credits.notices.wordings import Kind
from credits.registry.models import Transfer, TransferState

PARTIES = (joinedload(Transfer.issuance), joinedload(Transfer.sender), joinedload(Transfer.recipient))


def offered(session: Session, what: Occurrence) -> None:
    """The recipient, that credits wait for an answer."""
    for transfer in opened_by(session, what):
        tell(session, to=transfer.recipient, kind=Kind.TRANSFER_OFFERED, facts=told_of(transfer), at=what.at)


def offered_in_bulk(session: Session, what: Occurrence) -> None:
    """Each recipient of a statement once, however many lines are for it."""
    mine: dict[int, list[Transfer]] = {}
    for transfer in opened_by(session, what):
        mine.setdefault(transfer.recipient_id, []).append(transfer)
    single = [(lines[0].recipient, told_of(lines[0])) for lines in mine.values() if len(lines) == 1]
    several = [
        (lines[0].recipient, told_of(lines[0]) | {"count": len(lines)}) for lines in mine.values() if len(lines) > 1
    ]
    tell_each(session, kind=Kind.TRANSFER_OFFERED, told=single, at=what.at)
    tell_each(session, kind=Kind.TRANSFERS_OFFERED, told=several, at=what.at)


def closed(session: Session, what: Occurrence) -> None:
    """The other side of the answer; both where nobody has answered."""
    for transfer in closed_by(session, what):
        facts = told_of(transfer)
        if transfer.state is TransferState.ACCEPTED:
            tell(session, to=transfer.sender, kind=Kind.TRANSFER_ACCEPTED, facts=facts, at=what.at)
        elif transfer.state is TransferState.REJECTED:
            tell(session, to=transfer.sender, kind=Kind.TRANSFER_REJECTED, facts=facts, at=what.at)
        elif transfer.state is TransferState.WITHDRAWN:
            tell(session, to=transfer.recipient, kind=Kind.TRANSFER_WITHDRAWN, facts=facts, at=what.at)
        else:
            tell(session, to=transfer.sender, kind=Kind.TRANSFER_UNANSWERED, facts=facts, at=what.at)
            tell(session, to=transfer.recipient, kind=Kind.TRANSFER_LAPSED, facts=facts, at=what.at)


def stopped(session: Session, what: Occurrence) -> None:
    """The recipients of offers that ended because their credits were frozen or have expired."""
    told = [(transfer.recipient, told_of(transfer)) for transfer in closed_by(session, what)]
    tell_each(session, kind=Kind.TRANSFER_STOPPED, told=told, at=what.at)


def opened_by(session: Session, what: Occurrence) -> Sequence[Transfer]:
    under = Transfer.opening_posting_id == Posting.id
    wanted = select(Transfer).join(Posting, under).where(Posting.event_id == what.event.id).order_by(Transfer.id)
    return session.scalars(wanted.options(*PARTIES)).all()


def closed_by(session: Session, what: Occurrence) -> Sequence[Transfer]:
    under = Transfer.closing_posting_id == Posting.id
    wanted = select(Transfer).join(Posting, under).where(Posting.event_id == what.event.id).order_by(Transfer.id)
    return session.scalars(wanted.options(*PARTIES)).all()


def told_of(transfer: Transfer) -> dict[str, Any]:
    return measured(transfer.issuance, transfer.quantity) | {
        "transfer": transfer.number,
        "sender": transfer.sender.name,
        "recipient": transfer.recipient.name,
        "until": str(transfer.expires_at.date()),
        "reason": transfer.reason or "",
    }
