"""The registry's buffer: a share of each issuance, kept to make good what was issued by mistake."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict
from credits.ledger.balances import balances_by_issuance
from credits.ledger.models import AccountKind
from credits.ledger.posting import InsufficientBalance, Posted, checked_quantity, pick
from credits.ledger.serials import SerialRange
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.registry.accounts import account_of, registry_account
from credits.registry.debits import debit_numbered, lock_carry, pay_off
from credits.registry.minerals import MILLION
from credits.registry.models import Issuance
from credits.registry.movements import Debit, Decision
from credits.registry.policy import Policy
from credits.registry.telling import both_people, recorded


class NotOwed(Conflict):
    """The debit is not open, or not by so much."""

    code = "not_owed"


def contribute(session: Session, *, issuance: Issuance, policy: Policy, by: User, at: datetime) -> Posted | None:
    """Move the policy's share of a new issuance, its last serials, from the producer to the buffer. Flushes.

    Rounded down, in base units; None where that is nothing.
    """
    share = issuance.quantity * policy.buffer_share_ppm // MILLION
    if share == 0:
        return None
    units = SerialRange(issuance.quantity - share + 1, issuance.quantity)
    source = account_of(session, issuance.producer, AccountKind.AVAILABLE)
    given = ledger.Move(issuance.id, units, source, registry_account(session, AccountKind.BUFFER))
    facts = {"producer": issuance.producer.number, "share_ppm": policy.buffer_share_ppm, "policy": policy.version}
    numbers = {issuance.id: issuance.number}
    record = recorded(session, "buffer.contributed", issuance.number, numbers, facts, "", by, at)
    return ledger.move(session, [given], at=at, record=record)


def check_draw(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """Whether so much of a debit is open. request: {"quantity": base units}.

    Raises NotAllowed, NoSuchDebit, BadQuantity, NotOwed.
    """
    must_issue(by)
    quantity = checked_quantity(request.get("quantity"))
    must_owe(debit_numbered(session, subject), quantity)
    return {"quantity": quantity}


def draw(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> Posted:
    """Cancel units of the buffer, the oldest issuances' first, in place of what a debit still lacks.

    Flushes. Raises NotOwed, InsufficientBalance.
    """
    debit, quantity = debit_numbered(session, decision.subject), decision.request["quantity"]
    # One at a time with issuing, which deducts what is open and makes it good.
    lock_carry(session, debit.producer_id, debit.mineral_code)
    session.refresh(debit, with_for_update=True)
    must_owe(debit, quantity)
    source, target = (registry_account(session, kind) for kind in (AccountKind.BUFFER, AccountKind.CANCELLED))
    stock = in_buffer(session, debit.mineral_code)
    if sum(stock.values()) < quantity:
        available = sum(stock.values())
        raise InsufficientBalance(
            f"The buffer has {available} base units of {debit.issuance.mineral.name}, {quantity} were asked for.",
            asked=quantity,
            available=available,
        )
    moves, left = [], quantity
    for issuance_id, held in stock.items():
        part = min(left, held)
        ranges = pick(session, issuance_id=issuance_id, source=source, quantity=part) if part else []
        moves += [ledger.Move(issuance_id, units, source, target) for units in ranges]
        left -= part
    numbers = dict(session.execute(select(Issuance.id, Issuance.number).where(Issuance.id.in_(stock))).all())
    facts = {"debit": debit.number, "quantity": quantity} | both_people(decision)
    record = recorded(session, "buffer.drawn", debit.number, numbers, facts, decision.reason, by, at)
    posting = ledger.move(session, moves, at=at, record=record)
    pay_off(session, [debit], quantity, posting_id=posting.id, at=at)
    return posting


def in_buffer(session: Session, mineral_code: str) -> dict[int, int]:
    """Base units of one mineral in the buffer by issuance, oldest first."""
    held = balances_by_issuance(session, accounts=[registry_account(session, AccountKind.BUFFER)])
    by_issuance = {issuance_id: quantity for (_, issuance_id), quantity in held.items()}
    ours = select(Issuance.id).where(Issuance.id.in_(by_issuance), Issuance.mineral_code == mineral_code)
    return {issuance_id: by_issuance[issuance_id] for issuance_id in session.scalars(ours.order_by(Issuance.id))}


def must_owe(debit: Debit, quantity: int) -> None:
    """Raise NotOwed where less is open."""
    if quantity > debit.still_open:
        raise NotOwed(f"Of {debit.number} {debit.still_open} base units are open.", still_open=debit.still_open)
