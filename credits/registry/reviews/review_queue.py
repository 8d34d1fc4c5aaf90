"""The queue of the panel: batches with how long they wait, by when the next step is due, and their risk."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, selectinload

from credits.participants.models import Organisation, User
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState, Remark, Site
from credits.registry.queries import batches_of, count, digits_of
from credits.registry.reviews import risk
from credits.registry.reviews.review_models import Level, ReviewRisk
from credits.registry.reviews.risk import Risk

PAGE = 25
ON_THE_WAY = (
    BatchState.SUBMITTED,
    BatchState.IN_REVIEW,
    BatchState.INFORMATION_REQUESTED,
    BatchState.VERIFIED,
)
# Assessed by a page, where the worker has not come to it yet: so many that nobody waits long for the page.
ASSESSED_AT_ONCE = 40
RANK = {Level.HIGH: 0, Level.RAISED: 1, Level.ORDINARY: 2}


class Whose(StrEnum):
    """Whose review a list is about."""

    ALL = ""
    MINE = "mine"
    OURS = "ours"


class Order(StrEnum):
    """What comes first."""

    DUE = "due"  # what is due soonest
    RISK = "risk"  # the highest risk, and of one level what is due soonest
    NEWEST = "newest"


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed down to; nothing at all for every batch.

    text: part of a number, site or producer. country: ISO alpha-3 of the site. overdue: only what is past its day.
    """

    states: Collection[BatchState] = ()
    whose: Whose = Whose.ALL
    mineral: str = ""
    country: str = ""
    level: Level | None = None
    overdue: bool = False
    text: str = ""
    order: Order = Order.DUE


@dataclass(frozen=True)
class Waiting:
    """A batch in the queue. since: the last word said about it, or its submission; due: None once it is closed."""

    batch: Batch
    since: datetime
    due: datetime | None = None
    risk: Risk | None = None


@dataclass
class _Row:
    """What is sorted, before anything else of a batch is read."""

    id: int
    since: datetime
    due: datetime
    level: Level | None


def page_of(
    session: Session, *, by: User, wanted: Wanted, policy: Policy, at: datetime, page: int = 1
) -> tuple[list[Waiting], int, int]:
    """One page of the batches that `by` may see; which page it is, and of how many.

    Those on their way come first, in the order that is asked for; then the closed ones, newest first.
    page: from 1; past the end it is the last one.
    """
    rows = _open(session, by, wanted, policy, at)
    closed = _closed(by, wanted)
    total = len(rows) + (count(session, closed) if closed is not None else 0)
    pages = max(1, -(-total // PAGE))
    page = max(1, min(page, pages))
    first = (page - 1) * PAGE
    found = _whole(session, rows[first : first + PAGE], policy, at)
    if closed is not None and len(found) < PAGE:
        window = closed.order_by(Batch.id.desc()).offset(max(0, first - len(rows))).limit(PAGE - len(found))
        found += [Waiting(batch, moment) for batch, moment in session.execute(window.options(*WITH_PEOPLE))]
    return found, page, pages


WITH_PEOPLE = (
    selectinload(Batch.site).selectinload(Site.producer),
    selectinload(Batch.reviewer).selectinload(User.organisation),
)


def on_the_way(session: Session, by: User) -> dict[BatchState, int]:
    """How many of the batches that `by` may see stand in each state before the issuance."""
    seen = batches_of(by).order_by(None).where(Batch.state.in_(ON_THE_WAY)).subquery()
    found: dict[BatchState, int] = dict(
        session.execute(select(seen.c.state, func.count()).group_by(seen.c.state)).all()
    )
    return {state: found.get(state, 0) for state in ON_THE_WAY}


def countries_of(session: Session, by: User) -> list[str]:
    """The countries from which `by` sees a batch."""
    seen = batches_of(by).order_by(None).join(Batch.site).with_only_columns(Site.country).distinct()
    return sorted(session.scalars(seen))


def due_of(state: BatchState, since: datetime, policy: Policy) -> datetime:
    """By when the next step of a batch on its way is due: the verifier's, the producer's or the registry's."""
    days = {
        BatchState.SUBMITTED: policy.days_to_take,
        BatchState.INFORMATION_REQUESTED: policy.days_for_producer,
        BatchState.VERIFIED: policy.days_to_issue,
    }.get(state, policy.days_to_review)
    return since + timedelta(days=days)


def waiting_for(session: Session, batch: Batch, policy: Policy, at: datetime) -> Waiting:
    """How one batch stands in the queue, assessed now."""
    since = session.scalar(select(func.max(Remark.made_at)).where(Remark.batch_id == batch.id)) or batch.submitted_at
    assert since is not None
    due = due_of(batch.state, since, policy) if batch.state in ON_THE_WAY else None
    return Waiting(batch, since, due, risk.of_batch(session, batch, policy, at) if due else None)


def to_assess(session: Session, *, at: datetime, older_than: timedelta, limit: int) -> list[int]:
    """The ids of batches on their way that never were assessed, or last before their last word or long ago."""
    seen = ReviewRisk.assessed_at
    wanted = (
        select(Batch.id)
        .outerjoin(ReviewRisk)
        .where(Batch.state.in_(ON_THE_WAY), or_(seen.is_(None), seen < _since(), seen < at - older_than))
        .order_by(seen.is_not(None), seen, Batch.id)
        .limit(limit)
    )
    return list(session.scalars(wanted))


def _since() -> ColumnElement[Any]:
    last_word = select(func.max(Remark.made_at)).where(Remark.batch_id == Batch.id).scalar_subquery()
    return func.coalesce(last_word, Batch.submitted_at)


def _narrowed(by: User, wanted: Wanted) -> Select[Batch]:
    found = batches_of(by).order_by(None).join(Batch.site).join(Site.producer)
    if wanted.whose is Whose.MINE:
        found = found.where(Batch.reviewer_id == by.id)
    elif wanted.whose is Whose.OURS:
        found = found.where(Batch.reviewer_id.in_(select(User.id).where(User.organisation_id == by.organisation_id)))
    if wanted.mineral:
        found = found.where(Batch.mineral_code == wanted.mineral)
    if wanted.country:
        found = found.where(Site.country == wanted.country)
    if wanted.text:
        found = found.where(_about(wanted.text))
    return found


def _open(session: Session, by: User, wanted: Wanted, policy: Policy, at: datetime) -> list[_Row]:
    """Those on their way, sorted: few enough to be sorted here, by a rule that the database need not know."""
    states = [state for state in ON_THE_WAY if not wanted.states or state in wanted.states]
    columns = Batch.id, Batch.state, _since(), ReviewRisk.level, ReviewRisk.assessed_at
    found = _narrowed(by, wanted).where(Batch.state.in_(states)).outerjoin(ReviewRisk, ReviewRisk.batch_id == Batch.id)
    rows, stale = [], []
    for number, state, since, level, assessed_at in session.execute(found.with_only_columns(*columns)):
        fresh = assessed_at is not None and assessed_at >= since
        rows.append(_Row(number, since, due_of(state, since, policy), level if fresh else None))
        if not fresh:
            stale.append(rows[-1])
    if wanted.level is not None or wanted.order is Order.RISK:
        for row in stale[:ASSESSED_AT_ONCE]:
            row.level = risk.of_batch(session, session.get_one(Batch, row.id), policy, at).level
    if wanted.level is not None:
        rows = [row for row in rows if row.level is wanted.level]
    if wanted.overdue:
        rows = [row for row in rows if row.due < at]
    if wanted.order is Order.NEWEST:
        return sorted(rows, key=lambda row: -row.id)
    if wanted.order is Order.RISK:
        return sorted(rows, key=lambda row: (RANK[row.level] if row.level else len(RANK), row.due, row.id))
    return sorted(rows, key=lambda row: (row.due, row.id))


def _closed(by: User, wanted: Wanted) -> Select[Any] | None:
    """The batches that wait for nothing any more, as far as the list is about them."""
    states = [
        state for state in BatchState if state not in ON_THE_WAY and (not wanted.states or state in wanted.states)
    ]
    if not states or wanted.level is not None or wanted.overdue:
        return None
    return _narrowed(by, wanted).where(Batch.state.in_(states)).add_columns(_since())


def _whole(session: Session, rows: list[_Row], policy: Policy, at: datetime) -> list[Waiting]:
    ids = [row.id for row in rows]
    batches = {each.id: each for each in session.scalars(select(Batch).where(Batch.id.in_(ids)).options(*WITH_PEOPLE))}
    kept = {row.batch_id: row for row in session.scalars(select(ReviewRisk).where(ReviewRisk.batch_id.in_(ids)))}
    found = []
    for row in rows:
        batch, written = batches[row.id], kept.get(row.id)
        fresh = written is not None and written.assessed_at >= row.since
        known = risk.read(written) if fresh and written else risk.of_batch(session, batch, policy, at)
        found.append(Waiting(batch, row.since, row.due, known))
    return found


def _about(text: str) -> ColumnElement[bool]:
    return or_(
        Batch.id == digits_of(text.upper(), "BATCH-"),
        Site.name.icontains(text, autoescape=True),
        (Site.country + "-" + Site.code).icontains(text, autoescape=True),
        Organisation.name.icontains(text, autoescape=True),
    )
