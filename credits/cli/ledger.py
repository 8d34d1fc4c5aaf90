"""`flask --app wsgi ledger`: whether the ledger keeps its promises."""

import json
import sys

import click
from flask.cli import AppGroup

from credits import walls
from credits.extensions import db, migrate
from credits.ledger import invariants
from credits.registry import invariants as reasons
from credits.registry import retelling

ledger = AppGroup("ledger", help="The ledger of serials.")


@ledger.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
def check(as_json: bool) -> None:
    """Ask the database about each promise of ledger and registry. Exit status 1 where one does not hold."""
    promises = [
        *invariants.check(db.session()),
        *reasons.check(db.session()),
        *retelling.check(db.session()),
        walls.check(db.engine, migrate.get_config()),
    ]
    if as_json:
        told = [{"promise": p.name, "says": p.says, "holds": p.holds, "broken": p.broken} for p in promises]
        click.echo(json.dumps({"holds": all(p.holds for p in promises), "promises": told}, ensure_ascii=False))
    else:
        for promise in promises:
            click.echo(f"{'holds ' if promise.holds else 'BROKEN'}  {promise.name}: {promise.says}")
            for place in promise.broken:
                click.echo(f"        at {place}")
    sys.exit(0 if all(promise.holds for promise in promises) else 1)
