"""Declaring what a product line uses of a mineral in a year, and what it turns out to use instead.

A use is rounded up to the base unit: nobody's need is shown smaller than it is, and no cover fuller.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict, Invalid, NotAllowed
from credits.journal import events
from credits.ledger.serials import LARGEST
from credits.participants.countries import country
from credits.participants.models import Kind, Organisation, User
from credits.participants.permissions import BUYERS, may_dispose_of
from credits.participants.wording import line as one_line
from credits.participants.wording import paragraphs
from credits.registry.minerals import MILLION, BadMeasure, Mineral, decimal, mineral_of
from credits.registry.use.use_models import UseLine, UseVersion
from credits.registry.use.uses import parties_of, tidied

NG_PER_GRAM = 1_000 * MILLION
MOST_UNITS = 10**12
YEARS_AHEAD, YEARS_BACK = 5, 10


class NoBuyer(NotAllowed):
    """Only manufacturers and resellers declare a use."""

    code = "declares_no_use"


class BadYear(Invalid):
    code = "bad_year"


class DeclaredAlready(Conflict):
    """This product line has a declaration for the year: it is changed, not made anew."""

    code = "declared_already"


class DeclaresItself(Conflict):
    """The beneficiary takes part in the registry and declares its own use."""

    code = "declares_itself"


class NothingChanged(Conflict):
    code = "nothing_changed"


@dataclass(frozen=True)
class Use:
    """How much is used: base units, and how that was worked out, if it was."""

    quantity: int
    per_unit_ng: int | None = None
    units: int | None = None


@dataclass(frozen=True)
class EndUser:
    """Whom a reseller declares for. country: ISO 3166-1 alpha-3."""

    name: str
    country: str
    identifier: str


def worked_out(mineral: Mineral, grams: str, units: int) -> Use:
    """`grams` of the contained mineral in one unit, times `units`, rounded up to the base unit. Raises BadMeasure."""
    number = decimal(grams) * NG_PER_GRAM
    if number <= 0 or number != number.to_integral_value():
        raise BadMeasure("Grams in a unit are more than 0, with at most 9 decimals.", asked=grams[:40])
    if not 1 <= units <= MOST_UNITS:
        said = "The number of units is a whole number from 1 to 1,000,000,000,000."
        raise BadMeasure(said, asked=str(units)[:40], field="units")
    per_unit = int(number)
    quantity = -(-per_unit * units // (mineral.base_unit_mg * MILLION))
    if quantity > LARGEST or per_unit >= 2**63:
        raise BadMeasure("This is more than the registry can count. Please check grams and units.", asked=grams[:40])
    return Use(quantity, per_unit, units)


def in_total(mineral: Mineral, wanted: str) -> Use:
    """A use given as a decimal number of credits; 0 for none. Raises BadMeasure."""
    number = decimal(wanted)
    if not number:
        return Use(0)
    quantity = mineral.base_units(wanted)
    if quantity > LARGEST:
        raise BadMeasure("This is more than the registry can count.", asked=wanted[:40])
    return Use(quantity)


def in_grams(nanograms: int) -> str:
    """Nanograms as a decimal number of grams."""
    text = f"{Decimal(nanograms).scaleb(-9):,.9f}".rstrip("0").rstrip(".")
    return text or "0"


def declare(
    session: Session,
    *,
    organisation: Organisation,
    mineral_code: str,
    year: int,
    product_line: str,
    use: Use,
    end_user: EndUser | None,
    by: User,
    key: str,
    at: datetime,
) -> UseLine:
    """Declare what a product line uses in a year. end_user: of a reseller alone, whom it is for.

    Flushes. Raises NotAllowed, NoBuyer, UnknownMineral, BadYear, UnsoundText, UnknownCountry, DeclaresItself,
    DeclaredAlready.
    """
    must_declare(by, organisation)
    asked = {"act": "use.declare", "organisation": organisation.number, "mineral": mineral_code, "year": str(year)}
    asked |= {"product_line": product_line} | told_of(use)
    asked |= {f"end_user_{name}": value for name, value in vars(end_user).items()} if end_user else {}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(UseLine, earlier["line"])
    mineral = mineral_of(mineral_code)
    if not at.year - YEARS_BACK <= year <= at.year + YEARS_AHEAD:
        raise BadYear(f"A year from {at.year - YEARS_BACK} to {at.year + YEARS_AHEAD}, please.", year=year)
    party, beneficiary = whom(session, organisation, end_user)
    named = one_line(product_line, "Product line", 200)
    # One at a time in an organisation: of two with the same line, the second sees the first.
    session.execute(select(Organisation.id).where(Organisation.id == organisation.id).with_for_update(key_share=True))
    same = select(UseLine).where(UseLine.organisation_id == organisation.id, UseLine.party == party)
    same = same.where(UseLine.mineral_code == mineral.code, UseLine.year == year)
    for other in session.scalars(same):
        if other.product_line.casefold() == named.casefold():
            raise DeclaredAlready(
                f"This product line is declared for {year} already, as {other.number}. Change that one.",
                number=other.number,
            )
    made = UseLine(
        organisation=organisation,
        party=party,
        beneficiary=beneficiary,
        mineral_code=mineral.code,
        year=year,
        product_line=named,
    )
    session.add(made)
    session.flush()
    enter(session, made, 1, use, "", by, at)
    ledger.settle(session, {"line": made.id})
    return made


def change(session: Session, *, line: UseLine, use: Use, reason: str, by: User, key: str, at: datetime) -> UseLine:
    """Declare that a product line uses something else than was declared. The earlier versions stay.

    A declaration says what is: it may be lowered under what was retired, which is then shown as surplus.
    Flushes. Raises NotAllowed, NoBuyer, UnsoundText, NothingChanged.
    """
    must_declare(by, line.organisation)
    asked = {"act": "use.change", "line": line.number, "reason": reason} | told_of(use)
    if ledger.claim(session, caller=by.number, key=key, request=asked):
        return line
    session.refresh(line, with_for_update=True)  # who counts a retirement against it waits, or is waited for
    session.expire(line, ["versions"])
    said = paragraphs(reason, "Reason", 500)
    if Use(line.current.quantity, line.current.per_unit_ng, line.current.units) == use:
        raise NothingChanged("This is what is declared already.")
    enter(session, line, line.current.version + 1, use, said, by, at)
    ledger.settle(session, {"line": line.id})
    return line


def enter(session: Session, line: UseLine, version: int, use: Use, reason: str, by: User, at: datetime) -> None:
    """Write a version down, and its event: how much a company makes and uses is its own affair. Flushes."""
    line.versions.append(
        UseVersion(version=version, reason=reason, declared_by=by, declared_at=at, **vars(use)),
    )
    session.flush()
    facts = {"organisation": line.organisation.number, "mineral": line.mineral_code, "year": line.year}
    private = {"quantity": str(use.quantity), "product_line": line.product_line, "beneficiary": line.beneficiary}
    private |= {"reason": reason} if reason else {}
    private |= {"per_unit_ng": str(use.per_unit_ng), "units": str(use.units)} if use.units else {}
    events.append(
        session,
        kind="use.declared" if version == 1 else "use.changed",
        subject=line.number,
        actor=by.number,
        at=at,
        facts=facts | {"version": version},
        private=private,
    )


def whom(session: Session, organisation: Organisation, end_user: EndUser | None) -> tuple[str, str]:
    """By what the beneficiary of a declaration is known again, and its name."""
    if organisation.kind is Kind.MANUFACTURER:
        return organisation.number, organisation.name
    if end_user is None:
        raise Invalid("Say for whom: a reseller declares the use of a named end user.")
    pair = (country(end_user.country), one_line(end_user.identifier, "Identifier of the end user", 100))
    name = one_line(end_user.name, "End user", 200)
    if not tidied(pair[1]):
        raise Invalid("An identifier has letters or digits.")
    party = parties_of(session, organisation, [pair])[pair]
    if party.startswith("ORG-"):
        raise DeclaresItself(f"{name} takes part in the registry and declares its own use.")
    return party, name


def must_declare(by: User, organisation: Organisation) -> None:
    """Raise unless `by` may declare the use of this buyer, or of its end users."""
    may_dispose_of(by, organisation)
    if organisation.kind not in BUYERS:
        raise NoBuyer("A use is declared by a manufacturer, or by a reseller for an end user.")


def told_of(use: Use) -> dict[str, str]:
    return {name: str(value) for name, value in vars(use).items()}
