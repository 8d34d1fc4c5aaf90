"""`flask --app wsgi demo`: an empty registry filled with a small world to try everything in."""

import json
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_security import hash_password
from sqlalchemy import select

from credits import document_jobs, jobs
from credits.certificates.checks.published_keys import in_text
from credits.certificates.issuing import certificate_numbered
from credits.cli.demo_claims import publish_claim
from credits.cli.demo_documents import ask_for_documents
from credits.cli.demo_market import open_market
from credits.cli.demo_orders import order_by_transfer, order_through_provider
from credits.cli.demo_people import DOMAIN
from credits.cli.demo_premium import spend_premium
from credits.cli.demo_standing import wait_for_cobalt
from credits.cli.demo_world import Told, World
from credits.db import begin_writing
from credits.drawing import workshop
from credits.extensions import db
from credits.identity import new_handle, now
from credits.log_keys import log_keys
from credits.notices import outbox
from credits.participants.models import Organisation
from credits.published import announce_document_key, keys_published
from credits.registry.models import Transfer
from credits.registry.retirement import serials_of

PASSWORD = "asm-demo-2026"  # noqa: S105  printed for everybody: the demo world exists in development only
KEYS = "keys.json"
SIGN_INS = {
    "cooperative": "cooperative, manager (French)",
    "clerk": "the same cooperative, clerk (French)",
    "group": "group manager (Spanish)",
    "gold": "cooperative of the group, manager (Spanish)",
    "waiting": "cooperative that waits for its approval (Swahili)",
    "verifier": "verifier, lead",
    "reviewer": "the same verifier, reviewer (Swahili)",
    "issuer": "registry, issuer",
    "issuer2": "registry, second issuer, who approves what the first has begun (Spanish)",
    "manufacturer": "manufacturer",
    "manufacturer2": "another manufacturer",
    "reseller": "reseller, with a transfer to answer",
    "auditor": "registry, auditor (reads everything)",
}


@click.command("demo")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the PDF.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
@click.option("--if-empty", is_flag=True, help="Leave a registry that is not empty as it is, without an error.")
@with_appcontext
def demo(out: Path, as_json: bool, if_empty: bool) -> None:
    """Fill an empty, migrated database with the demo world, through the operations. In development only."""
    settings = current_app.extensions["settings"]
    if settings.is_production:
        raise click.ClickException("The demo world has sign-ins that everybody knows: not in production.")
    session = db.session()
    begin_writing(session)
    if session.scalars(select(Organisation.id).limit(1)).first() is not None:
        if not if_empty:
            raise click.ClickException("The registry is not empty. The demo world needs an empty database.")
        session.rollback()
        click.echo(sign_ins())
        return
    parts = current_app.extensions
    world = World(
        session=session,
        policy=parts["policy"],
        evidence_files=parts["evidence_files"],
        issuer=parts["issuer"],
        password=hash_password(PASSWORD),
        at=now(),
        handles=iter(new_handle, None),
    )
    told = world.build()
    sale = open_market(world)
    order_by_transfer(world, sale)
    wait_for_cobalt(world, sale)
    publish_claim(world, told.retirement)
    spend_premium(world, parts["premium_files"])
    ask_for_documents(world, told)
    session.commit()
    if parts["settings"].stripe_api_key is None:  # whoever has a key tries Stripe out, not the stand-in
        order_through_provider(world, sale)
    begin_writing(session)
    outbox.keep_from_leaving(session)  # nobody has a mailbox in the demo world
    session.commit()
    answer = summary(told, drawn(told, out))
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else f"{sign_ins()}\n{in_words(answer)}")


def drawn(told: Told, out: Path) -> Path:
    """Publish the log, issue the certificate and put a copy of it into `out`, beside the keys to check it with."""
    number, data_dir = told.retirement.number, current_app.extensions["settings"].data_dir
    announce_document_key()
    jobs.publish_log(db.session(), keys=log_keys(), data_dir=data_dir, at=now())
    made = workshop()
    sha256 = document_jobs.draw_certificate(db.session(), number=number, workshop=made, at=now())
    document_jobs.draw_records(db.session(), workshop=made, at=now())
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{number}.pdf"
    target.write_bytes(made.files.read(sha256))
    (out / KEYS).write_text(in_text(keys_published()), encoding="utf-8")
    return target.resolve()


def summary(told: Told, document: Path) -> dict[str, object]:
    session = db.session()
    retirement, mineral = told.retirement, told.issuance.mineral
    number = certificate_numbered(session, retirement.number).number
    offer = session.get_one(Transfer, told.transfer.id)
    return {
        "batch": told.batch.number,
        "issuance": told.issuance.number,
        "serials": serials_of(session, retirement),
        "transfer": offer.number,
        "retirement": retirement.number,
        "certificate_number": number,
        "certificate_pdf": str(document),
        "keys": str(document.with_name(KEYS)),
        "public_url": current_app.extensions["issuer"].certificate_url(number),
        "mineral": mineral.code,
        "quantity_base_units": retirement.quantity,
        "credits": mineral.in_credits(retirement.quantity),
    }


def sign_ins() -> str:
    """Who can sign in to the demo world."""
    lines = [f"  {f'{mailbox}@{DOMAIN}':<28} {who}" for mailbox, who in SIGN_INS.items()]
    return "\n".join([f"Demo sign-ins (password of all: {PASSWORD})", *lines])


def in_words(answer: dict[str, object]) -> str:
    return "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in answer.items())
