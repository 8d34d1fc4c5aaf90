"""Credits on their way from a seller to a buyer: set apart while the money is awaited, handed over or given back.

The serials that were set apart are the ones that the buyer gets, and the ones that go back: they are moved by name.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from credits import ledger
from credits.journal import events
from credits.ledger.balances import standings
from credits.ledger.models import AccountKind
from credits.ledger.posting import NotHeld, Posted, pick
from credits.ledger.serials import SerialRange
from credits.participants.models import Organisation, User
from credits.registry.accounts import account_of, registry_account
from credits.registry.earmarks import let_go, lock_open, numbers_of, ranges_of, set_apart
from credits.registry.models import Issuance, Retirement
from credits.registry.movements import Earmark, EarmarkKind
from credits.registry.policy import Policy
from credits.registry.reservation import OnHold
from credits.registry.retirement import Claim, enter, must_fit_window, tidy
from credits.registry.telling import recorded, serials_told
from credits.registry.transfer import must_not_be_suspended, state_kept
from credits.registry.use.uses import Tally
from credits.registry.validity import must_not_have_expired

MOST_BLOCKS = 100_000


def set_aside(
    session: Session,
    *,
    seller: Organisation,
    issuance: Issuance,
    quantity: int,
    order: str,
    policy: Policy,
    by: User,
    at: datetime,
) -> Earmark:
    """Reserve available credits of `seller` for the buyer who acts, lowest serials first.

    quantity: base units. Of several issuances the one with the lower id first: two orders then never wait for each
    other. Flushes. Raises Suspended, Expired, BadQuantity, InsufficientBalance.
    """
    must_not_be_suspended(session, issuance)
    must_not_have_expired(issuance, policy, at)
    source = account_of(session, seller, AccountKind.AVAILABLE)
    target = account_of(session, seller, AccountKind.RESERVED)
    ranges = pick(session, issuance_id=issuance.id, source=source, quantity=quantity)
    numbers = {issuance.id: issuance.number}
    return set_apart(
        session,
        kind=EarmarkKind.RESERVED,
        holder=seller,
        why=order,
        moves=[ledger.Move(issuance.id, units, source, target) for units in ranges],
        record=recorded(session, "reservation.reserved", seller.number, numbers, {"order": order}, "", by, at),
        by=by,
        at=at,
    )


def hand_over(
    session: Session,
    *,
    earmarks: Sequence[Earmark],
    buyer: Organisation,
    order: str,
    facts: Mapping[str, Any],
    policy: Policy,
    at: datetime,
) -> Posted:
    """Move all that was set apart to the buyer, in one posting, and close the reservations. Flushes.

    Raises Suspended, Expired, OnHold or LetGoAlready where the registry keeps any of it back.
    """
    for earmark in sorted(earmarks, key=lambda each: each.id):  # always in the order of their ids
        lock_open(session, earmark)
    ids = sorted({number for earmark in earmarks for number in numbers_of(session, earmark)})
    issuances = [session.get_one(Issuance, each) for each in ids]
    for issuance in issuances:
        must_not_be_suspended(session, issuance)
        must_not_have_expired(issuance, policy, at)
    target = account_of(session, buyer, AccountKind.AVAILABLE)
    moves = [
        ledger.Move(
            each.issuance_id,
            SerialRange(each.first, each.last),
            account_of(session, earmark.holder, AccountKind.RESERVED),
            target,
        )
        for earmark in earmarks
        for each in ranges_of(session, earmark)
    ]
    numbers = {issuance.id: issuance.number for issuance in issuances}
    record = recorded(session, "order.delivered", order, numbers, dict(facts), "", None, at)
    try:
        posting = ledger.move(session, moves, at=at, record=record)
    except NotHeld:
        raise OnHold("The registry holds some of these credits.") from None
    for earmark in earmarks:
        earmark.closing_posting_id, earmark.closed_at = posting.id, at
    session.flush()
    return posting


def give_back(session: Session, *, earmark: Earmark, order: str, at: datetime) -> bool:
    """Let what was set apart be the seller's own again; whether that was possible. Flushes.

    Not while the registry holds any of it: then it is tried again later. What ended otherwise counts as given back.
    """
    session.refresh(earmark, with_for_update=True)
    if earmark.closing_posting_id is not None:
        return True
    numbers = numbers_of(session, earmark)
    facts = {"reservation": earmark.number, "order": order}
    told = recorded(session, "reservation.released", earmark.holder.number, numbers, facts, "", None, at)
    try:
        with session.begin_nested():
            let_go(session, earmark, record=told, by=None, at=at)
    except NotHeld:
        return False
    return True


def retire_delivered(
    session: Session,
    *,
    issuance: Issuance,
    ranges: Sequence[SerialRange],
    holder: Organisation,
    claim: Claim,
    order: str,
    policy: Policy,
    by: User,
    at: datetime,
) -> Retirement:
    """Retire exactly these serials, which `holder` has just been given. Permanent.

    by: who ordered it. Flushes. Raises Suspended, Expired, OutsideClaimWindow, BeyondDeclaredUse, NoDeclaredUse.
    """
    must_not_be_suspended(session, issuance)
    must_not_have_expired(issuance, policy, at)
    claim = tidy(claim)
    must_fit_window(issuance, claim, policy, at)
    quantity = sum(units.quantity for units in ranges)
    source, target = account_of(session, holder, AccountKind.AVAILABLE), registry_account(session, AccountKind.RETIRED)

    def record(moves: Sequence[ledger.Move]) -> ledger.Told:
        facts = {"holder": holder.number, "quantity": quantity, "country": claim.country, "order": order}
        facts |= {"claim_from": str(claim.claim_from), "claim_to": str(claim.claim_to)}
        facts |= serials_told({issuance.id: issuance.number}, moves)
        facts |= {"beneficiary": claim.beneficiary, "identifier": claim.identifier, "purpose": claim.purpose}
        return events.drafted(
            session, kind="retirement.retired", subject=issuance.number, actor=by.number, at=at, facts=facts
        )

    moves = [ledger.Move(issuance.id, units, source, target) for units in ranges]
    posting = ledger.move(session, moves, at=at, record=record)
    tally = Tally(session, holder, [(claim, issuance.mineral_code)], policy)
    counted = tally.count(claim, issuance.mineral_code, quantity)
    return enter(session, issuance, holder, counted, claim, posting, by, at)


def serials_set_apart(session: Session, earmark: Earmark) -> list[SerialRange]:
    """The serials of a reservation of one issuance, lowest first."""
    return [SerialRange(each.first, each.last) for each in ranges_of(session, earmark)]


def still_there(
    session: Session, earmarks: Sequence[Earmark], buyer: Organisation, kind: AccountKind = AccountKind.AVAILABLE
) -> list[list[SerialRange]]:
    """Which serials of each delivered reservation stand in the buyer's account of this kind now, lowest first.

    The batches are locked, so that nobody suspends or holds any of it meanwhile.
    """
    account = account_of(session, buyer, kind)
    wanted = {number for earmark in earmarks for number in numbers_of(session, earmark)}
    for number in sorted(wanted):
        state_kept(session, session.get_one(Issuance, number))
    return [
        [
            standing.units
            for each in ranges_of(session, earmark)
            for standing in standings(
                session, issuance_id=each.issuance_id, units=SerialRange(each.first, each.last), limit=MOST_BLOCKS
            )
            if standing.account_id == account
        ]
        for earmark in earmarks
    ]


def ways_back(
    session: Session, earmarks: Sequence[Earmark], buyer: Organisation, kind: AccountKind = AccountKind.AVAILABLE
) -> list[list[ledger.Move]]:
    """The moves of all that was delivered, from the buyer's account of this kind back to whom it came from."""
    source = account_of(session, buyer, kind)
    return [
        [
            ledger.Move(
                each.issuance_id,
                SerialRange(each.first, each.last),
                source,
                account_of(session, earmark.holder, AccountKind.AVAILABLE),
            )
            for each in ranges_of(session, earmark)
        ]
        for earmark in earmarks
    ]
