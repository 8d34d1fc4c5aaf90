"""`flask --app wsgi money`: whether provider, orders, ledger and the books of money say the same."""

import json
import sys
from dataclasses import asdict

import click
from flask import current_app
from flask.cli import AppGroup

from credits import market_jobs
from credits.extensions import db
from credits.identity import now
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
    found = compared()
    if as_json:
        told = {"provider_asked": found.asked, "disagreements": [asdict(each) for each in found.disagreements]}
        click.echo(json.dumps(found.counts | told, ensure_ascii=False))
    else:
        click.echo(", ".join(f"{count} {name}" for name, count in found.counts.items()))
        for each in found.disagreements:
            click.echo(f"{each.subject}: {each.says} ({each.kind})")
        if found.agrees:
            click.echo("All agree." if found.asked else "All agree; there is no payment provider to be asked.")
    sys.exit(0 if found.agrees else 1)


def compared() -> Reconciled:
    with asked_by_command(current_app.extensions["settings"]) as gateway:
        try:
            return market_jobs.reconcile(db.session(), gateway=gateway, at=now())
        except (ProviderUnreachable, ProviderRefused) as refusal:
            alone = market_jobs.reconcile(db.session(), gateway=None, at=now())
            silent = Disagreement(refusal.code, "provider", refusal.message)
            return Reconciled(False, alone.counts, [silent, *alone.disagreements])
