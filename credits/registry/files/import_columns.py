"""The columns of a file of many rows: what each is called, what stands in it, and how its cells are read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from credits.errors import Invalid
from credits.participants.wording import line, printed
from credits.registry import minerals
from credits.registry.decimals import with_point
from credits.registry.files.import_files import ImportKind
from credits.registry.files.import_sheets import LONGEST_CELL, Sheet, UnreadableSheet
from credits.registry.papers.evidence_tables import BEGINS_FORMULA, PLAIN, letters
from credits.registry.production import Access, Answer, Method

MOST_DIGITS = 18


class BadCell(Invalid):
    """A cell cannot be what it should be."""

    code = "bad_cell"


Parse = Callable[[str], Any]


@dataclass(frozen=True)
class Column:
    """name: in the heading. about: what stands in it, for the template. example: a sound cell."""

    name: str
    about: str
    example: str
    parse: Parse
    needed: bool = True


@dataclass
class Row:
    """A row as it was read. number: in the file. values: by column, of the cells that are sound."""

    number: int
    texts: Mapping[str, str]
    values: dict[str, Any] = field(default_factory=dict)

    def texts_there(self) -> set[str]:
        """The columns in which something stands, sound or not."""
        return {name for name, text in self.texts.items() if text}


@dataclass(frozen=True)
class Finding:
    """What is wrong with one cell, and what to do; of the row as a whole where `column` is empty."""

    row: int
    column: str
    cell: str
    value: str
    message: str


def text(cell: str) -> str:
    return cell


def shown_as(what: str, most: int) -> Parse:
    """A text that certificates print. A formula in it is a text like any other."""
    return lambda cell: printed(cell, what, most)


def said_in(what: str, most: int) -> Parse:
    return lambda cell: line(cell, what, most)


def number(cell: str) -> str:
    """A decimal number with a point. Raises BadCell, BadMeasure."""
    refuse_formula(cell)
    plain = with_point(cell)
    minerals.decimal(plain)
    return plain


def degrees(cell: str) -> str:
    refuse_formula(cell)
    # No thousands here, so a comma can only be the decimal one.
    return cell.strip().replace(",", ".").replace("\u2212", "-")


def whole(cell: str) -> int:
    refuse_formula(cell)
    plain = with_point(cell)
    if not (plain.isascii() and plain.isdigit() and len(plain) <= MOST_DIGITS):
        raise BadCell("Write a whole number such as 1200, in digits 0 to 9 only.")
    return int(plain)


def day(cell: str) -> date:
    refuse_formula(cell)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
        try:
            return date.fromisoformat(cell)
        except ValueError:
            raise BadCell(f"There is no day {cell}.") from None
    raise BadCell("Write a day as year-month-day, such as 2026-03-31, or format the cell as a date.")


def one_of(words: type[StrEnum]) -> Parse:
    def parse(cell: str) -> StrEnum:
        tidy = re.sub(r"[\s-]+", "_", cell.strip().lower())
        try:
            return words(tidy)
        except ValueError:
            raise BadCell(f"Write one of: {', '.join(words)}.") from None

    return parse


def confirmed(cell: str) -> bool:
    return bool(one_of(Answer)(cell) is Answer.YES)


def refuse_formula(cell: str) -> None:
    bare = cell.strip()
    if bare and bare[0] in BEGINS_FORMULA and not PLAIN.fullmatch(bare):
        raise BadCell("This is a formula, and none is worked out here. Write its value.")


def upper(cell: str) -> str:
    return cell.strip().upper()


SITE = Column("site", "Number of the site", "COD-KAM001", upper)
COLUMNS: dict[ImportKind, tuple[Column, ...]] = {
    ImportKind.SITES: (
        Column("producer", "Number of the producer; empty for your own organisation", "", upper, needed=False),
        Column("name", "Name of the site", "Kamilombe", shown_as("Name of the site", 120)),
        Column("country", "Country, three letters (ISO 3166-1 alpha-3)", "COD", upper),
        Column("province", "Province", "Lualaba", shown_as("Province", 120)),
        Column("district", "District or territory", "Mutshatsha", shown_as("District", 120)),
        Column("latitude", "Latitude in decimal degrees, south with a minus", "-10.7164", degrees),
        Column("longitude", "Longitude in decimal degrees, west with a minus", "25.4667", degrees),
        Column("access", f"Right to work there: {', '.join(Access)}", "tolerated", one_of(Access)),
        Column(
            "concession_owner",
            "Owner of the concession",
            "State mining company",
            shown_as("Owner of the concession", 200),
        ),
        Column("method", f"How it is mined: {', '.join(Method)}", "underground", one_of(Method)),
        Column("mercury", "Is mercury used: yes, no, unknown", "no", one_of(Answer)),
        Column("miners", "Miners on a usual day", "450", whole),
        Column("conflict_affected", "Conflict-affected or high-risk area: yes, no, unknown", "unknown", one_of(Answer)),
        Column("conflict_source", "Source of that; needed for yes and no", "", shown_as("Source", 200), needed=False),
        Column("conflict_checked_on", "Day on which it was looked up; needed for yes and no", "", day, needed=False),
    ),
    ImportKind.BATCHES: (
        SITE,
        Column("mineral", f"Mineral: {', '.join(minerals.MINERALS)}", "CO", upper),
        Column("form", "As what it is delivered: ore, hydroxide, cassiterite, coltan, doré …", "ore", text),
        Column("produced_from", "First day of production", "2026-01-01", day),
        Column("produced_to", "Last day of production, in the same year", "2026-03-31", day),
        Column("gross_kg", "Gross weight in kilograms", "1240.5", number),
        Column(
            "moisture", "Moisture in per cent; empty for gold, or where dry_kg is given", "12.5", number, needed=False
        ),
        Column("dry_kg", "Dry weight in kilograms, instead of the moisture", "", number, needed=False),
        Column("grade", "Grade in per cent; for gold the fineness per thousand", "31.2", number),
        Column("grade_confirmed", "yes where a very low grade is really meant", "", confirmed, needed=False),
        Column("miners", "Miners who worked", "120", whole),
        Column("days_worked", "Days worked", "60", whole),
        Column("sold_to", "Buyer of the mineral", "Depot", said_in("Buyer of the mineral", 200), needed=False),
        Column("sold_with_premium", "Contained base units already sold with a premium", "0", whole, needed=False),
        Column("registered_elsewhere", "Contained base units registered in another scheme", "0", whole, needed=False),
    ),
    ImportKind.MEMBERS: (
        SITE,
        Column("counted_on", "Day of the count", "2026-03-31", day),
        Column("women", "All women", "40", whole),
        Column("young_women", "Of them 18 to 35 years old", "15", whole),
        Column("men", "All men", "90", whole),
        Column("young_men", "Of them 18 to 35 years old", "50", whole),
    ),
}


def columns_in(kind: ImportKind, sheet: Sheet) -> dict[str, int]:
    """Where each column stands. Raises UnreadableSheet where the heading is not the template's."""
    known = {column.name: column for column in COLUMNS[kind]}
    names = [re.sub(r"[\s-]+", "_", name.strip().lower()) for name in sheet.heading]
    if strange := [name[:40] or "(empty)" for name in names if name not in known]:
        listed = ", ".join(strange[:10])
        raise UnreadableSheet(f"The first row names the columns. These are not known: {listed}. Take the template.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UnreadableSheet(f"These columns are there twice: {', '.join(twice)}.")
    if absent := [name for name, column in known.items() if column.needed and name not in names]:
        raise UnreadableSheet(f"The first row names the columns. Missing: {', '.join(absent)}.")
    return {name: place for place, name in enumerate(names)}


def rows_in(kind: ImportKind, sheet: Sheet, places: Mapping[str, int]) -> list[list[Any]]:
    """Number and cells of each row, in the order of the kind's own columns; more cells than columns make one more."""
    order = [places.get(column.name) for column in COLUMNS[kind]]
    return [
        [number_, [cells[place] if place is not None and place < len(cells) else "" for place in order]]
        + ([cells[len(places) :]] if any(cells[len(places) :]) else [])
        for number_, cells in sheet.rows
    ]


def read_row(kind: ImportKind, cells: list[Any], places: Mapping[str, int]) -> tuple[Row, list[Finding]]:
    """One row with its sound values, and what is wrong with the others."""
    columns = COLUMNS[kind]
    row = Row(cells[0], dict(zip((column.name for column in columns), cells[1], strict=True)))
    findings = []
    if len(cells) > 2:
        extra = str(cells[2][0])
        findings.append(
            Finding(
                row.number, "", f"{letters(len(places))}{row.number}", extra[:80], "There are more cells than columns."
            )
        )
    for column in columns:
        cell = row.texts[column.name]
        try:
            if len(cell) > LONGEST_CELL:
                raise BadCell(f"Shorten it to at most {LONGEST_CELL:,} characters.")
            if cell:
                row.values[column.name] = column.parse(cell)
            elif column.needed:
                raise BadCell(f"Fill it in: {column.about}.")
        except Invalid as refusal:
            findings.append(wrong(row, column.name, str(refusal), places))
    return row, findings


def wrong(row: Row, column: str, message: str, places: Mapping[str, int]) -> Finding:
    """A finding about a column of a row, or about the row where the file has no such column."""
    place = places.get(column)
    cell = f"{letters(place)}{row.number}" if place is not None else f"row {row.number}"
    return Finding(row.number, column, cell, row.texts.get(column, "")[:80], message)
