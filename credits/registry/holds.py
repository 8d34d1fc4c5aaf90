"""Holding: the registry freezes credits at once, and two of its issuers let them go (invariant 20)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict
from credits.journal import events
from credits.ledger.models import AccountKind, Block
from credits.ledger.posting import Posted, pick
from credits.participants.models import Organisation, User
from credits.participants.permissions import must_issue
from credits.participants.wording import day_shown, paragraphs
from credits.registry.accounts import OWN, account_of
from credits.registry.calendar import checked_period
from credits.registry.earmarks import (
    NoSuchEarmark,
    earmark_numbered,
    earmarks_of,
    let_go,
    lock_open,
    numbers_of,
    set_apart,
)
from credits.registry.models import Holding, Issuance, Retirement, Transfer, TransferState
from credits.registry.movements import Decision, Earmark, EarmarkKind
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState, Site
from credits.registry.queries import digits_of
from credits.registry.stillness import end_transfers, keep_site_still, keep_still, moves_out_of
from credits.registry.telling import both_people, listed, quantity_of, recorded

ISSUED = (BatchState.ISSUED, BatchState.SUSPENDED)
UNSOLD = (AccountKind.AVAILABLE, AccountKind.RESERVED, AccountKind.PENDING)
RETURNED = "The registry holds these credits."


class NothingToHold(Conflict):
    """There is nothing that could be frozen."""

    code = "nothing_to_hold"


class NotAHold(Conflict):
    code = "not_a_hold"


@dataclass(frozen=True)
class Frozen:
    """What a zero-tolerance hold came to. tell: who else has, or retired, credits of the same periods."""

    hold: Earmark | None  # None where all was sold before
    transfers: list[Transfer]  # ended by it
    tell: list[Organisation]


def hold(
    session: Session,
    *,
    issuance: Issuance,
    holder: Organisation,
    quantity: int | None,
    reason: str,
    by: User,
    key: str,
    at: datetime,
) -> Earmark:
    """Freeze available credits of one holder at once; one issuer may.

    quantity: base units, lowest serials first; None for all that is available.
    Flushes. Raises NotAllowed, UnsoundText, NothingToHold, BadQuantity, InsufficientBalance.
    """
    must_issue(by)
    asked = {"act": "hold.hold", "issuance": issuance.number, "holder": holder.number}
    asked |= {"quantity": str(quantity)[:60], "reason": reason}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Earmark, earlier["hold"])
    why = paragraphs(reason, "Reason", 500)
    keep_still(session, [issuance.id])
    target = account_of(session, holder, AccountKind.HELD)
    if quantity is None:
        moves = moves_out_of(session, [issuance.id], [AccountKind.AVAILABLE], target, holder.id)
    else:
        source = account_of(session, holder, AccountKind.AVAILABLE)
        ranges = pick(session, issuance_id=issuance.id, source=source, quantity=quantity)
        moves = [ledger.Move(issuance.id, units, source, target) for units in ranges]
    if not moves:
        raise NothingToHold(f"{holder.name} has no available credits of {issuance.number}.", issuance=issuance.number)
    numbers, facts = {issuance.id: issuance.number}, {"holder": holder.number}
    held = set_apart(
        session,
        kind=EarmarkKind.HELD,
        holder=holder,
        why=why,
        moves=moves,
        record=recorded(session, "hold.held", issuance.number, numbers, facts, why, by, at),
        by=by,
        at=at,
    )
    ledger.settle(session, {"hold": held.id})
    return held


def hold_periods(
    session: Session, *, site: Site, first_day: date, last_day: date, reason: str, by: User, key: str, at: datetime
) -> Frozen:
    """Zero tolerance: freeze every unsold unit of a site whose production overlaps these days, in one transaction.

    The producer's available, reserved and offered credits are held; offers end, and what was offered is the
    producer's own again once released. Flushes. Raises NotAllowed, UnsoundText, BadPeriod, NothingToHold.
    """
    must_issue(by)
    place = f"{site.country}-{site.code}"
    asked = {"act": "hold.periods", "site": place, "from": str(first_day), "to": str(last_day), "reason": reason}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return frozen_before(session, earlier)
    why = paragraphs(reason, "Reason", 500)
    checked_period(first_day, last_day, "Periods concerned")
    frozen = freeze(session, site=site, first_day=first_day, last_day=last_day, why=why, told={}, by=by, at=at)
    if frozen is None:
        period = f"{day_shown(first_day)} and {day_shown(last_day)}"
        raise NothingToHold(f"Nothing was issued for {place} between {period}.", site=place)
    done = {"hold": frozen.hold.id if frozen.hold else None, "transfers": [each.id for each in frozen.transfers]}
    ledger.settle(session, done | {"tell": [each.id for each in frozen.tell]})
    return frozen


def freeze(
    session: Session,
    *,
    site: Site,
    first_day: date,
    last_day: date,
    why: str,
    told: dict[str, Any],
    by: User,
    at: datetime,
) -> Frozen | None:
    """What `hold_periods` does, without asking who may; None where nothing was issued for these days. Flushes.

    For operations whose own rules say who may. why: sound text. told: what the event says besides.
    """
    keep_site_still(session, site)
    place, producer = f"{site.country}-{site.code}", site.producer
    numbers = issued_in(session, site, first_day, last_day)
    if not numbers:
        return None
    ended = [each for each in keep_still(session, numbers) if each.sender_id == producer.id]
    moves = moves_out_of(session, numbers, UNSOLD, account_of(session, producer, AccountKind.HELD), producer.id)
    tell = others(session, list(numbers), producer)
    facts = told | {"site": place, "from": str(first_day), "to": str(last_day), "issuances": sorted(numbers.values())}
    facts |= {"quantity": quantity_of(moves)} | listed("transfers", [each.number for each in ended])
    record = recorded(session, "hold.zero_tolerance", place, numbers, facts, why, by, at)
    if not moves:
        events.enter(session, record(moves))
        return Frozen(None, ended, tell)
    offered, available = (account_of(session, producer, kind) for kind in (AccountKind.PENDING, UNSOLD[0]))
    asked: dict[str, Any] = {"kind": EarmarkKind.HELD, "holder": producer, "why": why, "back": {offered: available}}
    held = set_apart(session, moves=moves, record=record, by=by, at=at, **asked)
    ending: dict[str, Any] = {"state": TransferState.WITHDRAWN, "reason": RETURNED}
    end_transfers(session, ended, posting_id=held.opening_posting_id, by=by, at=at, **ending)
    return Frozen(held, ended, tell)


def frozen_before(session: Session, earlier: dict[str, Any]) -> Frozen:
    """The same answer again."""
    return Frozen(
        session.get_one(Earmark, earlier["hold"]) if earlier["hold"] else None,
        [session.get_one(Transfer, number) for number in earlier["transfers"]],
        [session.get_one(Organisation, number) for number in earlier["tell"]],
    )


def issued_in(session: Session, site: Site, first_day: date, last_day: date) -> dict[int, str]:
    """The issuances of a site whose production overlaps these days: their numbers by their ids."""
    rows = session.execute(
        select(Issuance.id, Issuance.number)
        .join(Issuance.batch)
        .where(
            Issuance.site_id == site.id,
            Batch.state.in_(ISSUED),
            Batch.produced_from <= last_day,
            Batch.produced_to >= first_day,
        )
        .order_by(Issuance.id)
    )
    return dict(rows.all())


def others(session: Session, issuance_ids: Sequence[int], producer: Organisation) -> list[Organisation]:
    """Who else has credits of these issuances, or retired some, by name."""
    having = (
        select(Holding.organisation_id)
        .join(Block, Block.account_id == Holding.account_id)
        .where(Block.issuance_id.in_(issuance_ids), Holding.kind.in_(OWN))
    )
    retiring = select(Retirement.holder_id).where(Retirement.issuance_id.in_(issuance_ids))
    wanted = select(Organisation).where(Organisation.id.in_(having.union(retiring)), Organisation.id != producer.id)
    return list(session.scalars(wanted.order_by(Organisation.name, Organisation.id)))


def check_release(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """Whether this hold could be released now. Raises NotAllowed, NoSuchEarmark, NotAHold, LetGoAlready."""
    must_issue(by)
    lock_open(session, hold_numbered(session, subject))
    return {}


def release(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> Posted:
    """Put every held serial back exactly where it was. Flushes. Raises LetGoAlready."""
    held = hold_numbered(session, decision.subject)
    lock_open(session, held)
    numbers = numbers_of(session, held)
    facts = {"holder": held.holder.number, "hold": held.number} | both_people(decision)
    record = recorded(session, "hold.released", held.number, numbers, facts, decision.reason, by, at)
    return let_go(session, held, record=record, by=by, at=at)


def hold_numbered(session: Session, number: str) -> Earmark:
    """The hold with this number. Raises NoSuchEarmark, NotAHold."""
    held = earmark_numbered(session, number)
    if held.kind is not EarmarkKind.HELD:
        raise NotAHold(f"{number} is a reservation: its holder releases it.", earmark=number)
    return held


def hold_seen(session: Session, by: User, number: str) -> Earmark:
    """The hold with this number, if `by` may see it. Raises NoSuchEarmark."""
    mine = earmarks_of(by).where(Earmark.id == digits_of(number, "HOLD-"), Earmark.kind == EarmarkKind.HELD)
    held = session.scalars(mine).one_or_none()
    if held is None:
        raise NoSuchEarmark("There is no such hold.")
    return held
