"""The open data of IPIS on artisanal mine sites in the DR Congo, read as published. Pure.

One row is one visit (`vid`) to one site (`pcode`). A row is sound or it is told apart with its line number; a file
of another kind is refused as a whole. An empty cell means not asked or not known, never no.

Licence of the data: ODC-BY 1.0. Wherever they are shown, the page says "Source: IPIS".
"""

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

from credits.errors import Invalid
from credits.registry.mines.sites import BadPosition, position

SOURCE, LICENCE, COUNTRY = "IPIS", "ODC-BY 1.0", "COD"
COUNTRY_NAME = "the DR Congo"
# Micro-degrees around the country, half a degree wider than its borders: (least, most).
LATITUDES, LONGITUDES = (-14_000_000, 6_000_000), (11_500_000, 32_000_000)
FOUNDED = date(1981, 1, 1)  # there was no IPIS before
MOST_WORKERS = 1_000_000
LONGEST_CELL = 4_000  # characters; the longest published one has 177
MOST_LINES = 100  # lines a row may run over: a stray quotation mark must not swallow the file
STEP = 500  # rows between two words about the progress

# A download's own number for a row: it differs from one download of the same data to the next.
NUMBER_IN_DOWNLOAD = "FID"
_ALWAYS = """
    vid cid id source project pcode name visit_date visit_onsite visit_onsite_novisitreason
    geom longitude latitude location_origin province province_old territoire collectivite groupement village
    workers_numb access_dry access_wet is_3t_mine is_gold_mine mercury presence interference
    state_service1 state_service2 state_service3 state_service4
    itsci traceability qualification childunder15 childunder15work women womenwork
"""
_OF_MINERAL = "mineral selling_points_mineral final_destination_mineral"
_OF_GROUP = "armed_group type_armed_group frequency_armed_group"
_ACTS_OF_GROUP = """
    taxation_armed_group commerce_taxation_armed_group entrance_taxation_armed_group monopoly_armed_group
    buying_minerals_armed_group digging_armed_group forced_labour_armed_group pillaging_armed_group
"""
_ASKED = "visit_onsite is_3t_mine is_gold_mine mercury presence interference childunder15 women"


def _numbered(columns: str, most: int) -> tuple[str, ...]:
    return tuple(f"{column}{number}" for number in range(1, most + 1) for column in columns.split())


COLUMNS = (*_ALWAYS.split(), *_numbered(_OF_MINERAL, 3), *_numbered(_OF_GROUP + _ACTS_OF_GROUP, 2))
YES_OR_NO = (*_ASKED.split(), *_numbered(_ACTS_OF_GROUP, 2))

Watch = Callable[[int, int], None]  # told how many are done, and of how many


class NotTheIpisFile(Invalid):
    """The file as a whole is not what IPIS publishes. Nothing of it is taken."""

    code = "not_the_ipis_file"


class BadRow(Exception):
    """Why one row is left out."""


@dataclass(frozen=True)
class Visit:
    """A sound row. recorded: its filled cells by column, untouched, without the download's own numbering."""

    line: int
    number: int
    pcode: str
    visited_on: date
    recorded: dict[str, str]


@dataclass(frozen=True)
class Rejection:
    """A row that was left out. line: where it starts in the file, the first line being 1."""

    line: int
    reason: str


@dataclass
class Reading:
    """What a file says. rows: all rows below the header that are not blank.

    A row that repeats an earlier one word for word adds neither a visit nor a rejection.
    """

    sha256: str
    rows: int = 0
    visits: dict[int, Visit] = field(default_factory=dict)
    rejected: list[Rejection] = field(default_factory=list)


def unwatched(done: int, total: int) -> None:
    """Nobody is looking."""


def read(content: bytes, *, today: date, watch: Watch = unwatched) -> Reading:
    """Read a whole file.

    content: UTF-8, with or without a byte order mark, lines ended in any usual way.
    today: no visit lies after it.

    Raises NotTheIpisFile.
    """
    lines = io.StringIO(_text(content), newline="").readlines()
    header = _header(lines)
    reading = Reading(sha256=hashlib.sha256(content).hexdigest())
    for line, cells in _rows(lines, len(header)):
        reading.rows += 1
        try:
            if isinstance(cells, str):
                raise BadRow(cells)
            _take(reading, _visit(line, dict(zip(header, cells, strict=True)), today))
        except BadRow as bad:
            reading.rejected.append(Rejection(line, str(bad)))
        if reading.rows % STEP == 0:
            watch(line, len(lines))
    watch(len(lines), len(lines))
    return reading


def _text(content: bytes) -> str:
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise NotTheIpisFile(f"The file is not written in UTF-8 (first seen on line {line}).", line=line) from None
    if not decoded.strip():
        raise NotTheIpisFile("The file is empty.")
    return decoded


def _header(lines: list[str]) -> list[str]:
    try:
        header = [name.strip() for name in next(csv.reader(lines[:1], strict=True), [])]
    except csv.Error:
        header = []
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        first = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise NotTheIpisFile(
            "The file is not the comma-separated list of mine sites that IPIS publishes: "
            f"its first line lacks the columns {first}.",
            missing=missing,
        )
    if len(set(header)) < len(header):
        twice = sorted({name for name in header if header.count(name) > 1})
        raise NotTheIpisFile(f"The first line names a column twice: {', '.join(twice)[:200]}.")
    return header


def _rows(lines: list[str], width: int) -> Iterator[tuple[int, list[str] | str]]:
    """Every row that is not blank: the line where it starts, and its cells or why they cannot be told apart."""
    at = 1
    while at < len(lines):
        reader = csv.reader(lines[at : at + MOST_LINES], strict=True)
        found: list[str] | str
        try:
            found = next(reader)
            if len(found) <= 1 and not "".join(found).strip():
                at += reader.line_num
                continue
            if len(found) != width:
                found = f"It has {len(found)} cells where the first line has {width}."
        except csv.Error:
            found = "Its quotation marks do not match, or a cell is far too long."
        yield at + 1, found
        after = at + reader.line_num
        at = after if isinstance(found, list) else _next_whole(lines, at + 1, after, width)


def _next_whole(lines: list[str], start: int, after: int, width: int) -> int:
    """Where to go on behind a broken row: at the first line that a stray quotation mark has swallowed whole."""
    for at in range(start, after):
        try:
            if len(next(csv.reader([lines[at]], strict=True))) == width:
                return at
        except csv.Error:
            continue
    return after


def _take(reading: Reading, visit: Visit) -> None:
    earlier = reading.visits.setdefault(visit.number, visit)
    if earlier.recorded != visit.recorded:
        raise BadRow(f"The visit (vid) {visit.number} stands on line {earlier.line} already, with other values.")


def _visit(line: int, cells: dict[str, str], today: date) -> Visit:
    for column, value in cells.items():
        _check_text(column, value)
    for column in YES_OR_NO:
        if cells[column].strip() not in {"", "0", "1"}:
            raise BadRow(f"The {column} is {_shown(cells[column])}: it must be 0, 1 or empty.")
    workers = cells["workers_numb"].strip()
    if workers and not (_is_whole(workers, 9) and int(workers) <= MOST_WORKERS):
        raise BadRow(f"The workers_numb is {_shown(workers)}: it must be a whole number up to {MOST_WORKERS:,}.")
    _check_position(cells)
    return Visit(
        line=line,
        number=_number(cells["vid"].strip()),
        pcode=_pcode(cells["pcode"].strip()),
        visited_on=_day(cells["visit_date"].strip(), today),
        recorded={column: value for column, value in cells.items() if value.strip() and column != NUMBER_IN_DOWNLOAD},
    )


def _check_text(column: str, value: str) -> None:
    if len(value) > LONGEST_CELL:
        raise BadRow(f"The {column} is {len(value):,} characters long; at most {LONGEST_CELL:,} are read.")
    # A quick look first: hardly a cell of a real file has anything but printable characters.
    if not value.isprintable() and any(unicodedata.category(sign) == "Cc" and sign not in "\r\n\t" for sign in value):
        raise BadRow(f"The {column} holds characters that cannot be printed.")


def _number(vid: str) -> int:
    if not vid:
        raise BadRow("It has no visit number (vid).")
    if not _is_whole(vid, 18):
        raise BadRow(f"The visit number (vid) is {_shown(vid)}: it must be a whole number.")
    return int(vid)


def _pcode(pcode: str) -> str:
    if not pcode:
        raise BadRow("It names no site (pcode).")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", pcode):
        raise BadRow(f"The site (pcode) is {_shown(pcode)}: it must be up to 40 letters and digits.")
    return pcode


def _day(written: str, today: date) -> date:
    if not written:
        raise BadRow("It has no visit_date.")
    try:
        # The pattern first: Python would also take 20190101 and 2019-W01-1.
        day = date.fromisoformat(written) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", written) else None
    except ValueError:
        day = None
    if day is None:
        raise BadRow(f"The visit_date is {_shown(written)}: it must be a day written as 2019-05-15.")
    if not FOUNDED <= day <= today:
        raise BadRow(f"The visit_date is {written}: it must lie between {FOUNDED} and {today}.")
    return day


def _check_position(cells: dict[str, str]) -> None:
    try:
        place = place_of(cells)
    except BadPosition as bad:
        raise BadRow(bad.message) from None
    if place is None:
        return
    latitude, longitude = place["latitude"], place["longitude"]
    if _within(latitude, LATITUDES) and _within(longitude, LONGITUDES):
        return
    swapped = _within(longitude, LATITUDES) and _within(latitude, LONGITUDES)
    where = f"The position (latitude {cells['latitude'].strip()}, longitude {cells['longitude'].strip()})"
    raise BadRow(f"{where} is outside {COUNTRY_NAME}" + (": the two look swapped." if swapped else "."))


def place_of(recorded: dict[str, str]) -> dict[str, int] | None:
    """Where the visit was, in micro-degrees; None unless both coordinates are known. Raises BadPosition."""
    latitude, longitude = recorded.get("latitude", "").strip(), recorded.get("longitude", "").strip()
    return position(latitude, longitude) if latitude and longitude else None


def _within(value: int, limits: tuple[int, int]) -> bool:
    return limits[0] <= value <= limits[1]


def _is_whole(text: str, digits: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= digits


def _shown(text: str) -> str:
    """A value from the file inside a sentence: on one line, and not too long."""
    return f"“{' '.join(text.split())[:40]}”"
