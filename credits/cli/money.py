"""`flask --app wsgi money`: whether provider, orders, ledger and the books of money say the same."""

import json
import sys
from dataclasses import asdict

import click
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from flask.cli import AppGroup

from credits import market_rounds
from credits.extensions import db
from credits.identity import now
from credits.payments import invariants
from credits.payments.comparing import Disagreement
from credits.payments.gateway import ProviderRefused, ProviderUnreachable
from credits.payments.reconciling import Reconciled
from credits.provider import asked_by_command

money = AppGroup("money", help="Payments and what becomes of them.")


@money.command("reconcile")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
def reconcile(as_json: bool) -> None:
    """Compare what the payment provider, the orders, the ledger and the books say. Exit status 1 if they disagree.

    Nothing is changed. The worker does so once a day, after it has caught up with the provider.
    """
    must_be_migrated()
    found = compared()
    if as_json:
        told = [asdict(each) for each in found.disagreements]
        click.echo(json.dumps(found.counts | {"disagreements": told}, ensure_ascii=False))
    else:
        click.echo(", ".join(f"{count} {name}" for name, count in found.counts.items()))
        for each in found.disagreements:
            click.echo(f"{each.subject}: {each.says} ({each.kind})")
        if found.agrees:
            click.echo("All agree." if found.asked else "All agree; there is no payment provider to be asked.")
    sys.exit(0 if found.agrees else 1)


@money.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
def check(as_json: bool) -> None:
    """Ask the database about each promise of the money, and the premium of every site. Exit status 1 if one is broken.

    Amounts are in minor units: disbursed + held = collected - refunded, for every site and currency.
    """
    must_be_migrated()
    promises, equations = invariants.check(db.session()), invariants.equations(db.session())
    sound = all(promise.holds for promise in promises)
    if as_json:
        told = [{"promise": p.name, "says": p.says, "holds": p.holds, "broken": p.broken} for p in promises]
        sites = [asdict(each) | {"holds": each.holds} for each in equations]
        click.echo(json.dumps({"holds": sound, "promises": told, "sites": sites}, ensure_ascii=False))
    else:
        for promise in promises:
            click.echo(f"{'holds ' if promise.holds else 'BROKEN'}  {promise.name}: {promise.says}")
            for place in promise.broken:
                click.echo(f"        at {place}")
        for each in equations:
            told_of = f"{each.disbursed} + {each.held} = {each.collected} - {each.refunded}"
            click.echo(f"{'holds ' if each.holds else 'BROKEN'}  {each.site} {each.currency}: {told_of}")
    sys.exit(0 if sound else 1)


class NotMigrated(click.ClickException):
    """The database has no tables yet, or those of an older version."""

    exit_code = 2


def must_be_migrated() -> None:
    """Raise NotMigrated unless the database is of this version."""
    newest = ScriptDirectory(current_app.extensions["migrate"].directory).get_current_head()
    if MigrationContext.configure(db.session.connection()).get_current_revision() != newest:
        raise NotMigrated("The database is not of this version: run flask --app wsgi db upgrade first.")
    db.session.rollback()


def compared() -> Reconciled:
    with asked_by_command(current_app.extensions["settings"]) as gateway:
        try:
            return market_rounds.reconcile(db.session(), gateway=gateway, at=now())
        except (ProviderUnreachable, ProviderRefused) as refusal:
            alone = market_rounds.reconcile(db.session(), gateway=None, at=now())
            silent = Disagreement(refusal.code, "provider", refusal.message)
            return Reconciled(False, alone.counts, [silent, *alone.disagreements])
