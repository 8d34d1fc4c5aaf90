"""Retirement: credits leave circulation for good, in somebody's name (invariants 14 to 17)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict, Invalid, Missing
from credits.journal import events
from credits.ledger.models import AccountKind
from credits.ledger.posting import Posted
from credits.ledger.serials import SerialRange, written
from credits.participants.countries import country
from credits.participants.models import Organisation, User
from credits.participants.permissions import BUYERS, may_dispose_of
from credits.participants.wording import day_shown, printed, printed_paragraphs
from credits.registry.accounts import account_of, registry_account
from credits.registry.calendar import checked_period, months_before
from credits.registry.models import Issuance, RetiredRange, Retirement, RetirementUse
from credits.registry.policy import Policy
from credits.registry.telling import serials_told
from credits.registry.transfer import must_not_rest, state_kept
from credits.registry.use.uses import Counted, Tally, tell_exceeded
from credits.registry.validity import must_not_have_expired


class OutsideClaimWindow(Conflict):
    """The vintage does not fit the claim period (invariant 16)."""

    code = "outside_claim_window"


class NotABuyer(Conflict):
    """Only a manufacturer or reseller retires credits in somebody's name."""

    code = "not_a_buyer"


class NoSuchRetirement(Missing):
    code = "no_such_retirement"


@dataclass(frozen=True)
class Claim:
    """In whose name and for which products credits are retired. country: ISO 3166-1 alpha-3."""

    beneficiary: str
    country: str
    identifier: str
    purpose: str
    claim_from: date
    claim_to: date


def retire(
    session: Session,
    *,
    issuance: Issuance,
    holder: Organisation,
    quantity: int,
    claim: Claim,
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> Retirement:
    """Retire credits of one issuance, lowest serials first. Permanent: there is no un-retire.

    quantity: base units. Flushes. Raises NotAllowed, NotABuyer, Suspended, Expired, OutsideClaimWindow, BadPeriod,
    BeyondDeclaredUse, NoDeclaredUse, UnsoundText, BadQuantity, InsufficientBalance.
    """
    may_dispose_of(by, holder)
    asked = {name: str(value) for name, value in vars(claim).items()} | {"act": "retirement.retire"}
    asked |= {"issuance": issuance.number, "holder": holder.number, "quantity": str(quantity)}
    claim = tidy(claim)

    def record(moves: Sequence[ledger.Move]) -> ledger.Told:
        facts = {"holder": holder.number, "quantity": quantity, "country": claim.country}
        facts |= {"claim_from": str(claim.claim_from), "claim_to": str(claim.claim_to)}
        facts |= serials_told({issuance.id: issuance.number}, moves)
        facts |= {"beneficiary": claim.beneficiary, "identifier": claim.identifier, "purpose": claim.purpose}
        return events.drafted(
            session, kind="retirement.retired", subject=issuance.number, actor=by.number, at=at, facts=facts
        )

    state = state_kept(session, issuance)
    source, target = account_of(session, holder, AccountKind.AVAILABLE), registry_account(session, AccountKind.RETIRED)
    posting = ledger.post_once(
        session,
        ledger.Wanted(issuance.id, issuance.number, source, target, quantity),
        caller=by.number,
        key=key,
        request=asked,
        at=at,
        record=record,
    )
    if posting.again:
        return retired_under(session, posting.again)
    if holder.kind not in BUYERS:
        raise NotABuyer("Credits are retired by a manufacturer or reseller. A producer transfers or sells them.")
    must_not_rest(issuance, state)
    must_not_have_expired(issuance, policy, at)
    must_fit_window(issuance, claim, policy, at)
    tally = Tally(session, holder, [(claim, issuance.mineral_code)], policy)
    counted = tally.count(claim, issuance.mineral_code, quantity)
    return enter(session, issuance, holder, counted, claim, posting, by, at)


def retired_under(session: Session, answer: Mapping[str, Any]) -> Retirement:
    """The retirement that an answer is about. Keys live for ever: the first answers named the retirement itself."""
    if "retirement" in answer:
        return session.get_one(Retirement, answer["retirement"])
    return session.scalars(select(Retirement).where(Retirement.posting_id == answer["posting"])).one()


def enter(
    session: Session,
    issuance: Issuance,
    holder: Organisation,
    counted: Counted,
    claim: Claim,
    posting: Posted,
    by: User,
    at: datetime,
) -> Retirement:
    """Write the retirement, how it counts, and its ranges down. Flushes."""
    retirement = Retirement(
        issuance=issuance,
        quantity=counted.quantity,
        posting_id=posting.id,
        holder=holder,
        beneficiary=claim.beneficiary,
        beneficiary_country=claim.country,
        beneficiary_identifier=claim.identifier,
        purpose=claim.purpose,
        claim_from=claim.claim_from,
        claim_to=claim.claim_to,
        retired_by=by,
        retired_at=at,
    )
    session.add(retirement)
    session.flush()
    session.add_all(
        RetiredRange(issuance_id=issuance.id, first=units.first, last=units.last, retirement_id=retirement.id)
        for units in posting.ranges[issuance.id]
    )
    session.add(RetirementUse(**counted.row(retirement.id)))
    session.flush()
    tell_exceeded(session, [(retirement.number, counted)], by, at)
    return retirement


def tidy(claim: Claim) -> Claim:
    """The claim with its texts made sound. Raises UnsoundText, UnknownCountry."""
    return Claim(
        beneficiary=printed(claim.beneficiary, "Beneficiary", 200),
        country=country(claim.country),
        identifier=printed(claim.identifier, "Identifier of the beneficiary", 100),
        purpose=printed_paragraphs(claim.purpose, "Purpose", 500),
        claim_from=claim.claim_from,
        claim_to=claim.claim_to,
    )


def must_fit_window(issuance: Issuance, claim: Claim, policy: Policy, at: datetime) -> None:
    """Raise unless the claim period is sound and the vintage lies in its claim window (invariant 16)."""
    checked_period(claim.claim_from, claim.claim_to, "Claim period")
    if (claim.claim_to - claim.claim_from).days >= policy.longest_claim_days:
        raise Invalid("A claim period is at most one product year. Retire each year by itself.")
    if claim.claim_from.year > at.year + 1:
        raise Invalid("The claim period lies too far in the future.")
    produced_to = date.fromisoformat(issuance.facts["production"]["to"])
    earliest = months_before(claim.claim_from, policy.months_before_claim)
    if issuance.vintage > claim.claim_to.year or produced_to < earliest:
        raise OutsideClaimWindow(
            f"Vintage {issuance.vintage} does not fit this claim period: production must end between "
            f"{day_shown(earliest)} and the end of {claim.claim_to.year}.",
            vintage=issuance.vintage,
        )


def serials_of(session: Session, retirement: Retirement) -> list[str]:
    """The retired serial ranges, as they are written."""
    rows = session.execute(
        select(RetiredRange.first, RetiredRange.last)
        .where(RetiredRange.retirement_id == retirement.id)
        .order_by(RetiredRange.first)
    )
    return [written(retirement.issuance.number, SerialRange(first, last)) for first, last in rows]
