"""The sheets to fill in for a file of many rows: the columns with an example, as CSV and as XLSX."""

import csv
import io

from credits.registry.files.import_columns import COLUMNS
from credits.registry.files.import_files import ImportKind

WIDTH = 18  # of a column, in letters
TEXT = "@"  # the spreadsheet leaves what is typed as it is


def as_csv(kind: ImportKind) -> str:
    """For every spreadsheet; in UTF-8 with its mark, or Excel takes it for something else."""
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow([column.name for column in COLUMNS[kind]])
    sheet.writerow([column.example for column in COLUMNS[kind]])
    return "\ufeff" + text.getvalue()


def as_xlsx(kind: ImportKind) -> bytes:
    """With a second sheet that says what stands in each column."""
    from openpyxl import Workbook  # a third of a second, which nobody else needs to wait
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    sheet.title = kind.value
    about = book.create_sheet("columns")
    about.append(["column", "what stands in it", "needed"])
    for place, column in enumerate(COLUMNS[kind], 1):
        sheet.cell(1, place, column.name).font = Font(bold=True)
        sheet.cell(2, place, column.example)
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = WIDTH
        sheet.column_dimensions[letter].number_format = TEXT
        about.append([column.name, column.about, "yes" if column.needed else "no"])
    sheet.freeze_panes = "A2"
    about.column_dimensions["A"].width = about.column_dimensions["B"].width = WIDTH * 3
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()
