"""Trusting a recipient beforehand: one person proposes, another approves, and after a delay transfers need no more."""

from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from credits import ledger
from credits.errors import Conflict, Missing
from credits.journal import events
from credits.participants.models import Organisation, User
from credits.participants.permissions import BUYERS, PRODUCERS, is_auditor, is_issuer, may_dispose_of
from credits.registry.guarding import told
from credits.registry.policy import Policy
from credits.registry.queries import digits_of, of_own
from credits.registry.second_person import must_be_second, stood_since
from credits.registry.transfer import CannotHold, ToOneself
from credits.registry.trusted import Trust


class NoSuchTrust(Missing):
    code = "no_such_trust"


class TrustedAlready(Conflict):
    """The recipient is trusted already, or somebody has proposed it."""

    code = "trusted_already"


class DecidedAlready(Conflict):
    code = "decided_already"


def propose(
    session: Session, *, holder: Organisation, recipient: Organisation, by: User, key: str, at: datetime
) -> Trust:
    """Propose to trust a recipient. Nothing changes before a second person approves it.

    Flushes. Raises NotAllowed, ToOneself, CannotHold, TrustedAlready.
    """
    may_dispose_of(by, holder)
    asked = {"act": "trust.propose", "holder": holder.number, "recipient": recipient.number}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Trust, earlier["trust"])
    if recipient.id == holder.id:
        raise ToOneself("Choose somebody else: nobody sends credits to themselves.")
    if recipient.kind not in (*BUYERS, *PRODUCERS) or not recipient.approved:
        raise CannotHold(f"{recipient.name} cannot hold credits.", recipient=recipient.number)
    session.refresh(holder, with_for_update=True)  # two proposals at once: the second finds the first
    if open_between(session, holder, recipient) is not None:
        raise TrustedAlready(f"{recipient.name} is on the list already.", recipient=recipient.number)
    trust = Trust(holder=holder, recipient=recipient, proposed_by=by, proposed_at=at)
    session.add(trust)
    session.flush()
    tell(session, "trust.proposed", trust, by, at)
    ledger.settle(session, {"trust": trust.id})
    return trust


def approve(session: Session, *, trust: Trust, policy: Policy, by: User, at: datetime) -> None:
    """Be the second person: from then the delay runs. Flushes. Raises NotAllowed, DecidedAlready."""
    session.refresh(trust, with_for_update=True)
    if trust.approved_by_id is not None or trust.ended_at is not None:
        raise DecidedAlready(f"{trust.number} waits for nobody.", trust=trust.number)
    since = stood_since(policy, trust.proposed_at)
    must_be_second(session, holder=trust.holder, first=trust.proposed_by, since=since, by=by)
    trust.approved_by, trust.approved_at = by, at
    trust.in_force_from = at + timedelta(days=policy.days_to_trust)
    session.flush()
    tell(session, "trust.approved", trust, by, at, in_force_from=told(trust.in_force_from))


def end(session: Session, *, trust: Trust, by: User, at: datetime) -> None:
    """Trust no longer, at once and by one person; also to take a proposal back. Flushes.

    Raises NotAllowed, DecidedAlready.
    """
    may_dispose_of(by, trust.holder)
    session.refresh(trust, with_for_update=True)
    if trust.ended_at is not None:
        raise DecidedAlready(f"{trust.number} has ended already.", trust=trust.number)
    trust.ended_by_id, trust.ended_at = by.id, at
    session.flush()
    tell(session, "trust.ended", trust, by, at)


def open_between(session: Session, holder: Organisation, recipient: Organisation) -> Trust | None:
    """The trust, or the proposal of it, that has not ended."""
    wanted = select(Trust).where(
        Trust.holder_id == holder.id, Trust.recipient_id == recipient.id, Trust.ended_at.is_(None)
    )
    return session.scalars(wanted).one_or_none()


def trusts_of(by: User) -> Select[Trust]:
    """The trust that `by` may see and that has not ended, with proposals, newest first."""
    wanted = seen_by(by).where(Trust.ended_at.is_(None)).order_by(Trust.id.desc())
    return wanted.options(joinedload(Trust.holder), joinedload(Trust.recipient))


def trust_numbered(session: Session, by: User, number: str) -> Trust:
    """The trust with this number, ended or not, if `by` may see it. Raises NoSuchTrust."""
    found = session.scalars(seen_by(by).where(Trust.id == digits_of(number, "TRUST-"))).one_or_none()
    if found is None:
        raise NoSuchTrust("There is no such entry in the list of trusted recipients.")
    return found


def seen_by(by: User) -> Select[Trust]:
    """Of the own organisation and its group; for the registry everybody's."""
    if is_issuer(by) or is_auditor(by):
        return select(Trust)
    return select(Trust).where(Trust.holder_id.in_(select(Organisation.id).where(of_own(by))))


def tell(session: Session, kind: str, trust: Trust, by: User, at: datetime, **more: str) -> None:
    facts = {"trust": trust.number, "recipient": trust.recipient.number} | more
    events.append(session, kind=kind, subject=trust.holder.number, actor=by.number, at=at, facts=facts)
