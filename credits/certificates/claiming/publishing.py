"""Recording what companies publish about their retirements: where, when, in which words, for how much.

A claim is about a quantity of each of its retirements, and stands wherever it is placed: the same claim on a page, in a
report and in an advertisement claims nothing twice. Of all claims that are not withdrawn no more is claimed than was
retired. No text that says too much is recorded.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import ledger
from credits.certificates.claiming.claim_entries import Placement, enter, told_of, write
from credits.certificates.claiming.claim_models import ClaimedQuantity, ClaimEntry, EntryKind, PublishedClaim
from credits.certificates.claiming.published import MOST_PARTS, claimed_of
from credits.errors import Conflict, Invalid, NotAllowed
from credits.ledger.posting import checked_quantity
from credits.participants.models import Organisation, User
from credits.participants.permissions import BUYERS, may_dispose_of
from credits.participants.wording import line, paragraphs
from credits.registry.annotating import annulled_among
from credits.registry.models import Retirement


class ClaimsTooMuch(Conflict):
    """More would be claimed than was retired."""

    code = "claims_too_much"


class NotItsRetirement(NotAllowed):
    """Only who retired the credits, or in whose name they were retired, publishes a claim about them."""

    code = "not_its_retirement"


class Annulled(Conflict):
    """The certificate was annulled: nothing is claimed on it any more."""

    code = "certificate_annulled"


class Withdrawn(Conflict):
    code = "claim_withdrawn"


class CorrectedSince(Conflict):
    code = "corrected_since"


def publish(
    session: Session,
    *,
    organisation: Organisation,
    parts: Sequence[tuple[Retirement, int]],
    about: str,
    placement: Placement,
    by: User,
    key: str,
    at: datetime,
) -> PublishedClaim:
    """Record a claim with its first placement. parts: retirements, each with the base units that are claimed of it.

    Flushes. Raises NotAllowed, NotItsRetirement, Annulled, Invalid, BadQuantity, ClaimsTooMuch, SaysTooMuch,
    BadPlacement, UnsoundText.
    """
    must_publish(by, organisation)
    asked = {"act": "claim.publish", "organisation": organisation.number, "about": about} | told_of(placement)
    asked["parts"] = ", ".join(f"{retirement.number} {quantity}"[:60] for retirement, quantity in parts)
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(PublishedClaim, earlier["claim"])
    quantities = sound_parts(session, organisation, parts)
    # Always in id order: two that claim of the same retirements never wait for each other.
    session.execute(
        select(Retirement.id)
        .where(Retirement.id.in_(quantities))
        .order_by(Retirement.id)
        .with_for_update(key_share=True)
    )
    for retirement, _ in parts:
        must_be_left(session, retirement, quantities[retirement.id])
    made = PublishedClaim(
        organisation=organisation, about=line(about, "What the claim is for", 200), made_by_id=by.id, made_at=at
    )
    session.add(made)
    session.flush()
    session.add_all(
        ClaimedQuantity(claim_id=made.id, retirement_id=each, quantity=quantities[each]) for each in quantities
    )
    session.flush()
    session.refresh(made)
    enter(session, made, EntryKind.PLACED, placement, None, by, at)
    ledger.settle(session, {"claim": made.id})
    return made


def place(session: Session, *, claim: PublishedClaim, placement: Placement, by: User, key: str, at: datetime) -> None:
    """Record that the same claim stands in another place too. Flushes. Raises as `publish` does, and Withdrawn."""
    if not claimed_before(session, "place", claim, told_of(placement), by, key):
        must_stand(session, claim)
        must_be_valid(session, [part.retirement for part in claim.parts])
        enter(session, claim, EntryKind.PLACED, placement, None, by, at)
        ledger.settle(session, {})


def correct(
    session: Session,
    *,
    claim: PublishedClaim,
    entry: ClaimEntry,
    placement: Placement,
    by: User,
    key: str,
    at: datetime,
) -> None:
    """Record that a text reads otherwise now, or stands elsewhere. The earlier one stays in the record.

    Flushes. Raises as `place` does, and CorrectedSince.
    """
    if claimed_before(session, "correct", claim, told_of(placement) | {"entry": str(entry.id)}, by, key):
        return
    must_stand(session, claim)
    must_be_valid(session, [part.retirement for part in claim.parts])
    if entry not in claim.standing:
        raise CorrectedSince("This text was corrected before. Correct the one that stands.")
    enter(session, claim, EntryKind.CORRECTED, placement, entry, by, at)
    ledger.settle(session, {})


def withdraw(session: Session, *, claim: PublishedClaim, reason: str, by: User, key: str, at: datetime) -> None:
    """Record that a claim is made no more, anywhere: what it claimed can be claimed again. It stays in the record.

    Flushes. Raises NotAllowed, Withdrawn, UnsoundText.
    """
    if claimed_before(session, "withdraw", claim, {"reason": reason}, by, key):
        return
    must_stand(session, claim)
    said = paragraphs(reason, "Reason", 500)
    entry = ClaimEntry(claim_id=claim.id, kind=EntryKind.WITHDRAWN, reason=said, said_by_id=by.id, said_at=at)
    write(session, claim, entry, by, at)
    ledger.settle(session, {})


def may_claim(organisation: Organisation, retirement: Retirement) -> bool:
    """Whether the credits were retired from its account, or for it by somebody else."""
    counted = retirement.use
    return retirement.holder_id == organisation.id or (counted is not None and counted.party == organisation.number)


def must_publish(by: User, organisation: Organisation) -> None:
    may_dispose_of(by, organisation)
    if organisation.kind not in BUYERS:
        raise NotItsRetirement("Claims are published by the manufacturer or reseller that retired the credits.")


def sound_parts(
    session: Session, organisation: Organisation, parts: Sequence[tuple[Retirement, int]]
) -> dict[int, int]:
    """Base units by the id of the retirement. Raises Invalid, BadQuantity, NotItsRetirement."""
    if not 1 <= len(parts) <= MOST_PARTS or len({retirement.id for retirement, _ in parts}) < len(parts):
        raise Invalid(f"Name 1 to {MOST_PARTS} retirements, each of them once.")
    for retirement, _ in parts:
        if not may_claim(organisation, retirement):
            raise NotItsRetirement(f"{retirement.number} was retired neither by you nor for you.")
    must_be_valid(session, [retirement for retirement, _ in parts])
    return {retirement.id: checked_quantity(quantity) for retirement, quantity in parts}


def must_be_valid(session: Session, retirements: Sequence[Retirement]) -> None:
    """Raise Annulled unless the certificates of all of them stand."""
    annulled = annulled_among(session, [each.id for each in retirements])
    for each in retirements:
        if each.id in annulled:
            raise Annulled(f"The certificate {each.number} is annulled: nothing can be claimed on it.")


def must_be_left(session: Session, retirement: Retirement, quantity: int) -> None:
    left = retirement.quantity - claimed_of(session, retirement)
    if quantity > left:
        mineral = retirement.issuance.mineral
        there, asked = (
            f"{mineral.credits_shown(each)} credits ({mineral.quantity(each)})" for each in (left, quantity)
        )
        raise ClaimsTooMuch(
            f"Of {retirement.number}, {there} are not claimed yet: {asked} are more than that.",
            asked=quantity,
            left=left,
            retirement=retirement.number,
        )


def must_stand(session: Session, claim: PublishedClaim) -> None:
    """Lock the claim and read it anew. Raises Withdrawn."""
    session.refresh(claim, with_for_update=True)
    session.expire(claim, ["entries"])
    if claim.withdrawn:
        raise Withdrawn(f"{claim.number} is withdrawn: publish a new one.")


def claimed_before(
    session: Session, act: str, claim: PublishedClaim, asked: dict[str, str], by: User, key: str
) -> bool:
    """Claim the key for a later entry; whether it was made under it already. Raises NotAllowed."""
    must_publish(by, claim.organisation)
    request = {"act": f"claim.{act}", "claim": claim.number} | asked
    return ledger.claim(session, caller=by.number, key=key, request=request) is not None
