"""A first transfer to a recipient, or a large one, waits for a second person and a delay (invariant 13)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.db import dialect_of, inserting
from credits.errors import Conflict
from credits.journal import events
from credits.participants.models import User
from credits.participants.wording import moment_shown
from credits.registry.models import Cause, Issuance, Transfer, TransferGuard, TransferState
from credits.registry.policy import Policy
from credits.registry.second_person import must_be_second, stood_since
from credits.registry.trusted import Trust

LOCK = 7_013  # of whoever sums what one sender has sent, among PostgreSQL's advisory locks


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
    sums = sums_to(session, transfers[0].sender_id, policy, at) if Cause.LARGE in policy.guarded else {}
    since = stood_since(policy, at)
    more = {"second_since": told(since)} if since else {}
    for transfer in transfers:
        cause = cause_of(transfer, known, sums, policy)
        if cause is None:
            continue
        session.add(TransferGuard(transfer=transfer, cause=cause, proposed_by_id=by.id))
        events.append(
            session,
            kind="transfer.guarded",
            subject=transfer.number,
            actor=by.number,
            at=at,
            facts={"cause": cause.value, "policy": policy.version} | more,
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


def sums_to(session: Session, sender_id: int, policy: Policy, at: datetime) -> dict[tuple[int, str], int]:
    """Base units on their way or accepted of what one sender has offered lately, by recipient and mineral.

    Nobody else sums what this sender sends before this transaction ends: of two offers at once, neither would see the
    other. SQLite has one writer anyway.
    """
    if dialect_of(session) == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LOCK, sender_id % 2**31)))
    wanted = (
        select(Transfer.recipient_id, Issuance.mineral_code, func.sum(Transfer.quantity))
        .join(Transfer.issuance)
        .where(
            Transfer.sender_id == sender_id,
            Transfer.proposed_at > at - timedelta(hours=policy.hours_to_sum),
            Transfer.state.in_([TransferState.PENDING, TransferState.ACCEPTED]),
        )
        .group_by(Transfer.recipient_id, Issuance.mineral_code)
    )
    return {(recipient, mineral): int(units) for recipient, mineral, units in session.execute(wanted)}


def cause_of(transfer: Transfer, known: set[int], sums: Mapping[tuple[int, str], int], policy: Policy) -> Cause | None:
    """Why it needs a second person, or None. It is large where it is, or makes the sum to its recipient large."""
    if Cause.FIRST in policy.guarded and transfer.recipient_id not in known:
        return Cause.FIRST
    largest = dict(policy.large_credits).get(transfer.issuance.mineral_code)
    if largest is None or Cause.LARGE not in policy.guarded:
        return None
    units = sums[transfer.recipient_id, transfer.issuance.mineral_code]
    return Cause.LARGE if units > largest * transfer.issuance.mineral.units_per_credit else None


def approve(session: Session, *, transfer: Transfer, policy: Policy, by: User, at: datetime) -> None:
    """Be the second person: from then the delay runs. Flushes.

    Raises NotAllowed, NothingToApprove.
    """
    session.refresh(transfer, with_for_update=True)
    found = session.get(TransferGuard, transfer.id, populate_existing=True)
    if found is None or found.approved_by_id is not None or transfer.state is not TransferState.PENDING:
        raise NothingToApprove("This transfer waits for no second person.", transfer=transfer.number)
    since = stood_since(policy, transfer.proposed_at)
    must_be_second(session, holder=transfer.sender, first=found.proposed_by, since=since, by=by)
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
            f"This transfer can be accepted from {moment_shown(found.open_from)}.",
            cause=found.cause.value,
            open_from=told(found.open_from),
        )


def learn(session: Session, transfer: Transfer, at: datetime) -> None:
    """After an accepted first transfer the recipient is known: two people have stood for it. Flushes.

    Not where the holder has since said that it trusts the recipient no longer.
    """
    found = session.get(TransferGuard, transfer.id)
    if found is None or found.cause is not Cause.FIRST:
        return
    between = (Trust.holder_id == transfer.sender_id, Trust.recipient_id == transfer.recipient_id)
    # Locked: who is ending one at this moment has done so when we look.
    ends = session.scalars(select(Trust.ended_at).where(*between).order_by(Trust.id).with_for_update()).all()
    if any(ended is not None and ended >= transfer.proposed_at for ended in ends):
        return
    earned = inserting(session, Trust).values(
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
