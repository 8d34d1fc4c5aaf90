"""The keys that sign the log, made when they are asked for the first time. Doors ask here: chance begins with them."""

import secrets
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import select

from credits.extensions import db
from credits.identity import now
from credits.journal import keys
from credits.journal.keys import LogKeys
from credits.journal.models import RegistryIdentity


def new_seed() -> bytes:
    """What a signing key is made from."""
    return secrets.token_bytes(32)


def log_keys() -> LogKeys:
    """The log's name and keys. The name has the registry's id in it, so that no two registries share one."""
    settings = current_app.extensions["settings"]
    kept = keys.load(settings.data_dir)
    if kept is not None:
        return kept
    registry_id = db.session.scalars(select(RegistryIdentity.registry_id)).one()
    origin = f"{urlsplit(settings.public_url).netloc}/{registry_id}"
    return keys.make(settings.data_dir, origin=origin, seed=new_seed(), at=now())
