"""Figures of the premium: what a site received, decided and spent by theme, and how long money takes to the mine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from credits.payments.models import Currency
from credits.payments.money_models import MoneyAccount, MoneyEntry, MoneyKind, MoneyPosting, MoneyPostingKind
from credits.payments.premiums.following import Followed, follow
from credits.payments.premiums.premium_models import Minute, Payout, Theme
from credits.payments.premiums.site_premium import Premium, premium_of
from credits.registry.production import Site

AGES = (30, 60, 90)  # days: the steps in which money that waits is counted


@dataclass(frozen=True)
class ThemeFigures:
    """Minor units that committees decided on for a theme, and what was bought with them."""

    theme: Theme
    decided: int
    spent: int


@dataclass(frozen=True)
class SiteFigures:
    """What became of a site's premium in one currency."""

    premium: Premium
    themes: list[ThemeFigures]
    followed: list[Followed]

    @property
    def spent(self) -> int:
        return sum(each.spent for each in self.themes)


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


def site_figures(session: Session, site: Site) -> list[SiteFigures]:
    """What became of a site's premium, by currency."""
    minutes = minutes_of(session, site)
    return [
        SiteFigures(
            premium,
            by_theme([each for each in minutes if each.currency is premium.currency]),
            follow(session, site.id, premium.currency),
        )
        for premium in premium_of(session, site)
    ]


def minutes_of(session: Session, site: Site) -> Sequence[Minute]:
    """All decisions of a site's committee, the newest first, with what was paid out and bought on each."""
    return session.scalars(
        select(Minute)
        .where(Minute.site_id == site.id)
        .order_by(Minute.id.desc())
        .options(
            selectinload(Minute.payouts).selectinload(Payout.uses),
            selectinload(Minute.revocation),
            selectinload(Minute.papers),
        )
    ).all()


def by_theme(minutes: Iterable[Minute]) -> list[ThemeFigures]:
    """Decided and spent for every theme. A decision that was taken back counts no more, what it has bought does."""
    decided, spent = dict.fromkeys(Theme, 0), dict.fromkeys(Theme, 0)
    for minute in minutes:
        if minute.revocation is None:
            for theme, amount in minute.by_theme.items():
                decided[theme] += amount
        for payout in minute.payouts:
            for use in payout.uses:
                spent[use.theme] += use.counted
    return [ThemeFigures(theme, decided[theme], spent[theme]) for theme in Theme]


def totals(session: Session) -> list[Premium]:
    """Premium of all sites, by currency: collected, gone back, paid out. Nothing of it is promised here."""
    rows = session.execute(
        select(MoneyAccount.currency, MoneyPosting.kind, func.sum(MoneyEntry.amount))
        .select_from(MoneyPosting)
        .join(MoneyEntry, MoneyEntry.posting_id == MoneyPosting.id)
        .join(
            MoneyAccount,
            (MoneyAccount.id == MoneyEntry.to_account_id) | (MoneyAccount.id == MoneyEntry.from_account_id),
        )
        .where(MoneyAccount.kind == MoneyKind.PREMIUM_HELD)
        .group_by(MoneyAccount.currency, MoneyPosting.kind)
    ).all()
    moved = {(currency, kind): int(amount) for currency, kind, amount in rows}
    return [
        Premium(
            currency=currency,
            collected=moved.get((currency, MoneyPostingKind.SALE), 0),
            refunded=moved.get((currency, MoneyPostingKind.REFUND), 0)
            + moved.get((currency, MoneyPostingKind.SHORTFALL), 0),
            disbursed=moved.get((currency, MoneyPostingKind.DISBURSEMENT), 0),
            promised=0,
            asked=0,
            contested=0,
        )
        for currency in sorted({currency for currency, _ in moved})
    ]


def pace_of(followed: Iterable[tuple[Currency, Followed]], *, goal: int, today: date) -> Pace:
    """How long money took, and how long what waits has waited. Pure."""
    days: list[int] = []
    parts: list[tuple[int, Fraction]] = []
    in_part = 0
    open_ones: list[tuple[int, Currency, int]] = []
    for currency, each in followed:
        parts += parts_of(each)
        in_part += bool(each.held and each.pieces)
        if each.days is not None:
            days.append(each.days)
        elif each.held:
            open_ones.append(((today - each.collected.paid_on).days, currency, each.held))
    return Pace(
        goal=goal,
        paid_out=len(days),
        in_part=in_part,
        in_time=sum(1 for each in days if each <= goal),
        median_days=weighted_median(parts),
        longest_days=max(days, default=None),
        waiting=waiting_by_age(open_ones),
        late=sum(1 for age, _, _ in open_ones if age > goal),
    )


def parts_of(followed: Followed) -> list[tuple[int, Fraction]]:
    """Days until each part of a payment's premium was paid out, and which share of it that was."""
    began, whole = followed.collected.paid_on, followed.collected.amount
    return [
        (max(0, ((piece.payout.paid_on or began) - began).days), Fraction(piece.amount, whole))
        for piece in followed.pieces
    ]


def weighted_median(parts: Sequence[tuple[int, Fraction]]) -> int | None:
    """The fewest days that at least half of the weight took; None for nothing. Pure."""
    half, so_far = sum((weight for _, weight in parts), Fraction()) / 2, Fraction()
    for days, weight in sorted(parts):
        so_far += weight
        if so_far >= half:
            return days
    return None


def waiting_by_age(open_ones: Sequence[tuple[int, Currency, int]]) -> list[Waiting]:
    """(age in days, currency, minor units) counted by age."""
    found = []
    for above, upto in zip((-1, *AGES), (*AGES, None), strict=True):
        here = [each for each in open_ones if each[0] > above and (upto is None or each[0] <= upto)]
        amounts: dict[Currency, int] = {}
        for _, currency, amount in here:
            amounts[currency] = amounts.get(currency, 0) + amount
        found.append(Waiting(above + 1, upto, len(here), amounts))
    return found


def pace(session: Session, sites: Iterable[Site], *, goal: int, today: date) -> Pace:
    """The pace of all premium of these sites."""
    followed = [
        (premium.currency, each)
        for site in sites
        for premium in premium_of(session, site)
        for each in follow(session, site.id, premium.currency)
    ]
    return pace_of(followed, goal=goal, today=today)


def pace_in(figures: Iterable[SiteFigures], *, goal: int, today: date) -> Pace:
    """The pace of what these figures were reckoned from."""
    return pace_of(
        ((each.premium.currency, followed) for each in figures for followed in each.followed), goal=goal, today=today
    )


@dataclass(frozen=True)
class Overdue:
    """Premium of one site that waits longer than the goal. payments: how many sales; oldest: day of the first."""

    site: Site
    currency: Currency
    amount: int
    payments: int
    oldest: date


def overdue(session: Session, sites: Iterable[Site], *, goal: int, today: date) -> list[Overdue]:
    """What has waited for longer than `goal` days, the longest first."""
    found = []
    for site in sites:
        for premium in premium_of(session, site):
            late = [
                each
                for each in follow(session, site.id, premium.currency)
                if each.held and (today - each.collected.paid_on).days > goal
            ]
            if late:
                amount = sum(each.held for each in late)
                oldest = min(each.collected.paid_on for each in late)
                found.append(Overdue(site, premium.currency, amount, len(late), oldest))
    return sorted(found, key=lambda each: each.oldest)
