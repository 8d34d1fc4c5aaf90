"""Lines for a statement as people bring them: CSV from a spreadsheet, or chosen here and written as such."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from credits.errors import CreditsError, Invalid
from credits.form_fields import with_point
from credits.registry.bulk_checking import issuances_named
from credits.registry.bulk_lines import MOST_LINES, RetirementLine, TransferLine
from credits.registry.models import Issuance
from credits.registry.queries import NoSuchIssuance
from credits.registry.retirement import Claim

L = TypeVar("L", RetirementLine, TransferLine)

RETIREMENT = ("issuance", "credits", "beneficiary", "country", "identifier", "purpose", "claim_from", "claim_to")
TRANSFER = ("issuance", "credits", "recipient", "note")


class Unreadable(Invalid):
    """The text as a whole is not what was asked for."""

    code = "unreadable_lines"


@dataclass
class Lines(Generic[L]):
    """Lines by their number, counted from 1 below the heading, and what is wrong with those that are none."""

    sound: dict[int, L] = field(default_factory=dict)
    wrong: dict[int, str] = field(default_factory=dict)


def decoded(content: bytes) -> str:
    """A file as text. Raises Unreadable."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(_("The file is not written in UTF-8. Save it from the spreadsheet as “CSV UTF-8”.")) from None


def rows_of(text: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows below the heading, by column. Raises Unreadable."""
    text = text.removeprefix("\ufeff").strip("\r\n")
    heading = text.partition("\n")[0]
    separator = max(",;\t", key=heading.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise Unreadable(_("The lines are no sound CSV: %(error)s.", error=str(error))) from None
    names = [name.strip().lower() for name in rows[0]] if rows else []
    if missing := [name for name in columns if name not in names and name != "note"]:
        raise Unreadable(
            _("The first line names the columns. Missing: %(names)s.", names=", ".join(missing)), missing=missing
        )
    if unknown := [name for name in names if name not in columns]:
        raise Unreadable(_("These columns are not known here: %(names)s.", names=", ".join(unknown)[:200]))
    if len(names) > len(set(names)):
        raise Unreadable(_("A column is there twice."))
    below = [row for row in rows[1:] if any(cell.strip() for cell in row)]
    if not below:
        raise Unreadable(_("There is no line below the heading."))
    if len(below) > MOST_LINES:
        raise Unreadable(
            _("At most %(most)s lines at a time: these are %(lines)s.", most=f"{MOST_LINES:,}", lines=f"{len(below):,}")
        )
    return [
        {name: cell.strip() for name, cell in zip(names, row, strict=False)}
        | ({"": "more"} if len(row) > len(names) else {})
        for row in below
    ]


def retirements_in(session: Session, text: str) -> Lines[RetirementLine]:
    """The lines of a retirement each in its beneficiary's name. Raises Unreadable."""

    def line(row: dict[str, str], issuance: Issuance) -> RetirementLine:
        claim = Claim(
            beneficiary=row["beneficiary"],
            country=row["country"].upper(),
            identifier=row["identifier"],
            purpose=row["purpose"],
            claim_from=day(row["claim_from"]),
            claim_to=day(row["claim_to"]),
        )
        return RetirementLine(issuance.number, base_units(row, issuance), claim)

    return read(session, rows_of(text, RETIREMENT), RETIREMENT, line)


def transfers_in(session: Session, text: str) -> Lines[TransferLine]:
    """The lines of offers, each to its recipient. Raises Unreadable."""

    def line(row: dict[str, str], issuance: Issuance) -> TransferLine:
        return TransferLine(issuance.number, base_units(row, issuance), row["recipient"].upper(), row.get("note", ""))

    return read(session, rows_of(text, TRANSFER), TRANSFER, line)


def read(
    session: Session,
    rows: list[dict[str, str]],
    columns: Sequence[str],
    line: Callable[[dict[str, str], Issuance], L],
) -> Lines[L]:
    """The rows as lines; those that cannot be are told with why."""
    known = issuances_named(session, (row.get("issuance", "").upper() for row in rows))
    found: Lines[L] = Lines()
    for number, row in enumerate(rows, 1):
        try:
            if "" in row or any(name not in row for name in columns if name != "note"):
                raise Unreadable(_("It has another number of columns than the heading."))
            if row["issuance"].upper() not in known:
                raise NoSuchIssuance(_("There is no such issuance."))
            found.sound[number] = line(row, known[row["issuance"].upper()])
        except CreditsError as refusal:
            found.wrong[number] = refusal.message
    return found


def base_units(row: dict[str, str], issuance: Issuance) -> int:
    return issuance.mineral.base_units(with_point(row["credits"]))


def day(text: str) -> date:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise Unreadable(_("Write a day as year-month-day, such as 2026-03-31."))


def written(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines as the text that `rows_of` reads."""
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow(columns)
    sheet.writerows(rows)
    return text.getvalue()
