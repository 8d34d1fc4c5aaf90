"""`flask --app wsgi sites|batches|members import FILE`: many rows from a spreadsheet, all of them or none."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.cli.sites import sites
from credits.db import begin_writing
from credits.errors import CreditsError, Invalid
from credits.extensions import db
from credits.identity import now
from credits.journal.events import SYSTEM
from credits.participants import users
from credits.participants.models import Kind, Kyc, Organisation, User
from credits.participants.permissions import PRODUCERS, REGISTRARS, has_any
from credits.registry import queries
from credits.registry.files import import_sheets, importing
from credits.registry.files.import_columns import COLUMNS
from credits.registry.files.import_files import ImportFile, ImportKind, ImportState
from credits.registry.files.import_sheets import Sheet
from credits.registry.production import Site

batches = AppGroup("batches", help="Batches of production.")
members = AppGroup("members", help="Counts of members.")
MOST_TOLD = 200  # wrong cells in words; JSON has all


class NobodyActs(Invalid):
    """It cannot be told in whose name the rows are brought in."""

    code = "nobody_acts"


@dataclass
class Outcome:
    """What the command says. bad: every wrong cell; row 0: of the file as a whole."""

    kind: str
    file: str
    sha256: str = ""
    rows: int = 0
    created: int = 0
    by: str | None = None
    already: str | None = None
    imported: str | None = None
    numbers: list[str] = field(default_factory=list)
    bad: list[dict[str, Any]] = field(default_factory=list)


def command(kind: ImportKind) -> Callable[..., None]:
    """The command for one kind of rows."""

    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--by", "email", default="", help="With which the person signs in who brings them in.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
    def run(file: Path, email: str, as_json: bool) -> None:
        outcome = Outcome(kind.value, str(file))
        try:
            bring_in(kind, file, email, outcome)
        except CreditsError as refusal:
            db.session.rollback()
            outcome.created, outcome.numbers = 0, []
            outcome.bad = outcome.bad or [whole_file(str(refusal))]
        click.echo(json.dumps(vars(outcome), ensure_ascii=False) if as_json else in_words(outcome))
        sys.exit(1 if outcome.bad else 0)

    listed = "\n    ".join(
        f"{column.name:<22}{column.about}{'' if column.needed else '; may be left out'}" for column in COLUMNS[kind]
    )
    run.__doc__ = f"""Enter the {kind.value} of FILE (CSV or XLSX, at most 10,000 rows): all of them, or none.

    Every wrong cell is named with what to do; then nothing is written, and the exit status is 1. A formula is text
    and never worked out. The same file again changes nothing. Without --by it is done in the name of a manager of
    the one producer that the file is about, and the log says that the system did it. The first row names the columns:

    \b
    {listed}
    """
    return run


def bring_in(kind: ImportKind, file: Path, email: str, outcome: Outcome) -> None:
    """Read, look through and enter. Raises CreditsError."""
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        reading = progress.add_task("Reading", total=None)
        with file.open("rb") as opened:
            content = opened.read(import_sheets.LARGEST + 1)
        sheet = import_sheets.read(file.name, content)
        progress.remove_task(reading)
        outcome.sha256, outcome.rows = sheet.sha256, len(sheet.rows)
        session, at = db.session(), now()
        begin_writing(session)
        by, certain = acting(session, email, kind, sheet)
        outcome.by = by.number if certain else None
        received = importing.receive(session, kind=kind, sheet=sheet, by=by, at=at)
        if received.state is ImportState.ENTERED:
            outcome.already = received.number
            return
        bar = progress.add_task("Looking through", total=outcome.rows)
        looked = importing.look_through(
            session, received, by=by, at=at, watch=lambda done: progress.update(bar, completed=done)
        )
        outcome.bad = [] if certain else [whole_file("Say with --by EMAIL who brings the rows in: several could.")]
        outcome.bad += [vars(finding) for finding in looked.findings]
        if outcome.bad:
            session.rollback()
            return
        entered(session, received, by, email, outcome)


def entered(session: Session, received: ImportFile, by: User, email: str, outcome: Outcome) -> None:
    at = now()
    importing.note(session, received, [], at=at)
    actor, key = None if email else SYSTEM, f"import-{received.kind}-{received.sha256}"
    importing.confirm(session, file=received, by=by, key=key, at=at, actor=actor)
    numbers = importing.enter(session, file=received, by=by, at=at, actor=actor)
    session.commit()
    outcome.imported, outcome.created, outcome.numbers = received.number, len(numbers), numbers


def acting(session: Session, email: str, kind: ImportKind, sheet: Sheet) -> tuple[User, bool]:
    """Who brings the rows in, and whether that is certain. Raises NobodyActs."""
    if email:
        by = users.with_email(session, email)
        if by is None:
            raise NobodyActs(f"Nobody signs in with {email}.")
        return by, True
    producers = producers_in(session, kind, sheet)
    acts_for = {producer.group_manager_id for producer in producers}
    if len(producers) > 1 and len(acts_for) == 1 and None not in acts_for:
        producers = [session.get_one(Organisation, acts_for.pop())]
    wanted = select(User).where(User.organisation_id.in_([each.id for each in producers]))
    for user in session.scalars(wanted.order_by(User.id)):
        if has_any(user, *REGISTRARS):
            return user, len(producers) == 1
    raise NobodyActs("Nobody of the producer may record sites and batches. Say with --by EMAIL who does.")


def producers_in(session: Session, kind: ImportKind, sheet: Sheet) -> list[Organisation]:
    """Of whom the rows speak; the only producer where they name none."""
    column = "producer" if kind is ImportKind.SITES else "site"
    heading = [name.strip().lower() for name in sheet.heading]
    place = heading.index(column) if column in heading else len(heading)
    named = {cells[place].strip().upper() for _number, cells in sheet.rows if place < len(cells)} - {""}
    if kind is ImportKind.SITES:
        ids = [queries.digits_of(number, "ORG-") for number in named]
        found = [one for number in ids if (one := session.get(Organisation, number))]
    else:
        every = session.execute(select(Site.country, Site.code, Site.producer_id))
        ids = sorted({producer for country, code, producer in every if f"{country}-{code}" in named})
        found = [session.get_one(Organisation, number) for number in ids]
    if found:
        return found
    only = select(Organisation).where(Organisation.kind.in_(PRODUCERS), Organisation.kyc == Kyc.APPROVED)
    return [one for one in session.scalars(only) if one.kind is not Kind.GROUP_MANAGER or not one.members]


def whole_file(message: str) -> dict[str, Any]:
    return {"row": 0, "column": "", "cell": "", "value": "", "message": message}


def in_words(outcome: Outcome) -> str:
    if outcome.already:
        return f"{outcome.file} was entered before, as {outcome.already}: nothing is written again."
    if not outcome.bad:
        return f"{outcome.created:,} {outcome.kind} are entered ({outcome.imported}), as {outcome.by}."
    lines = [f"{found['cell'] or 'The file'}: {found['message']}" for found in outcome.bad[:MOST_TOLD]]
    more = len(outcome.bad) - len(lines)
    lines += [f"… and {more:,} more; --json names all of them."] if more else []
    count = f"{len(outcome.bad):,} wrong cells" if len(outcome.bad) > 1 else "One thing is wrong"
    return "\n".join([f"{count} among {outcome.rows:,} rows. Nothing was written.", *lines])


for group, kind in ((sites, ImportKind.SITES), (batches, ImportKind.BATCHES), (members, ImportKind.MEMBERS)):
    group.command("import", short_help=f"Enter many {kind.value} from a spreadsheet.")(command(kind))
