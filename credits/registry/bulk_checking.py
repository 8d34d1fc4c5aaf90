"""Looking through the lines of a statement before it is made: every one that would be refused, not only the first."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import CreditsError
from credits.ledger.posting import InsufficientBalance, checked_quantity
from credits.participants.models import Organisation
from credits.participants.wording import paragraphs
from credits.registry.bulk import must_receive, recipients
from credits.registry.bulk_lines import Line, RetirementLine, TransferLine, chunks
from credits.registry.models import Issuance
from credits.registry.policy import Policy
from credits.registry.queries import NoSuchIssuance, holdings_of
from credits.registry.retirement import must_fit_window, tidy
from credits.registry.transfer import must_not_be_suspended
from credits.registry.validity import must_not_have_expired


def issuances_named(session: Session, numbers: Iterable[str]) -> dict[str, Issuance]:
    """The issuances with these numbers; those that do not exist are left out."""
    known: dict[str, Issuance] = {}
    for some in chunks(sorted(set(numbers))):
        found = session.scalars(select(Issuance).where(Issuance.number.in_(some)))
        known |= {issuance.number: issuance for issuance in found}
    return known


def wrong_retirements(
    session: Session, *, holder: Organisation, lines: dict[int, RetirementLine], policy: Policy, at: datetime
) -> dict[int, CreditsError]:
    """What stands against which line, by its number. Says what `bulk.retire` would say."""

    def fits(line: RetirementLine, issuance: Issuance) -> None:
        must_fit_window(issuance, line.claim, policy, at)
        tidy(line.claim)

    return wrong(session, holder, lines, fits, policy, at)


def wrong_transfers(
    session: Session, *, sender: Organisation, lines: dict[int, TransferLine], policy: Policy, at: datetime
) -> dict[int, CreditsError]:
    """What stands against which line, by its number. Says what `bulk.transfer` would say."""
    known = recipients(session, list(lines.values()))

    def fits(line: TransferLine, issuance: Issuance) -> None:
        must_receive(sender, known.get(line.recipient))
        if line.note.strip():
            paragraphs(line.note, "Note", 500)

    return wrong(session, sender, lines, fits, policy, at)


def wrong(
    session: Session,
    organisation: Organisation,
    lines: Mapping[int, Line],
    fits: Callable[..., None],
    policy: Policy,
    at: datetime,
) -> dict[int, CreditsError]:
    """What stands against which line: it takes what the lines before it that stand have left."""
    known = issuances_named(session, (line.issuance for line in lines.values()))
    unusable = {number: why for number, issuance in known.items() if (why := refusal_of(session, issuance, policy, at))}
    left = {held.issuance.number: held.available for held in holdings_of(session, organisation)}
    found: dict[int, CreditsError] = {}
    for number, line in lines.items():
        try:
            checked_quantity(line.quantity)
            if line.issuance not in known:
                raise NoSuchIssuance("There is no such issuance.")
            if line.issuance in unusable:
                raise unusable[line.issuance]
            fits(line, known[line.issuance])
            take(left, line, known[line.issuance])
        except CreditsError as refusal:
            found[number] = refusal
    return found


def refusal_of(session: Session, issuance: Issuance, policy: Policy, at: datetime) -> CreditsError | None:
    """Why nothing of an issuance can be used now, if so."""
    try:
        must_not_be_suspended(session, issuance)
        must_not_have_expired(issuance, policy, at)
    except CreditsError as refusal:
        return refusal
    return None


def take(left: dict[str, int], line: Line, issuance: Issuance) -> None:
    """Take a line's quantity off what is left. Raises InsufficientBalance."""
    available = left.get(line.issuance, 0)
    if line.quantity > available:
        mineral = issuance.mineral
        raise InsufficientBalance(
            f"Only {mineral.quantity(available)} of {line.issuance} are left for it, "
            f"{mineral.quantity(line.quantity)} were asked for.",
            asked=line.quantity,
            available=available,
        )
    left[line.issuance] = available - line.quantity
