"""What of premium waits for a site's own people: to be decided on, and to be accounted for."""

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from credits.payments.money_models import MoneyAccount
from credits.payments.premiums.premium_models import Minute, Payout, PayoutState, PremiumUse
from credits.payments.premiums.site_premium import premium_of
from credits.registry.production import Site


def sites_to_decide(session: Session, among: Select[int], most: int) -> int:
    """For how many of these sites the committee can decide on premium; the first `most` with any are looked at."""
    having = select(MoneyAccount.site_id).where(MoneyAccount.site_id.is_not(None))
    wanted = select(Site).where(Site.id.in_(among), Site.id.in_(having)).order_by(Site.id).limit(most)
    return sum(any(each.free for each in premium_of(session, site)) for site in session.scalars(wanted))


def payouts_to_account_for(session: Session, among: Select[int]) -> int:
    """How many payouts to these sites have no receipts, or receipts for less than was paid."""
    counted = case((PremiumUse.corrects_id.is_(None), PremiumUse.amount), else_=-PremiumUse.amount)
    paid = (
        select(Payout.id)
        .join(Minute, Minute.id == Payout.decision_id)
        .outerjoin(PremiumUse, PremiumUse.disbursement_id == Payout.id)
        .where(Payout.state == PayoutState.PAID, Minute.site_id.in_(among))
        .group_by(Payout.id, Payout.amount)
        .having(Payout.amount > func.coalesce(func.sum(counted), 0))
        .subquery()
    )
    return session.scalars(select(func.count()).select_from(paid)).one()
