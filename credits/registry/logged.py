"""Which event of the log stands behind a public number."""

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from credits.errors import Missing
from credits.journal import proving
from credits.journal.models import Event
from credits.ledger.models import Posting
from credits.registry.models import REGISTRY_CODE, Bulk, Issuance, Retirement, Transfer
from credits.registry.movements import Earmark

LARGEST = 2**63 - 1


class NothingLogged(Missing):
    """Nothing that ever happened has this number."""

    code = "nothing_logged"


def place_of(session: Session, number: str) -> int:
    """The place in the log of the newest event of an issuance, retirement, batch, transfer, site or organisation.

    A plain number is a place already. Raises NothingLogged, NotInLog.
    """
    number = number.strip()
    if is_whole(number):
        return int(number)
    event_id = newest_event(session, number.upper())
    if event_id is None:
        raise NothingLogged(f"Nothing in the registry has the number {number[:60]}.")
    return proving.place_of(session, event_id)


def place_of_issuing(session: Session, issuance: Issuance) -> int:
    """The place in the log of the event with which an issuance began. Raises NotInLog."""
    return proving.place_of(session, session.get_one(Posting, issuance.posting_id).event_id)


def newest_event(session: Session, number: str) -> int | None:
    """The id of the newest event behind a number: what moved serials is told as an event of their issuance."""
    wanted = select(func.max(Event.id)).where(Event.subject == number)
    for start, model, postings in (
        (f"{REGISTRY_CODE}-R-", Retirement, [Retirement.posting_id]),
        ("TRANSFER-", Transfer, [Transfer.opening_posting_id, Transfer.closing_posting_id]),
        ("HOLD-", Earmark, [Earmark.opening_posting_id, Earmark.closing_posting_id]),
        ("RESERVATION-", Earmark, [Earmark.opening_posting_id, Earmark.closing_posting_id]),
        ("BULK-", Bulk, [Bulk.posting_id]),
    ):
        digits = number.removeprefix(start)
        if number.startswith(start) and is_whole(digits):
            theirs = or_(*(posting == Posting.id for posting in postings))
            wanted = select(func.max(Posting.event_id)).join(model, theirs).where(model.id == int(digits))
    return session.scalar(wanted)


def is_whole(text: str) -> bool:
    """Whether it is a whole number that a column can hold."""
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= LARGEST
