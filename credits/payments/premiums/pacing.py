"""How fast premium reaches the mines, counted by the database: what is read here does not grow with the sales.

What was collected first is paid out first, within a site and a currency. So most payments lie whole within one payout,
or wait whole, and those of one day are counted together; few are torn between two.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, case, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from credits.db import dialect_of
from credits.payments.models import Currency, Order
from credits.payments.money_models import MoneyAccount, MoneyEntry, MoneyPosting
from credits.payments.premiums.following import brought, holding
from credits.payments.premiums.premium_models import Payout
from credits.registry.production import Site

AGES = (30, 60, 90)  # days: the steps in which money that waits is counted


@dataclass(frozen=True)
class Waiting:
    """Payments whose premium is not paid out in full, by age. upto: days; None for the oldest."""

    above: int
    upto: int | None
    payments: int
    amounts: dict[Currency, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Pace:
    """Days from a buyer's payment until its premium was paid out in full, and what still waits.

    goal: days. paid_out, in_part: payments whose premium is paid out in full, and in part. in_time: of those in full
    within the goal. median_days: half of what was paid out took at most so long; a payment counts with the share of its
    premium that is paid out, whatever its amount and currency. late: those that wait longer than the goal.
    """

    goal: int
    paid_out: int
    in_part: int
    in_time: int
    median_days: int | None
    longest_days: int | None
    waiting: list[Waiting]
    late: int


@dataclass(frozen=True)
class Alike:
    """Payments of one day with the same way to the mine. amount: minor units of premium, of all of them together.

    pieces: by the day on which they were paid out, minor units; what is missing there is held.
    """

    currency: Currency
    paid_on: date
    payments: int
    amount: int
    pieces: Mapping[date, int]

    @property
    def held(self) -> int:
        return self.amount - sum(self.pieces.values())

    @property
    def parts(self) -> list[tuple[int, Fraction]]:
        """Days until each part was paid out, and of how many payments it was."""
        return [
            (self.days_until(day), self.payments * Fraction(amount, self.amount)) for day, amount in self.pieces.items()
        ]

    @property
    def days(self) -> int | None:
        """Until the last of it was paid out; None while some is held."""
        return None if self.held else max(map(self.days_until, self.pieces))

    def days_until(self, day: date) -> int:
        return max(0, (day - self.paid_on).days)


def pace(session: Session, site: Site | None = None, *, goal: int, today: date) -> Pace:
    """The pace of all premium, or of one site's."""
    found = list(alike(session, site))
    in_full: Counter[int] = Counter()
    for each in found:
        if each.days is not None:
            in_full[each.days] += each.payments
    waiting = [((today - each.paid_on).days, each) for each in found if each.held]
    return Pace(
        goal=goal,
        paid_out=in_full.total(),
        in_part=sum(each.payments for _, each in waiting if each.pieces),
        in_time=sum(payments for days, payments in in_full.items() if days <= goal),
        median_days=weighted_median([part for each in found for part in each.parts]),
        longest_days=max(in_full, default=None),
        waiting=waiting_by_age(waiting),
        late=sum(each.payments for age, each in waiting if age > goal),
    )


def weighted_median(parts: Sequence[tuple[int, Fraction]]) -> int | None:
    """The fewest days that at least half of the weight took; None for nothing. Pure."""
    half, so_far = sum((weight for _, weight in parts), Fraction()) / 2, Fraction()
    for days, weight in sorted(parts):
        so_far += weight
        if so_far >= half:
            return days
    return None


def waiting_by_age(waiting: Sequence[tuple[int, Alike]]) -> list[Waiting]:
    """Payments with their age in days, counted by it. Pure."""
    found = []
    for above, upto in zip((-1, *AGES), (*AGES, None), strict=True):
        here = [each for age, each in waiting if age > above and (upto is None or age <= upto)]
        amounts: dict[Currency, int] = {}
        for each in here:
            amounts[each.currency] = amounts.get(each.currency, 0) + each.held
        found.append(Waiting(above + 1, upto, sum(each.payments for each in here), amounts))
    return found


def alike(session: Session, site: Site | None) -> Iterator[Alike]:
    """All payments that have brought premium, those together that went the same way."""
    held = holding(site.id if site is not None else None)
    named = select(MoneyAccount.id, MoneyAccount.currency).where(MoneyAccount.id.in_(held))
    currencies = dict(session.execute(named).all())
    ends: dict[int, list[tuple[int, date]]] = defaultdict(list)
    for account_id, end, on in session.execute(select(paid_out(held)).order_by("upto")):
        ends[account_id].append((int(end), on))
    for account_id, day, end, torn, payments, amount in session.execute(counted(session, held)):
        pieces: Mapping[date, int] = {}
        if torn is not None:
            pieces = pieces_between(ends[account_id], int(torn) - int(amount), int(torn))
        elif end is not None:
            pieces = {dict(ends[account_id])[int(end)]: int(amount)}
        yield Alike(currencies[account_id], date.fromisoformat(str(day)), payments, int(amount), pieces)


def pieces_between(ends: Sequence[tuple[int, date]], before: int, upto: int) -> Mapping[date, int]:
    """On which days premium between these two sums was paid out. ends: of the payouts, with their days. Pure."""
    pieces: Counter[date] = Counter()
    for end, on in ends[bisect_right(ends, before, key=itemgetter(0)) :]:
        piece = min(upto, end) - before
        pieces[on] += piece
        before += piece
        if before == upto:
            break
    return pieces


def counted(session: Session, held: Select[int]) -> Select[Any]:
    """Payments by account, day, and the payout that they lie in whole, as its end, None while they wait: how many, and
    how much. One that is torn between payouts is alone, with its own end.
    """
    sales, payouts = brought(held), paid_out(held)
    day = day_of(session, Order.paid_at).label("day")
    lines = (
        select(sales.c.account_id, sales.c.upto, literal(0).label("is_payout"), sales.c.amount, day)
        .join(Order, Order.id == sales.c.order_id)
        .where(sales.c.amount > 0)
    )
    columns = (payouts.c.account_id, payouts.c.upto, literal(1), literal(0), null())
    ends = union_all(lines, select(*columns)).subquery()
    end_of_payout = case((ends.c.is_payout == 1, ends.c.upto))
    by_end: dict[str, Any] = {"partition_by": ends.c.account_id, "order_by": (ends.c.upto, ends.c.is_payout)}
    placed = select(
        *ends.c,
        func.min(end_of_payout).over(rows=(0, None), **by_end).label("end"),
        func.max(end_of_payout).over(rows=(None, 0), **by_end).label("end_before"),
    ).subquery()
    is_torn = func.coalesce(placed.c.end_before, 0) > placed.c.upto - placed.c.amount
    torn = select(*placed.c, case((is_torn, placed.c.upto)).label("torn")).where(placed.c.is_payout == 0).subquery()
    alike = (torn.c.account_id, torn.c.day, torn.c.end, torn.c.torn)
    return select(*alike, func.count(), func.sum(torn.c.amount)).group_by(*alike)


def paid_out(held: Select[int]) -> Subquery:
    """The payouts out of these accounts: what each was paid out of had been paid out with it, and on which day."""
    upto = func.sum(MoneyEntry.amount).over(partition_by=MoneyEntry.from_account_id, order_by=MoneyPosting.id)
    return (
        select(MoneyEntry.from_account_id.label("account_id"), upto.label("upto"), Payout.paid_on)
        .join(MoneyPosting, MoneyPosting.id == MoneyEntry.posting_id)
        .join(Payout, Payout.id == MoneyPosting.disbursement_id)
        .where(MoneyEntry.from_account_id.in_(held))
        .subquery()
    )


def day_of(session: Session, moment: Any) -> ColumnElement[Any]:
    """The day of a time, in UTC, as the database has it."""
    on_postgresql = dialect_of(session) == "postgresql"
    return func.date(func.timezone("UTC", moment)) if on_postgresql else func.substr(moment, 1, 10)


@dataclass(frozen=True)
class Overdue:
    """Premium of one site that waits longer than the goal. payments: how many sales; oldest: day of the first."""

    site: Site
    currency: Currency
    amount: int
    payments: int
    oldest: date


def overdue(session: Session, *, goal: int, today: date) -> list[Overdue]:
    """What has waited for longer than `goal` days, by site and currency, the longest first."""
    late = late_lines(goal=goal, today=today).subquery()
    rows = session.execute(
        select(Site, late.c.currency, func.sum(late.c.held), func.count(), func.min(late.c.paid_at).label("oldest"))
        .join(late, late.c.site_id == Site.id)
        .group_by(Site.id, late.c.currency)
        .order_by("oldest", Site.id)
    )
    return [Overdue(site, currency, int(held), payments, at.date()) for site, currency, held, payments, at in rows]


def late_lines(*, goal: int, today: date) -> Select[Any]:
    """The lines of orders of whose premium something is held for longer than `goal` days: their order, site, currency,
    when they were paid, and what is held.
    """
    held = holding()
    sales, payouts = brought(held), paid_out(held)
    gone = (
        select(payouts.c.account_id, func.max(payouts.c.upto).label("upto")).group_by(payouts.c.account_id).subquery()
    )
    above = sales.c.upto - func.coalesce(gone.c.upto, 0)
    left = case((above < sales.c.amount, above), else_=sales.c.amount)
    longest_ago = datetime.combine(today - timedelta(days=goal), time(), UTC)
    return (
        select(sales.c.order_id, MoneyAccount.site_id, MoneyAccount.currency, Order.paid_at, left.label("held"))
        .join(MoneyAccount, MoneyAccount.id == sales.c.account_id)
        .join(Order, Order.id == sales.c.order_id)
        .outerjoin(gone, gone.c.account_id == sales.c.account_id)
        .where(left > 0, Order.paid_at < longest_ago)
    )
