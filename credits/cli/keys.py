"""`flask --app wsgi keys`: the public keys by which anybody checks what the registry has signed."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from credits.certificates import succession
from credits.certificates.checks.published_keys import in_text
from credits.certificates.signing import KeyUnsound
from credits.db import begin_writing
from credits.drawing import document_seal
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import now
from credits.log_keys import new_seed
from credits.published import keys_published

keys = AppGroup("keys", help="Public keys of the log and of documents: export, rotate.")


@keys.command("export")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write them there; else print them.")
def export(out: Path | None) -> None:
    """The public keys of all times with their validity, as one file: all that checking a document needs."""
    written = in_text(keys_published())
    if out is None:
        click.echo(written, nl=False)
        return
    out.write_text(written, encoding="utf-8")
    click.echo(f"The public keys are in {out}. Check a document with")
    click.echo(f"  python -m credits.certificates.verify FILE.pdf --key {out}")


@keys.command("rotate-documents")
def rotate_documents() -> None:
    """Let a new key sign documents from now on. What the older one has signed stays good, and it stays published."""
    settings, session = current_app.extensions["settings"], db.session()
    document_seal()
    try:
        begin_writing(session)  # a database that must not be written to gets no new key
        seal = succession.rotate(
            session,
            data_dir=settings.data_dir,
            name=settings.registry_name,
            url=settings.public_url,
            seed=new_seed(),
            at=now(),
        )
        session.commit()
    except (CreditsError, KeyUnsound) as refusal:
        raise click.ClickException(str(refusal)) from None
    click.echo(f"Documents are signed with a new key: {seal.fingerprint}")
    click.echo("Publish it: /keys.json has it already; those who keep a copy get the new one.")
