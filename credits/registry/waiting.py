"""What waits for whom: the lists of the panel for verifiers and the registry, a page at a time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session, aliased, selectinload

from credits.participants.models import Kyc, Organisation, User
from credits.registry.decisions import decisions_of
from credits.registry.earmarks import earmarks_of
from credits.registry.models import Issuance, Retirement, Transfer, TransferState
from credits.registry.movements import Debit, Decision, DecisionState, Earmark, EarmarkKind
from credits.registry.production import Batch, BatchState, Remark, Site
from credits.registry.queries import batches_of, count, digits_of, retirements_of, transfers_of

PAGE = 25
ON_THE_WAY = (
    BatchState.SUBMITTED,
    BatchState.IN_REVIEW,
    BatchState.INFORMATION_REQUESTED,
    BatchState.VERIFIED,
)


class Whose(StrEnum):
    """Whose review a list is about."""

    ALL = ""
    MINE = "mine"
    OURS = "ours"


@dataclass(frozen=True)
class Waiting:
    """A batch, and since when it waits for its next step: the last word said about it, or its submission."""

    batch: Batch
    since: datetime


def batches(
    session: Session,
    *,
    by: User,
    states: Collection[BatchState] = (),
    whose: Whose = Whose.ALL,
    text: str = "",
    page: int = 1,
) -> tuple[list[Waiting], int, int]:
    """One page of the batches that `by` may see; which page it is, and of how many.

    Those on their way come first, the longest waiting of them before the others; then the closed ones, newest first.
    states: none for all. text: part of a number, site or producer. page: from 1; past the end it is the last one.
    """
    last_word = select(func.max(Remark.made_at)).where(Remark.batch_id == Batch.id).scalar_subquery()
    since = func.coalesce(last_word, Batch.submitted_at)
    wanted = batches_of(by).order_by(None).join(Batch.site).join(Site.producer)
    if states:
        wanted = wanted.where(Batch.state.in_(states))
    if whose is Whose.MINE:
        wanted = wanted.where(Batch.reviewer_id == by.id)
    elif whose is Whose.OURS:
        colleagues = select(User.id).where(User.organisation_id == by.organisation_id)
        wanted = wanted.where(Batch.reviewer_id.in_(colleagues))
    if text:
        wanted = wanted.where(_about(text, Batch.id == digits_of(text.upper(), "BATCH-"), Organisation.name))
    open_since = case((Batch.state.in_(ON_THE_WAY), since))
    ordered = (
        wanted.add_columns(since)
        .options(
            selectinload(Batch.site).selectinload(Site.producer),
            selectinload(Batch.reviewer).selectinload(User.organisation),
        )
        .order_by(Batch.state.not_in(ON_THE_WAY), open_since, Batch.id.desc())
    )
    window, page, pages = _page_of(session, ordered, page)
    return [Waiting(batch, moment) for batch, moment in session.execute(window)], page, pages


def on_the_way(session: Session, by: User) -> dict[BatchState, int]:
    """How many of the batches that `by` may see stand in each state before the issuance."""
    seen = batches_of(by).order_by(None).where(Batch.state.in_(ON_THE_WAY)).subquery()
    found: dict[BatchState, int] = dict(
        session.execute(select(seen.c.state, func.count()).group_by(seen.c.state)).all()
    )
    return {state: found.get(state, 0) for state in ON_THE_WAY}


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
