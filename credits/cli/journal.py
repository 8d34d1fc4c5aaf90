"""`flask --app wsgi journal`: the published log of all that happened."""

import json
import sys
from datetime import timedelta
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from credits import jobs
from credits.db import begin_writing
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import now
from credits.journal import auditing, checkpoints, events, keys, proving, succession
from credits.journal.losses import SUBJECT
from credits.journal.notes import BadKey, verifying_key
from credits.journal.succession import Foreseen
from credits.log_keys import log_keys, new_seed
from credits.participants import users
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.participants.wording import paragraphs
from credits.registry import logged

journal = AppGroup("journal", help="The tamper-evident log: publish, verify, prove.")


@journal.command("publish")
def publish() -> None:
    """Put what is committed into the log and sign a checkpoint. The worker does so every half minute."""
    at = now()
    try:
        done = jobs.publish_log(db.session(), keys=log_keys(), data_dir=data_dir(), at=at)
    except CreditsError as refusal:
        raise click.ClickException(str(refusal)) from None
    click.echo(f"{done.events} events were added. The log has {done.size}.")


@journal.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
def verify(as_json: bool) -> None:
    """Compute the log anew from the events and compare it with all that was published. Exit status 1 if it differs."""
    found = auditing.audit(db.session(), keys=keys.load(data_dir()), data_dir=data_dir())
    if as_json:
        click.echo(json.dumps(vars(found) | {"agrees": not found.findings}, ensure_ascii=False))
    else:
        click.echo(
            f"{found.events} events in the log, {found.waiting} not yet; "
            f"{found.checkpoints} checkpoints, {found.cosignatures} cosignatures."
        )
        for sentence in found.losses:
            click.echo(f"LOST  {sentence}")
        for sentence in found.findings:
            click.echo(f"DISAGREES  {sentence}")
        if not found.findings:
            click.echo("All agree.")
    sys.exit(1 if found.findings else 0)


@journal.command("proof")
@click.argument("number")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it there; else print it.")
def proof(number: str, out: Path | None) -> None:
    """Prove that something is in the log.

    NUMBER: of an issuance, retirement, batch, transfer or organisation, whose newest event is proven, or a place in
    the log.
    """
    try:
        session = db.session()
        made = proving.proof_of(session, logged.place_of(session, number))
    except CreditsError as refusal:
        raise click.ClickException(str(refusal)) from None
    if out is None:
        click.echo(made.text, nl=False)
        return
    out.write_text(made.text, encoding="utf-8")
    click.echo(f"Entry {made.index} is proven by {out}. Check it with")
    for key in log_keys().keys:
        click.echo(f"  python -m credits.journal.verify {out} --key {key.public}")


@journal.command("rotate-key")
@click.option("--overlap-days", default=30, show_default=True, type=click.IntRange(0, 3650))
def rotate_key(overlap_days: int) -> None:
    """Make a new signing key. For so many days the older one signs beside it; its public half stays published."""
    at = now()
    log_keys()
    session = db.session()
    try:
        begin_writing(session)  # a database that must not be written to gets no new key
        rotated = keys.rotate(data_dir(), seed=new_seed(), at=at, overlap=timedelta(days=overlap_days))
        facts = {"key": rotated.keys[-1].public, "overlap_days": overlap_days}
        events.append(session, kind="log.key_added", subject=SUBJECT, actor=events.SYSTEM, at=at, facts=facts)
        session.commit()
    except CreditsError as refusal:
        raise click.ClickException(str(refusal)) from None
    click.echo(f"The log's new public key: {rotated.keys[-1].public}")


@journal.command("accept-loss")
@click.option("--checkpoint", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A newer checkpoint.")
@click.option("--lost", default="", help="What is given up, as the first call has printed it.")
@click.option("--by", "email", default="", help="With which the issuer signs in who decides so.")
@click.option("--reason", default="", help="What happened, and what was tried. Public.")
def accept_loss(checkpoint: Path | None, lost: str, email: str, reason: str) -> None:
    """Go on without what was published later than the database, once the newest database is gone for good.

    The first call, without --lost, changes nothing and says what would be given up. The second call gives it up: in
    public, in an issuer's name, for ever. The log then goes on under a new name and a new key.

    --checkpoint: of a witness or whoever has kept one, where the one in DATA_DIR was lost too.
    """
    session, given = db.session(), checkpoint.read_text(encoding="utf-8", errors="replace") if checkpoint else None
    try:
        if not lost:
            click.echo(what_would_be_lost(succession.foreseen(session, data_dir=data_dir(), given=given)))
            return
        by = deciding(email)
        loss = succession.accept(
            session,
            data_dir=data_dir(),
            confirmed=lost,
            given=given,
            seed=new_seed(),
            reason=paragraphs(reason, "Reason", 500),
            by=by.number,
            at=now(),
        )
    except CreditsError as refusal:
        raise click.ClickException(str(refusal)) from None
    click.echo(f"The loss is accepted and published. The log goes on as {loss.origin}.\nIts public key: {loss.key}")
    click.echo("Tell it to the witnesses and to all who check proofs. Then start web server and worker anew.")


def what_would_be_lost(given_up: Foreseen) -> str:
    lost, left = given_up.lost, given_up.left
    return (
        f"The log {lost.origin} was published with {lost.size} entries, root {lost.root.hex()}.\n"
        f"The newest checkpoint of this database has {left.size} entries. What was published later, it does not have:"
        " transfers and retirements among it are undone here, while people have their certificates and numbers.\n"
        "Look for a newer backup, a standby, a copy of the disk first. If there is none, repeat with\n"
        f'  --lost {given_up.confirmation} --by EMAIL-OF-AN-ISSUER --reason "WHAT HAPPENED"\n'
        "This is public and for ever, and the log goes on under another name, with another key."
    )


def deciding(email: str) -> User:
    """The issuer in whose name this is done. Raises NotAllowed."""
    by = users.with_email(db.session(), email)
    if by is None:
        raise click.ClickException("Name the issuer who decides so with --by EMAIL.")
    must_issue(by)
    return by


@journal.command("keys")
def show_keys() -> None:
    """The log's public keys: from when, and until when they sign. Last the present ones."""
    made = log_keys()
    for key in (key for log in (*made.earlier, made) for key in log.keys):
        click.echo(f"{key.public}  since {key.since}" + (f"  until {key.until}" if key.until else ""))


@journal.command("trust-witness")
@click.argument("vkey")
def trust_witness(vkey: str) -> None:
    """Take cosignatures of the witness with the public key VKEY."""
    try:
        keys.trust(data_dir(), [verifying_key(vkey)])
    except BadKey as fault:
        raise click.ClickException(str(fault)) from None
    click.echo(f"Trusted witnesses: {', '.join(key.name for key in keys.witnesses(data_dir()))}")


@journal.command("cosign")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--size", required=True, type=click.IntRange(1), help="Of the checkpoint that was cosigned.")
def cosign(file: Path, size: int) -> None:
    """Take in cosignature lines that a witness has sent in FILE."""
    session = db.session()
    try:
        begin_writing(session)
        names = checkpoints.cosign(
            session, answer=file.read_bytes(), size=size, witnesses=keys.witnesses(data_dir()), at=now()
        )
        session.commit()
    except CreditsError as refusal:
        raise click.ClickException(str(refusal)) from None
    click.echo(f"Cosigned by {', '.join(names)}.")


def data_dir() -> Path:
    folder: Path = current_app.extensions["settings"].data_dir
    return folder
