"""Figures of the premium: what a site received, decided and spent by theme."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from credits.payments.premiums.premium_models import Minute, Payout, Theme
from credits.payments.premiums.site_premium import Premium, premium_of
from credits.registry.production import Site


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

    @property
    def spent(self) -> int:
        return sum(each.spent for each in self.themes)


def site_figures(session: Session, site: Site) -> list[SiteFigures]:
    """What became of a site's premium, by currency."""
    minutes = minutes_of(session, site)
    return [
        SiteFigures(premium, by_theme([each for each in minutes if each.currency is premium.currency]))
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
