"""Transfers: proposed by the holder, frozen meanwhile, accepted or not by the recipient (invariant 12)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload, selectinload

from credits import ledger
from credits.errors import Conflict, Invalid, Missing
from credits.journal import events
from credits.ledger.models import AccountKind
from credits.ledger.posting import Record
from credits.ledger.serials import SerialRange, written
from credits.participants.models import Kyc, Organisation, User
from credits.participants.permissions import BUYERS, PRODUCERS, may_dispose_of
from credits.participants.wording import paragraphs
from credits.registry import guarding
from credits.registry.accounts import account_of
from credits.registry.models import Issuance, Transfer, TransferState
from credits.registry.offering import Footing, enter, footing_of
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState
from credits.registry.telling import serials_told
from credits.registry.validity import must_not_have_expired

AS_ANSWERED = (
    joinedload(Transfer.issuance),
    joinedload(Transfer.recipient),
    joinedload(Transfer.guard),
    selectinload(Transfer.ranges),
)
STATE = select(Batch.state).where(Batch.id == bindparam("batch")).with_for_update(read=True)


class ToOneself(Invalid):
    code = "transfer_to_oneself"


class CannotHold(Conflict):
    """Who should receive credits cannot hold any."""

    code = "cannot_hold"


class Suspended(Conflict):
    """The issuance is suspended: none of its credits move."""

    code = "issuance_suspended"


class PartySuspended(Conflict):
    """The sender or the recipient is suspended: what is on its way between them stays where it is."""

    code = "party_suspended"


class AlreadyClosed(Conflict):
    code = "transfer_closed"


class NoSuchTransfer(Missing):
    code = "no_such_transfer"


def propose(
    session: Session,
    *,
    issuance: Issuance,
    sender: Organisation,
    recipient: Organisation,
    quantity: int,
    note: str,
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> Transfer:
    """As `offer`, of an issuance and to a holder that were looked up before."""
    footing = footing_of(session, issuance, sender, recipient)
    return offer(session, footing, quantity=quantity, note=note, policy=policy, by=by, key=key, at=at)


def offer(
    session: Session, footing: Footing, *, quantity: int, note: str, policy: Policy, by: User, key: str, at: datetime
) -> Transfer:
    """Offer credits of one issuance, lowest serials first, to another holder. They are frozen until it answers.

    quantity: base units. Flushes. Raises NotAllowed, ToOneself, CannotHold, Suspended, Expired, BadQuantity,
    InsufficientBalance.
    """
    issuance, sender, recipient = footing.issuance, footing.sender, footing.recipient
    may_dispose_of(by, sender)
    asked = {"act": "transfer.propose", "issuance": issuance.number, "from": sender.number, "to": recipient.number}
    asked |= {"quantity": str(quantity), "note": note}
    available, pending = (
        footing.accounts.get(kind) or account_of(session, sender, kind)
        for kind in (AccountKind.AVAILABLE, AccountKind.PENDING)
    )
    posting = ledger.post_once(
        session,
        ledger.Wanted(issuance.id, issuance.number, available, pending, quantity),
        caller=by.number,
        key=key,
        request=asked,
        at=at,
        record=recorded(session, "transfer.proposed", issuance, sender, recipient, by.number, at),
    )
    if posting.again:
        return proposed_under(session, posting.again)
    if recipient.id == sender.id:
        raise ToOneself("Choose somebody else as the recipient: these credits are yours already.")
    if recipient.kind not in (*BUYERS, *PRODUCERS) or not recipient.approved:
        raise CannotHold(f"{recipient.name} cannot hold credits.", recipient=recipient.number)
    must_not_rest(issuance, footing.state)
    must_not_have_expired(issuance, policy, at)
    transfer = enter(
        session,
        posting.ranges[issuance.id],
        issuance=issuance,
        sender=sender,
        recipient=recipient,
        quantity=quantity,
        note=paragraphs(note, "Note", 500) if note.strip() else "",
        state=TransferState.PENDING,
        opening_posting_id=posting.id,
        proposed_by_id=by.id,
        proposed_at=at,
        expires_at=at + timedelta(days=policy.days_to_answer),
    )
    guarding.guard(session, [transfer], policy=policy, by=by, at=at)
    return transfer


def proposed_under(session: Session, answer: Mapping[str, Any]) -> Transfer:
    """The transfer that an answer is about, with all that is answered again: whoever waits in vain asks often.

    Keys live for ever: the first answers named the transfer itself.
    """
    if "transfer" in answer:
        named = Transfer.id == answer["transfer"]
    else:
        named = Transfer.opening_posting_id == answer["posting"]
    return session.scalars(select(Transfer).where(named).options(*AS_ANSWERED)).one()


def accept(session: Session, *, transfer: Transfer, by: User, at: datetime) -> None:
    """Take over the credits. Flushes.

    Raises NotAllowed, AlreadyClosed, PartySuspended, NotYetOpen, Suspended.
    """
    may_dispose_of(by, transfer.recipient)
    lock_pending(session, transfer)
    if transfer.expires_at <= at:
        raise AlreadyClosed("The time to answer has passed; the credits go back to their sender.")
    parties_must_take_part(session, transfer)
    guarding.must_be_open(session, transfer, at)
    must_not_be_suspended(session, transfer.issuance)
    close(session, transfer, TransferState.ACCEPTED, actor=by, at=at)
    guarding.learn(session, transfer, at)


def reject(session: Session, *, transfer: Transfer, reason: str, by: User, at: datetime) -> None:
    """Send the credits back, saying why. Flushes. Raises NotAllowed, AlreadyClosed, UnsoundText."""
    may_dispose_of(by, transfer.recipient)
    lock_pending(session, transfer)
    transfer.reason = paragraphs(reason, "Reason", 500)
    close(session, transfer, TransferState.REJECTED, actor=by, at=at)


def withdraw(session: Session, *, transfer: Transfer, by: User, at: datetime) -> None:
    """Take the offer back before it is answered. Flushes. Raises NotAllowed, AlreadyClosed."""
    may_dispose_of(by, transfer.sender)
    lock_pending(session, transfer)
    close(session, transfer, TransferState.WITHDRAWN, actor=by, at=at)


def unanswered(session: Session, *, at: datetime) -> list[int]:
    """The ids of transfers to `expire` now, oldest first."""
    wanted = select(Transfer.id).where(Transfer.state == TransferState.PENDING, Transfer.expires_at <= at)
    return list(session.scalars(wanted.order_by(Transfer.id)))


def expire(session: Session, *, transfer_id: int, at: datetime) -> bool:
    """Return the credits of a transfer that nobody answered in time; False where it was answered since. Flushes."""
    transfer = session.get_one(Transfer, transfer_id, with_for_update=True, populate_existing=True)
    if transfer.state is not TransferState.PENDING or transfer.expires_at > at:
        return False
    close(session, transfer, TransferState.EXPIRED, actor=None, at=at)
    return True


def close(session: Session, transfer: Transfer, state: TransferState, *, actor: User | None, at: datetime) -> None:
    """Move the frozen serials to the recipient if accepted, otherwise back, and close the transfer."""
    owner = transfer.recipient if state is TransferState.ACCEPTED else transfer.sender
    source = account_of(session, transfer.sender, AccountKind.PENDING)
    target = account_of(session, owner, AccountKind.AVAILABLE)
    told = recorded(
        session,
        f"transfer.{state.value}",
        transfer.issuance,
        transfer.sender,
        transfer.recipient,
        actor.number if actor else events.SYSTEM,
        at,
        transfer.number,
    )
    moves = [
        ledger.Move(transfer.issuance_id, SerialRange(each.first, each.last), source, target)
        for each in transfer.ranges
    ]
    posting = ledger.move(session, moves, at=at, record=told)
    transfer.state = state
    transfer.closing_posting_id = posting.id
    transfer.closed_by_id = actor.id if actor else None
    transfer.closed_at = at
    session.flush()


def serials_of(transfer: Transfer) -> list[str]:
    """The serial ranges on their way, as they are written."""
    return [written(transfer.issuance.number, SerialRange(each.first, each.last)) for each in transfer.ranges]


def lock_pending(session: Session, transfer: Transfer) -> None:
    """Lock the transfer, read it anew and see that it is still pending. Raises AlreadyClosed."""
    session.refresh(transfer, with_for_update=True)
    if transfer.state is not TransferState.PENDING:
        raise AlreadyClosed(f"This transfer is {transfer.state.value} already.", state=transfer.state.value)


def parties_must_take_part(session: Session, transfer: Transfer) -> None:
    """Raise PartySuspended unless both sides are approved, as the database says now."""
    parties = Organisation.id.in_([transfer.sender_id, transfer.recipient_id])
    if party := session.scalars(select(Organisation).where(parties, Organisation.kyc != Kyc.APPROVED)).first():
        raise PartySuspended(
            f"{party.name} is suspended by the registry, so this transfer cannot be accepted now. "
            "Unless that ends in time, the credits go back to their sender.",
            organisation=party.number,
        )


def must_not_be_suspended(session: Session, issuance: Issuance) -> None:
    """Raise Suspended where the issuance's batch is suspended; nobody suspends it while we look."""
    must_not_rest(issuance, state_kept(session, issuance))


def state_kept(session: Session, issuance: Issuance) -> BatchState:
    """The state of the issuance's batch, which nobody changes before this transaction ends.

    Who suspends or holds locks the batch before its blocks, and so does everybody else, or two would wait for another.
    """
    return session.scalars(STATE, {"batch": issuance.batch_id}).one()


def must_not_rest(issuance: Issuance, state: BatchState) -> None:
    """Raise Suspended where this is the state of the issuance's batch."""
    if state is BatchState.SUSPENDED:
        raise Suspended(f"Issuance {issuance.number} is suspended.", issuance=issuance.number)


def recorded(
    session: Session,
    kind: str,
    issuance: Issuance,
    sender: Organisation,
    recipient: Organisation,
    actor: str,
    at: datetime,
    number: str | None = None,
) -> Record:
    """How a transfer's event is written once its serials are known."""

    def record(moves: Sequence[ledger.Move]) -> ledger.Told:
        facts = {"from": sender.number, "to": recipient.number, "transfer": number}
        facts |= serials_told({issuance.id: issuance.number}, moves)
        return events.drafted(session, kind=kind, subject=issuance.number, actor=actor, at=at, facts=facts)

    return record
