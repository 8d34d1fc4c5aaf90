"""Files of many rows as people send them, CSV or XLSX: read as plain texts, within limits, and never worked out."""

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

from credits.errors import Invalid
from credits.registry.files.import_files import MOST_ROWS
from credits.registry.papers.evidence_looking import UnusableFile, run, sound_name
from credits.registry.papers.evidence_tables import decoded, separator

CHILD = Path(__file__).with_name("import_child.py")
MILLISECONDS = 20_000
LARGEST = 20_000_000  # bytes
MOST_COLUMNS = 40
LONGEST_CELL = 2_000  # characters
LONGEST_TEXT = 20_000_000
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
TOO_LARGE_INSIDE = (
    "Inside, the file is far larger than a table of figures. Copy the rows into the template and send that."
)
REFUSALS = {
    "too_large_inside": TOO_LARGE_INSIDE,
    "too_slow": TOO_LARGE_INSIDE,
    "locked": "The file is locked by a password. Save it without one.",
    "no_sheet": "The file holds no sheet. Save it from the spreadsheet as .xlsx, or as CSV UTF-8.",
    "entities": "The file holds declarations that no spreadsheet writes. Copy the rows into the template.",
    "too_many_rows": f"At most {MOST_ROWS:,} rows at a time. Please send the file in parts.",
    "too_many_columns": f"The table is wider than {MOST_COLUMNS} columns. Use the columns of the template only.",
    "unreadable": "The file cannot be read: it may be damaged or cut off. Save it anew, or send it as CSV UTF-8.",
}


class UnreadableSheet(Invalid):
    """The file as a whole is no table that can be read."""

    code = "unreadable_sheet"


@dataclass(frozen=True)
class Sheet:
    """rows: each with its number in the file, counted from 1 with the heading, and its cells."""

    filename: str
    sha256: str
    heading: list[str]
    rows: list[tuple[int, list[str]]]


def read(filename: str, content: bytes) -> Sheet:
    """The table in a file. Takes seconds: hold no lock meanwhile. Raises UnreadableSheet, UnsoundText."""
    name = sound_name(filename)
    if not content:
        raise UnreadableSheet("The file is empty. Please choose it again.")
    if len(content) > LARGEST:
        raise UnreadableSheet(f"The file is too large: at most {LARGEST // 1_000_000} MB.")
    if content.startswith(OLD_EXCEL):
        raise UnreadableSheet("This is a file of an old Excel, or locked by a password. Save it as .xlsx or CSV UTF-8.")
    rows = in_child(content) if content.startswith(b"PK") else in_text(content)
    if not rows:
        raise UnreadableSheet("The file holds no row. The first one names the columns; take the template.")
    if len(rows) == 1:
        raise UnreadableSheet("There is no row below the heading.")
    if len(rows) > MOST_ROWS + 1:
        raise UnreadableSheet(REFUSALS["too_many_rows"])
    (_first, heading), *below = rows
    return Sheet(name, hashlib.sha256(content).hexdigest(), heading, below)


def in_child(content: bytes) -> list[tuple[int, list[str]]]:
    try:
        answer = run([str(MOST_ROWS), str(MOST_COLUMNS)], content, MILLISECONDS, CHILD)
    except UnusableFile as refusal:
        raise UnreadableSheet(REFUSALS[str(refusal.detail["why"])], why=refusal.detail["why"]) from None
    found = json.loads(answer)
    if "refused" in found:
        raise UnreadableSheet(REFUSALS[found["refused"]], why=found["refused"])
    return [(number, cells) for number, cells in found["rows"]]


def in_text(content: bytes) -> list[tuple[int, list[str]]]:
    text = decoded(content)
    if text is None or "\x00" in text:
        raise UnreadableSheet("The file is no table. Send the template as .xlsx, or as CSV UTF-8.")
    if text.lstrip()[:1] == "<":
        raise UnreadableSheet("The file is a page or XML, no table. Send the template as .xlsx, or as CSV UTF-8.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator(text), strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for number, row in enumerate(reader, 1):
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            while not cells[-1]:
                cells.pop()
            if len(cells) > MOST_COLUMNS:
                raise UnreadableSheet(REFUSALS["too_many_columns"])
            rows.append((number, cells))
            if len(rows) > MOST_ROWS + 1:
                raise UnreadableSheet(REFUSALS["too_many_rows"])
    except csv.Error:
        raise UnreadableSheet(
            f"Line {reader.line_num} cannot be read as CSV: is a quotation mark missing there?"
        ) from None
    return rows
