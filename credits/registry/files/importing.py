"""Bringing in many rows at once, all of them or none: received, looked through, confirmed, entered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.errors import Conflict, Missing
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import may_register_for
from credits.registry import queries
from credits.registry.files.import_checking import Checked, checked
from credits.registry.files.import_columns import Finding, columns_in, rows_in
from credits.registry.files.import_files import ImportFile, ImportKind, ImportState
from credits.registry.files.import_looking import known_to
from credits.registry.files.import_making import MAKERS
from credits.registry.files.import_sheets import Sheet

MOST_FINDINGS = 500  # that are kept to be shown; all are counted
AT_ONCE = 250  # rows between two words on how far it is
GIVEN_UP = timedelta(minutes=5)
Watch = Callable[[int], None]


class NoSuchImport(Missing):
    code = "no_such_import"


class NotSound(Conflict):
    """Something in the file is wrong, or no longer right, so nothing of it is entered."""

    code = "import_not_sound"


class EnteredBefore(Conflict):
    """The same file was entered before."""

    code = "entered_before"


@dataclass(frozen=True)
class Looked:
    """A file after the look: what would be made, or every wrong cell."""

    outcomes: list[Checked]
    findings: list[Finding]


def receive(session: Session, *, kind: ImportKind, sheet: Sheet, by: User, at: datetime) -> ImportFile:
    """Keep the rows of a file to be looked through. The same file, entered before, is that one again.

    Flushes. Raises NotAllowed, UnreadableSheet.
    """
    may_register_for(by, by.organisation)
    if earlier := entered_before(session, kind, sheet, by):
        return earlier
    places = columns_in(kind, sheet)
    file = ImportFile(
        kind=kind,
        organisation=by.organisation,
        filename=sheet.filename,
        sha256=sheet.sha256,
        line_count=len(sheet.rows),
        lines=[places, rows_in(kind, sheet, places)],
        state=ImportState.CHECKING,
        checked=0,
        made=0,
        wrong=0,
        findings=[],
        sent_by_id=by.id,
        sent_at=at,
    )
    session.add(file)
    session.flush()
    tell(session, "received", file, by.number, at)
    return file


def entered_before(session: Session, kind: ImportKind, sheet: Sheet, by: User) -> ImportFile | None:
    return session.scalars(
        select(ImportFile).where(
            ImportFile.organisation_id == by.organisation_id,
            ImportFile.kind == kind,
            ImportFile.sha256 == sheet.sha256,
            ImportFile.state == ImportState.ENTERED,
        )
    ).one_or_none()


def look_through(session: Session, file: ImportFile, *, by: User, at: datetime, watch: Watch | None = None) -> Looked:
    """Look at every row. Only reads. watch: told now and then how many are done."""
    places, rows = file.lines
    known = known_to(session, file.kind, by, at)
    outcomes, findings = [], []
    for number, outcome in enumerate(checked(file.kind, rows, places, known), 1):
        outcomes.append(outcome)
        findings += outcome.findings
        if watch is not None and number % AT_ONCE == 0:
            watch(number)
    return Looked(outcomes, findings)


def note(session: Session, file: ImportFile, findings: Sequence[Finding], *, at: datetime) -> None:
    """Write down what the look has found; a file with a wrong cell is closed. Flushes."""
    session.refresh(file, with_for_update=True)
    if file.state is not ImportState.CHECKING:
        return
    file.checked = file.line_count
    file.wrong = len(findings)
    file.findings = [vars(finding) for finding in findings[:MOST_FINDINGS]]
    if findings:
        close(file, ImportState.WRONG, at)
        session.flush()
        tell(session, "not_sound", file, file.sent_by.number, at)
    else:
        file.state = ImportState.SOUND
    session.flush()


def confirm(session: Session, *, file: ImportFile, by: User, key: str, at: datetime, actor: str | None = None) -> None:
    """Say that it is to be entered. Flushes. actor: who does it in the journal, if not `by`.

    Raises NotAllowed, NotSound.
    """
    may_register_for(by, file.organisation)
    if claim(session, caller=by.number, key=key, request={"act": "import.confirm", "file": file.number}):
        return
    session.refresh(file, with_for_update=True)
    if file.state is ImportState.SOUND:
        file.state, file.confirmed_by = ImportState.ENTERING, by
        session.flush()
        tell(session, "confirmed", file, actor or by.number, at)
    elif file.state not in (ImportState.ENTERING, ImportState.ENTERED):
        raise NotSound("This file cannot be entered. Correct it, and send it again.")
    settle(session, {"file": file.id})


def enter(session: Session, *, file: ImportFile, by: User, at: datetime, actor: str | None = None) -> list[str]:
    """Make all that the rows say in this one transaction; the numbers of what was made. Flushes.

    actor: who does it in the journal, if not `by`. Raises NotAllowed, NotSound, EnteredBefore.
    """
    may_register_for(by, file.organisation)
    session.refresh(file, with_for_update=True)
    if file.state is ImportState.ENTERED:
        return []
    if file.state is not ImportState.ENTERING:
        raise NotSound("This file cannot be entered. Correct it, and send it again.")
    looked = look_through(session, file, by=by, at=at)
    if looked.findings:
        first = looked.findings[0]
        raise NotSound(
            f"Since it was looked through, something has changed: {first.cell}: {first.message} Nothing was entered; "
            "correct the file and send it again.",
            findings=len(looked.findings),
        )
    numbers = MAKERS[file.kind](session, [outcome.made for outcome in looked.outcomes], by, actor or by.number, at)
    file.made = file.checked = file.line_count
    close(file, ImportState.ENTERED, at)
    try:
        session.flush()
    except IntegrityError as error:
        if "import_file" not in str(error.orig):
            raise
        raise EnteredBefore("The very same file was entered by somebody else a moment ago.") from None
    tell(session, "entered", file, actor or by.number, at)
    return numbers


def refuse(session: Session, file: ImportFile, refusal: str, *, at: datetime) -> None:
    """Close a file that could not be entered after all. Flushes."""
    session.refresh(file, with_for_update=True)
    if file.state is ImportState.ENTERING:
        file.refusal = refusal
        close(file, ImportState.REFUSED, at)
        session.flush()
        tell(session, "refused", file, events.SYSTEM, at)


def drop(session: Session, *, file: ImportFile, by: User, at: datetime) -> None:
    """Forget a file that nobody wants entered. Flushes. Raises NotAllowed, NotSound."""
    may_register_for(by, file.organisation)
    session.refresh(file, with_for_update=True)
    if file.state not in (ImportState.CHECKING, ImportState.SOUND):
        raise NotSound("This file is done with already.")
    close(file, ImportState.DROPPED, at)
    session.flush()
    tell(session, "dropped", file, by.number, at)


def close(file: ImportFile, state: ImportState, at: datetime) -> None:
    file.state, file.closed_at, file.lines = state, at, []


def tell(session: Session, act: str, file: ImportFile, actor: str, at: datetime) -> None:
    facts: dict[str, Any] = {"kind": file.kind.value, "sha256": file.sha256, "rows": file.line_count}
    facts |= {"organisation": file.organisation.number}
    events.append(session, kind=f"import.{act}", subject=file.number, actor=actor, at=at, facts=facts)


def imports_of(by: User) -> Any:
    """The files that the person's organisation has sent, the newest first."""
    return select(ImportFile).where(ImportFile.organisation_id == by.organisation_id).order_by(ImportFile.id.desc())


def import_numbered(session: Session, by: User, number: str) -> ImportFile:
    """A file that the person's own organisation has sent. Raises NoSuchImport."""
    wanted = imports_of(by).where(ImportFile.id == queries.digits_of(number, "IMPORT-"))
    file: ImportFile | None = session.scalars(wanted).one_or_none()
    if file is None:
        raise NoSuchImport("There is no such import.")
    return file


def abandoned(session: Session, *, at: datetime) -> list[tuple[int, ImportState]]:
    """The files that were being looked through or entered minutes ago and still are."""
    going = (ImportState.CHECKING, ImportState.ENTERING)
    wanted = select(ImportFile.id, ImportFile.state).where(ImportFile.state.in_(going))
    return [(row.id, row.state) for row in session.execute(wanted.where(ImportFile.sent_at < at - GIVEN_UP))]
