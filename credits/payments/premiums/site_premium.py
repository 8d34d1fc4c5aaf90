"""What a site has of premium: collected, gone back, paid out, still held, and how much of that is free to decide on."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session

from credits.payments.booking import account_of, lock_account
from credits.payments.going_back.going_back_models import Dispute, DisputeState
from credits.payments.models import Currency, OrderLine, Payment
from credits.payments.money_models import MoneyAccount, MoneyEntry, MoneyKind, MoneyPosting, MoneyPostingKind
from credits.payments.premiums.premium_models import Minute, Payout, PayoutState, Revocation
from credits.registry.models import Issuance
from credits.registry.production import Site


@dataclass(frozen=True)
class Premium:
    """A site's premium in one currency, in minor units.

    promised: decided, and neither paid out nor revoked. asked: of that, what the cooperative has asked to be paid.
    contested: of orders that a buyer's bank may take back: it stays where it is until that is decided.
    """

    currency: Currency
    collected: int
    refunded: int
    disbursed: int
    promised: int
    asked: int
    contested: int

    @property
    def held(self) -> int:
        """Invariant 19: disbursed + held = collected - refunded."""
        return self.collected - self.refunded - self.disbursed

    @property
    def free(self) -> int:
        """What the committee can still decide on."""
        return max(0, self.held - self.promised - self.contested)

    @property
    def payable(self) -> int:
        """What can still be asked to be paid out, on decisions."""
        return max(0, self.held - self.asked - self.contested)


def premium_of(session: Session, site: Site) -> list[Premium]:
    """A site's premium, by currency. Nothing where nothing was ever sold."""
    wanted = select(MoneyAccount.currency).where(MoneyAccount.site_id == site.id).distinct()
    return [premium_in(session, site, currency) for currency in sorted(session.scalars(wanted))]


def premium_in(session: Session, site: Site, currency: Currency) -> Premium:
    """A site's premium in one currency, as the entries say."""
    wanted = (MoneyAccount.site_id == site.id) & (MoneyAccount.currency == currency)
    promised, asked = promises(session, site, currency)
    whole = moved(currency, moved_by_kind(session, wanted).get((), {}))
    return replace(whole, promised=promised, asked=asked, contested=contested(session, site, currency))


def moved(currency: Currency, by_kind: Mapping[MoneyPostingKind, int]) -> Premium:
    """What has moved of some premium. Nothing of it is promised here."""
    return Premium(
        currency=currency,
        collected=by_kind.get(MoneyPostingKind.SALE, 0),
        refunded=by_kind.get(MoneyPostingKind.REFUND, 0) + by_kind.get(MoneyPostingKind.SHORTFALL, 0),
        disbursed=by_kind.get(MoneyPostingKind.DISBURSEMENT, 0),
        promised=0,
        asked=0,
        contested=0,
    )


def moved_by_kind(
    session: Session, wanted: ColumnElement[bool], *by: Any
) -> dict[tuple[Any, ...], dict[MoneyPostingKind, int]]:
    """How much came into, or left, what such accounts hold for sites, by these columns and by the kind of posting."""
    rows = session.execute(
        select(*by, MoneyPosting.kind, func.sum(MoneyEntry.amount))
        .select_from(MoneyPosting)
        .join(MoneyEntry, MoneyEntry.posting_id == MoneyPosting.id)
        .join(
            MoneyAccount,
            (MoneyAccount.id == MoneyEntry.to_account_id) | (MoneyAccount.id == MoneyEntry.from_account_id),
        )
        .where(MoneyAccount.kind == MoneyKind.PREMIUM_HELD, wanted)
        .group_by(*by, MoneyPosting.kind)
    )
    found: dict[tuple[Any, ...], dict[MoneyPostingKind, int]] = {}
    for *key, kind, amount in rows:
        found.setdefault(tuple(key), {})[kind] = int(amount)
    return found


def totals(session: Session) -> list[Premium]:
    """Premium of all sites, by currency: collected, gone back, paid out."""
    found = moved_by_kind(session, true(), MoneyAccount.currency)
    return [moved(key[0], found[key]) for key in sorted(found)]


def totals_of(session: Session, sites: Collection[Site]) -> dict[int, list[Premium]]:
    """The same for each of these sites, by its id."""
    wanted = MoneyAccount.site_id.in_([site.id for site in sites])
    found = moved_by_kind(session, wanted, MoneyAccount.site_id, MoneyAccount.currency)
    return {
        site.id: [
            moved(currency, found[site_id, currency]) for site_id, currency in sorted(found) if site_id == site.id
        ]
        for site in sites
    }


def promises(session: Session, site: Site, currency: Currency) -> tuple[int, int]:
    """What committees have decided and is not paid out, and what of it was asked for."""
    minutes = session.execute(
        select(Minute.id, Minute.amount, Revocation.decision_id)
        .outerjoin(Revocation, Revocation.decision_id == Minute.id)
        .where(Minute.site_id == site.id, Minute.currency == currency)
    ).all()
    payouts = session.execute(
        select(Payout.decision_id, Payout.state, func.sum(Payout.amount))
        .join(Minute, Minute.id == Payout.decision_id)
        .where(Minute.site_id == site.id, Minute.currency == currency)
        .group_by(Payout.decision_id, Payout.state)
    )
    sums = {(decision, state): int(amount) for decision, state, amount in payouts}
    asked = {each.id: sums.get((each.id, PayoutState.ASKED), 0) for each in minutes}
    promised = sum(
        asked[each.id] if each.decision_id is not None else each.amount - sums.get((each.id, PayoutState.PAID), 0)
        for each in minutes
    )
    return promised, sum(asked.values())


def contested(session: Session, site: Site, currency: Currency) -> int:
    """Premium of delivered orders whose money a buyer's bank may take back."""
    amount = session.scalar(
        select(func.coalesce(func.sum(OrderLine.premium), 0))
        .join(Issuance, Issuance.id == OrderLine.issuance_id)
        .join(
            MoneyPosting, (MoneyPosting.order_id == OrderLine.order_id) & (MoneyPosting.kind == MoneyPostingKind.SALE)
        )
        .where(
            Issuance.site_id == site.id,
            MoneyPosting.kind == MoneyPostingKind.SALE,
            OrderLine.order_id.in_(
                select(Payment.order_id)
                .join(Dispute, Dispute.payment_id == Payment.id)
                .where(Dispute.state == DisputeState.OPEN, Payment.currency == currency)
            ),
        )
    )
    return int(amount or 0)


def locked_premium(session: Session, site: Site, currency: Currency) -> Premium:
    """As `premium_in`, while nobody else takes any of it until the transaction ends."""
    lock_account(session, account_of(session, MoneyKind.PREMIUM_HELD, currency, site.id))
    return premium_in(session, site, currency)


def sites_with_premium() -> Select[Site]:
    """The sites for which premium was ever collected, by name."""
    having = select(MoneyAccount.site_id).where(MoneyAccount.site_id.is_not(None))
    return select(Site).where(Site.id.in_(having)).order_by(Site.name, Site.id)
