"""Looking organisations up for those who may see them all."""

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from credits.participants.models import Kind, Kyc, Organisation

PAGE = 25


def organisations(session: Session, *, kyc: Kyc | None, text: str, page: int) -> tuple[list[Organisation], int, int]:
    """One page of the organisations, those that wait longest first; which page it is, and of how many.

    page: from 1; past the end it is the last one.

    text: part of a name or registration number, or a number such as ORG-000012; empty for all.
    """
    wanted: list[ColumnElement[bool]] = []
    if kyc is not None:
        wanted.append(Organisation.kyc == kyc)
    if text:
        digits = text.upper().removeprefix("ORG-")
        number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else 0
        wanted.append(
            or_(
                Organisation.name.icontains(text, autoescape=True),
                Organisation.registration_number.icontains(text, autoescape=True),
                Organisation.id == number,
            )
        )
    total = session.scalars(select(func.count(Organisation.id)).where(*wanted)).one()
    pages = max(1, -(-total // PAGE))
    page = min(page, pages)
    listed = (
        select(Organisation)
        .where(*wanted)
        .order_by(Organisation.kyc != Kyc.PENDING, Organisation.registered_at, Organisation.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return list(session.scalars(listed)), page, pages


def lookalikes(session: Session, organisation: Organisation) -> list[Organisation]:
    """Other organisations with the same name or registration number in the same country: perhaps the same one twice."""
    same = [func.lower(Organisation.name) == organisation.name.lower()]
    if organisation.registration_number:
        same.append(Organisation.registration_number == organisation.registration_number)
    return list(
        session.scalars(
            select(Organisation)
            .where(Organisation.country == organisation.country, Organisation.id != organisation.id, or_(*same))
            .order_by(Organisation.id)
            .limit(10)
        )
    )


def group_managers(session: Session) -> list[Organisation]:
    """The approved group managers, by name."""
    return list(
        session.scalars(
            select(Organisation)
            .where(Organisation.kind == Kind.GROUP_MANAGER, Organisation.kyc == Kyc.APPROVED)
            .order_by(Organisation.name)
        )
    )
