"""Who has credits of an issuance, and which serials would go first."""

from collections.abc import Sequence
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.ledger.models import AccountKind, Block
from credits.ledger.serials import SerialRange, written
from credits.participants.models import Organisation
from credits.registry.accounts import OWN
from credits.registry.models import Holding, Issuance
from credits.registry.queries import every_serial_held


def holders_of(session: Session, issuance: Issuance) -> Sequence[Organisation]:
    """Who has credits of an issuance now, in whatever state."""
    having = (
        select(Holding.organisation_id)
        .join(Block, Block.account_id == Holding.account_id)
        .where(Block.issuance_id == issuance.id, Holding.kind.in_(OWN))
    )
    return session.scalars(select(Organisation).where(Organisation.id.in_(having)).order_by(Organisation.id)).all()


def available_with(session: Session, issuance: Issuance) -> list[tuple[Organisation, int]]:
    """Who has available credits of an issuance, by name, with the base units."""
    rows = session.execute(
        select(Organisation, func.sum(Block.last - Block.first + 1))
        .join(Holding, Holding.organisation_id == Organisation.id)
        .join(Block, Block.account_id == Holding.account_id)
        .where(Block.issuance_id == issuance.id, Holding.kind == AccountKind.AVAILABLE)
        .group_by(Organisation.id)
        .order_by(Organisation.name, Organisation.id)
    )
    return [(holder, int(quantity)) for holder, quantity in rows]


def first_to_go(session: Session, holder: Organisation, issuance: Issuance, quantity: int, most: int) -> list[str]:
    """The lowest available serials of a holder that make up `quantity` base units, as they stand now.

    At most `most` ranges. Locks nothing: at the act itself it may be others.
    """
    found, left = [], quantity
    available = (
        units for kind, units, _ in every_serial_held(session, holder, issuance) if kind is AccountKind.AVAILABLE
    )
    for units in islice(available, most):
        part = min(left, units.quantity)
        found.append(written(issuance.number, SerialRange(units.first, units.first + part - 1)))
        left -= part
        if left == 0:
            break
    return found
