"""Setting serials apart and letting them go again, every one exactly to where it was."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, insert, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict, Missing
from credits.ledger.models import AccountKind
from credits.ledger.posting import Posted, Record
from credits.ledger.serials import SerialRange, written
from credits.participants.models import Organisation, User
from credits.participants.permissions import is_auditor, is_issuer
from credits.registry.accounts import account_of
from credits.registry.models import Issuance
from credits.registry.movements import Earmark, EarmarkKind, EarmarkRange
from credits.registry.queries import digits_of, of_own

KINDS = {EarmarkKind.RESERVED: AccountKind.RESERVED, EarmarkKind.HELD: AccountKind.HELD}


class NoSuchEarmark(Missing):
    code = "no_such_earmark"


class LetGoAlready(Conflict):
    """The hold or reservation has ended before."""

    code = "let_go_already"


def set_apart(
    session: Session,
    *,
    kind: EarmarkKind,
    holder: Organisation,
    why: str,
    moves: Sequence[ledger.Move],
    record: Record,
    by: User,
    at: datetime,
    back: Mapping[int, int] | None = None,
) -> Earmark:
    """Move serials of `holder` into its account of this kind and write down where each came from. Flushes.

    back: by account, where its serials go when they are let go, if not there itself.
    """
    posting = ledger.move(session, moves, at=at, record=record)
    earmark = Earmark(
        kind=kind, holder=holder, why=why, opening_posting_id=posting.id, opened_by_id=by.id, opened_at=at
    )
    session.add(earmark)
    session.flush()
    session.execute(
        insert(EarmarkRange),
        [
            {
                "earmark_id": earmark.id,
                "issuance_id": each.issuance_id,
                "first": each.units.first,
                "last": each.units.last,
                "from_account_id": (back or {}).get(each.source or 0, each.source),
            }
            for each in moves
        ],
    )
    return earmark


def let_go(
    session: Session, earmark: Earmark, *, record: Record, by: User | None, at: datetime, target: int | None = None
) -> Posted:
    """Move the serials back where they came from, or to the account `target`, and close the earmark. Flushes.

    Lock it first (`lock_open`). Raises ledger.posting.NotHeld where they are not there any more.
    """
    source = account_of(session, earmark.holder, KINDS[earmark.kind])
    moves = [
        ledger.Move(each.issuance_id, SerialRange(each.first, each.last), source, target or each.from_account_id)
        for each in ranges_of(session, earmark)
    ]
    posting = ledger.move(session, moves, at=at, record=record)
    earmark.closing_posting_id, earmark.closed_at = posting.id, at
    earmark.closed_by_id = by.id if by else None
    session.flush()
    return posting


def ranges_of(session: Session, earmark: Earmark) -> list[EarmarkRange]:
    """What was set apart, by issuance, lowest first."""
    wanted = select(EarmarkRange).where(EarmarkRange.earmark_id == earmark.id)
    return list(session.scalars(wanted.order_by(EarmarkRange.issuance_id, EarmarkRange.first)))


def numbers_of(session: Session, earmark: Earmark) -> dict[int, str]:
    """The public numbers of the issuances it is about, by their ids."""
    mine = select(EarmarkRange.issuance_id).where(EarmarkRange.earmark_id == earmark.id)
    return dict(session.execute(select(Issuance.id, Issuance.number).where(Issuance.id.in_(mine))).all())


def lock_open(session: Session, earmark: Earmark) -> None:
    """Lock the earmark, read it anew and see that it is open. Raises LetGoAlready."""
    session.refresh(earmark, with_for_update=True)
    if earmark.closing_posting_id is not None:
        raise LetGoAlready(f"{earmark.number} has ended already.", earmark=earmark.number)


def earmark_numbered(session: Session, number: str) -> Earmark:
    """The hold or reservation with this number. Raises NoSuchEarmark."""
    found = session.get(Earmark, digits_of(number, "HOLD-") or digits_of(number, "RESERVATION-"))
    if found is None or found.number != number:
        raise NoSuchEarmark("There is no such hold or reservation.")
    return found


def earmarks_of(by: User) -> Select[Earmark]:
    """The holds and reservations that `by` may see, newest first: those of their organisation; all for the registry."""
    wanted = select(Earmark).order_by(Earmark.id.desc())
    if is_issuer(by) or is_auditor(by):
        return wanted
    return wanted.where(Earmark.holder_id.in_(select(Organisation.id).where(of_own(by))))


def serials_of(session: Session, earmark: Earmark) -> list[str]:
    """The serial ranges that were set apart, as they are written."""
    numbers = numbers_of(session, earmark)
    return [
        written(numbers[each.issuance_id], SerialRange(each.first, each.last)) for each in ranges_of(session, earmark)
    ]
