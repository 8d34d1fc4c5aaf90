"""Correcting an issuance (invariant 11): rolled back where nothing has left the producer, otherwise a debit.

Units retired in good faith stay retired. A rolled-back batch is rejected: what was issued from it is cancelled for
ever and it cannot be issued again, but its days and papers are free for a new batch with the right figures.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict
from credits.journal import events
from credits.ledger.models import AccountKind
from credits.ledger.posting import Posted, checked_quantity
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.registry.accounts import registry_account
from credits.registry.debits import lock_carry, lock_open, pay_off
from credits.registry.issuance_counts import CarriedRemainder
from credits.registry.making.batches import lock_in, remark
from credits.registry.minerals import MILLION, in_base_units
from credits.registry.models import Issuance
from credits.registry.movements import Debit, DebitSettlement, Decision
from credits.registry.papers.evidence import free
from credits.registry.policy import Policy
from credits.registry.production import BatchState, RemarkKind
from credits.registry.queries import issuance_numbered
from credits.registry.stillness import keep_still, moves_out_of
from credits.registry.telling import both_people, recorded


class NotAllWithProducer(Conflict):
    """Some of the issuance has left the producer, is offered, reserved or held: it is corrected by a debit."""

    code = "not_all_with_producer"


class AllWithProducer(Conflict):
    """Nothing has left the producer: the issuance is rolled back, not debited."""

    code = "all_with_producer"


class TooLargeADebit(Conflict):
    """More than was ever issued, with the debits before."""

    code = "debit_too_large"


def check_roll_back(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """Whether an issuance could be rolled back now. Raises NotAllowed, NoSuchIssuance, NotAllWithProducer."""
    must_issue(by)
    must_be_whole(issuance_numbered(session, subject), left_to_producer(session, issuance_numbered(session, subject)))
    return {}


def roll_back(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> Posted:
    """Cancel all of an issuance and reject its batch. Flushes. Raises NotAllWithProducer, WrongState."""
    issuance = issuance_numbered(session, decision.subject)
    keep_still(session, [issuance.id])
    batch = issuance.batch
    lock_in(session, batch, BatchState.ISSUED, BatchState.SUSPENDED)
    carried = lock_carry(session, issuance.producer_id, issuance.mineral_code)
    debits = lock_open(session, issuance.producer_id, issuance.mineral_code)
    moves = left_to_producer(session, issuance)
    must_be_whole(issuance, moves)
    facts = {"batch": batch.number, "quantity": issuance.quantity} | both_people(decision)
    numbers = {issuance.id: issuance.number}
    record = recorded(session, "issuance.rolled_back", issuance.number, numbers, facts, decision.reason, by, at)
    posting = ledger.move(session, moves, at=at, record=record)
    lacking = undo_deductions(session, issuance, carried, debits, posting, at)
    if lacking:
        open_debit(session, issuance, lacking, decision, at)
    batch.state = BatchState.REJECTED
    free(session, batch)
    remark(session, batch, RemarkKind.DECISION, decision.reason, by, at)
    return posting


def left_to_producer(session: Session, issuance: Issuance) -> list[ledger.Move]:
    """What of an issuance is still available to its producer, or in the buffer, as moves into cancellation."""
    target = registry_account(session, AccountKind.CANCELLED)
    own = moves_out_of(session, [issuance.id], [AccountKind.AVAILABLE], target, issuance.producer_id)
    return own + moves_out_of(session, [issuance.id], [AccountKind.BUFFER], target)


def must_be_whole(issuance: Issuance, moves: list[ledger.Move]) -> None:
    """Raise NotAllWithProducer unless `moves` are all of the issuance."""
    left = sum(each.units.quantity for each in moves)
    if left < issuance.quantity:
        raise NotAllWithProducer(
            f"{issuance.quantity - left} base units of {issuance.number} are no longer the producer's to give back.",
            quantity=issuance.quantity,
            left=left,
        )


def undo_deductions(
    session: Session,
    issuance: Issuance,
    carried: CarriedRemainder,
    debits: Sequence[Debit],
    posting: Posted,
    at: datetime,
) -> int:
    """Put the carried remainder back, and return the base units that a new debit must stand for.

    These are debits that the issuance had made good, and one unit where a later issuance has used its remainder up.
    """
    batch, mineral = issuance.batch, issuance.mineral
    mistaken = [debit for debit in debits if debit.issuance_id == issuance.id]
    pay_off(session, mistaken, sum(debit.still_open for debit in mistaken), posting_id=posting.id, at=at)
    made_good = select(func.coalesce(func.sum(DebitSettlement.quantity), 0))
    lacking = int(session.scalars(made_good.where(DebitSettlement.posting_id == issuance.posting_id)).one())
    left_over = in_base_units(mineral, batch.contained_ng + batch.carried_ng).remainder_ng
    nanograms = carried.nanograms + batch.carried_ng - left_over
    if nanograms < 0:
        nanograms, lacking = nanograms + mineral.base_unit_mg * MILLION, lacking + 1
    carried.nanograms = nanograms
    session.flush()
    return lacking


def check_debit(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """Whether an issuance can be corrected by a debit. request: {"quantity": base units issued too many}.

    Raises NotAllowed, NoSuchIssuance, BadQuantity, AllWithProducer, TooLargeADebit.
    """
    must_issue(by)
    quantity = checked_quantity(request.get("quantity"))
    must_be_debitable(session, issuance_numbered(session, subject), quantity)
    return {"quantity": quantity}


def debit(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> None:
    """Open a debit against the producer's next issuance of the mineral. Flushes.

    Raises AllWithProducer, TooLargeADebit.
    """
    issuance = issuance_numbered(session, decision.subject)
    keep_still(session, [issuance.id])
    # One at a time with issuing: an issuance of this moment either sees the debit, or is finished before.
    lock_carry(session, issuance.producer_id, issuance.mineral_code)
    must_be_debitable(session, issuance, decision.request["quantity"])
    opened = open_debit(session, issuance, decision.request["quantity"], decision, at)
    facts = {"debit": opened.number, "quantity": opened.quantity} | both_people(decision)
    events.append(
        session,
        kind="debit.opened",
        subject=issuance.number,
        actor=by.number,
        at=at,
        facts=facts,
        private={"reason": decision.reason},
    )


def must_be_debitable(session: Session, issuance: Issuance, quantity: int) -> None:
    """Raise where rolling back is the way, or the debits would come to more than was issued."""
    left = sum(each.units.quantity for each in left_to_producer(session, issuance))
    if left == issuance.quantity:
        raise AllWithProducer("All of it is still with the producer. Roll the issuance back instead.")
    before = select(func.coalesce(func.sum(Debit.quantity), 0)).where(Debit.issuance_id == issuance.id)
    most = issuance.quantity - int(session.scalars(before).one())
    if quantity > most:
        raise TooLargeADebit(f"At most {most} base units of {issuance.number} can be debited.", most=most)


def open_debit(session: Session, issuance: Issuance, quantity: int, decision: Decision, at: datetime) -> Debit:
    """Write the debit down. Flushes."""
    opened = Debit(
        producer_id=issuance.producer_id,
        mineral_code=issuance.mineral_code,
        issuance=issuance,
        decision_id=decision.id,
        quantity=quantity,
        still_open=quantity,
        opened_at=at,
    )
    session.add(opened)
    session.flush()
    return opened
