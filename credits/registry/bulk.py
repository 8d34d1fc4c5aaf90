"""Many lines at once, all or nothing: one posting, one event, one statement at the end.

Serials are picked once an issuance and dealt out to the lines in their order, so that a line costs a few rows.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.ledger.balances import balance
from credits.ledger.models import AccountKind
from credits.ledger.posting import BadQuantity, InsufficientBalance, pick
from credits.ledger.serials import SerialRange, written
from credits.participants.models import Organisation, User
from credits.participants.permissions import BUYERS, PRODUCERS, may_dispose_of
from credits.participants.wording import paragraphs
from credits.registry import guarding
from credits.registry.accounts import account_of, registry_account, wait_for_turn
from credits.registry.bulk_lines import (
    Line,
    RetirementLine,
    TransferLine,
    chunks,
    claimed,
    dealt_out,
    digest_of,
    line_numbered,
    sound,
    too_little,
)
from credits.registry.choosing import Choice, choose
from credits.registry.models import (
    Bulk,
    BulkKind,
    Issuance,
    RetiredRange,
    Retirement,
    RetirementUse,
    Transfer,
    TransferRange,
    TransferState,
    retirement_number,
)
from credits.registry.policy import Policy
from credits.registry.queries import digits_of
from credits.registry.retirement import Claim, NotABuyer, must_fit_window, tidy
from credits.registry.telling import recorded
from credits.registry.transfer import CannotHold, ToOneself
from credits.registry.use.uses import Counted, Tally, tell_exceeded


def retire(
    session: Session,
    *,
    holder: Organisation,
    lines: Sequence[RetirementLine],
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> Bulk:
    """Retire every line in its own beneficiary's name, or nothing at all. Permanent.

    Flushes. Raises NotAllowed, NotABuyer, NoLines, TooManyLines, LineRefused.
    """
    may_dispose_of(by, holder)
    if earlier := claimed(session, "bulk.retire", holder, told_of(lines), by, key):
        return session.get_one(Bulk, earlier["bulk"])
    statement = retired(session, holder, lines, policy, by, at)
    ledger.settle(session, {"bulk": statement.id})
    return statement


def retire_chosen(
    session: Session,
    *,
    holder: Organisation,
    choice: Choice,
    claim: Claim,
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> Bulk:
    """Retire what fits a choice, the oldest production first, each issuance as a line. Permanent.

    Flushes. Raises NotAllowed, NotABuyer, LineRefused, and what `choose` raises.
    """
    may_dispose_of(by, holder)
    asked = {name: str(value) for name, value in (vars(claim) | choice.told()).items()}
    asked |= {"act": "bulk.retire_chosen", "holder": holder.number}
    # Before anything is chosen: asked again, the same key would otherwise find less than it took.
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Bulk, earlier["bulk"])
    wait_for_turn(session, holder)
    chosen = choose(session, holder=holder, choice=choice, policy=policy, at=at)
    lines = [RetirementLine(issuance.number, quantity, claim) for issuance, quantity in chosen]
    statement = retired(session, holder, lines, policy, by, at)
    ledger.settle(session, {"bulk": statement.id})
    return statement


def retired(
    session: Session, holder: Organisation, lines: Sequence[RetirementLine], policy: Policy, by: User, at: datetime
) -> Bulk:
    """Carry the lines out and write the retirements down. Flushes. Raises NotABuyer, LineRefused."""
    if holder.kind not in BUYERS:
        raise NotABuyer("Credits are retired by a manufacturer or reseller. A producer transfers or sells them.")
    issuances = sound(session, lines, policy, at)
    claims = []
    for number, line in enumerate(lines, 1):
        with line_numbered(number):
            must_fit_window(issuances[line.issuance], line.claim, policy, at)
            claims.append(tidy(line.claim))
    target = registry_account(session, AccountKind.RETIRED)
    dealt, bulk = carried_out(session, BulkKind.RETIREMENT, holder, lines, told_of(lines), issuances, target, by, at)
    counted = counted_of(session, holder, lines, claims, issuances, policy)
    rows = [
        {
            "issuance_id": issuances[line.issuance].id,
            "quantity": line.quantity,
            "posting_id": bulk.posting_id,
            "holder_id": holder.id,
            "beneficiary": claim.beneficiary,
            "beneficiary_country": claim.country,
            "beneficiary_identifier": claim.identifier,
            "purpose": claim.purpose,
            "claim_from": claim.claim_from,
            "claim_to": claim.claim_to,
            "retired_by_id": by.id,
            "retired_at": at,
            "bulk_id": bulk.id,
        }
        for line, claim in zip(lines, claims, strict=True)
    ]
    ids = session.scalars(insert(Retirement).returning(Retirement.id, sort_by_parameter_order=True), rows).all()
    ranges = [
        {"issuance_id": row["issuance_id"], "first": units.first, "last": units.last, "retirement_id": made}
        for made, row, parts in zip(ids, rows, dealt, strict=True)
        for units in parts
    ]
    session.execute(insert(RetiredRange), ranges)
    session.execute(insert(RetirementUse), [each.row(made) for made, each in zip(ids, counted, strict=True)])
    numbers = [retirement_number(made) for made in ids]
    tell_exceeded(session, zip(numbers, counted, strict=True), by, at)
    return bulk


def counted_of(
    session: Session,
    holder: Organisation,
    lines: Sequence[RetirementLine],
    claims: Sequence[Claim],
    issuances: dict[str, Issuance],
    policy: Policy,
) -> list[Counted]:
    """How each line counts against what its beneficiary declared, one after the other. Raises LineRefused."""
    minerals = [issuances[line.issuance].mineral_code for line in lines]
    tally = Tally(session, holder, list(zip(claims, minerals, strict=True)), policy)
    counted = []
    for number, (line, claim, mineral) in enumerate(zip(lines, claims, minerals, strict=True), 1):
        with line_numbered(number):
            counted.append(tally.count(claim, mineral, line.quantity))
    return counted


def told_of(lines: Sequence[RetirementLine]) -> list[dict[str, Any]]:
    """The lines as plain values."""
    return [vars(line) | {"claim": {name: str(value) for name, value in vars(line.claim).items()}} for line in lines]


def transfer(
    session: Session,
    *,
    sender: Organisation,
    lines: Sequence[TransferLine],
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> Bulk:
    """Offer every line to its own recipient, who accepts it by itself, or nothing at all.

    Flushes. Raises NotAllowed, NoLines, TooManyLines, LineRefused.
    """
    may_dispose_of(by, sender)
    told = [dict(vars(line)) for line in lines]
    if earlier := claimed(session, "bulk.transfer", sender, told, by, key):
        return session.get_one(Bulk, earlier["bulk"])
    issuances = sound(session, lines, policy, at)
    known = recipients(session, lines)
    notes = []
    for number, line in enumerate(lines, 1):
        with line_numbered(number):
            must_receive(sender, known.get(line.recipient))
            notes.append(paragraphs(line.note, "Note", 500) if line.note.strip() else "")
    target = account_of(session, sender, AccountKind.PENDING)
    dealt, bulk = carried_out(session, BulkKind.TRANSFER, sender, lines, told, issuances, target, by, at)
    rows = [
        {
            "issuance_id": issuances[line.issuance].id,
            "quantity": line.quantity,
            "sender_id": sender.id,
            "recipient_id": known[line.recipient].id,
            "note": note,
            "state": TransferState.PENDING,
            "opening_posting_id": bulk.posting_id,
            "proposed_by_id": by.id,
            "proposed_at": at,
            "expires_at": at + timedelta(days=policy.days_to_answer),
            "bulk_id": bulk.id,
        }
        for line, note in zip(lines, notes, strict=True)
    ]
    ids = session.scalars(insert(Transfer).returning(Transfer.id, sort_by_parameter_order=True), rows).all()
    ranges = [
        {"transfer_id": made, "first": units.first, "last": units.last}
        for made, parts in zip(ids, dealt, strict=True)
        for units in parts
    ]
    session.execute(insert(TransferRange), ranges)
    made = session.scalars(select(Transfer).where(Transfer.bulk_id == bulk.id).order_by(Transfer.id)).all()
    guarding.guard(session, made, policy=policy, by=by, at=at)
    ledger.settle(session, {"bulk": bulk.id})
    return bulk


def recipients(session: Session, lines: Sequence[TransferLine]) -> dict[str, Organisation]:
    """The organisations that the lines name, by number."""
    wanted = {line.recipient: digits_of(line.recipient, "ORG-") for line in lines}
    known: dict[str, Organisation] = {}
    for some in chunks(sorted(wanted.values())):
        found = session.scalars(select(Organisation).where(Organisation.id.in_(some)))
        known |= {each.number: each for each in found}
    return known


def must_receive(sender: Organisation, recipient: Organisation | None) -> None:
    """Raise ToOneself or CannotHold."""
    if recipient is None or recipient.kind not in (*BUYERS, *PRODUCERS) or not recipient.approved:
        raise CannotHold("There is no such recipient, or it cannot hold credits.")
    if recipient.id == sender.id:
        raise ToOneself("Choose somebody else as the recipient: these credits are yours already.")


def carried_out(
    session: Session,
    kind: BulkKind,
    organisation: Organisation,
    lines: Sequence[Line],
    told: list[dict[str, Any]],
    issuances: dict[str, Issuance],
    target: int,
    by: User,
    at: datetime,
) -> tuple[list[list[SerialRange]], Bulk]:
    """Move the serials of all lines in one posting: which ranges each line has, and the statement. Flushes."""
    source = account_of(session, organisation, AccountKind.AVAILABLE)
    asked: dict[str, list[int]] = {}
    for line in lines:
        asked.setdefault(line.issuance, []).append(line.quantity)
    moves, dealers = [], {}
    # Always in the order of issuances: two statements can then never wait for each other.
    for issuance in sorted(issuances.values(), key=lambda each: each.id):
        quantities = asked[issuance.number]
        try:
            picked = pick(session, issuance_id=issuance.id, source=source, quantity=sum(quantities))
        except InsufficientBalance as refusal:  # by what was there then: by now there may be enough
            raise too_little(lines, issuance.number, refusal.available) from None
        except BadQuantity:  # the lines together are past every quantity
            available = balance(session, accounts=[source], issuance_id=issuance.id)
            raise too_little(lines, issuance.number, available) from None
        moves += [ledger.Move(issuance.id, units, source, target) for units in picked]
        dealers[issuance.number] = dealt_out(picked, quantities)
    dealt = [next(dealers[line.issuance]) for line in lines]
    stated = [
        line | {"serials": [written(line["issuance"], units) for units in parts]}
        for line, parts in zip(told, dealt, strict=True)
    ]
    digest = digest_of(stated)
    facts = {"organisation": organisation.number, "lines": len(lines), "lines_sha256": digest}
    numbers = {issuance.id: issuance.number for issuance in issuances.values()}
    record = recorded(session, f"bulk.{kind.value}", organisation.number, numbers, facts, "", by, at)
    posting = ledger.move(session, moves, at=at, record=record)
    bulk = Bulk(
        kind=kind,
        organisation=organisation,
        lines=len(lines),
        lines_sha256=digest,
        posting_id=posting.id,
        made_by_id=by.id,
        made_at=at,
    )
    session.add(bulk)
    session.flush()
    return dealt, bulk
