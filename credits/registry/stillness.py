"""Holding whole issuances still: nobody reserves, offers, answers or moves any of their serials meanwhile."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.ledger.models import AccountKind, Block
from credits.ledger.serials import SerialRange
from credits.participants.models import User
from credits.registry.models import Holding, Issuance, Transfer, TransferState
from credits.registry.movements import Earmark, EarmarkRange
from credits.registry.production import Batch, Site


def keep_still(session: Session, issuance_ids: Collection[int]) -> list[Transfer]:
    """Lock all that moves serials of these issuances; the transfers that wait for their recipient, oldest first.

    Operations lock a transfer or an earmark before the batch: so does this, and looks again behind the batch's lock.
    Of several issuances everybody locks the batch of the lower issuance first: batches by their own ids come in another
    order where a later batch was issued first, and an order of both and this would wait for each other.
    """
    while True:
        attempt = session.begin_nested()
        known = set(session.scalars(pending_of(issuance_ids).with_for_update()))
        reserved = set(session.scalars(earmarks_of(issuance_ids).with_for_update()))
        batches = select(Batch.id).join(Issuance, Issuance.batch_id == Batch.id).where(Issuance.id.in_(issuance_ids))
        session.execute(batches.order_by(Issuance.id).with_for_update(of=Batch))
        newer = set(session.scalars(pending_of(issuance_ids))) - known
        if not newer and not set(session.scalars(earmarks_of(issuance_ids))) - reserved:
            attempt.commit()
            return list(
                session.scalars(
                    select(Transfer)
                    .where(Transfer.id.in_(known), Transfer.state == TransferState.PENDING)
                    .order_by(Transfer.id)
                    .execution_options(populate_existing=True)
                )
            )
        attempt.rollback()


def keep_site_still(session: Session, site: Site) -> None:
    """Lock a site, so that nothing of it is verified or issued meanwhile. Before any lock on its batches."""
    session.execute(select(Site.id).where(Site.id == site.id).with_for_update(key_share=True))


def pending_of(issuance_ids: Collection[int]) -> Select[int]:
    wanted = select(Transfer.id).where(Transfer.state == TransferState.PENDING, Transfer.issuance_id.in_(issuance_ids))
    return wanted.order_by(Transfer.id)


def earmarks_of(issuance_ids: Collection[int]) -> Select[int]:
    mine = exists().where(EarmarkRange.earmark_id == Earmark.id, EarmarkRange.issuance_id.in_(issuance_ids))
    return select(Earmark.id).where(Earmark.closing_posting_id.is_(None), mine).order_by(Earmark.id)


def moves_out_of(
    session: Session,
    issuance_ids: Collection[int],
    kinds: Collection[AccountKind],
    target: int,
    owner: int | None = None,
) -> list[ledger.Move]:
    """All serials of these issuances in accounts of these kinds, of one organisation where `owner` is given."""
    wanted = (
        select(Block.issuance_id, Block.first, Block.last, Block.account_id)
        .join(Holding, Holding.account_id == Block.account_id)
        .where(Block.issuance_id.in_(issuance_ids), Holding.kind.in_(kinds))
        .order_by(Block.issuance_id, Block.first)
    )
    if owner is not None:
        wanted = wanted.where(Holding.organisation_id == owner)
    return [
        ledger.Move(issuance_id, SerialRange(first, last), source, target)
        for issuance_id, first, last, source in session.execute(wanted)
    ]


def end_transfers(
    session: Session,
    transfers: Sequence[Transfer],
    *,
    state: TransferState,
    reason: str,
    posting_id: int,
    by: User | None,
    at: datetime,
) -> None:
    """Close transfers whose frozen serials went elsewhere in this posting. Flushes."""
    for transfer in transfers:
        transfer.state, transfer.reason = state, reason
        transfer.closing_posting_id, transfer.closed_at = posting_id, at
        transfer.closed_by_id = by.id if by else None
    session.flush()
