"""What a statement of account says: what an organisation had, got and gave between two days, as plain values."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session

from credits.certificates.kinds import ACCOUNT_SCHEMA
from credits.certificates.record_facts import amount_told, organisation_told, told_moment
from credits.errors import Invalid
from credits.ledger.models import AccountKind, Entry, Posting
from credits.ledger.serials import SerialRange, tidied, written
from credits.participants.models import Organisation
from credits.registry.accounts import accounts_of, owners
from credits.registry.models import Holding, Issuance

MOST_MOVEMENTS = 5_000


class BadDays(Invalid):
    """The days of a statement are in the wrong order, or not there yet."""

    code = "bad_days"


class TooManyMovements(Invalid):
    """A statement of these days would be a book."""

    code = "too_many_movements"


@dataclass(frozen=True)
class Days:
    """From the beginning of one day to the end of another, in UTC."""

    first: date
    last: date

    @property
    def begin(self) -> datetime:
        return datetime.combine(self.first, time(), UTC)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)


def of_account(session: Session, holder: Organisation, days: Days, at: datetime) -> tuple[str, dict[str, Any]]:
    """The balances before and after, and every movement in between. Raises BadDays, TooManyMovements.

    Movements between the holder's own accounts (set apart, offered, taken back) change no balance and are left out.
    """
    if days.first > days.last:
        raise BadDays("The first day comes after the last one.")
    if days.last > at.astimezone(UTC).date():
        raise BadDays("The last day is still to come. A statement tells what has happened.")
    own = accounts_of(session, holder)
    opening = balances_before(session, own, days.begin)
    rows = entries_within(session, own, days)
    issuances = known(session, {*opening, *(row.issuance_id for row in rows)})
    balances = []
    for issuance in sorted(issuances.values(), key=lambda each: each.number):
        theirs = [row for row in rows if row.issuance_id == issuance.id]
        came = sum(row.last - row.first + 1 for row in theirs if row.to_account_id in own)
        went = sum(row.last - row.first + 1 for row in theirs if row.from_account_id in own)
        before = opening.get(issuance.id, 0)
        balances.append(
            {
                "issuance": issuance.number,
                "mineral": issuance.mineral_code,
                "opening": before,
                "in": came,
                "out": went,
                "closing": before + came - went,
            }
        )
    return ACCOUNT_SCHEMA, {
        "account": organisation_told(holder),
        "period": {"from": str(days.first), "to": str(days.last)},
        "as_of": told_moment(min(at, days.end)),
        "balances": balances,
        "movements": movements_told(session, rows, own, issuances),
        "totals": totals_of(balances),
    }


def balances_before(session: Session, own: Collection[int], moment: datetime) -> dict[int, int]:
    """The base units of each issuance in these accounts before a moment, by its id; what is nothing is left out."""
    came = case((Entry.to_account_id.in_(own), 1), else_=0) - case((Entry.from_account_id.in_(own), 1), else_=0)
    total = func.sum((Entry.last - Entry.first + 1) * came)
    wanted = select(Entry.issuance_id, total).join(Posting, Posting.id == Entry.posting_id)
    wanted = wanted.where(Entry.to_account_id.in_(own) | Entry.from_account_id.in_(own), Posting.at < moment)
    return {found: int(units) for found, units in session.execute(wanted.group_by(Entry.issuance_id)) if units}


def entries_within(session: Session, own: Collection[int], days: Days) -> list[Row[Any]]:
    """What came into these accounts or left them, oldest first. Raises TooManyMovements."""
    inwards = Entry.to_account_id.in_(own) & (Entry.from_account_id.is_(None) | Entry.from_account_id.not_in(own))
    outwards = Entry.from_account_id.in_(own) & Entry.to_account_id.not_in(own)
    wanted = (
        select(
            Entry.posting_id,
            Entry.issuance_id,
            Entry.first,
            Entry.last,
            Entry.from_account_id,
            Entry.to_account_id,
            Posting.at,
        )
        .join(Posting, Posting.id == Entry.posting_id)
        .where(inwards | outwards, Posting.at >= days.begin, Posting.at < days.end)
        .order_by(Posting.at, Entry.posting_id, Entry.issuance_id, Entry.first)
    )
    rows: list[Row[Any]] = list(session.execute(wanted.limit(MOST_MOVEMENTS + 1)))
    if len(rows) > MOST_MOVEMENTS:
        raise TooManyMovements(f"There are more than {MOST_MOVEMENTS:,} movements in these days. Choose fewer days.")
    return rows


def known(session: Session, issuance_ids: Collection[int]) -> dict[int, Issuance]:
    return {each.id: each for each in session.scalars(select(Issuance).where(Issuance.id.in_(issuance_ids)))}


def movements_told(
    session: Session, rows: list[Row[Any]], own: Collection[int], issuances: dict[int, Issuance]
) -> list[dict[str, Any]]:
    """The entries, those of one posting, issuance and other side as one movement."""
    grouped: dict[tuple[int, int, int | None, bool], list[Row[Any]]] = {}
    for row in rows:
        inwards = row.to_account_id in own
        other = row.from_account_id if inwards else row.to_account_id
        grouped.setdefault((row.posting_id, row.issuance_id, other, inwards), []).append(row)
    holdings = owners(session, [other for _, _, other, _ in grouped if other is not None])
    told = []
    for (_, issuance_id, other, inwards), parts in grouped.items():
        issuance = issuances[issuance_id]
        ranges = tidied([SerialRange(part.first, part.last) for part in parts])
        kind, organisation = other_side(holdings[other] if other is not None else None, inwards)
        told.append(
            {
                "at": told_moment(parts[0].at),
                "kind": kind,
                "other": organisation_told(organisation) if organisation else None,
                "issuance": issuance.number,
                "mineral": issuance.mineral_code,
                "quantity_base_units": sum(units.last - units.first + 1 for units in ranges) * (1 if inwards else -1),
                "serials": [written(issuance.number, units) for units in ranges],
            }
        )
    return told


def other_side(holding: Holding | None, inwards: bool) -> tuple[str, Organisation | None]:
    """What kind of movement it was by where the serials came from or went, and whose that is."""
    if holding is None:
        return "issued", None
    if holding.organisation is not None:
        return ("received" if inwards else "sent"), holding.organisation
    if inwards:
        return "from_buffer", None
    return ("to_buffer" if holding.kind is AccountKind.BUFFER else holding.kind.value), None


def totals_of(balances: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The balances mineral by mineral; the quantity is what is left at the end."""
    told = []
    for code in sorted({each["mineral"] for each in balances}):
        sums = {
            name: sum(each[name] for each in balances if each["mineral"] == code)
            for name in ("opening", "in", "out", "closing")
        }
        told.append(amount_told(code, sums["closing"]) | sums)
    return told
