"""Noting that premium waits for longer than it should: once for each sale of a site."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.journal import events
from credits.journal.models import Event
from credits.payments.models import order_number
from credits.payments.premiums.pacing import late_lines
from credits.registry.mines.sites import number_of
from credits.registry.production import Site

OVERDUE = "premium.overdue"


def note_overdue(session: Session, *, goal: int, at: datetime) -> int:
    """Note the orders whose premium a site has waited for longer than `goal` days; how many are new. Flushes."""
    lines = late_lines(goal=goal, today=at.date()).subquery()
    rows = session.execute(select(Site, lines.c.order_id, lines.c.paid_at).join(lines, lines.c.site_id == Site.id))
    late = {
        (order_number(order_id), number_of(site)): (at.date() - paid_at.date()).days for site, order_id, paid_at in rows
    }
    numbers = {number for number, _ in late}
    known = set(session.scalars(select(Event.subject).where(Event.kind == OVERDUE, Event.subject.in_(numbers))))
    fresh = {place: days for place, days in late.items() if place[0] not in known}
    for (number, site_number), days in sorted(fresh.items()):
        facts = {"site": site_number, "days": days}
        events.append(session, kind=OVERDUE, subject=number, actor=events.SYSTEM, at=at, facts=facts)
    return len(fresh)
