"""What screening a site came to, for whoever may see the site."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from credits.registry.doubts.screening import has_data, last_visit
from credits.registry.doubts.screening_facts import Seen, seen_at
from credits.registry.production import Site


@dataclass(frozen=True)
class Screened:
    """seen: topic by topic, empty where the site is not matched. has_data: whether there are data of its country."""

    seen: list[Seen]
    last_visit: date | None
    is_old: bool
    has_data: bool


def screened(session: Session, site: Site, *, old_before: date) -> Screened:
    """What others saw at a site, as far as it is matched with one of theirs. old_before: earlier visits are old."""
    if site.observed is None:
        return Screened([], None, False, has_data(session, site.country))
    visit = last_visit(site.observed)
    visited_on = visit.visited_on if visit else None
    is_old = visited_on is not None and visited_on < old_before
    return Screened(seen_at(site.observed, old_before=old_before), visited_on, is_old, True)
