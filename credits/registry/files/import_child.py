"""A program of its own that reads spreadsheets of strangers: run with tight limits, and killed where it takes too long.

    python -I import_child.py MOST_ROWS MOST_COLUMNS        prints the cells of the first sheet as JSON, or why not

The file comes on standard input. Nothing in it is ever worked out: a formula comes out as its text. It knows nothing
of the registry: what breaks it, breaks nothing else.
"""

import io
import json
import os
import resource
import sys
import zipfile
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NoReturn
from xml.parsers import expat

MEMORY = 290_000_000  # bytes of address space
SECONDS = 8  # of computing
LARGEST_INSIDE = 40_000_000  # bytes of all parts together, as they come out
MOST_PARTS = 300
LONGEST_CELL = 2_000
PIECE = 1 << 20
DEEPEST = 100  # elements within one another: spreadsheets write a dozen
OUT_OF_MEMORY = 3  # how the process ends where there is no memory left even to say so; known to who starts it
DECLARED = (b"<!DOCTYPE", b"<!ENTITY", b"<!doctype", b"<!entity")


class Refused(Exception):
    """The file is not taken. code: one of the words that the registry has a sentence for."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def limit() -> None:
    """Bind this process to little memory and time."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(what, (most, most))


def see_parts(content: bytes) -> None:
    """Unpack every part once without keeping it: how large they really are, and that none declares an entity."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = packed.infolist()
        if len(parts) > MOST_PARTS:
            raise Refused("too_large_inside")
        if any(part.flag_bits & 1 for part in parts):
            raise Refused("locked")
        if not any(part.filename == "xl/workbook.xml" for part in parts):
            raise Refused("no_sheet")
        left = LARGEST_INSIDE
        for part in parts:
            with packed.open(part) as opened:
                depth = Depth()
                before = b""
                while piece := opened.read(PIECE):
                    left -= len(piece)
                    if left < 0:
                        raise Refused("too_large_inside")
                    if part.filename.endswith((".xml", ".rels", ".vml")):
                        see_text(before[-16:] + piece)
                        depth.see(piece)
                    before = piece


class Depth:
    """How deeply the elements of a part lie within one another: whoever reads it keeps all that are open."""

    def __init__(self) -> None:
        self.open = 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.begin
        self.parser.EndElementHandler = self.end

    def see(self, piece: bytes) -> None:
        with suppress(expat.ExpatError):  # the reading stops there as well, and says so
            self.parser.Parse(piece, False)

    def begin(self, _name: str, _attributes: object) -> None:
        self.open += 1
        if self.open > DEEPEST:
            raise Refused("too_large_inside")

    def end(self, _name: str) -> None:
        self.open -= 1


def see_text(piece: bytes) -> None:
    if b"\x00" in piece or any(word in piece for word in DECLARED):
        raise Refused("entities")  # or hidden from this look, in an encoding that no spreadsheet writes


def rows_of(content: bytes, most_rows: int, most_columns: int) -> list[list[Any]]:
    """The rows of the first sheet that are not blank, each with its number, as texts."""
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    if not book.worksheets:
        raise Refused("no_sheet")
    sheet = book.worksheets[0]
    sheet.reset_dimensions()  # what a file says of its own size is not to be believed
    found: list[list[Any]] = []
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = [text_of(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) > most_columns:
            raise Refused("too_many_columns")
        if not cells:
            continue
        found.append([number, cells])
        if len(found) > most_rows + 1:
            raise Refused("too_many_rows")
    return found


def text_of(cell: Any) -> str:
    """What a cell says, as somebody would type it: days year first, numbers exact, per cents as they are shown."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        number = Decimal(repr(value)) * (100 if "%" in (cell.number_format or "") else 1)
        return plain(number)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)[: LONGEST_CELL + 1].strip()


def plain(number: Decimal) -> str:
    if not number.is_finite():
        return str(number)
    if number == number.to_integral_value() and abs(number) < 10**18:
        return str(int(number))
    # A spreadsheet counts in halves of halves: 31.2 % comes as 0.31200000000000006.
    rounded = number.quantize(Decimal(1).scaleb(-9)) if abs(number) < 10**15 else number
    return f"{rounded.normalize():f}"


def end(answer: object) -> NoReturn:
    sys.stdout.buffer.write(json.dumps(answer).encode())
    sys.stdout.buffer.flush()
    os._exit(0)  # what the file may have left behind needs no tidying


def main(most_rows: str, most_columns: str) -> NoReturn:
    import warnings

    sys.modules["lxml"] = None  # type: ignore[assignment]  # the reading is then that of defusedxml
    import openpyxl  # noqa: F401  a missing library is a fault, not the file's

    warnings.simplefilter("ignore")
    limit()
    try:
        end(answer_to(sys.stdin.buffer.read(), int(most_rows), int(most_columns)))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def answer_to(content: bytes, most_rows: int, most_columns: int) -> dict[str, Any]:
    try:
        see_parts(content)
        return {"rows": rows_of(content, most_rows, most_columns)}
    except Refused as refused:
        return {"refused": refused.code}
    except MemoryError:
        raise
    except Exception:  # the libraries raise many kinds over a file that is not what it says
        return {"refused": "unreadable"}


if __name__ == "__main__":
    main(*sys.argv[1:])
