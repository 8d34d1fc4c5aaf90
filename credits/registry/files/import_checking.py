"""Looking through the rows of a file as the rules will: every wrong cell, and what would be made of the rest."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from credits.participants.countries import country
from credits.participants.models import Organisation
from credits.registry.calendar import checked_period
from credits.registry.doubts.plausibility_grades import doubt, must_be_possible
from credits.registry.files.import_columns import COLUMNS, Finding, Row, read_row
from credits.registry.files.import_files import ImportKind
from credits.registry.files.import_looking import Known, Looking, Wrong, named
from credits.registry.making import vintages
from credits.registry.making.drying import moisture_of, must_agree
from credits.registry.making.figures import Production, fill
from credits.registry.minerals import MINERALS, share_ppm, weight_mg
from credits.registry.mines import site_records
from credits.registry.mines.outlines import must_lie_in
from credits.registry.mines.site_record_models import MembersCount
from credits.registry.mines.sites import MOST_MINERS, SiteFacts, described, must_be_told_of_conflict, position
from credits.registry.production import Batch, BatchState, Site


@dataclass
class Checked:
    """One row after the look: what would be made of it, or what is wrong."""

    row: Row
    findings: list[Finding]
    made: Any = None


def checked(kind: ImportKind, lines: Sequence[list[Any]], places: Mapping[str, int], known: Known) -> Iterator[Checked]:
    """Every row in its order, looked at by itself and beside those before it."""
    look = LOOKS[kind]
    order = {column.name: place for place, column in enumerate(COLUMNS[kind])}
    for line in lines:
        row, findings = read_row(kind, line, places)
        outcome = Checked(row, findings)
        outcome.made = look(Looking(row, known, findings, places))
        findings.sort(key=lambda finding: order.get(finding.column, len(order)))
        yield outcome


def look_at_site(looking: Looking) -> tuple[Organisation, dict[str, Any]] | None:
    """The producer, and what is written down of the site."""
    row, known = looking.row, looking.known
    producer: Organisation | None = None
    with looking.part() as values:
        number = values.get("producer", known.by.organisation.number)
        producer = known.producers.get(number)
        if producer is None:
            raise Wrong("producer", "Name a producer for whom you may record, by its number such as ORG-000012.")
    with looking.part("country"):
        country(looking.need("country")[0])
    with looking.part():
        code, latitude, longitude = looking.need("country", "latitude", "longitude")
        must_lie_in(country(code), **position(latitude, longitude))
    with looking.part("miners"):
        if looking.need("miners")[0] > MOST_MINERS:
            raise Wrong("miners", f"The number of miners is between 0 and {MOST_MINERS:,}.")
    with looking.part("conflict_affected") as values:
        must_be_told_of_conflict(
            looking.need("conflict_affected")[0],
            values.get("conflict_source", ""),
            values.get("conflict_checked_on"),
            known.at,
        )
    with looking.part("name"):
        name, district = looking.need("name", "district")
        key = named(producer.id if producer else 0, name, district)
        if key in known.names:
            whose = known.names[key]
            raise Wrong(
                "name", f"{whose} has this name in this district already. Leave the row out, or name it otherwise."
            )
        known.names[key] = f"Row {row.number}"
    if looking.findings or producer is None:
        return None
    facts = {name: value for name, value in row.values.items() if name != "producer"}
    whole = SiteFacts(**{"conflict_source": "", "conflict_checked_on": None} | facts)
    words: dict[str, Any] = {}
    with looking.part():
        words = described(producer, whole, known.by, known.at)
    return producer, words


def look_at_batch(looking: Looking) -> tuple[Site, Batch] | None:
    row, known = looking.row, looking.known
    site: Site | None = None
    with looking.part():
        site = site_of(looking)
    look_at_ore(looking)
    with looking.part("produced_to"):
        first, last = looking.need("produced_from", "produced_to")
        checked_period(first, last, "Production period")
        if last > known.at.date():
            raise Wrong("produced_to", "The production period has not ended yet.")
        vintages.must_be_one(first, last)
        with looking.part("days_worked"):
            (worked,) = looking.need("days_worked")
            if worked > (last - first).days + 1:
                raise Wrong("days_worked", f"The production period has {(last - first).days + 1:,} days only.")
    if looking.findings or site is None:
        return None
    production = production_of(row)
    batch = Batch(state=BatchState.DRAFT, carried_ng=0, revision=1, drafted_at=known.at)
    with looking.part():
        fill(batch, production, today=known.at.date())
        refuse_shared_days(row, site, batch, known)
    return site, batch


def look_at_ore(looking: Looking) -> None:
    """What was weighed and analysed."""
    with looking.part("gross_kg"):
        weight_mg(looking.need("gross_kg")[0])
    with looking.part("mineral"):
        (code,) = looking.need("mineral")
        mineral = MINERALS.get(code)
        if mineral is None:
            raise Wrong("mineral", f"Write one of: {', '.join(MINERALS)}.")
        with looking.part("form"):
            (form,) = looking.need("form")
            if form not in mineral.forms:
                raise Wrong("form", f"{mineral.name.capitalize()} is delivered as {' or '.join(mineral.forms)}.")
        with looking.part("grade") as values:
            form, grade = looking.need("form", "grade")
            ppm = share_ppm(grade, per=1000 if mineral.per_thousand else 100)
            if ppm == 0:
                raise Wrong("grade", "A grade of 0 contains nothing.")
            must_be_possible(mineral, form, ppm)
            if (asked := doubt(mineral, form, ppm)) and not values.get("grade_confirmed"):
                raise Wrong("grade", f"{asked} Say so with yes in the column grade_confirmed.")
        with looking.part("moisture") as values:
            if not mineral.per_thousand and not {"moisture", "dry_kg"} & set(looking.row.texts_there()):
                raise Wrong("moisture", "Give the moisture in per cent, or the dry weight. Dry already: 0.")
            if mineral.per_thousand and values.get("moisture", "0").strip("0."):
                raise Wrong("moisture", "Gold is weighed as it is: leave the moisture empty.")
            if "moisture" in values:
                share_ppm(values["moisture"], per=100)
            if "dry_kg" in values:
                (gross,) = looking.need("gross_kg")
                with looking.part("dry_kg"):
                    if "moisture" in values:
                        must_agree(gross, values["moisture"], values["dry_kg"])
                    else:
                        moisture_of(gross, values["dry_kg"])


def production_of(row: Row) -> Production:
    values = dict(row.values)
    dry = values.get("dry_kg")
    return Production(
        mineral_code=values["mineral"],
        form=values["form"],
        produced_from=values["produced_from"],
        produced_to=values["produced_to"],
        gross_kg=values["gross_kg"],
        moisture=values.get("moisture") or (moisture_of(values["gross_kg"], dry) if dry else "0"),
        grade=values["grade"],
        miners=values["miners"],
        days_worked=values["days_worked"],
        sold_to=values.get("sold_to", ""),
        sold_with_premium=values.get("sold_with_premium", 0),
        registered_elsewhere=values.get("registered_elsewhere", 0),
        grade_confirmed=values.get("grade_confirmed", False),
    )


def refuse_shared_days(row: Row, site: Site, batch: Batch, known: Known) -> None:
    """Raise Wrong where the registry or a row before has a batch of the site and mineral on any of these days."""
    there = known.periods.setdefault((site.id, batch.mineral_code), [])
    place = bisect_right(there, batch.produced_to, key=lambda period: period[0])
    if place and there[place - 1][1] >= batch.produced_from:
        first, last, whose = there[place - 1]
        raise Wrong("produced_from", f"{whose} covers {first} to {last} of this site and mineral already.")
    there.insert(place, (batch.produced_from, batch.produced_to, f"Row {row.number}"))


def look_at_members(looking: Looking) -> tuple[Site, MembersCount] | None:
    row, known = looking.row, looking.known
    site: Site | None = None
    with looking.part():
        site = site_of(looking)
    for all_of, young in (("women", "young_women"), ("men", "young_men")):
        with looking.part(young):
            every, some = looking.need(all_of, young)
            if some > every:
                raise Wrong(young, f"More young {all_of} than {all_of}: the young are counted among all {all_of}.")
    with looking.part("counted_on"):
        (counted_on,) = looking.need("counted_on")
        if site is not None and (whose := known.counts.get((site.id, counted_on))):
            raise Wrong(
                "counted_on", f"There is a count of this site and day already, in {whose}. Leave one of them out."
            )
        if counted_on > known.at.date():
            raise Wrong("counted_on", "This day lies in the future.")
        if site is not None:
            known.counts[site.id, counted_on] = f"row {row.number}"
    if looking.findings or site is None:
        return None
    figures = {name: row.values[name] for name in site_records.FIELDS["members"]}
    count: Any = None
    with looking.part():
        count = site_records.described("members", row.values["counted_on"], figures, today=known.at.date())
    return site, count


def site_of(looking: Looking) -> Site:
    """Raises Missed, Wrong."""
    site = looking.known.sites.get(looking.need("site")[0])
    if site is None:
        raise Wrong("site", "There is no such site for which you may record. Its number is on its page: COD-KAM001.")
    return site


LOOKS: dict[ImportKind, Callable[[Looking], Any]] = {
    ImportKind.SITES: look_at_site,
    ImportKind.BATCHES: look_at_batch,
    ImportKind.MEMBERS: look_at_members,
}
