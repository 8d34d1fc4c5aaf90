"""Who is told of transfers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session, joinedload

from credits.ledger.models import Posting
from credits.notices.occurrence import Occurrence, measured
from credits.notices.telling import AT_ONCE, issuers, tell, tell_each
from credits.notices.wordings import Kind
from credits.participants.models import User
from credits.registry.models import Transfer, TransferGuard, TransferState
from credits.registry.queries import digits_of
from credits.registry.second_person import second_people
from credits.registry.transfer import serials_of

PARTIES = (joinedload(Transfer.issuance), joinedload(Transfer.sender), joinedload(Transfer.recipient))
GUARDED = select(TransferGuard.transfer_id).where(TransferGuard.transfer_id == Transfer.id)
# The transfers that an event has opened, without those that still need a second person. Put together once.
OPENED = (
    select(Transfer)
    .join(Posting, Transfer.opening_posting_id == Posting.id)
    .where(Posting.event_id == bindparam("event"), ~GUARDED.exists())
    .order_by(Transfer.id)
)


def offered(session: Session, what: Occurrence) -> None:
    """The recipient, that credits wait for an answer."""
    for transfer in opened_here(session, what) or session.scalars(OPENED, {"event": what.event.id}):
        tell(session, to=transfer.recipient, kind=Kind.TRANSFER_OFFERED, facts=told_of(transfer), at=what.at)


def opened_here(session: Session, what: Occurrence) -> list[Transfer]:
    """The one that `OPENED` would find, where the session itself has just made it: serials are on one way at a time.

    What was undone is no longer known to be pending, or stands beside what was done instead: then the database says.
    """
    just = {"state": TransferState.PENDING, "proposed_at": what.at}.items()
    found = [
        each
        for each in session.identity_map.values()
        if isinstance(each, Transfer)
        and just <= vars(each).items()
        and (each.issuance.number, serials_of(each)) == (what.subject, what.facts["serials"])
    ]
    return found if len(found) == 1 and found[0].guard is None else []


def offered_in_bulk(session: Session, what: Occurrence) -> None:
    """Each recipient of a statement once, however many lines are for it."""
    mine: dict[int, list[Transfer]] = {}
    for transfer in session.scalars(OPENED.options(*PARTIES), {"event": what.event.id}):
        mine.setdefault(transfer.recipient_id, []).append(transfer)
    single = [(lines[0].recipient, told_of(lines[0])) for lines in mine.values() if len(lines) == 1]
    several = [
        (lines[0].recipient, told_of(lines[0]) | {"count": len(lines)}) for lines in mine.values() if len(lines) > 1
    ]
    tell_each(session, kind=Kind.TRANSFER_OFFERED, told=single, at=what.at)
    tell_each(session, kind=Kind.TRANSFERS_OFFERED, told=several, at=what.at)


def closed(session: Session, what: Occurrence) -> None:
    """The other side of the answer; both where nobody has answered."""
    for transfer in session.scalars(closed_by(what)):
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
    told = [(transfer.recipient, told_of(transfer)) for transfer in session.scalars(closed_by(what).options(*PARTIES))]
    tell_each(session, kind=Kind.TRANSFER_STOPPED, told=told, at=what.at)


def to_approve(session: Session, all_of_them: Sequence[Occurrence]) -> None:
    """Who may be the second person of guarded transfers: once, however many one person has offered at once."""
    at = all_of_them[0].at
    numbers = [digits_of(what.subject, "TRANSFER-") for what in all_of_them]
    since = all_of_them[0].facts.get("second_since")
    stood = datetime.fromisoformat(since) if since else None
    groups: dict[tuple[int, int], list[Transfer]] = {}
    for start in range(0, len(numbers), AT_ONCE):
        some = select(Transfer).where(Transfer.id.in_(numbers[start : start + AT_ONCE])).order_by(Transfer.id)
        for transfer in session.scalars(some.options(*PARTIES)):
            groups.setdefault((transfer.sender_id, transfer.proposed_by_id), []).append(transfer)
    for (_, proposer_id), transfers in groups.items():
        first = session.get_one(User, proposer_id)
        kind = Kind.TRANSFER_TO_APPROVE if len(transfers) == 1 else Kind.TRANSFERS_TO_APPROVE
        facts = told_of(transfers[0]) | {"person": first.name, "count": len(transfers)}
        people = second_people(session, transfers[0].sender, first, stood) or issuers(session)
        tell(session, to=people, kind=kind, facts=facts, at=at)


def approved(session: Session, what: Occurrence) -> None:
    """The recipient, from when it can accept: of a guarded transfer it hears only now."""
    transfer = session.get_one(Transfer, digits_of(what.subject, "TRANSFER-"))
    open_from = f"{datetime.fromisoformat(what.facts['open_from']):%Y-%m-%d %H:%M} UTC"
    facts = told_of(transfer) | {"open_from": open_from}
    tell(session, to=transfer.recipient, kind=Kind.TRANSFER_OPENS, facts=facts, at=what.at)


def closed_by(what: Occurrence) -> Select[Transfer]:
    under = Transfer.closing_posting_id == Posting.id
    return select(Transfer).join(Posting, under).where(Posting.event_id == what.event.id).order_by(Transfer.id)


def told_of(transfer: Transfer) -> dict[str, Any]:
    return measured(transfer.issuance, transfer.quantity) | {
        "transfer": transfer.number,
        "sender": transfer.sender.name,
        "recipient": transfer.recipient.name,
        "until": str(transfer.expires_at.date()),
        "reason": transfer.reason or "",
    }
