"""Looking up what companies have published about retirements, and what may not be said in a text about them."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from credits.certificates.claiming.claim_checking import Mark, check
from credits.certificates.claiming.claim_figures import figures_beyond
from credits.certificates.claiming.claim_models import ClaimedQuantity, ClaimEntry, EntryKind, PublishedClaim
from credits.certificates.claiming.claim_tongues import unread
from credits.certificates.claiming.claims import allowed, names_in
from credits.certificates.facts import read
from credits.certificates.models import Certificate
from credits.errors import Missing
from credits.participants.models import Organisation
from credits.registry.annotating import Standing, standings_among
from credits.registry.minerals import Mineral, mineral_of
from credits.registry.models import REGISTRY_CODE, Retirement, RetirementUse
from credits.registry.queries import digits_of

MOST_PARTS = 100
MOST_MENTIONED = 20
MENTIONED = re.compile(rf"{REGISTRY_CODE}-R-([0-9]{{6,18}})")


class NoSuchClaim(Missing):
    code = "no_such_claim"


def mentioned(session: Session, text: str) -> list[int]:
    """The ids of the retirements whose numbers a text names, the first of them."""
    numbers = dict.fromkeys(int(found) for found in MENTIONED.findall(text))
    return list(session.scalars(select(Retirement.id).where(Retirement.id.in_(list(numbers)[:MOST_MENTIONED]))))


def marks_in(
    session: Session,
    text: str,
    retirements: Iterable[int],
    claimed: Sequence[tuple[Mineral, int]] = (),
    language: str | None = None,
) -> list[Mark]:
    """What may not be said of a text about these retirements, by their ids. Raises TextTooLong.

    claimed: base units of each mineral, where the figures must be those of a claim, in the language of the text.
    Otherwise they may not be above what was retired.
    """
    facts = facts_of(session, retirements)
    marks = check(text, allowed=allowed(facts), names=names_in(facts))
    retired = [(mineral_of(each["mineral"]["code"]), each["quantity_base_units"]) for each in facts]
    beyond = figures_beyond(text, claimed or retired, language) if claimed or retired else []
    return sorted([*marks, *(each for each in beyond if not any(overlap(each, mark) for mark in marks))], key=place_of)


def facts_of(session: Session, retirements: Iterable[int]) -> list[dict[str, Any]]:
    wanted = select(Certificate).where(Certificate.retirement_id.in_(sorted(set(retirements))))
    return [read(each.facts) for each in session.scalars(wanted.order_by(Certificate.retirement_id))]


def unread_in(session: Session, text: str, retirements: Iterable[int]) -> list[str]:
    """The parts of a text that seem to be in none of the five languages, beside the sentences that are allowed."""
    for each in allowed(facts_of(session, retirements)):
        text = text.replace(each, " ")
    return unread(text, [])


def overlap(one: Mark, other: Mark) -> bool:
    return one.start < other.end and other.start < one.end


def place_of(mark: Mark) -> int:
    return mark.start


def claimed_of(session: Session, retirement: Retirement) -> int:
    """The base units of a retirement that claims which are not withdrawn are about."""
    withdrawn = select(ClaimEntry.claim_id).where(ClaimEntry.kind == EntryKind.WITHDRAWN)
    wanted = select(func.coalesce(func.sum(ClaimedQuantity.quantity), 0)).where(
        ClaimedQuantity.retirement_id == retirement.id, ClaimedQuantity.claim_id.not_in(withdrawn)
    )
    return int(session.scalars(wanted).one())


def claimable_by(organisation: Organisation) -> Select[Retirement]:
    """The retirements that an organisation may publish claims about, newest first."""
    wanted = select(Retirement).outerjoin(RetirementUse, RetirementUse.retirement_id == Retirement.id)
    its_own = or_(Retirement.holder_id == organisation.id, RetirementUse.party == organisation.number)
    return wanted.where(its_own).order_by(Retirement.id.desc())


def claims_by(organisation: Organisation) -> Select[PublishedClaim]:
    """What an organisation has published, newest first, also what is withdrawn."""
    wanted = select(PublishedClaim).where(PublishedClaim.organisation_id == organisation.id)
    return wanted.order_by(PublishedClaim.id.desc())


def claims_about(session: Session, retirement: Retirement) -> list[PublishedClaim]:
    """What is published about a retirement, newest first, at most MOST_PARTS."""
    wanted = select(PublishedClaim).join(ClaimedQuantity, ClaimedQuantity.claim_id == PublishedClaim.id)
    wanted = wanted.where(ClaimedQuantity.retirement_id == retirement.id).order_by(PublishedClaim.id.desc())
    return list(session.scalars(wanted.limit(MOST_PARTS)))


def standings_in(session: Session, claims: Iterable[PublishedClaim]) -> dict[int, Standing]:
    """How the certificates stand that claims rest on, by the ids of their retirements."""
    return standings_among(session, [part.retirement_id for claim in claims for part in claim.parts])


def claim_numbered(session: Session, number: str) -> PublishedClaim:
    """The published claim with this number; public. Raises NoSuchClaim."""
    found = session.get(PublishedClaim, digits_of(number, "CLAIM-"))
    if found is None or found.number != number:
        raise NoSuchClaim("There is no such claim.")
    return found
