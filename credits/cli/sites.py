"""`flask --app wsgi sites`: what others have published about mine sites."""

import json
import sys
from pathlib import Path

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.progress import Progress, TaskID

from credits.db import begin_writing
from credits.errors import Invalid
from credits.extensions import db
from credits.identity import now
from credits.journal.events import SYSTEM
from credits.registry.mines import ipis, observations
from credits.registry.mines.observations import Entered

LARGEST_FILE = 64 * 1024 * 1024  # bytes; the whole of the published data has about 2 million

sites = AppGroup("sites", help="Open data about mine sites.")


@sites.command("import-ipis", short_help="Enter the mine site visits that IPIS publishes.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
def import_ipis(file: Path, as_json: bool) -> None:
    """Enter the mine site visits of FILE: the comma-separated list that IPIS publishes, in UTF-8.

    A row is one visit (vid), a site is one pcode. New visits are added, changed ones brought up to date, none
    is taken away: entering a file again changes nothing. A bad row is named with its line and the reason, and
    the rest goes in. A file of another kind is refused as a whole (exit status 1 or 2).

    \b
    rows          rows below the header that are not blank
    observations  different visits among the sound rows
    sites         different sites that these visits belong to
    created       visits that the registry did not have
    updated       visits that it had with other values, and has with these now
    rejected      rows left out, each with the line where it starts

    A row that repeats an earlier one word for word counts as a row only. Source: IPIS, ODC-BY 1.0.
    """
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        reading_bar, entering_bar = (progress.add_task(what, total=None) for what in ("Reading", "Entering"))
        at = now()
        try:
            reading = ipis.read(_content(file), today=at.date(), watch=_moving(progress, reading_bar))
        except Invalid as refusal:
            raise click.ClickException(f"{file}: {refusal}") from None
        session = db.session()
        begin_writing(session)
        entered = observations.enter(session, reading, actor=SYSTEM, at=at, watch=_moving(progress, entering_bar))
        session.commit()
    click.echo(_as_json(entered) if as_json else _in_words(entered))


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_FILE + 1)
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from None
    if len(content) > LARGEST_FILE:
        raise click.FileError(str(file), f"it is larger than {LARGEST_FILE // 1024**2} MB")
    return content


def _moving(progress: Progress, bar: TaskID) -> ipis.Watch:
    return lambda done, total: progress.update(bar, completed=done, total=total)


def _as_json(entered: Entered) -> str:
    return json.dumps(vars(entered) | {"rejected": [vars(rejection) for rejection in entered.rejected]})


def _in_words(entered: Entered) -> str:
    summary = (
        f"{entered.rows:,} rows: {entered.observations:,} visits to {entered.sites:,} sites, "
        f"{entered.created:,} of them new and {entered.updated:,} changed. "
        f"{len(entered.rejected):,} rows were left out{':' if entered.rejected else '.'}"
    )
    return "\n".join([summary, *(f"line {rejection.line}: {rejection.reason}" for rejection in entered.rejected)])
