"""Lists of findings: for a producer what to put right and until when, for the panel what is open or overdue."""

from datetime import date
from enum import StrEnum

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, selectinload

from credits.participants.models import Organisation, User
from credits.registry.assurance.assurance_models import SiteFinding
from credits.registry.assurance.findings import NoSuchFinding, finding_numbered
from credits.registry.mines.site_states import overdue_on
from credits.registry.production import Site
from credits.registry.queries import count, digits_of, sites_of

PAGE = 25


class Which(StrEnum):
    OPEN = "open"
    OVERDUE = "overdue"
    CLOSED = "closed"
    ALL = "all"


def findings_seen(by: User, *, which: Which, text: str, today: date) -> Select[SiteFinding]:
    """The findings about sites that `by` may see in full: open ones first, the most pressing of them before the others.

    text: part of the number, the site or the producer.
    """
    mine = sites_of(by).order_by(None).with_only_columns(Site.id)
    wanted = select(SiteFinding).join(SiteFinding.site).join(Site.producer).where(SiteFinding.site_id.in_(mine))
    if which is Which.OVERDUE:
        wanted = wanted.where(*overdue_on(today))
    elif which is Which.OPEN:
        wanted = wanted.where(SiteFinding.closed_at.is_(None))
    elif which is Which.CLOSED:
        wanted = wanted.where(SiteFinding.closed_at.is_not(None))
    if text:
        wanted = wanted.where(
            or_(
                SiteFinding.id == digits_of(text.upper(), "FINDING-"),
                Site.name.icontains(text, autoescape=True),
                (Site.country + "-" + Site.code).icontains(text, autoescape=True),
                Organisation.name.icontains(text, autoescape=True),
            )
        )
    return wanted.options(
        selectinload(SiteFinding.site).selectinload(Site.producer), selectinload(SiteFinding.edition)
    ).order_by(SiteFinding.closed_at.is_not(None), SiteFinding.due_on, SiteFinding.id)


def page_of(session: Session, wanted: Select[SiteFinding], page: int) -> tuple[list[SiteFinding], int, int]:
    """One page of a list; which one it is, and of how many."""
    pages = max(1, -(-count(session, wanted) // PAGE))
    page = max(1, min(page, pages))
    return list(session.scalars(wanted.limit(PAGE).offset((page - 1) * PAGE))), page, pages


def finding_seen(session: Session, by: User, number: str) -> SiteFinding:
    """The finding with this number, if `by` may see its site in full. Raises NoSuchFinding."""
    found = finding_numbered(session, number)
    mine = sites_of(by).order_by(None).where(Site.id == found.site_id)
    if session.scalars(mine).one_or_none() is None:
        raise NoSuchFinding("There is no such finding.")
    return found
