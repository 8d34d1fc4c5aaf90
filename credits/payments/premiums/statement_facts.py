"""A site's statement as plain values: what its page and its document say, in any language."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.participants.models import Language, User
from credits.payments.premiums import premium_figures
from credits.payments.premiums.premium_models import Payout
from credits.payments.premiums.premium_statement import Sale, paid_of, sales_of, sums_of
from credits.payments.premiums.site_premium import Premium, premium_of
from credits.payments.prices import written_in
from credits.registry.mines.sites import number_of
from credits.registry.production import Site
from credits.typefaces import undrawable


def language_of(session: Session, site: Site, reader: User) -> Language:
    """In which language a reader gets a site's statement: in their own, where they belong to its cooperative.

    Others read it as most people of the cooperative do.
    """
    if reader.organisation_id == site.producer_id:
        return reader.language
    most = (
        select(User.language)
        .where(User.organisation_id == site.producer_id)
        .group_by(User.language)
        .order_by(func.count().desc(), User.language)
    )
    return session.scalars(most.limit(1)).first() or reader.language


def statement_facts(
    session: Session, site: Site, *, language: str, registry: dict[str, str], as_of: date
) -> dict[str, Any]:
    """What a statement says on a day. Amounts are written out; a name that no document has letters for is left away."""
    minutes = premium_figures.minutes_of(session, site)
    sales = sales_of(session, site)
    return {
        "language": language,
        "registry": registry,
        "site": {"name": site.name, "number": number_of(site)},
        "producer": {"name": site.producer.name, "number": site.producer.number},
        "as_of": as_of.isoformat(),
        "currencies": [
            in_currency(premium, sales[premium.currency], paid_of(minutes, premium.currency), language)
            for premium in premium_of(session, site)
        ],
    }


def in_currency(premium: Premium, sales: Sequence[Sale], payouts: Sequence[Payout], language: str) -> dict[str, Any]:
    currency, sums = premium.currency, sums_of(sales)
    told = partial(written_in, currency=currency, language=language)
    return {
        "currency": currency.value,
        "sums": {
            "collected": told(premium.collected),
            "refunded": told(premium.refunded),
            "paid_out": told(premium.disbursed),
            "held": told(premium.held),
            "promised": told(premium.promised),
            "contested": told(premium.contested) if premium.contested else None,
            "free": told(premium.free),
        },
        "sales": [sale_told(sale, told) for sale in sales],
        "totals": {
            "amount": told(sums.amount),
            "premium": told(sums.premium),
            "gone_back": told(sums.gone_back) if sums.gone_back else None,
            "paid_out": told(sums.paid_out),
            "held": told(sums.held),
        },
        "payouts": [payout_told(payout, told) for payout in payouts],
    }


def sale_told(sale: Sale, told: Callable[[int], str]) -> dict[str, Any]:
    line, order, followed = sale.line, sale.order, sale.followed
    mineral, buyer = line.issuance.mineral, order.buyer
    return {
        "order": order.number,
        "paid_on": order.paid_at.date().isoformat() if order.paid_at else None,
        "buyer": buyer.number if undrawable(buyer.name) else buyer.name,
        "issuance": line.issuance.number,
        "mineral": mineral.code,
        "credits": mineral.in_credits(line.quantity),
        "base_units": line.quantity,
        "unit": mineral.base_unit,
        "price": told(line.price),
        "amount": told(line.amount),
        "premium": told(line.premium),
        "gone_back": told(sale.gone_back) if sale.gone_back else None,
        "paid_out": told(followed.paid_out),
        "payouts": [
            {"number": piece.payout.number, "paid_on": day_of(piece.payout), "amount": told(piece.amount)}
            for piece in followed.pieces
        ],
        "held": told(followed.held),
        "days": followed.days,
    }


def payout_told(payout: Payout, told: Callable[[int], str]) -> dict[str, Any]:
    return {
        "payout": payout.number,
        "paid_on": day_of(payout),
        "means": payout.means.value,
        "reference": payout.reference,
        "decision": payout.minute.number,
        "amount": told(payout.amount),
    }


def day_of(payout: Payout) -> str:
    return (payout.paid_on or payout.asked_at.date()).isoformat()
