"""The registry's public keys as they are published now. Doors ask here: the folder and the name begin with them."""

from dataclasses import replace
from typing import Any

from flask import current_app
from sqlalchemy import select

from credits.certificates import succession
from credits.certificates.checks.published_keys import DocumentKey, published
from credits.drawing import document_seal
from credits.extensions import db
from credits.identity import now
from credits.journal import proving
from credits.journal.models import RegistryIdentity
from credits.log_keys import log_keys
from credits.registry.models import REGISTRY_CODE


def keys_published() -> dict[str, Any]:
    """The keys of all times, as `asmc-keys-1`. Where none were made yet, they are made."""
    settings = current_app.extensions["settings"]
    return published(
        code=REGISTRY_CODE,
        name=settings.registry_name,
        url=settings.public_url,
        registry_id=db.session.scalars(select(RegistryIdentity.registry_id)).one(),
        log=log_keys(),
        documents=document_keys(),
    )


def announce_document_key() -> None:
    """Tell the log of the key that signs documents, unless it was told before. Commits."""
    succession.announce(db.session(), document_seal(), at=now())


def document_keys() -> list[DocumentKey]:
    """The keys that sign documents or ever did, oldest first, each with its entry in the log, if it is in it."""
    document_seal()
    told = succession.of_all_times(current_app.extensions["settings"].data_dir)
    return [replace(key, logged=entry_of(key)) for key in told]


def entry_of(key: DocumentKey) -> int | None:
    """The place in the log of the entry that tells of a key; None before a checkpoint has published it."""
    event_id = succession.event_of(db.session(), key)
    if event_id is None:
        return None
    try:
        place = proving.place_of(db.session(), event_id)
        proving.event_at(db.session(), place)
    except proving.NotInLog:
        return None
    return place
