"""Cancelling: credits taken out of the world by two issuers, for a reason. Final (invariant 14)."""

from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from credits import ledger
from credits.ledger.models import AccountKind
from credits.ledger.posting import NotHeld, Posted, checked_quantity
from credits.ledger.serials import SerialRange
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.registry.accounts import account_of, registry_account
from credits.registry.earmarks import lock_open, numbers_of, ranges_of
from credits.registry.holds import hold_numbered
from credits.registry.movements import Decision, Earmark, EarmarkKind, EarmarkRange
from credits.registry.policy import Policy
from credits.registry.public import organisation_known_as
from credits.registry.queries import issuance_numbered
from credits.registry.reservation import OnHold
from credits.registry.telling import both_people, listed, recorded


def check(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """What is to be cancelled: all of a hold (subject: its number), or available credits of one holder.

    request: for an issuance, {"holder": "ORG-000012", "quantity": base units}; for a hold nothing.
    Raises NotAllowed, NoSuchEarmark, LetGoAlready, NoSuchIssuance, NoSuchOrganisation, BadQuantity.
    """
    must_issue(by)
    if subject.startswith("HOLD-"):
        lock_open(session, hold_numbered(session, subject))
        return {}
    issuance_numbered(session, subject)
    holder = organisation_known_as(session, str(request.get("holder")))
    return {"holder": holder.number, "quantity": checked_quantity(request.get("quantity"))}


def cancel(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> Posted:
    """Cancel for good. Flushes. Raises LetGoAlready, OnHold, InsufficientBalance."""
    if decision.subject.startswith("HOLD-"):
        return cancel_held(session, hold_numbered(session, decision.subject), decision, by, at)
    issuance = issuance_numbered(session, decision.subject)
    holder = organisation_known_as(session, decision.request["holder"])
    facts = {"holder": holder.number} | both_people(decision)
    numbers = {issuance.id: issuance.number}
    return ledger.post(
        session,
        issuance_id=issuance.id,
        source=account_of(session, holder, AccountKind.AVAILABLE),
        target=registry_account(session, AccountKind.CANCELLED),
        quantity=decision.request["quantity"],
        at=at,
        record=recorded(session, "cancellation.cancelled", issuance.number, numbers, facts, decision.reason, by, at),
    )


def cancel_held(session: Session, held: Earmark, decision: Decision, by: User, at: datetime) -> Posted:
    """Cancel all of a hold. Reservations that lose credits by it end: what is left of them is available again."""
    parts = reservations_under(session, held)
    for earmark in sorted([held, *parts], key=lambda each: each.id):  # always in the order of their ids
        lock_open(session, earmark)
    target = registry_account(session, AccountKind.CANCELLED)
    source = account_of(session, held.holder, AccountKind.HELD)
    gone = [(each.issuance_id, SerialRange(each.first, each.last)) for each in ranges_of(session, held)]
    moves = [ledger.Move(issuance_id, units, source, target) for issuance_id, units in gone]
    numbers = numbers_of(session, held)
    for reservation in parts:
        numbers |= numbers_of(session, reservation)
        reserved = account_of(session, reservation.holder, AccountKind.RESERVED)
        for each in ranges_of(session, reservation):
            cancelled = [units for issuance_id, units in gone if issuance_id == each.issuance_id]
            moves += [
                ledger.Move(each.issuance_id, units, reserved, each.from_account_id)
                for units in without(SerialRange(each.first, each.last), cancelled)
            ]
    facts = {"holder": held.holder.number, "hold": held.number} | both_people(decision)
    facts |= listed("reservations", [each.number for each in parts])
    record = recorded(session, "cancellation.cancelled", held.number, numbers, facts, decision.reason, by, at)
    try:
        posting = ledger.move(session, moves, at=at, record=record)
    except NotHeld:
        raise OnHold("Another hold covers a part of the same reservation. Release it first.") from None
    for earmark in (held, *parts):
        earmark.closing_posting_id, earmark.closed_at, earmark.closed_by_id = posting.id, at, by.id
    session.flush()
    return posting


def reservations_under(session: Session, held: Earmark) -> list[Earmark]:
    """The open reservations that some of the held serials belong to."""
    mine, theirs = aliased(EarmarkRange), aliased(EarmarkRange)
    shared = exists().where(
        mine.earmark_id == held.id,
        theirs.earmark_id == Earmark.id,
        theirs.issuance_id == mine.issuance_id,
        theirs.first <= mine.last,
        theirs.last >= mine.first,
    )
    wanted = select(Earmark).where(Earmark.kind == EarmarkKind.RESERVED, Earmark.closing_posting_id.is_(None), shared)
    return list(session.scalars(wanted.order_by(Earmark.id)))


def without(units: SerialRange, taken: list[SerialRange]) -> list[SerialRange]:
    """What is left of a range once `taken` is gone from it, lowest first."""
    left, start = [], units.first
    for each in sorted(taken):
        if each.last < start or each.first > units.last:
            continue
        if each.first > start:
            left.append(SerialRange(start, each.first - 1))
        start = each.last + 1
    return [*left, SerialRange(start, units.last)] if start <= units.last else left
