"""Making what sound rows say: all sites, batches or counts of a file in a few statements, an event for each."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.journal import events
from credits.participants.models import Organisation, User
from credits.registry.mines.site_record_models import MembersCount
from credits.registry.mines.site_records import FIELDS
from credits.registry.mines.sites import CodesBusy, letters_of, number_of
from credits.registry.production import Batch, Site

FIGURES = (
    *("mineral_code", "form", "produced_from", "produced_to", "gross_mg", "moisture_ppm", "dry_mg", "grade_ppm"),
    *("contained_ng", "carried_ng", "sold_with_premium", "registered_elsewhere", "miners", "days_worked", "sold_to"),
    *("state", "revision", "drafted_at"),
)


def make_sites(
    session: Session, made: Sequence[tuple[Organisation, dict[str, Any]]], by: User, actor: str, at: datetime
) -> list[str]:
    """Register the sites, each with the next free code of its country. Flushes. Raises CodesBusy."""
    codes = Codes(session)
    rows = []
    for producer, words in made:
        plain = {name: value for name, value in words.items() if name != "producer"}
        code = codes.next(words["country"], words["name"])
        rows.append(plain | {"producer_id": producer.id, "code": code})
    try:
        with session.begin_nested():
            session.execute(insert(Site), rows)
    except IntegrityError as error:
        if "uq_site_country_code" in str(error.orig) or "site.code" in str(error.orig):
            raise CodesBusy("Many sites are being registered now. Please send the file again.") from None
        raise
    numbers = [f"{row['country']}-{row['code']}" for row in rows]
    events.append_all(
        session,
        (
            {
                "kind": "site.registered",
                "subject": number,
                "actor": actor,
                "at": at,
                "facts": {
                    "producer": producer.number,
                    "district": words["district"],
                    "access": words["access"].value,
                },
                "private": {"latitude": str(words["latitude"]), "longitude": str(words["longitude"])},
            }
            for number, (producer, words) in zip(numbers, made, strict=True)
        ),
    )
    return numbers


class Codes:
    """The next free code for each beginning, looked up once for all sites of it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.taken: dict[tuple[str, str], set[str]] = {}
        self.last: dict[tuple[str, str], int] = {}

    def next(self, country: str, name: str) -> str:
        letters = letters_of(name)
        key = (country, letters)
        if key not in self.taken:
            found = self.session.scalars(
                select(Site.code).where(Site.country == country, Site.code.like(f"{letters}%"))
            )
            self.taken[key] = set(found)
            self.last[key] = len(self.taken[key])
        while True:
            self.last[key] += 1
            code = f"{letters}{self.last[key]:03d}"
            if code not in self.taken[key]:
                self.taken[key].add(code)
                return code


def make_batches(session: Session, made: Sequence[tuple[Site, Batch]], by: User, actor: str, at: datetime) -> list[str]:
    """Begin the batches as drafts. Flushes."""
    rows = [
        {name: getattr(batch, name) for name in FIGURES} | {"site_id": site.id, "drafted_by_id": by.id}
        for site, batch in made
    ]
    ids = session.scalars(insert(Batch).returning(Batch.id, sort_by_parameter_order=True), rows).all()
    numbers = [f"BATCH-{number:06d}" for number in ids]
    told = zip(numbers, made, strict=True)
    common = {"kind": "batch.drafted", "actor": actor, "at": at}
    events.append_all(
        session, (common | {"subject": number, "facts": {"site": number_of(site)}} for number, (site, _batch) in told)
    )
    return numbers


def make_members(
    session: Session, made: Sequence[tuple[Site, MembersCount]], by: User, actor: str, at: datetime
) -> list[str]:
    """Write the counts down. Flushes."""
    figures = FIELDS["members"]
    rows = [
        {name: getattr(count, name) for name in ("counted_on", *figures)}
        | {"site_id": site.id, "entered_by_id": by.id, "entered_at": at}
        for site, count in made
    ]
    ids = session.scalars(insert(MembersCount).returning(MembersCount.id, sort_by_parameter_order=True), rows).all()

    def told() -> Iterator[dict[str, Any]]:
        for record, (site, count) in zip(ids, made, strict=True):
            facts = {"kind": "members", "record": record, "day": str(count.counted_on)}
            facts |= {name: getattr(count, name) for name in figures}
            yield {"kind": "record.entered", "subject": number_of(site), "actor": actor, "at": at, "facts": facts}

    events.append_all(session, told())
    return [f"{number_of(site)} {count.counted_on}" for site, count in made]


MAKERS: dict[str, Callable[..., list[str]]] = {
    "sites": make_sites,
    "batches": make_batches,
    "members": make_members,
}
