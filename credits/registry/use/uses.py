"""How retirements count against what their beneficiary declared to use of a mineral in a year (invariant 17)."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.journal import events
from credits.participants.models import Kind, Kyc, Organisation, User, organisation_number
from credits.registry.minerals import mineral_of
from credits.registry.models import RetirementUse
from credits.registry.policy import Policy
from credits.registry.use.use_models import UseLine, UseVersion

AT_ONCE = 500  # values of one look-up; SQLite bounds them
Key = tuple[str, str, int]  # party, code of the mineral, year


class BeyondDeclaredUse(Conflict):
    """More would be retired than the beneficiary declared to use. detail: base units asked for and left."""

    code = "beyond_declared_use"


class NoDeclaredUse(Conflict):
    """Nothing was declared, where the policy lets nobody retire beyond the declared use."""

    code = "no_declared_use"


class Claimed(Protocol):
    """What of a claim says whom it is for, and when."""

    @property
    def country(self) -> str: ...
    @property
    def identifier(self) -> str: ...
    @property
    def claim_from(self) -> date: ...
    @property
    def claim_to(self) -> date: ...


@dataclass(frozen=True)
class Counted:
    """How a retirement counts, in base units. declared: None where nothing was."""

    party: str
    mineral_code: str
    year: int
    quantity: int
    declared: int | None
    surplus: int

    def row(self, retirement_id: int) -> dict[str, Any]:
        return vars(self) | {"retirement_id": retirement_id}


def product_year(first: date, last: date) -> int:
    """The year that a claim period counts for: where most of its days lie, the earlier one of two that have as many."""
    if first.year == last.year:
        return first.year
    turn = date(last.year, 1, 1)
    return last.year if (last - turn).days + 1 > (turn - first).days else first.year


def tidied(identifier: str) -> str:
    """An identifier without what people write differently: capitals, accents, spaces, hyphens and points."""
    plain = unicodedata.normalize("NFKD", identifier).casefold()
    return "".join(sign for sign in plain if sign.isalnum()).upper()


def parties_of(session: Session, holder: Organisation, named: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """By what beneficiaries, each a country and an identifier, are known again, when `holder` retires for them.

    The manufacturer with this register number; else the holder itself, where that is a manufacturer: whatever number
    or name of its own it writes, it counts as itself; else country and identifier.
    """
    itself = (holder.country, tidied(holder.registration_number or "")) if holder.kind is Kind.MANUFACTURER else None
    sought = {pair: (pair[0], tidied(pair[1])) for pair in named}
    known: dict[tuple[str, str], str] = {itself: holder.number} if itself and itself[1] else {}
    countries = {country for country, number in sought.values() if (country, number) not in known}
    if countries:
        known = makers_in(session, countries) | known
    otherwise = holder.number if itself else None
    return {
        pair: known.get(tidy) or otherwise or f"{pair[0]} {tidy[1] or pair[1].strip()}" for pair, tidy in sought.items()
    }


def makers_in(session: Session, countries: Iterable[str]) -> dict[tuple[str, str], str]:
    """The manufacturers of these countries by country and register number; of two with the same one the first."""
    rows = session.execute(
        select(Organisation.id, Organisation.country, Organisation.registration_number)
        .where(
            Organisation.kind == Kind.MANUFACTURER,
            Organisation.kyc.in_((Kyc.APPROVED, Kyc.SUSPENDED)),
            Organisation.country.in_(sorted(set(countries))),
            Organisation.registration_number.is_not(None),
        )
        .order_by(Organisation.id.desc())
    )
    found = {(country, tidied(number or "")): organisation_number(made) for made, country, number in rows}
    return {pair: number for pair, number in found.items() if pair[1]}


class Tally:
    """What beneficiaries have declared and retired so far, kept still until the transaction ends.

    Made after the serials were picked: everybody locks blocks first and declarations second. Counts retirement by
    retirement, each on top of those before. A first declaration that is just being made counts from the next one on.
    """

    def __init__(
        self, session: Session, holder: Organisation, claims: Sequence[tuple[Claimed, str]], policy: Policy
    ) -> None:
        """claims: each with the code of its mineral."""
        self.policy = policy
        self.parties = parties_of(session, holder, ((claim.country, claim.identifier) for claim, _ in claims))
        wanted = {self.key_of(claim, mineral) for claim, mineral in claims}
        self.declared = declared(session, locked(session, wanted))
        self.retired = retired(session, self.declared)

    def key_of(self, claim: Claimed, mineral_code: str) -> Key:
        party = self.parties[claim.country, claim.identifier]
        return party, mineral_code, product_year(claim.claim_from, claim.claim_to)

    def count(self, claim: Claimed, mineral_code: str, quantity: int) -> Counted:
        """How one retirement of `quantity` base units counts. Raises BeyondDeclaredUse, NoDeclaredUse."""
        key = self.key_of(claim, mineral_code)
        most = self.declared.get(key)
        if most is None:
            if self.policy.beyond_declared_use == "refuse":
                raise NoDeclaredUse(
                    f"No use of {mineral_of(mineral_code).name} in {key[2]} is declared for this beneficiary. Declare "
                    "it first, under Declared use.",
                    year=key[2],
                )
            return counted_on(key, quantity, None, 0)
        before = self.retired.get(key, 0)
        counted = counted_on(key, quantity, most, before)
        if counted.surplus and self.policy.beyond_declared_use == "refuse":
            raise beyond(key, quantity, max(0, most - before))
        self.retired[key] = before + quantity
        return counted


def counted_on(key: Key, quantity: int, most: int | None, before: int) -> Counted:
    """How `quantity` counts on top of what was retired before. most: what is declared; None where nothing is."""
    surplus = 0 if most is None else min(quantity, max(0, before + quantity - most))
    return Counted(*key, quantity, most, surplus)


def foretold(session: Session, holder: Organisation, claim: Claimed, amounts: dict[str, int]) -> list[Counted]:
    """How so many base units of each mineral would count if `holder` retired them now under `claim`. Locks nothing."""
    party = parties_of(session, holder, [(claim.country, claim.identifier)])[claim.country, claim.identifier]
    year = product_year(claim.claim_from, claim.claim_to)
    keys = {(party, mineral, year): quantity for mineral, quantity in amounts.items()}
    most = declared(session, lines_like(session, keys))
    before = retired(session, most)
    return [counted_on(key, quantity, most.get(key), before.get(key, 0)) for key, quantity in keys.items()]


def beyond(key: Key, quantity: int, left: int) -> BeyondDeclaredUse:
    mineral = mineral_of(key[1])
    return BeyondDeclaredUse(
        f"Of the {mineral.name} declared for {key[2]}, {mineral.quantity(left)} are not covered yet: "
        f"{mineral.quantity(quantity)} are more than that. Retire less, or declare what is really used.",
        asked=quantity,
        left=left,
        year=key[2],
    )


def locked(session: Session, wanted: Iterable[Key]) -> list[int]:
    """Lock the lines declared for these; their ids. Always in id order: two that count never wait for each other."""
    found = lines_like(session, wanted)
    for some in parts_of(found):
        session.execute(select(UseLine.id).where(UseLine.id.in_(some)).order_by(UseLine.id).with_for_update())
    return found


def lines_like(session: Session, wanted: Iterable[Key]) -> list[int]:
    """The ids of the lines declared for these, in order."""
    sought = set(wanted)
    found: list[int] = []
    for some in parts_of(sorted({party for party, _, _ in sought})):
        rows = session.execute(
            select(UseLine.id, UseLine.party, UseLine.mineral_code, UseLine.year).where(UseLine.party.in_(some))
        )
        found += [line for line, *key in rows if tuple(key) in sought]
    return sorted(found)


def declared(session: Session, lines: Sequence[int]) -> dict[Key, int]:
    """Base units declared on these lines, by beneficiary, mineral and year.

    Where several organisations declare for the same beneficiary, the largest of their sums: added up, one use would
    count twice.
    """
    by_declarer: dict[tuple[Key, int], int] = {}
    newest = (
        select(func.max(UseVersion.version))
        .where(UseVersion.line_id == UseLine.id)
        .correlate(UseLine)
        .scalar_subquery()
    )
    for some in parts_of(lines):
        rows = session.execute(
            select(UseLine.party, UseLine.mineral_code, UseLine.year, UseLine.organisation_id, UseVersion.quantity)
            .join(UseVersion, (UseVersion.line_id == UseLine.id) & (UseVersion.version == newest))
            .where(UseLine.id.in_(some))
        )
        for party, mineral, year, organisation, quantity in rows:
            key = ((party, mineral, year), organisation)
            by_declarer[key] = by_declarer.get(key, 0) + quantity
    found: dict[Key, int] = {}
    for (use, _organisation), quantity in by_declarer.items():
        found[use] = max(found.get(use, 0), quantity)
    return found


def retired(session: Session, wanted: Iterable[Key]) -> dict[Key, int]:
    """Base units retired so far, by beneficiary, mineral and year."""
    sought = set(wanted)
    found: dict[Key, int] = {}
    for some in parts_of(sorted({party for party, _, _ in sought})):
        rows = session.execute(
            select(
                RetirementUse.party, RetirementUse.mineral_code, RetirementUse.year, func.sum(RetirementUse.quantity)
            )
            .where(RetirementUse.party.in_(some))
            .group_by(RetirementUse.party, RetirementUse.mineral_code, RetirementUse.year)
        )
        found |= {(party, mineral, year): int(sum_) for party, mineral, year, sum_ in rows}
    return {key: found.get(key, 0) for key in sought}


def exceeded(number: str, counted: Counted, by: User, at: datetime) -> dict[str, Any]:
    """The event of a retirement that lies beyond the declared use, or in part. What was declared stays private."""
    facts = {name: getattr(counted, name) for name in ("mineral_code", "year", "quantity", "surplus")}
    return {"kind": "use.exceeded", "subject": number, "actor": by.number, "at": at, "facts": facts}


def tell_exceeded(session: Session, made: Iterable[tuple[str, Counted]], by: User, at: datetime) -> None:
    """Append the events of the retirements, by number, that lie beyond the declared use. Flushes."""
    events.append_all(session, [exceeded(number, counted, by, at) for number, counted in made if counted.surplus])


def parts_of(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]
