"""How far a declared use is covered: declared, retired for it, bought and not yet retired, missing."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from credits.errors import Missing
from credits.participants.models import Organisation, User
from credits.participants.permissions import is_auditor, is_issuer
from credits.registry.calendar import months_before
from credits.registry.minerals import Mineral, mineral_of
from credits.registry.models import Issuance
from credits.registry.policy import Policy
from credits.registry.queries import Held, digits_of, holdings_of
from credits.registry.use.use_models import UseLine
from credits.registry.use.uses import Key, declared, retired
from credits.registry.validity import last_day


class NoSuchUse(Missing):
    code = "no_such_use"


@dataclass(frozen=True)
class Cover:
    """A beneficiary's use of a mineral in a year, in base units.

    declared: of this declarer. retired: for the beneficiary, by anybody. held: with the declarer and of a vintage that
    fits the year; the same credits stand by each year that they fit.
    """

    party: str
    beneficiary: str
    mineral_code: str
    year: int
    declared: int
    retired: int
    held: int
    lines: tuple[UseLine, ...]

    @property
    def mineral(self) -> Mineral:
        return mineral_of(self.mineral_code)

    @property
    def covered(self) -> int:
        return min(self.retired, self.declared)

    @property
    def surplus(self) -> int:
        return max(0, self.retired - self.declared)

    @property
    def bought(self) -> int:
        """What of the held credits it takes to cover more."""
        return min(self.held, self.declared - self.covered)

    @property
    def missing(self) -> int:
        return self.declared - self.covered - self.bought

    @property
    def percent(self) -> int:
        """Covered hundredths, rounded down: a hundred is a hundred."""
        return 100 * self.covered // self.declared if self.declared else 100


def uses_of(by: User) -> Select[UseLine]:
    """The declarations that `by` may see, newest year first: those of their organisation; all for the registry."""
    wanted = select(UseLine).order_by(UseLine.year.desc(), UseLine.id.desc())
    if is_issuer(by) or is_auditor(by):
        return wanted
    return wanted.where(UseLine.organisation_id == by.organisation_id)


def use_numbered(session: Session, by: User, number: str) -> UseLine:
    """The declaration with this number, if `by` may see it. Raises NoSuchUse."""
    found = session.scalars(uses_of(by).where(UseLine.id == digits_of(number, "USE-"))).one_or_none()
    if found is None:
        raise NoSuchUse("There is no such declaration.")
    return found


def covers_of(
    session: Session, organisation: Organisation, *, policy: Policy, at: datetime, year: int | None = None
) -> list[Cover]:
    """How far the uses that `organisation` declared are covered, the newest year first."""
    wanted = select(UseLine).where(UseLine.organisation_id == organisation.id).options(selectinload(UseLine.versions))
    if year is not None:
        wanted = wanted.where(UseLine.year == year)
    grouped: dict[Key, list[UseLine]] = {}
    for line in session.scalars(wanted.order_by(UseLine.year.desc(), UseLine.beneficiary, UseLine.id)):
        grouped.setdefault((line.party, line.mineral_code, line.year), []).append(line)
    sums = declared(session, sorted(line.id for lines in grouped.values() for line in lines))
    gone = retired(session, grouped)
    stock = holdings_of(session, organisation) if grouped else []
    return [
        Cover(
            party=key[0],
            beneficiary=lines[-1].beneficiary,
            mineral_code=key[1],
            year=key[2],
            declared=sums[key],
            retired=gone[key],
            held=usable(stock, key[1], key[2], policy, at),
            lines=tuple(lines),
        )
        for key, lines in grouped.items()
    ]


def usable(stock: list[Held], mineral_code: str, year: int, policy: Policy, at: datetime) -> int:
    """Base units of these holdings that can be retired for the year, once they are free to move."""
    return sum(
        sum(held.by_kind.values())
        for held in stock
        if held.issuance.mineral_code == mineral_code and fits(held.issuance, year, policy, at)
    )


def fits(issuance: Issuance, year: int, policy: Policy, at: datetime) -> bool:
    """Whether the vintage lies in the claim window of the whole year, and the credits have not expired."""
    produced_to = date.fromisoformat(issuance.facts["production"]["to"])
    earliest = months_before(date(year, 1, 1), policy.months_before_claim)
    return issuance.vintage <= year and produced_to >= earliest and at.date() <= last_day(issuance, policy)
