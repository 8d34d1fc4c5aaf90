"""Choosing which credits of a holder to use: of one issuance, vintage or site, or the oldest first across all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

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


@dataclass(frozen=True)
class Choice:
    """Available credits of one mineral: as many as there are up to `at_most` base units, never fewer than `at_least`.

    issuance, vintage, site: only these.
    """

    mineral_code: str
    at_least: int
    at_most: int
    issuance: Issuance | None = None
    vintage: int | None = None
    site: Site | None = None

    def told(self) -> dict[str, Any]:
        """The choice as plain values."""
        issuance, site = self.issuance, self.site
        return vars(self) | {"issuance": issuance and issuance.number, "site": site and f"{site.country}-{site.code}"}


def choose(
    session: Session, *, holder: Organisation, choice: Choice, policy: Policy, at: datetime
) -> list[tuple[Issuance, int]]:
    """Which available credits of `holder` fit, the oldest production first, with base units of each issuance.

    Suspended and expired credits are passed over. Locks nothing. Raises UnknownMineral, BadQuantity, BadRange,
    InsufficientBalance where there are too few.
    """
    mineral_of(choice.mineral_code)
    at_least, at_most = checked_quantity(choice.at_least), checked_quantity(choice.at_most)
    if at_least > at_most:
        raise BadRange("The least quantity is larger than the most.", at_least=at_least, at_most=at_most)
    stock = func.sum(Block.last - Block.first + 1)
    wanted = (
        select(Issuance, stock)
        .join(Block, Block.issuance_id == Issuance.id)
        .join(Batch, Batch.id == Issuance.batch_id)
        .where(
            Block.account_id == account_of(session, holder, AccountKind.AVAILABLE),
            Issuance.mineral_code == choice.mineral_code,
            Batch.state == BatchState.ISSUED,
        )
        .group_by(Issuance.id, Batch.produced_to)
        .order_by(Batch.produced_to, Issuance.id)
    )
    for column, only in (
        (Issuance.id, choice.issuance.id if choice.issuance else None),
        (Issuance.vintage, choice.vintage),
        (Issuance.site_id, choice.site.id if choice.site else None),
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
