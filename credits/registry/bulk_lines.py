"""Lines of a statement: how they are checked, refused by their number, and served from picked serials."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict, CreditsError, Invalid
from credits.journal.canonical import encode
from credits.ledger.posting import InsufficientBalance, checked_quantity
from credits.ledger.serials import SerialRange
from credits.participants.models import Organisation, User
from credits.registry.models import Issuance
from credits.registry.policy import Policy
from credits.registry.queries import NoSuchIssuance
from credits.registry.retirement import Claim
from credits.registry.transfer import must_not_be_suspended
from credits.registry.validity import must_not_have_expired

MOST_LINES = 10_000
AT_ONCE = 500  # values of one look-up; SQLite bounds them


class NoLines(Invalid):
    code = "no_lines"


class TooManyLines(Invalid):
    code = "too_many_lines"


class LineRefused(Conflict):
    """One line cannot be carried out, so none is. detail: its number from 1, and the code of its own refusal."""

    code = "line_refused"


@dataclass(frozen=True)
class RetirementLine:
    """issuance: its number. quantity: base units."""

    issuance: str
    quantity: int
    claim: Claim


@dataclass(frozen=True)
class TransferLine:
    """issuance, recipient: their numbers. quantity: base units."""

    issuance: str
    quantity: int
    recipient: str
    note: str = ""


class Line(Protocol):
    @property
    def issuance(self) -> str: ...
    @property
    def quantity(self) -> int: ...


def claimed(
    session: Session, act: str, organisation: Organisation, told: list[dict[str, Any]], by: User, key: str
) -> dict[str, Any] | None:
    """Claim the key for exactly these lines. Raises NoLines and TooManyLines before."""
    if not told:
        raise NoLines("There is no line.")
    if len(told) > MOST_LINES:
        raise TooManyLines(f"At most {MOST_LINES:,} lines at a time: these are {len(told):,}.", lines=len(told))
    asked = {"act": act, "organisation": organisation.number, "count": len(told)}
    asked["lines"] = digest_of([line | {"quantity": str(line["quantity"])[:60]} for line in told])
    return ledger.claim(session, caller=by.number, key=key, request=asked)


def digest_of(lines: list[dict[str, Any]]) -> str:
    return hashlib.sha256(encode({"lines": lines})).hexdigest()


@contextmanager
def line_numbered(number: int) -> Iterator[None]:
    """Raise LineRefused, naming the line, where what is done for it is refused."""
    try:
        yield
    except CreditsError as refusal:
        raise LineRefused(
            f"Line {number}: {refusal.message}", **refusal.detail | {"line": number, "reason": refusal.code}
        ) from refusal


def sound(session: Session, lines: Sequence[Line], policy: Policy, at: datetime) -> dict[str, Issuance]:
    """The issuances that the lines name, none of them suspended or expired, by number. Raises LineRefused."""
    known: dict[str, Issuance] = {}
    for some in chunks(sorted({line.issuance for line in lines})):
        found = session.scalars(select(Issuance).where(Issuance.number.in_(some)))
        known |= {issuance.number: issuance for issuance in found}
    naming: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        with line_numbered(number):
            checked_quantity(line.quantity)
            if line.issuance not in known:
                raise NoSuchIssuance("There is no such issuance.")
        naming.setdefault(line.issuance, number)
    for issuance in sorted(known.values(), key=lambda each: each.id):
        with line_numbered(naming[issuance.number]):
            must_not_be_suspended(session, issuance)
            must_not_have_expired(issuance, policy, at)
    return known


def too_little(lines: Sequence[Line], issuance: str, available: int) -> LineRefused:
    """The refusal of the first line for which nothing is left."""
    left = available
    for number, line in enumerate(lines, 1):
        if line.issuance != issuance:
            continue
        if line.quantity > left:
            return LineRefused(
                f"Line {number}: only {left} base units of {issuance} are left for it, {line.quantity} were asked for.",
                line=number,
                reason=InsufficientBalance.code,
                asked=line.quantity,
                available=left,
            )
        left -= line.quantity
    raise AssertionError("All lines can be served.")


def dealt_out(picked: Sequence[SerialRange], quantities: Sequence[int]) -> Iterator[list[SerialRange]]:
    """`picked`, cut into parts of these quantities in their order."""
    waiting = iter(sorted(picked))
    first, last = 1, 0  # nothing at hand
    for quantity in quantities:
        parts = []
        while quantity:
            if first > last:
                units = next(waiting)
                first, last = units.first, units.last
            end = min(last, first + quantity - 1)
            parts.append(SerialRange(first, end))
            quantity -= end - first + 1
            first = end + 1
        yield parts


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]
