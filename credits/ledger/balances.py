"""What stands where. A balance is a sum over an index, never a stored total."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import BindParameter, bindparam, func, select

from credits.db import Work
from credits.ledger.models import Block
from credits.ledger.serials import SerialRange

OF: BindParameter[int] = bindparam("issuance_id")
FIRST: BindParameter[int] = bindparam("first")
LAST: BindParameter[int] = bindparam("last")
MOST: BindParameter[int] = bindparam("most")
# The block that covers the first serial is found by one look into the index, however many lie below it.
COVERING = select(func.max(Block.first)).where(Block.issuance_id == OF, Block.first <= FIRST).scalar_subquery()
STANDINGS = (
    select(Block.first, Block.last, Block.account_id)
    .where(Block.issuance_id == OF, Block.first >= COVERING, Block.first <= LAST, Block.last >= FIRST)
    .order_by(Block.first)
    .limit(MOST)
)


@dataclass(frozen=True)
class Standing:
    """A block as it stands now: which serials of which issuance are in which account."""

    issuance_id: int
    units: SerialRange
    account_id: int


def balance(work: Work, *, accounts: Collection[int], issuance_id: int | None = None) -> int:
    """Base units in `accounts`, of one issuance or of all. Only sums of one mineral mean something."""
    wanted = select(func.coalesce(func.sum(Block.last - Block.first + 1), 0)).where(Block.account_id.in_(accounts))
    if issuance_id is not None:
        wanted = wanted.where(Block.issuance_id == issuance_id)
    return int(work.scalars(wanted).one())


def balances_by_issuance(work: Work, *, accounts: Collection[int]) -> dict[tuple[int, int], int]:
    """Base units by (account id, issuance id)."""
    rows = work.execute(
        select(Block.account_id, Block.issuance_id, func.sum(Block.last - Block.first + 1))
        .where(Block.account_id.in_(accounts))
        .group_by(Block.account_id, Block.issuance_id)
    )
    return {(account_id, issuance_id): int(quantity) for account_id, issuance_id, quantity in rows}


def standings(work: Work, *, issuance_id: int, units: SerialRange, limit: int) -> list[Standing]:
    """The blocks, at most `limit`, that hold the serials `units`, cut to that range, lowest first."""
    return [
        Standing(issuance_id, SerialRange(max(first, units.first), min(last, units.last)), account_id)
        for first, last, account_id in work.execute(STANDINGS, of(issuance_id, units, limit))
    ]


def of(issuance_id: int, units: SerialRange, limit: int) -> dict[str, int]:
    """What STANDINGS is asked with."""
    return {"issuance_id": issuance_id, "first": units.first, "last": units.last, "most": limit}
