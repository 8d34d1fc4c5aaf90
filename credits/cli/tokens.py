"""`flask --app wsgi tokens`: keys to the JSON API."""

import click
from flask.cli import AppGroup

from credits.db import begin_writing
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import new_secret, now
from credits.journal.events import SYSTEM
from credits.participants import tokens as keys
from credits.participants import users

tokens = AppGroup("tokens", help="Keys to the JSON API.")


@tokens.command("create")
@click.argument("email")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
def create(email: str, name: str) -> None:
    """Make a token that acts as the person with EMAIL, and print it. It is shown this once and stored hashed."""
    session = db.session()
    begin_writing(session)
    user = users.with_email(session, email)
    if user is None:
        raise click.ClickException(f"Nobody signs in with {email}.")
    secret = new_secret()
    try:
        keys.create(session, user=user, name=name, secret=secret, at=now(), actor=SYSTEM)
    except CreditsError as refusal:
        raise click.ClickException(str(refusal)) from None
    session.commit()
    click.echo(secret)
