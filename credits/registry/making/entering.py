"""Entering a batch step by step: begun, saved at every step, found again, dropped, and at last made a draft."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid, Missing
from credits.journal import events
from credits.journal.canonical import encode
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import may_register_for
from credits.registry import queries
from credits.registry.making import batches
from credits.registry.making.batch_entries import BatchEntry, EntryState
from credits.registry.making.figures import Production
from credits.registry.minerals import mineral_of
from credits.registry.mines.sites import number_of
from credits.registry.production import Batch, Site

LAST_STEP = 4  # with it everything is there that a draft must have
MOST_TYPED = 400  # characters of one field


class NoSuchEntry(Missing):
    code = "no_such_entry"


class EntryClosed(Conflict):
    """The batch was finished or dropped meanwhile."""

    code = "entry_closed"


def begin(session: Session, *, site: Site, mineral_code: str, by: User, key: str, at: datetime) -> BatchEntry:
    """Begin to enter a batch of `site`. Flushes. Raises NotAllowed, UnknownMineral."""
    may_register_for(by, site.producer)
    asked = {"act": "entry.begin", "site": site.id, "mineral": mineral_code}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(BatchEntry, earlier["entry"])
    entry = BatchEntry(
        site=site,
        mineral_code=mineral_of(mineral_code).code,
        typed={},
        step=1,
        state=EntryState.OPEN,
        begun_by_id=by.id,
        begun_at=at,
        saved_at=at,
    )
    session.add(entry)
    session.flush()
    tell(session, "entry.begun", entry, by, at, {"mineral": entry.mineral_code, "site": number_of(site)})
    settle(session, {"entry": entry.id})
    return entry


def save(
    session: Session, *, entry: BatchEntry, typed: Mapping[str, str], step: int | None, by: User, at: datetime
) -> None:
    """Keep what was typed, right or wrong; step: the one that was sound, None where somebody only left.

    Two people in different steps lose nothing of each other. Flushes. Raises EntryClosed, Invalid.
    """
    lock_open(session, entry, by)
    if any(len(value) > MOST_TYPED for value in typed.values()):
        raise Invalid(f"One of the fields holds more than {MOST_TYPED} characters. Please shorten it.")
    changed = sorted(name for name, value in typed.items() if entry.typed.get(name, "") != value)
    entry.typed = entry.typed | dict(typed)
    entry.step = max(entry.step, step or 0)
    entry.saved_at = at
    session.flush()
    if changed:
        tell(session, "entry.saved", entry, by, at, {name: entry.typed[name] for name in changed})


def move(session: Session, *, entry: BatchEntry, site: Site, mineral_code: str, by: User, at: datetime) -> None:
    """Say that it is of another site or mineral. Flushes. Raises EntryClosed, NotAllowed, UnknownMineral."""
    lock_open(session, entry, by)
    may_register_for(by, site.producer)
    if (entry.site_id, entry.mineral_code) == (site.id, mineral_code):
        return
    if entry.mineral_code != mineral_of(mineral_code).code:
        # Another mineral comes in other forms and units: what it is and how rich it is has to be said anew.
        entry.typed = {name: value for name, value in entry.typed.items() if name in KEPT_FOR_ANOTHER}
        entry.step = min(entry.step, 2)
    entry.site, entry.mineral_code, entry.saved_at = site, mineral_code, at
    session.flush()
    tell(session, "entry.saved", entry, by, at, {"mineral": mineral_code, "site": number_of(site)})


KEPT_FOR_ANOTHER = ("produced_from", "produced_to", "miners", "days_worked", "gross_kg", "sold_to")


def finish(
    session: Session, *, entry: BatchEntry, productions: Sequence[Production], by: User, key: str, at: datetime
) -> list[Batch]:
    """Make it a draft, or one for each vintage. Flushes. Raises EntryClosed and what `batches.draft` raises."""
    lock_open(session, entry, by)
    made = [
        batches.draft(session, site=entry.site, production=production, by=by, key=f"{key}-{number}", at=at)
        for number, production in enumerate(productions, 1)
    ]
    entry.state, entry.batch_id, entry.saved_at = EntryState.FINISHED, made[0].id, at
    session.flush()
    tell(session, "entry.finished", entry, by, at, {"batches": " ".join(batch.number for batch in made)})
    return made


def drop(session: Session, *, entry: BatchEntry, by: User, at: datetime) -> None:
    """Give it up before it became a batch. Flushes. Raises EntryClosed."""
    lock_open(session, entry, by)
    entry.state, entry.saved_at = EntryState.DROPPED, at
    session.flush()
    tell(session, "entry.dropped", entry, by, at, {})


def lock_open(session: Session, entry: BatchEntry, by: User) -> None:
    """Lock it, read it anew and see that it can still be changed. Raises NotAllowed, EntryClosed."""
    may_register_for(by, entry.site.producer)
    session.refresh(entry, with_for_update=True)
    if entry.state is EntryState.FINISHED:
        raise EntryClosed("This batch is entered already. Change its figures on its own page.")
    if entry.state is EntryState.DROPPED:
        raise EntryClosed("This batch was deleted before it was finished. Begin a new one.")


def tell(session: Session, kind: str, entry: BatchEntry, by: User, at: datetime, said: Mapping[str, str]) -> None:
    # The log is public, and nobody outside may read what is not finished: only the hash of it stands there.
    private = {"said": encode(dict(said)).decode()} if said else None
    events.append(session, kind=kind, subject=entry.number, actor=by.number, at=at, facts={}, private=private)


def entries_of(session: Session, by: User, *, most: int = 50) -> list[BatchEntry]:
    """The batches that are being entered and that `by` may go on with, the last saved first."""
    owned = queries.sites_to_enter(by)
    wanted = select(BatchEntry).where(BatchEntry.state == EntryState.OPEN, BatchEntry.site_id.in_(owned))
    return list(session.scalars(wanted.order_by(BatchEntry.saved_at.desc(), BatchEntry.id.desc()).limit(most)))


def entry_numbered(session: Session, by: User, number: str) -> BatchEntry:
    """The entry with this number, if it is of one's own or one's group's sites. Raises NoSuchEntry."""
    found = session.scalars(
        select(BatchEntry).where(
            BatchEntry.id == queries.digits_of(number, "ENTRY-"), BatchEntry.site_id.in_(queries.sites_to_enter(by))
        )
    ).one_or_none()
    if found is None:
        raise NoSuchEntry("There is no such draft.")
    return found
