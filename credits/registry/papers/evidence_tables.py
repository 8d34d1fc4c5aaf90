"""Tables that come as text (CSV): what one is, and its cells. Nothing in a table is ever worked out."""

import csv
import io
import re
from collections.abc import Iterator

from credits.errors import Invalid

SEPARATORS = ",;\t"
SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs"}
BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# A spreadsheet takes a cell that begins so for a formula; a number with its sign, or a dash for nothing, is none.
BEGINS_FORMULA = frozenset("=+-@")
CALLING = re.compile(r"[(|!]")  # of functions, other programs, other sheets
PLAIN = re.compile(r"[+-]?[\s0-9.,'/()%-]*")
UNWRITTEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\ufffe\uffff]")
LONGEST_CELL = 32_000  # characters, as in spreadsheets
SAMPLE = 64_000  # characters
MOST_CELLS = 2_000_000  # more than people write down, and less than takes a second to read


class FormulaCell(Invalid):
    """A cell that a spreadsheet would work out, and so could make say or do something else."""

    code = "formula_cell"


class NoTable(Invalid):
    code = "no_table"


def table_text(content: bytes) -> str | None:
    """The text of a table, or None where it is none: in UTF-8, as spreadsheets write Unicode, or as old ones do."""
    text = decoded(content)
    if text is None or UNWRITTEN.search(text) or text.lstrip().startswith("<"):
        return None
    try:
        first = next(csv.reader(io.StringIO(text[:SAMPLE]), delimiter=separator(text)), [])
    except csv.Error:
        return None
    return text if len(first) >= 2 else None


def decoded(content: bytes) -> str | None:
    marked = next((name for mark, name in BOMS.items() if content.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "cp1252"):
        try:
            return content.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    return None


def separator(text: str) -> str:
    """What parts the cells of the first line."""
    first = text.lstrip("\r\n").partition("\n")[0]
    return max(SEPARATORS, key=first.count)


def lines(text: str) -> Iterator[str]:
    """One line after the other, without a second copy of them all."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def rows(text: str, delimiter: str | None = None) -> Iterator[list[str]]:
    """The rows of a table, divided as its first line is, or at `delimiter`.

    Raises NoTable where the text breaks off being one.
    """
    reader = csv.reader(lines(text), delimiter=delimiter or separator(text))
    try:
        yield from reader
    except csv.Error:
        raise NoTable(f"Line {reader.line_num} of the table cannot be read: is a quotation mark missing?") from None


def refuse_formulas(text: str) -> None:
    """Raise FormulaCell for the first cell that is one, NoTable where there is no table. Names the cell as A1.

    A spreadsheet divides by the habits of its country, not by the first line: the cells at each separator count.
    """
    own = separator(text)
    if max(text.count(each) for each in SEPARATORS) + text.count("\n") > MOST_CELLS:
        raise NoTable("The table has more than two million cells. Please send it in parts.")
    for number, row in enumerate(rows(text, own), 1):
        for column, cell in enumerate(row):
            if cell and (cell[0] in BEGINS_FORMULA or cell[0].isspace() or len(cell) > LONGEST_CELL):
                refuse_formula(cell, f"{letters(column)}{number}")
    for other in SEPARATORS.replace(own, ""):
        if other not in text and not CALLING.search(text):
            continue  # each row is one cell there, and begins as its first one does here
        for number, row in enumerate(rows(text, other), 1):
            for column, cell in enumerate(row):
                if cell and (cell[0] in BEGINS_FORMULA or cell[0].isspace()):
                    refuse_formula_elsewhere(cell, f"{letters(column)}{number}", own, other)


def refuse_formula(cell: str, name: str) -> None:
    if len(cell) > LONGEST_CELL:
        raise NoTable(f"Cell {name} is longer than {LONGEST_CELL:,} characters: this is no table of figures.")
    bare = cell.strip()
    if bare and bare[0] in BEGINS_FORMULA and not PLAIN.fullmatch(bare):
        raise FormulaCell(
            f"Cell {name} holds a formula. Save the table with its values only, or write a word before the sign.",
            cell=name,
        )


def refuse_formula_elsewhere(cell: str, name: str, own: str, other: str) -> None:
    """As `refuse_formula`, where the table is divided at `other` and not at its `own` separator.

    A row that begins with a figure such as -5 is one cell there, and no formula unless something could be called.
    """
    bare = cell.strip()
    begins = bare.partition(own)[0].strip().strip('"')
    if not bare or bare[0] not in BEGINS_FORMULA or (PLAIN.fullmatch(begins) and not CALLING.search(bare)):
        return
    raise FormulaCell(
        f"A spreadsheet that divides at {SIGNS[other]} takes cell {name} for a formula. Save the table with its values "
        "only, or write a word before the sign.",
        cell=name,
    )


def letters(column: int) -> str:
    """A, B … Z, AA: how spreadsheets call a column."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
