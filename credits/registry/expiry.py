"""Expiring: credits past their last day leave circulation for good; their holders are warned before (invariant 16).

Available credits, offered ones and the buffer expire; an offer ends with them. Two things wait: what the registry
holds, because nobody may touch it before it is released, and what is reserved, because somebody may have paid for it
and the order's own end must come first. Both expire at the first run after they are let go; until then nothing can be
done with them, since every use refuses credits past their last day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.journal import events
from credits.ledger.models import AccountKind, Block
from credits.participants.models import Organisation
from credits.registry.accounts import OWN, registry_account
from credits.registry.calendar import months_before
from credits.registry.models import Holding, Issuance, TransferState
from credits.registry.movements import ExpiryWarning
from credits.registry.policy import Policy
from credits.registry.production import Batch
from credits.registry.stillness import end_transfers, keep_still, moves_out_of
from credits.registry.telling import listed, recorded
from credits.registry.validity import last_day

EXPIRING = (AccountKind.AVAILABLE, AccountKind.PENDING, AccountKind.BUFFER)
MOST_AT_A_TIME = 100
ENDED = "The credits have expired."


@dataclass(frozen=True)
class Warned:
    """Who is to be told that their credits of an issuance can be used for `days` more days, until `last_day`."""

    issuance: Issuance
    organisation: Organisation
    days: int
    last_day: date


def due(session: Session, *, policy: Policy, at: datetime) -> list[int]:
    """The ids of issuances to `expire` now, at most 100, oldest first."""
    return [issuance.id for issuance in session.scalars(due_by(policy, at.date()).limit(MOST_AT_A_TIME))]


def due_by(policy: Policy, today: date) -> Select[Issuance]:
    """Issuances past their last day of which something can expire, oldest first."""
    some = exists().where(
        Block.issuance_id == Issuance.id, Block.account_id == Holding.account_id, Holding.kind.in_(EXPIRING)
    )
    # A day later at most, where months differ in length: `last_day` decides.
    before = months_before(today, policy.months_valid)
    return (
        select(Issuance)
        .join(Issuance.batch)
        .where(Batch.produced_to < before, some)
        .order_by(Batch.produced_to, Issuance.id)
    )


def expire(session: Session, issuance: Issuance, policy: Policy, at: datetime) -> bool:
    """Expire what can be of one issuance, in one posting with one event. Flushes.

    False where nothing is left to expire by now. Commit before the next issuance: who holds several still locks the
    offers of all before the batches of all, and would wait for one of these while we wait for one of those.
    """
    offered = keep_still(session, [issuance.id])
    moves = moves_out_of(session, [issuance.id], EXPIRING, registry_account(session, AccountKind.EXPIRED))
    if not moves:
        return False
    facts = {"last_day": str(last_day(issuance, policy)), "policy": policy.version}
    facts |= listed("transfers", [each.number for each in offered])
    record = recorded(session, "expiry.expired", issuance.number, {issuance.id: issuance.number}, facts, "", None, at)
    posting = ledger.move(session, moves, at=at, record=record)
    end_transfers(session, offered, state=TransferState.EXPIRED, reason=ENDED, posting_id=posting.id, by=None, at=at)
    return True


def warn_due(session: Session, *, policy: Policy, at: datetime) -> list[Warned]:
    """Note, and return, whom to warn now. Each holder is warned of an issuance once at each of the policy's days.

    Where a run was missed, only the most pressing warning is given. Flushes.
    """
    given = []
    for issuance in expiring_soon(session, policy, at.date()):
        until = last_day(issuance, policy)
        left = (until - at.date()).days
        days = min((each for each in policy.warning_days if each >= left), default=0)
        holders = holders_unwarned(session, issuance, days) if left >= 0 and days else []
        if not holders:
            continue
        for holder in holders:
            session.add(ExpiryWarning(issuance=issuance, organisation=holder, days_before=days, given_at=at))
            given.append(Warned(issuance, holder, left, until))
        facts = {"days_before": days, "last_day": str(until)}
        facts |= listed("holders", [each.number for each in holders])
        events.append(session, kind="expiry.warned", subject=issuance.number, actor=events.SYSTEM, at=at, facts=facts)
    session.flush()
    return given


def expiring_soon(session: Session, policy: Policy, today: date) -> Sequence[Issuance]:
    """Issuances whose last day is near, a few days more on either side, oldest first."""
    earliest = months_before(today, policy.months_valid + 1)
    latest = months_before(today, policy.months_valid - max(policy.warning_days, default=0) // 28 - 1)
    wanted = select(Issuance).join(Issuance.batch).where(Batch.produced_to.between(earliest, latest))
    return session.scalars(wanted.order_by(Batch.produced_to, Issuance.id)).all()


def holders_unwarned(session: Session, issuance: Issuance, days: int) -> list[Organisation]:
    """Who has credits of an issuance and was not warned so many days before."""
    having = (
        select(Holding.organisation_id)
        .join(Block, Block.account_id == Holding.account_id)
        .where(Block.issuance_id == issuance.id, Holding.kind.in_(OWN))
    )
    warned = select(ExpiryWarning.organisation_id).where(
        ExpiryWarning.issuance_id == issuance.id, ExpiryWarning.days_before == days
    )
    wanted = select(Organisation).where(Organisation.id.in_(having), Organisation.id.not_in(warned))
    return list(session.scalars(wanted.order_by(Organisation.id)))
