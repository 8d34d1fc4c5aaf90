"""Choosing which credits of a holder to use: of one issuance, vintage or site, or the oldest first across all."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.errors import Invalid
from credits.ledger.models import AccountKind, Block
from credits.ledger.posting import InsufficientBalance, checked_quantity
from credits.participants.models import Organisation
from credits.registry.accounts import account_of
from credits.registry.minerals import mineral_of
from credits.registry.models import Issuance
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState, Site
from credits.registry.validity import last_day


class BadRange(Invalid):
    """At least must not be more than at most."""

    code = "bad_range"


def choose(
    session: Session,
    *,
    holder: Organisation,
    mineral_code: str,
    at_least: int,
    at_most: int,
    policy: Policy,
    at: datetime,
    issuance: Issuance | None = None,
    vintage: int | None = None,
    site: Site | None = None,
) -> list[tuple[Issuance, int]]:
    """Available credits of one mineral, oldest production first: as many as there are, up to `at_most` base units.

    issuance, vintage, site: only these. Suspended and expired credits are passed over. Locks and writes nothing.
    Raises UnknownMineral, BadQuantity, BadRange, InsufficientBalance where there are fewer than `at_least`.
    """
    mineral_of(mineral_code)
    if checked_quantity(at_least) > checked_quantity(at_most):
        raise BadRange("The least quantity is larger than the most.", at_least=at_least, at_most=at_most)
    stock = func.sum(Block.last - Block.first + 1)
    wanted = (
        select(Issuance, stock)
        .join(Block, Block.issuance_id == Issuance.id)
        .join(Batch, Batch.id == Issuance.batch_id)
        .where(
            Block.account_id == account_of(session, holder, AccountKind.AVAILABLE),
            Issuance.mineral_code == mineral_code,
            Batch.state == BatchState.ISSUED,
        )
        .group_by(Issuance.id, Batch.produced_to)
        .order_by(Batch.produced_to, Issuance.id)
    )
    for column, only in (
        (Issuance.id, issuance.id if issuance else None),
        (Issuance.vintage, vintage),
        (Issuance.site_id, site.id if site else None),
    ):
        if only is not None:
            wanted = wanted.where(column == only)
    chosen: list[tuple[Issuance, int]] = []
    left = at_most
    for found, available in session.execute(wanted):
        if last_day(found, policy) < at.date():
            continue
        if left == 0:
            break
        chosen.append((found, min(left, int(available))))
        left -= chosen[-1][1]
    if at_most - left < at_least:
        raise InsufficientBalance(
            f"Only {at_most - left} base units that fit are available, {at_least} were asked for.",
            asked=at_least,
            available=at_most - left,
        )
    return chosen
