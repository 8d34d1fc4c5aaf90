"""Reserving: available credits set apart for somebody who is about to pay for them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict, Invalid
from credits.ledger.models import AccountKind
from credits.ledger.posting import NotHeld, checked_quantity, pick
from credits.participants.models import Organisation, User
from credits.participants.permissions import may_dispose_of
from credits.participants.wording import line
from credits.registry.accounts import account_of
from credits.registry.earmarks import let_go, lock_open, numbers_of, set_apart
from credits.registry.models import Issuance
from credits.registry.movements import Earmark, EarmarkKind
from credits.registry.policy import Policy
from credits.registry.telling import recorded
from credits.registry.transfer import must_not_be_suspended
from credits.registry.validity import must_not_have_expired

Chosen = Sequence[tuple[Issuance, int]]


class NothingChosen(Invalid):
    """There is no line, or one issuance stands in two."""

    code = "nothing_chosen"


class OnHold(Conflict):
    """The registry holds some of these serials."""

    code = "on_hold"


class NotAReservation(Conflict):
    code = "not_a_reservation"


def reserve(
    session: Session,
    *,
    holder: Organisation,
    chosen: Chosen,
    why: str,
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> Earmark:
    """Reserve available credits of `holder`, lowest serials of each issuance first, all or nothing.

    chosen: issuances with base units. why: what for, such as the order's number.
    Flushes. Raises NotAllowed, NothingChosen, Suspended, Expired, BadQuantity, InsufficientBalance.
    """
    may_dispose_of(by, holder)
    lines = [f"{issuance.number} {quantity!s:.60}" for issuance, quantity in chosen]
    asked = {"act": "reservation.reserve", "holder": holder.number, "chosen": lines, "why": why}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Earmark, earlier["earmark"])
    numbers = {issuance.id: issuance.number for issuance, _ in chosen}
    if not chosen or len(numbers) < len(chosen):
        raise NothingChosen("Choose at least one issuance, each of them once.")
    source = account_of(session, holder, AccountKind.AVAILABLE)
    target = account_of(session, holder, AccountKind.RESERVED)
    moves = []
    # Always in the order of issuances: two reservations can then never wait for each other.
    for issuance, quantity in sorted(chosen, key=lambda each: each[0].id):
        checked_quantity(quantity)
        must_not_be_suspended(session, issuance)
        must_not_have_expired(issuance, policy, at)
        ranges = pick(session, issuance_id=issuance.id, source=source, quantity=quantity)
        moves += [ledger.Move(issuance.id, units, source, target) for units in ranges]
    earmark = set_apart(
        session,
        kind=EarmarkKind.RESERVED,
        holder=holder,
        why=line(why, "What for"),
        moves=moves,
        record=recorded(session, "reservation.reserved", holder.number, numbers, {}, "", by, at),
        by=by,
        at=at,
    )
    ledger.settle(session, {"earmark": earmark.id})
    return earmark


def release(session: Session, *, reservation: Earmark, by: User | None, at: datetime) -> None:
    """Give reserved credits back to their holder. by: None where time ran out and the system does it.

    Flushes. Raises NotAllowed, LetGoAlready, NotAReservation, OnHold.
    """
    if by is not None:
        may_dispose_of(by, reservation.holder)
    if reservation.kind is not EarmarkKind.RESERVED:
        raise NotAReservation(f"{reservation.number} is a hold of the registry: its issuers release it.")
    lock_open(session, reservation)
    numbers, facts = numbers_of(session, reservation), {"reservation": reservation.number}
    told = recorded(session, "reservation.released", reservation.holder.number, numbers, facts, "", by, at)
    try:
        let_go(session, reservation, record=told, by=by, at=at)
    except NotHeld:
        raise OnHold(
            "The registry holds some of these credits. They are released first.", reservation=reservation.number
        ) from None
