"""Noting that premium waits for longer than it should: once for each sale of a site."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.journal import events
from credits.journal.models import Event
from credits.payments.models import Order
from credits.payments.premiums.following import follow
from credits.payments.premiums.site_premium import premium_of, sites_with_premium
from credits.registry.mines.sites import number_of

OVERDUE = "premium.overdue"


def note_overdue(session: Session, *, goal: int, at: datetime) -> int:
    """Note the orders whose premium a site has waited for longer than `goal` days; how many are new. Flushes."""
    late: dict[tuple[str, str], int] = {}
    for site in sites_with_premium(session):
        for premium in premium_of(session, site):
            for each in follow(session, site.id, premium.currency):
                days = (at.date() - each.collected.paid_on).days
                if each.held and days > goal:
                    order = session.get_one(Order, each.collected.order_id)
                    late[order.number, number_of(site)] = days
    numbers = {number for number, _ in late}
    known = set(session.scalars(select(Event.subject).where(Event.kind == OVERDUE, Event.subject.in_(numbers))))
    fresh = {place: days for place, days in late.items() if place[0] not in known}
    for (number, site_number), days in sorted(fresh.items()):
        facts = {"site": site_number, "days": days}
        events.append(session, kind=OVERDUE, subject=number, actor=events.SYSTEM, at=at, facts=facts)
    return len(fresh)
