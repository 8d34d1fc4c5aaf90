import io
import zipfile
from datetime import date

import pytest
from openpyxl import Workbook

from credits.registry.files import import_sheets
from credits.registry.files.import_columns import COLUMNS
from credits.registry.files.import_files import MOST_ROWS, ImportKind
from credits.registry.files.import_sheets import UnreadableSheet, read
from credits.registry.files.import_templates import as_csv, as_xlsx


def book(*rows, formats=()):
    made = Workbook()
    for row in rows:
        made.active.append(row)
    for cell, number_format in formats:
        made.active[cell].number_format = number_format
    kept = io.BytesIO()
    made.save(kept)
    return kept.getvalue()


def repacked(content, name, change):
    """The same file with one part made another."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            inside = old.read(part)
            new.writestr(part.filename, change(inside) if part.filename == name else inside)
    return kept.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
SMALL = book(["a", "b"], ["1", "2"])
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
FILE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def deepened(sheet):
    return sheet.replace(b"<row", b"<row>" * 1_000_000 + b"<row", 1)


class TestRead:
    def test_takes_what_spreadsheets_write(self):
        day, number = date(2026, 3, 31), 0.312
        sheet = read("x.xlsx", book(["a"] * 7, ["=1+1", number, 1240.5, day, True, 7, " x "], formats=[("B2", "0.0%")]))

        assert sheet.rows == [(2, ["=1+1", "31.2", "1240.5", "2026-03-31", "yes", "7", "x"])]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
    def test_takes_csv_as_excel_saves_it(self, encoding):
        sheet = read("x.csv", 'name;kg\r\n"Éa\r\nb";1240,5\r\n;\r\n\r\nc;1\r\n'.encode(encoding))

        assert sheet.heading == ["name", "kg"]
        assert sheet.rows == [(2, ["Éa\r\nb", "1240,5"]), (5, ["c", "1"])]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "is empty"),
            (b"\xd0\xcf\x11\xe0 old", "old Excel"),
            (b"a,b\n1,\x00", "no table"),
            (b"<html>", "page or XML"),
            (b'a,b\n1,"2', "quotation mark"),
            (b"a,b\n", "no row below the heading"),
            (b"a,b\n" + b"1,2\n" * (MOST_ROWS + 1), "At most 10,000 rows"),
            (b"a" + b",a" * 40, "wider than 40 columns"),
            (b"PK\x03\x04" + b"\x00" * 90, "cannot be read"),
            (SMALL[: len(SMALL) // 2], "cannot be read"),
            (repacked(SMALL, SHEET, lambda inside: LAUGHS + inside), "declarations"),
            (repacked(SMALL, SHEET, lambda inside: FILE + inside), "declarations"),
            (repacked(SMALL, SHEET, lambda inside: inside.decode().encode("utf-16")), "declarations"),
            (repacked(SMALL, "docProps/app.xml", lambda inside: b" " * 60_000_000), "far larger"),
            (repacked(SMALL, SHEET, deepened), "far larger"),
            (repacked(SMALL, "xl/workbook.xml", lambda inside: b"<x/>"), "cannot be read|no sheet"),
            (book(["a"] * 41, ["1"]), "wider than 40 columns"),
        ],
    )
    def test_refuses_what_is_hostile_or_broken_with_what_to_do(self, content, said):
        with pytest.raises(UnreadableSheet, match=said):
            read("x.xlsx", content)

    def test_refuses_a_file_that_its_reader_has_no_memory_for(self, monkeypatch, tmp_path):
        # As if the depth were not seen: a child that dies of its limits is never a fault of ours.
        child = tmp_path / "child.py"
        child.write_text(import_sheets.CHILD.read_text().replace("DEEPEST = 100 ", "DEEPEST = 10**9 "))
        monkeypatch.setattr(import_sheets, "CHILD", child)
        with pytest.raises(UnreadableSheet, match="far larger"):
            read("x.xlsx", repacked(SMALL, SHEET, deepened))


class TestTemplates:
    @pytest.mark.parametrize("kind", ImportKind)
    def test_are_read_as_they_are(self, kind):
        names = [column.name for column in COLUMNS[kind]]
        examples = [column.example for column in COLUMNS[kind]]
        for content in (as_csv(kind).encode(), as_xlsx(kind)):
            sheet = read("template", content)
            assert sheet.heading == names
            cells = sheet.rows[0][1]
            assert cells + [""] * (len(examples) - len(cells)) == examples
