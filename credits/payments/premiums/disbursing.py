"""Paying premium out: the cooperative asks, an issuer records that it was paid, and another one approves.

Most of these countries have no provider who would pay out for us, so a payment by mobile money, bank or cash is
recorded: with its reference, which counts once in the whole registry, and its proof. Only with the approval does the
money leave what the site holds, and only so much as its committee has decided.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid, Missing
from credits.files import Files
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import is_auditor, is_issuer, must_issue
from credits.participants.wording import paragraphs
from credits.payments import references
from credits.payments.booking import Part, account_of, enter
from credits.payments.money_models import MoneyKind, MoneyPosting, MoneyPostingKind
from credits.payments.premiums import premium_papers
from credits.payments.premiums.committees import NotHeld, RevokedAlready, may_speak_for
from credits.payments.premiums.premium_models import Minute, PaperKind, Payout, PayoutMeans, PayoutState
from credits.payments.premiums.site_premium import locked_premium
from credits.payments.prices import written
from credits.registry import decisions
from credits.registry.mines.sites import number_of
from credits.registry.movements import Decision, DecisionKind, DecisionState
from credits.registry.papers.evidence_looking import Looked
from credits.registry.policy import Policy
from credits.registry.queries import digits_of, sites_to_enter
from credits.registry.telling import both_people

LONGEST_REFERENCE = 80


class BeyondDecision(Conflict):
    """The committee has decided on less."""

    code = "beyond_decision"


class PayoutClosed(Conflict):
    """It was paid, or taken back, or another issuer looks at it already."""

    code = "payout_closed"


class ReferenceUsed(Conflict):
    """A payment of this reference is recorded, or waits for its approval."""

    code = "reference_used"


class BadPayout(Invalid):
    code = "bad_payout"


class NoSuchPayout(Missing):
    code = "no_such_payout"


def ask(
    session: Session,
    *,
    minute: Minute,
    amount: int,
    means: PayoutMeans,
    payee: str,
    by: User,
    key: str,
    at: datetime,
) -> Payout:
    """Ask the registry to pay premium out on a decision. amount: minor units; payee: who gets it where, private.

    Flushes. Raises NotAllowed, RevokedAlready, BeyondDecision, NotHeld, BadPayout, UnsoundText.
    """
    may_speak_for(by, minute.site)
    asked = {"act": "premium.ask", "minute": minute.number, "amount": str(amount), "means": means.value}
    if earlier := claim(session, caller=by.number, key=key, request=asked | {"payee": payee}):
        return session.get_one(Payout, earlier["payout"])
    if type(amount) is not int or amount < 1:
        raise BadPayout("An amount is more than 0.", field="amount")
    session.refresh(minute, with_for_update=True)
    if minute.revocation is not None:
        raise RevokedAlready(f"{minute.number} was taken back: nothing is paid out on it.", minute=minute.number)
    if amount > (left := left_of(session, minute)):
        raise BeyondDecision(
            f"{written(left, minute.currency)} of {minute.number} can still be paid out.", asked=amount, left=left
        )
    there = locked_premium(session, minute.site, minute.currency)
    if amount > there.payable:
        raise NotHeld(
            f"The site holds {written(there.payable, minute.currency)} that was not asked for yet.",
            asked=amount,
            free=there.payable,
        )
    payout = Payout(
        minute=minute,
        amount=amount,
        means=means,
        payee=paragraphs(payee, "Who is paid", 500),
        asked_by=by,
        asked_at=at,
        state=PayoutState.ASKED,
    )
    session.add(payout)
    session.flush()
    tell(session, "premium.asked", payout, by.number, at, {}, {"payee": payout.payee})
    settle(session, {"payout": payout.id})
    return payout


def left_of(session: Session, minute: Minute) -> int:
    """Minor units of a decision that nobody has asked to be paid out."""
    asked = select(Payout.amount).where(Payout.decision_id == minute.id, Payout.state != PayoutState.WITHDRAWN)
    return minute.amount - sum(session.scalars(asked))


def withdraw(session: Session, *, payout: Payout, by: User, key: str, at: datetime) -> None:
    """Take back what was asked for and is not paid. Flushes. Raises NotAllowed, PayoutClosed."""
    may_speak_for(by, payout.minute.site)
    if claim(session, caller=by.number, key=key, request={"act": "premium.withdraw", "payout": payout.number}):
        return
    lock_asked(session, payout)
    must_not_wait(session, payout)
    payout.state = PayoutState.WITHDRAWN
    session.flush()
    tell(session, "premium.withdrawn", payout, by.number, at, {}, None)
    settle(session, {"payout": payout.id})


def record(
    session: Session,
    *,
    payout: Payout,
    reference: str,
    paid_on: date,
    proof: Looked,
    open_to_public: bool,
    files: Files,
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> Decision:
    """Propose, as an issuer, that it was paid, with the proof of it; another issuer approves. Flushes.

    open_to_public: whether everybody may look at the proof, once the other one has approved.
    Raises NotAllowed, PayoutClosed, ReferenceUsed, BadPayout, PaperUsed, UnusableFile, TooMuchToday, UnsoundText.
    """
    must_issue(by)
    if not payout.minute.decided_on <= paid_on <= at.date():
        raise BadPayout("The day lies in the future, or before the committee's decision.", field="paid_on")
    # The payout before the lock of the papers, as where premium is accounted for: two never wait for each other.
    session.refresh(payout, with_for_update=True)
    premium_papers.keep(
        session,
        looked=proof,
        kind=PaperKind.PROOF,
        behind=payout,
        open_to_public=False,
        files=files,
        policy=policy,
        by=by,
        at=at,
    )
    return decisions.propose(
        session,
        kind=DecisionKind.DISBURSEMENT,
        subject=payout.number,
        request={"reference": reference, "paid_on": str(paid_on), "sha256": proof.sha256, "open": open_to_public},
        reason=f"{written(payout.amount, payout.minute.currency)} on {payout.minute.number}",
        by=by,
        key=key,
        at=at,
    )


def check(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """Whether a payout can be recorded so. Raises NotAllowed, NoSuchPayout, PayoutClosed, ReferenceUsed, BadPayout."""
    must_issue(by)
    payout = payout_numbered(session, by, subject)
    lock_asked(session, payout)
    must_not_wait(session, payout)
    missing = [name for name in ("reference", "paid_on", "sha256") if not request.get(name)]
    if missing:
        raise BadPayout("A payout is recorded on its own page, with its reference, day and proof.", missing=missing)
    reference = references.tidied(str(request["reference"]), "Reference", LONGEST_REFERENCE)
    taken = select(Payout.id).where(Payout.reference == reference)
    waiting = session.scalars(waiting_decisions()).all()
    if session.scalars(taken).first() or any(each.request["reference"] == reference for each in waiting):
        raise used(reference)
    shown = {"sha256": str(request["sha256"]), "open": request.get("open") is True}
    # People compare what was typed with the paper; what is compared by the registry is unlike both.
    typed = str(request["reference"]).strip()
    return {"reference": reference, "typed": typed, "paid_on": str(request["paid_on"])} | shown


def used(reference: str) -> ReferenceUsed:
    return ReferenceUsed(
        f"The reference {reference} stands for another payment already. Each payment is recorded once.",
        reference=reference,
        field="reference",
    )


def pay(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> None:
    """Let the money leave what the site holds. Flushes. Raises PayoutClosed, NotHeld, ReferenceUsed."""
    payout = payout_numbered(session, by, decision.subject)
    lock_asked(session, payout)
    minute, currency = payout.minute, payout.minute.currency
    there = locked_premium(session, minute.site, currency)
    if payout.amount > there.held - there.contested:
        free = max(0, there.held - there.contested)
        raise NotHeld(
            f"The site holds {written(free, currency)} that nobody contests: money may have gone back to a buyer.",
            asked=payout.amount,
            free=free,
        )
    payout.reference, payout.paid_on = decision.request["reference"], date.fromisoformat(decision.request["paid_on"])
    payout.proposed_by_id, payout.approved_by_id, payout.approved_at = decision.proposed_by_id, by.id, at
    payout.state = PayoutState.PAID
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        raise used(decision.request["reference"]) from None
    for paper in payout.papers:
        if paper.sha256 == decision.request["sha256"] and decision.request.get("open"):
            paper.open_to_public = True
    facts = {"sha256": decision.request["sha256"], "on": str(payout.paid_on)} | both_people(decision)
    private = {"payee": payout.payee, "reference": payout.reference}
    event_id = tell(session, "premium.disbursed", payout, by.number, at, facts, private)
    held, out = (
        account_of(session, kind, currency, minute.site_id)
        for kind in (MoneyKind.PREMIUM_HELD, MoneyKind.PREMIUM_DISBURSED)
    )
    posting = MoneyPosting(kind=MoneyPostingKind.DISBURSEMENT, payout=payout, event_id=event_id, at=at)
    enter(session, posting, [Part(held, out, 0, payout.amount)])


def lock_asked(session: Session, payout: Payout) -> None:
    """Lock a payout, read it anew and see that it is not paid yet. Raises PayoutClosed."""
    session.refresh(payout, with_for_update=True)
    if payout.state is not PayoutState.ASKED:
        raise PayoutClosed(f"{payout.number} is {payout.state.value} already.", state=payout.state.value)


def must_not_wait(session: Session, payout: Payout) -> None:
    waiting = session.scalars(waiting_decisions().where(Decision.subject == payout.number)).first()
    if waiting is not None:
        raise PayoutClosed(f"{payout.number} is recorded as paid: {waiting.number} waits.", decision=waiting.number)


def waiting_decisions() -> Select[Decision]:
    return select(Decision).where(Decision.kind == DecisionKind.DISBURSEMENT, Decision.state == DecisionState.WAITING)


def payouts_of(by: User, state: PayoutState | None = None) -> Select[Payout]:
    """The payouts that `by` may see, newest first: of their own sites, all for the registry. state: these alone."""
    wanted = select(Payout).join(Minute, Minute.id == Payout.decision_id).order_by(Payout.id.desc())
    if state is not None:
        wanted = wanted.where(Payout.state == state)
    return wanted if is_issuer(by) or is_auditor(by) else wanted.where(Minute.site_id.in_(sites_to_enter(by)))


def payout_numbered(session: Session, by: User, number: str) -> Payout:
    """The payout with this number, if `by` may see it. Raises NoSuchPayout."""
    found = session.scalars(payouts_of(by).where(Payout.id == digits_of(number, "PAYOUT-"))).one_or_none()
    if found is None:
        raise NoSuchPayout("There is no such payout.")
    return found


def tell(
    session: Session,
    kind: str,
    payout: Payout,
    actor: str,
    at: datetime,
    facts: dict[str, Any],
    private: dict[str, str] | None,
) -> int:
    minute = payout.minute
    told = {"payout": payout.number, "minute": minute.number, "amount": payout.amount} | facts
    told |= {"currency": minute.currency.value, "means": payout.means.value}
    return events.append(
        session, kind=kind, subject=number_of(minute.site), actor=actor, at=at, facts=told, private=private
    )
