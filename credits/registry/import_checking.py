"""Looking through the rows of a file as the rules will: every wrong cell, and what would be made of the rest."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import CreditsError
from credits.participants.models import Organisation, User
from credits.participants.permissions import may_register_for
from credits.registry import searching, site_records, vintages
from credits.registry.batches import Production, fill
from credits.registry.bulk_lines import chunks
from credits.registry.drying import moisture_of, must_agree
from credits.registry.import_columns import Finding, Row, read_row, wrong
from credits.registry.import_files import ImportKind
from credits.registry.minerals import MINERALS
from credits.registry.production import Batch, BatchState, Site
from credits.registry.site_record_models import MembersCount
from credits.registry.sites import SiteFacts, described, must_be_told_whole, number_of

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
    "bad_measure": "gross_kg",
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


@dataclass
class Checked:
    """One row after the look: what would be made of it, or what is wrong."""

    row: Row
    findings: list[Finding]
    made: Any = None


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


def checked(kind: ImportKind, lines: Sequence[list[Any]], places: Mapping[str, int], known: Known) -> Iterator[Checked]:
    """Every row in its order, looked at by itself and beside those before it."""
    look = LOOKS[kind]
    for line in lines:
        row, findings = read_row(kind, line, places)
        outcome = Checked(row, findings)
        if not findings:
            try:
                outcome.made = look(row, known)
            except Wrong as refusal:
                findings.append(wrong(row, refusal.column, refusal.message, places))
            except CreditsError as refusal:
                column = column_of(refusal, row)
                findings.append(wrong(row, column, str(refusal), places))
        yield outcome


def column_of(refusal: CreditsError, row: Row) -> str:
    """Which column a rule's refusal is about; empty where it is about several."""
    if refusal.code == "bad_position" and "longitude" in refusal.message:
        return "longitude"
    field_name = str(refusal.detail.get("field"))
    return field_name if field_name in row.texts else COLUMN_OF.get(refusal.code, "")


def look_at_site(row: Row, known: Known) -> tuple[Organisation, dict[str, Any]]:
    """The producer, and what is written down of the site."""
    values = dict(row.values)
    number = values.pop("producer", "")
    producer = known.producers.get(number) if number else known.by.organisation
    if producer is None or producer.number not in known.producers:
        raise Wrong("producer", "Name a producer for whom you may record, by its number such as ORG-000012.")
    values.setdefault("conflict_source", "")
    values.setdefault("conflict_checked_on", None)
    facts = SiteFacts(**values)
    must_be_told_whole(facts, known.at)
    words = described(producer, facts, known.by, known.at)
    key = named(producer.id, words["name"], words["district"])
    if key in known.names:
        raise Wrong(
            "name",
            f"{known.names[key]} has this name in this district already. Leave the row out, or name it otherwise.",
        )
    known.names[key] = f"Row {row.number}"
    return producer, words


def look_at_batch(row: Row, known: Known) -> tuple[Site, Batch]:
    values = row.values
    site = site_of(row, known)
    mineral = MINERALS.get(values["mineral"])
    if mineral is None:
        raise Wrong("mineral", f"Write one of: {', '.join(MINERALS)}.")
    if values["form"] not in mineral.forms:
        raise Wrong("form", f"{mineral.name.capitalize()} is delivered as {' or '.join(mineral.forms)}.")
    moisture = values.get("moisture")
    if "dry_kg" in values and not mineral.per_thousand:
        if moisture is None:
            moisture = moisture_of(values["gross_kg"], values["dry_kg"])
        else:
            must_agree(values["gross_kg"], moisture, values["dry_kg"])
    if moisture is None and not mineral.per_thousand:
        raise Wrong("moisture", "Give the moisture in per cent, or the dry weight. Dry already: 0.")
    production = Production(
        mineral_code=mineral.code,
        form=values["form"],
        produced_from=values["produced_from"],
        produced_to=values["produced_to"],
        gross_kg=values["gross_kg"],
        moisture=moisture or "0",
        grade=values["grade"],
        miners=values["miners"],
        days_worked=values["days_worked"],
        sold_to=values.get("sold_to", ""),
        sold_with_premium=values.get("sold_with_premium", 0),
        registered_elsewhere=values.get("registered_elsewhere", 0),
        grade_confirmed=values.get("grade_confirmed", False),
    )
    batch = Batch(state=BatchState.DRAFT, carried_ng=0, revision=1, drafted_at=known.at)
    fill(batch, production, today=known.at.date())
    vintages.must_be_one(production.produced_from, production.produced_to)
    refuse_shared_days(row, site, batch, known)
    return site, batch


def refuse_shared_days(row: Row, site: Site, batch: Batch, known: Known) -> None:
    """Raise Wrong where the registry or a row before has a batch of the site and mineral on any of these days."""
    there = known.periods.setdefault((site.id, batch.mineral_code), [])
    place = bisect_right(there, batch.produced_to, key=lambda period: period[0])
    if place and there[place - 1][1] >= batch.produced_from:
        first, last, whose = there[place - 1]
        raise Wrong("produced_from", f"{whose} covers {first} to {last} of this site and mineral already.")
    there.insert(place, (batch.produced_from, batch.produced_to, f"Row {row.number}"))


def look_at_members(row: Row, known: Known) -> tuple[Site, MembersCount]:
    values = dict(row.values)
    site = site_of(row, known)
    del values["site"]
    counted_on = values.pop("counted_on")
    count = site_records.described("members", counted_on, values, today=known.at.date())
    assert isinstance(count, MembersCount)
    if whose := known.counts.get((site.id, counted_on)):
        raise Wrong("counted_on", f"There is a count of this site and day already, in {whose}. Leave one of them out.")
    known.counts[site.id, counted_on] = f"row {row.number}"
    return site, count


def site_of(row: Row, known: Known) -> Site:
    site = known.sites.get(row.values["site"])
    if site is None:
        raise Wrong("site", "There is no such site for which you may record. Its number is on its page: COD-KAM001.")
    may_register_for(known.by, site.producer)
    return site


def named(producer_id: int, name: str, district: str) -> tuple[int, str, str]:
    """What makes two sites the same one to a person."""
    return producer_id, " ".join(name.casefold().split()), " ".join(district.casefold().split())


LOOKS: dict[ImportKind, Callable[[Row, Known], Any]] = {
    ImportKind.SITES: look_at_site,
    ImportKind.BATCHES: look_at_batch,
    ImportKind.MEMBERS: look_at_members,
}
