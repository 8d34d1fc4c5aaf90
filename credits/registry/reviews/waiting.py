"""What waits for whom: the lists of the panel for verifiers and the registry, a page at a time."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased, selectinload

from credits.participants.models import Kyc, Organisation, User
from credits.registry.decisions import decisions_of
from credits.registry.earmarks import earmarks_of
from credits.registry.mines.grievance_models import Grievance, GrievanceState
from credits.registry.mines.grievances import grievances_of
from credits.registry.models import Issuance, Retirement, Transfer, TransferState
from credits.registry.movements import Debit, Decision, DecisionState, Earmark, EarmarkKind
from credits.registry.production import Batch, Site
from credits.registry.queries import count, digits_of, retirements_of, transfers_of

PAGE = 25


def undecided_organisations(session: Session) -> int:
    """How many organisations wait for the registry's decision on who they are."""
    return session.scalars(select(func.count(Organisation.id)).where(Organisation.kyc == Kyc.PENDING)).one()


def issuances(
    session: Session, *, mineral_code: str = "", text: str = "", page: int = 1
) -> tuple[list[Issuance], int, int]:
    """One page of the issuances, newest first. text: part of a number, site or producer."""
    wanted = select(Issuance).join(Issuance.batch).join(Batch.site).join(Issuance.producer)
    if mineral_code:
        wanted = wanted.where(Issuance.mineral_code == mineral_code)
    if text:
        wanted = wanted.where(_about(text, Issuance.number.icontains(text, autoescape=True), Organisation.name))
    ordered = wanted.options(
        selectinload(Issuance.batch).selectinload(Batch.site), selectinload(Issuance.producer)
    ).order_by(Issuance.id.desc())
    window, page, pages = _page_of(session, ordered, page)
    return list(session.scalars(window)), page, pages


def transfers(
    session: Session, *, by: User, state: TransferState | None = None, text: str = "", page: int = 1
) -> tuple[list[Transfer], int, int]:
    """One page of the transfers that `by` may see, newest first. text: part of a number, sender or recipient."""
    sender, recipient = aliased(Organisation), aliased(Organisation)
    wanted = (
        transfers_of(by)
        .join(Transfer.issuance)
        .join(sender, sender.id == Transfer.sender_id)
        .join(recipient, recipient.id == Transfer.recipient_id)
    )
    if state is not None:
        wanted = wanted.where(Transfer.state == state)
    if text:
        wanted = wanted.where(
            or_(
                Transfer.id == digits_of(text.upper(), "TRANSFER-"),
                Issuance.number.icontains(text, autoescape=True),
                sender.name.icontains(text, autoescape=True),
                recipient.name.icontains(text, autoescape=True),
            )
        )
    ordered = wanted.options(
        selectinload(Transfer.issuance), selectinload(Transfer.sender), selectinload(Transfer.recipient)
    )
    window, page, pages = _page_of(session, ordered, page)
    return list(session.scalars(window)), page, pages


def retirements(session: Session, *, by: User, text: str = "", page: int = 1) -> tuple[list[Retirement], int, int]:
    """One page of the retirements that `by` may see, newest first. text: part of a number, holder or beneficiary."""
    wanted = retirements_of(by).join(Retirement.issuance).join(Retirement.holder)
    if text:
        wanted = wanted.where(
            or_(
                Retirement.id == digits_of(text.upper(), "ASMC-R-"),
                Issuance.number.icontains(text, autoescape=True),
                Organisation.name.icontains(text, autoescape=True),
                Retirement.beneficiary.icontains(text, autoescape=True),
            )
        )
    ordered = wanted.options(selectinload(Retirement.issuance), selectinload(Retirement.holder))
    window, page, pages = _page_of(session, ordered, page)
    return list(session.scalars(window)), page, pages


def decisions(
    session: Session, *, by: User, state: DecisionState | None = None, page: int = 1
) -> tuple[list[Decision], int, int]:
    """One page of the decisions that `by` may see: those that wait first, then the newest."""
    wanted = decisions_of(by)
    if state is not None:
        wanted = wanted.where(Decision.state == state)
    people = selectinload(Decision.proposed_by).selectinload(User.organisation), selectinload(Decision.decided_by)
    window, page, pages = _page_of(session, wanted.options(*people), page)
    return list(session.scalars(window)), page, pages


def decisions_for(session: Session, by: User) -> list[Decision]:
    """What waits for a second person: first what `by` can decide on, then what `by` has proposed; the oldest first."""
    people = selectinload(Decision.proposed_by).selectinload(User.organisation)
    wanted = decisions_of(by).where(Decision.state == DecisionState.WAITING).options(people).order_by(None)
    return list(session.scalars(wanted.order_by(Decision.proposed_by_id == by.id, Decision.id).limit(PAGE)))


def grievances(
    session: Session, *, by: User, state: GrievanceState | None = None, page: int = 1
) -> tuple[list[Grievance], int, int]:
    """One page of the grievances that `by` handles: those that wait for an answer first."""
    wanted = grievances_of(by)
    if state is not None:
        wanted = wanted.where(Grievance.state == state)
    about = selectinload(Grievance.site).selectinload(Site.producer), selectinload(Grievance.messages)
    window, page, pages = _page_of(session, wanted.options(*about), page)
    return list(session.scalars(window)), page, pages


def debits_of(session: Session, issuance: Issuance) -> list[Debit]:
    """What was debited because of an issuance, oldest first."""
    return list(session.scalars(select(Debit).where(Debit.issuance_id == issuance.id).order_by(Debit.id)))


def holds(session: Session, *, by: User, ended: bool, page: int = 1) -> tuple[list[Earmark], int, int]:
    """One page of the holds that `by` may see, newest first: those that are open, or those that have ended."""
    wanted = earmarks_of(by).where(
        Earmark.kind == EarmarkKind.HELD, Earmark.closed_at.is_not(None) if ended else Earmark.closed_at.is_(None)
    )
    people = selectinload(Earmark.holder), selectinload(Earmark.opened_by)
    window, page, pages = _page_of(session, wanted.options(*people), page)
    return list(session.scalars(window)), page, pages


def _about(text: str, numbered: ColumnElement[bool], producer: ColumnElement[str] | Any) -> ColumnElement[bool]:
    return or_(
        numbered,
        Site.name.icontains(text, autoescape=True),
        (Site.country + "-" + Site.code).icontains(text, autoescape=True),
        producer.icontains(text, autoescape=True),
    )


def _page_of(session: Session, ordered: Select[Any], page: int) -> tuple[Select[Any], int, int]:
    """The part of a list that is its page number `page`; which one that is, and of how many."""
    pages = max(1, -(-count(session, ordered) // PAGE))
    page = max(1, min(page, pages))
    return ordered.limit(PAGE).offset((page - 1) * PAGE), page, pages
