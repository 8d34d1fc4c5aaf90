"""Whose accounts the ledger's accounts are."""

from collections.abc import Collection

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from credits.ledger.models import Account, AccountKind
from credits.participants.models import Organisation
from credits.registry.models import Holding

OWN = (AccountKind.AVAILABLE, AccountKind.RESERVED, AccountKind.PENDING, AccountKind.HELD)
ACCOUNTS = select(Holding.account_id, Holding.kind).where(
    Holding.organisation_id == bindparam("organisation"), Holding.kind.in_(OWN)
)


def account_of(session: Session, organisation: Organisation, kind: AccountKind) -> int:
    """The id of an organisation's account of this kind, opened when first needed. Flushes."""
    wanted = select(Holding.account_id).where(Holding.organisation_id == organisation.id, Holding.kind == kind)
    account_id = session.scalars(wanted).one_or_none()
    if account_id is not None:
        return account_id
    # One at a time: an account opened twice could not be closed again.
    session.execute(select(Organisation.id).where(Organisation.id == organisation.id).with_for_update(key_share=True))
    account_id = session.scalars(wanted).one_or_none()
    if account_id is None:
        account = Account(kind=kind)
        session.add(account)
        session.flush()
        session.add(Holding(account_id=account.id, organisation_id=organisation.id, kind=kind))
        session.flush()
        account_id = account.id
    return account_id


def wait_for_turn(session: Session, holder: Organisation) -> None:
    """Let those who choose among a holder's credits do so one after the other: each sees what the last one has left."""
    held = select(Holding.account_id).where(Holding.organisation_id == holder.id, Holding.kind == AccountKind.AVAILABLE)
    session.execute(held.with_for_update(key_share=True))


def registry_account(session: Session, kind: AccountKind) -> int:
    """The id of the registry's own account of this kind: the buffer, or a terminal one."""
    return session.scalars(
        select(Holding.account_id).where(Holding.organisation_id.is_(None), Holding.kind == kind)
    ).one()


def accounts_of(session: Session, organisation: Organisation) -> dict[int, AccountKind]:
    """The kinds of an organisation's accounts by their ids."""
    return dict(session.execute(ACCOUNTS, {"organisation": organisation.id}).all())


def owners(session: Session, account_ids: Collection[int]) -> dict[int, Holding]:
    """Whose these accounts are, with the organisations."""
    wanted = select(Holding).where(Holding.account_id.in_(set(account_ids))).options(joinedload(Holding.organisation))
    return {holding.account_id: holding for holding in session.scalars(wanted)}
