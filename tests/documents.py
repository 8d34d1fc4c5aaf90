"""Documents as the worker issues them: the log is published, then what waits is drawn and signed."""

import subprocess
from pathlib import Path

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import document_jobs, drawing, jobs
from credits.certificates import signing
from credits.document_jobs import Workshop
from credits.files import Files
from credits.journal import keys
from credits.journal.models import RegistryIdentity
from credits.log_keys import log_keys
from tests.factories import AT

SEAL = signing.new_seal("ASM Credits", "https://registry.example", b"s" * 32, AT)


def workshop_in(folder: Path) -> Workshop:
    return Workshop(Files(folder / "certificates"), SEAL)


def published(session: Session, folder: Path) -> keys.LogKeys:
    """Commit, and publish what was committed by keys of this folder's own."""
    session.commit()
    registry_id = session.scalars(select(RegistryIdentity.registry_id)).one()
    made = keys.make(folder, origin=f"registry.example/{registry_id}", seed=bytes(range(32)), at=AT)
    jobs.publish_log(session, keys=made, data_dir=folder, at=AT)
    return made


def worked(app: Flask, session: Session) -> int:
    """What the worker of this application does within a minute; how many certificates it has drawn."""
    session.commit()
    with app.app_context():
        jobs.publish_log(session, keys=log_keys(), data_dir=app.extensions["settings"].data_dir, at=AT)
        return document_jobs.draw_waiting(session, workshop=drawing.workshop(), at=AT)


def text_of(document: bytes) -> str:
    """What a PDF says, as one reads it."""
    asked = ["pdftotext", "-layout", "-", "-"]
    return " ".join(subprocess.run(asked, input=document, capture_output=True, check=True).stdout.decode().split())
