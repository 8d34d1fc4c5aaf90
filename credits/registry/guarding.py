"""A first transfer to a recipient, or a large one, waits for a second person and a delay (invariant 13)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.journal import events
from credits.participants.models import User
from credits.registry.models import Cause, Transfer, TransferGuard, TransferState
from credits.registry.policy import Policy
from credits.registry.second_person import must_be_second
from credits.registry.trusted import Trust


class NotYetOpen(Conflict):
    """The recipient cannot accept yet: a second person has not approved the transfer, or the delay is not over."""

    code = "transfer_not_open"


class NothingToApprove(Conflict):
    """The transfer needs no second person, or has had one."""

    code = "nothing_to_approve"


def guard(session: Session, transfers: Sequence[Transfer], *, policy: Policy, by: User, at: datetime) -> None:
    """Let those of the new transfers of one sender wait that need a second person. Flushes."""
    if not policy.guarded or not transfers:
        return
    known = trusted_by(session, transfers[0].sender_id, {each.recipient_id for each in transfers}, at)
    for transfer in transfers:
        cause = cause_of(transfer, known, policy)
        if cause is None:
            continue
        session.add(TransferGuard(transfer=transfer, cause=cause, proposed_by_id=by.id))
        events.append(
            session,
            kind="transfer.guarded",
            subject=transfer.number,
            actor=by.number,
            at=at,
            facts={"cause": cause.value, "policy": policy.version},
        )
    session.flush()


def trusted_by(session: Session, holder_id: int, recipients: Iterable[int], at: datetime) -> set[int]:
    """Which of `recipients` the holder trusts now."""
    wanted = select(Trust.recipient_id).where(
        Trust.holder_id == holder_id,
        Trust.recipient_id.in_(list(recipients)),
        Trust.ended_at.is_(None),
        Trust.in_force_from <= at,
    )
    return set(session.scalars(wanted))


def cause_of(transfer: Transfer, known: set[int], policy: Policy) -> Cause | None:
    """Why it needs a second person, or None."""
    if Cause.FIRST in policy.guarded and transfer.recipient_id not in known:
        return Cause.FIRST
    largest = dict(policy.large_credits).get(transfer.issuance.mineral_code)
    is_large = largest is not None and transfer.quantity > largest * transfer.issuance.mineral.units_per_credit
    return Cause.LARGE if Cause.LARGE in policy.guarded and is_large else None


def approve(session: Session, *, transfer: Transfer, policy: Policy, by: User, at: datetime) -> None:
    """Be the second person: from then the delay runs. Flushes.

    Raises NotAllowed, SamePerson, NothingToApprove.
    """
    session.refresh(transfer, with_for_update=True)
    found = session.get(TransferGuard, transfer.id, populate_existing=True)
    if found is None or found.approved_by_id is not None or transfer.state is not TransferState.PENDING:
        raise NothingToApprove("This transfer waits for no second person.", transfer=transfer.number)
    must_be_second(session, holder=transfer.sender, first=found.proposed_by, by=by)
    found.approved_by, found.approved_at = by, at
    found.open_from = at + timedelta(hours=policy.hours_to_wait)
    session.flush()
    facts = {"cause": found.cause.value, "open_from": told(found.open_from)}
    facts |= {"proposed_by": found.proposed_by.number}
    events.append(session, kind="transfer.approved", subject=transfer.number, actor=by.number, at=at, facts=facts)


def must_be_open(session: Session, transfer: Transfer, at: datetime) -> None:
    """Raise NotYetOpen while the recipient cannot accept."""
    found = session.get(TransferGuard, transfer.id, populate_existing=True)
    if found is None:
        return
    if found.open_from is None:
        raise NotYetOpen(
            f"{transfer.sender.name} has not approved this transfer by a second person yet.", cause=found.cause.value
        )
    if at < found.open_from:
        raise NotYetOpen(
            f"This transfer can be accepted from {found.open_from:%Y-%m-%d %H:%M} UTC.",
            cause=found.cause.value,
            open_from=told(found.open_from),
        )


def learn(session: Session, transfer: Transfer, at: datetime) -> None:
    """After an accepted first transfer the recipient is known: two people have stood for it. Flushes."""
    found = session.get(TransferGuard, transfer.id)
    if found is None or found.cause is not Cause.FIRST:
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    earned = dialect.insert(Trust).values(
        holder_id=transfer.sender_id,
        recipient_id=transfer.recipient_id,
        proposed_by_id=found.proposed_by_id,
        proposed_at=transfer.proposed_at,
        approved_by_id=found.approved_by_id,
        approved_at=found.approved_at,
        in_force_from=found.open_from,
    )
    # Another first transfer may have been accepted, or the trust proposed, in the meantime: that one stays.
    if session.scalars(earned.on_conflict_do_nothing().returning(Trust.id)).first() is None:
        return
    facts = {"recipient": transfer.recipient.number, "transfer": transfer.number}
    events.append(session, kind="trust.earned", subject=transfer.sender.number, actor=events.SYSTEM, at=at, facts=facts)


def told(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
