"""`flask --app wsgi found`: the registry's own organisation, its first issuer, and the floors that are known, once in a
database's life."""

import click
from flask.cli import with_appcontext
from flask_security import hash_password

from credits.db import begin_writing
from credits.errors import CreditsError
from credits.extensions import db, security
from credits.identity import new_handle, now
from credits.participants import organisations
from credits.participants.models import Language
from credits.payments.offering import floors


@click.command("found")
@click.option("--name", required=True, help="Name of the organisation that runs the registry.")
@click.option("--legal-form", required=True, help="Such as association, foundation, company.")
@click.option("--country", "country_code", required=True, help="ISO 3166-1 alpha-3, such as CHE.")
@click.option("--registration-number", default=None)
@click.option("--address", required=True)
@click.option("--contact-email", required=True)
@click.option("--person", required=True, help="Name of the first issuer.")
@click.option("--email", required=True, help="With which the first issuer signs in.")
@click.option("--language", type=click.Choice([each.value for each in Language]), default="en", show_default=True)
@click.password_option(help="Asked for where it is not given; at least 12 characters.")
@with_appcontext
def found(password: str, language: str, **card: str) -> None:
    """Enter who runs this registry and who issues first. All others then sign up and are approved by that person."""
    problems, password = security.password_util.validate(password, True)
    if problems:
        raise click.ClickException(" ".join(str(problem) for problem in problems))
    hashed = hash_password(password)  # before the write begins: it takes its time
    session = db.session()
    begin_writing(session)
    try:
        organisation, user = organisations.found_registry(
            session,
            **card,
            language=Language(language),
            password=hashed,
            handle=new_handle(),
            at=now(),
        )
        floors.seed(session, by=user, at=now())
    except CreditsError as refusal:
        raise click.ClickException(str(refusal)) from None
    session.commit()
    click.echo(f"{organisation.number} {organisation.name} is founded; {user.email} can sign in.")
    click.echo("The known floors of prices are set; see them, and set others, on the panel.")
