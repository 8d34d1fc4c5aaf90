"""One row of a file while it is looked at: what it is held against, and what is wrong with it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import CreditsError
from credits.participants.models import Organisation, User
from credits.registry import searching
from credits.registry.bulk_lines import chunks
from credits.registry.files.import_columns import Finding, Row, wrong
from credits.registry.files.import_files import ImportKind
from credits.registry.mines.site_record_models import MembersCount
from credits.registry.mines.sites import number_of
from credits.registry.production import Batch, BatchState, Site

# Which column a refusal of the rules is about, by its code.
COLUMN_OF = {
    "bad_position": "latitude",
    "outside_country": "latitude",
    "unknown_country": "country",
    "unknown_mineral": "mineral",
    "bad_period": "produced_to",
    "two_vintages": "produced_to",
    "grade_impossible": "grade",
    "grade_doubtful": "grade",
}
STILL_THERE = tuple(set(BatchState) - {BatchState.REJECTED, BatchState.WITHDRAWN})


class Wrong(Exception):
    """A row is refused. column: which one it is about."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column, self.message = column, message


@dataclass
class Known:
    """What the registry has already, and what the rows before have added to it."""

    by: User
    at: datetime
    producers: dict[str, Organisation]
    sites: dict[str, Site]
    names: dict[tuple[int, str, str], str] = field(default_factory=dict)  # producer, name, district → whose
    periods: dict[tuple[int, str], list[tuple[date, date, str]]] = field(default_factory=dict)  # site, mineral
    counts: dict[tuple[int, date], str] = field(default_factory=dict)


def known_to(session: Session, kind: ImportKind, by: User, at: datetime) -> Known:
    """All that the rows of a file are held against."""
    producers = {each.number: each for each in searching.producers_for(session, by)}
    sites = {number_of(site): site for site in searching.sites_to_produce(session, by)}
    known = Known(by, at, producers, sites)
    ids = [site.id for site in sites.values()]
    if kind is ImportKind.SITES:
        for number, site in sites.items():
            known.names[named(site.producer_id, site.name, site.district)] = number
    elif kind is ImportKind.BATCHES:
        for some in chunks(ids):
            wanted = select(Batch.site_id, Batch.mineral_code, Batch.produced_from, Batch.produced_to, Batch.id)
            there = wanted.where(Batch.site_id.in_(some), Batch.state.in_(STILL_THERE))
            for site_id, mineral, first, last, batch in session.execute(there.order_by(Batch.produced_from)):
                cover(known.periods.setdefault((site_id, mineral), []), first, last, f"BATCH-{batch:06d}")
    else:
        for some in chunks(ids):
            for site_id, counted_on in session.execute(
                select(MembersCount.site_id, MembersCount.counted_on).where(
                    MembersCount.site_id.in_(some), MembersCount.struck_at.is_(None)
                )
            ):
                known.counts[site_id, counted_on] = "the registry"
    return known


def cover(there: list[tuple[date, date, str]], first: date, last: date, whose: str) -> None:
    """Add days to periods that never overlap, of which none begins later. Drafts of the registry may overlap."""
    if there and there[-1][1] >= first:
        there[-1] = (there[-1][0], max(last, there[-1][1]), there[-1][2])
    else:
        there.append((first, last, whose))


@dataclass
class Looking:
    """A row that is being looked at: what is wrong is added to `findings`, so that nothing hides behind the first."""

    row: Row
    known: Known
    findings: list[Finding]
    places: Mapping[str, int]

    @contextmanager
    def part(self, column: str = "") -> Iterator[dict[str, Any]]:
        """Look at some cells. column: which one a refusal is about that does not say. None without its cells."""
        try:
            yield self.row.values
        except Missed:
            return
        except Wrong as refusal:
            self.findings.append(wrong(self.row, refusal.column, refusal.message, self.places))
        except CreditsError as refusal:
            found = wrong(self.row, column_of(refusal, self.row) or column, str(refusal), self.places)
            self.findings.append(found)

    def need(self, *columns: str) -> list[Any]:
        """The sound values of these columns. Raises Missed where one of them was told as wrong already."""
        if any(column not in self.row.values for column in columns):
            raise Missed
        return [self.row.values[column] for column in columns]


class Missed(Exception):
    """A cell that this look needs is not there or not sound."""


def column_of(refusal: CreditsError, row: Row) -> str:
    """Which column a rule's refusal is about; empty where it does not say."""
    if refusal.code == "bad_position" and "longitude" in refusal.message:
        return "longitude"
    field_name = str(refusal.detail.get("field"))
    return field_name if field_name in row.texts else COLUMN_OF.get(refusal.code, "")


def named(producer_id: int, name: str, district: str) -> tuple[int, str, str]:
    """What makes two sites the same one to a person."""
    return producer_id, " ".join(name.casefold().split()), " ".join(district.casefold().split())
