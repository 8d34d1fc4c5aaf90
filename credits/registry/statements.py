"""Looking up what was moved in bulk."""

from collections.abc import Iterable

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from credits.errors import Missing
from credits.ledger.serials import SerialRange, written
from credits.participants.models import Organisation, User
from credits.participants.permissions import is_auditor, is_issuer
from credits.registry.models import Bulk, BulkKind, Issuance, RetiredRange, Retirement, Transfer
from credits.registry.queries import digits_of, of_own


class NoSuchStatement(Missing):
    code = "no_such_statement"


def statements_of(by: User) -> Select[Bulk]:
    """The statements that `by` may see, newest first: those of their organisation; all for the registry."""
    wanted = select(Bulk).order_by(Bulk.id.desc())
    if is_issuer(by) or is_auditor(by):
        return wanted
    return wanted.where(Bulk.organisation_id.in_(select(Organisation.id).where(of_own(by))))


def statement_numbered(session: Session, by: User, number: str) -> Bulk:
    """The statement with this public number, if `by` may see it. Raises NoSuchStatement."""
    found = session.scalars(statements_of(by).where(Bulk.id == digits_of(number, "BULK-"))).one_or_none()
    if found is None:
        raise NoSuchStatement("There is no such statement.")
    return found


def numbers_in(session: Session, statement: Bulk) -> list[str]:
    """The numbers of its retirements or transfers, in the order of the lines."""
    made: Iterable[Retirement | Transfer]
    if statement.kind is BulkKind.RETIREMENT:
        made = session.scalars(select(Retirement).where(Retirement.bulk_id == statement.id).order_by(Retirement.id))
    else:
        made = session.scalars(select(Transfer).where(Transfer.bulk_id == statement.id).order_by(Transfer.id))
    return [each.number for each in made]


def retirements_in(session: Session, statement: Bulk) -> list[tuple[Retirement, list[str]]]:
    """Its retirements in the order of the lines, each with its serial ranges as they are written."""
    wanted = select(Retirement).where(Retirement.bulk_id == statement.id).options(joinedload(Retirement.use))
    made = session.scalars(wanted.order_by(Retirement.id)).all()
    rows = session.execute(
        select(RetiredRange.retirement_id, Issuance.number, RetiredRange.first, RetiredRange.last)
        .join(Retirement, Retirement.id == RetiredRange.retirement_id)
        .join(Issuance, Issuance.id == RetiredRange.issuance_id)
        .where(Retirement.bulk_id == statement.id)
        .order_by(RetiredRange.retirement_id, RetiredRange.first)
    )
    serials: dict[int, list[str]] = {}
    for retirement_id, number, first, last in rows:
        serials.setdefault(retirement_id, []).append(written(number, SerialRange(first, last)))
    return [(each, serials[each.id]) for each in made]
