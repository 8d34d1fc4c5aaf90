"""Entering money: accounts that open when they are needed, postings with their entries, and what an account holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.db import inserting
from credits.payments.models import Currency
from credits.payments.money_models import MoneyAccount, MoneyEntry, MoneyKind, MoneyPosting


@dataclass(frozen=True, order=True)
class Part:
    """An amount in minor units from one account to another. line: of the order, 0 where it is no line's."""

    source: int
    target: int
    line: int
    amount: int


def account_of(session: Session, kind: MoneyKind, currency: Currency, site_id: int | None = None) -> int:
    """The id of an account, opened when first needed. Whoever opens it at the same moment gets the same one."""
    wanted = select(MoneyAccount.id).where(
        MoneyAccount.kind == kind, MoneyAccount.currency == currency, MoneyAccount.site_id.is_not_distinct_from(site_id)
    )
    found = session.scalars(wanted).one_or_none()
    if found is not None:
        return found
    opened = inserting(session, MoneyAccount).values(kind=kind, currency=currency, site_id=site_id)
    session.execute(opened.on_conflict_do_nothing())
    return session.scalars(wanted).one()


def enter(session: Session, posting: MoneyPosting, parts: Sequence[Part]) -> MoneyPosting:
    """Write a posting with its entries, none of them of nothing. Flushes."""
    session.add(posting)
    session.flush()
    # Always in the order of the accounts they take from: two postings can then never wait for each other.
    session.add_all(
        MoneyEntry(
            posting=posting,
            line=part.line,
            from_account_id=part.source,
            to_account_id=part.target,
            amount=part.amount,
        )
        for part in sorted(parts)
        if part.amount
    )
    session.flush()
    return posting


def holds(session: Session, account_id: int) -> int:
    """Minor units in an account: what came in less what went out."""
    moved = select(func.coalesce(func.sum(MoneyEntry.amount), 0))
    came = session.scalars(moved.where(MoneyEntry.to_account_id == account_id)).one()
    went = session.scalars(moved.where(MoneyEntry.from_account_id == account_id)).one()
    return int(came) - int(went)


def lock_account(session: Session, account_id: int) -> None:
    """Let nobody else take money out of an account until the transaction ends."""
    wanted = select(MoneyAccount.id).where(MoneyAccount.id == account_id)
    session.execute(wanted.with_for_update(key_share=True))
