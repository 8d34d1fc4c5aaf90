"""Commands of the registry, for those who run it: `flask --app wsgi GROUP COMMAND`.

Each module has one command or group of them. A new one is imported here and listed in COMMANDS.
"""

import click
from flask import Flask

from credits.cli.demo import demo
from credits.cli.draws import draws
from credits.cli.founding import found
from credits.cli.importing import batches, members
from credits.cli.journal import journal
from credits.cli.keys import keys
from credits.cli.ledger import ledger
from credits.cli.money import money
from credits.cli.plausibility import plausibility
from credits.cli.screening import sites
from credits.cli.tokens import tokens

COMMANDS: tuple[click.Command, ...] = (
    batches,
    demo,
    draws,
    found,
    journal,
    keys,
    ledger,
    members,
    money,
    plausibility,
    sites,
    tokens,
)


def register(app: Flask) -> None:
    """Let `app` answer to the commands."""
    for command in COMMANDS:
        app.cli.add_command(command)
