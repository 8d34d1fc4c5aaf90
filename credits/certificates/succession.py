"""One document key takes over from another: the older certificate stays published, and the log tells of the new one.

Keys that sign documents are written into the log when they begin, so that nobody can add one unseen: whoever follows
the log sees each of them, and the published keys name the entry.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.certificates import signing
from credits.certificates.checks.published_keys import DocumentKey
from credits.certificates.signing import KeyUnsound, Seal
from credits.db import begin_writing
from credits.journal import events
from credits.journal.keys import written
from credits.journal.models import Event

FILE = Path("keys", "documents-past.json")  # certificates alone: the secrets of past keys are gone
KIND = "documents.key_added"


def of_all_times(data_dir: Path) -> list[DocumentKey]:
    """The keys that sign documents or ever did, oldest first. Raises KeyUnsound."""
    seal = signing.load(data_dir)
    now_signing = [DocumentKey(seal.certificate)] if seal else []
    current = {key.fingerprint for key in now_signing}
    # A rotation that was broken off has noted the key as past that still signs.
    return [key for key in past(data_dir) if key.fingerprint not in current] + now_signing


def past(data_dir: Path) -> list[DocumentKey]:
    """The keys that sign no more, oldest first. Raises KeyUnsound."""
    try:
        told = json.loads((data_dir / FILE).read_bytes())
        return [
            DocumentKey(
                x509.load_pem_x509_certificate(each["certificate"].encode()), datetime.fromisoformat(each["retired_at"])
            )
            for each in told
        ]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as fault:
        raise KeyUnsound(f"{data_dir / FILE} is damaged ({type(fault).__name__}). Bring back a backup of it.") from None


def rotate(session: Session, *, data_dir: Path, name: str, url: str, seed: bytes, at: datetime) -> Seal:
    """Let a key made from `seed` sign from now on, and tell the log. Flushes; what it signed before stays good.

    The older secret is overwritten. name, url: the registry, as the new certificate names it. Raises KeyUnsound.
    """
    older = signing.load(data_dir)
    if older is None:
        raise KeyUnsound(f"There is no {data_dir / signing.FILE} yet.")
    seal = signing.new_seal(name, url, seed, at)
    # The older certificate first: broken off behind this line, the older key goes on.
    kept = [*(key for key in of_all_times(data_dir)[:-1]), DocumentKey(older.certificate, at.astimezone(UTC))]
    told = [
        {
            "certificate": key.certificate.public_bytes(serialization.Encoding.PEM).decode(),
            "retired_at": (key.retired_at or at).isoformat(),
        }
        for key in kept
    ]
    written(data_dir / FILE, json.dumps(told, indent=1)).replace(data_dir / FILE)
    secret = seal.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    written(data_dir / signing.FILE, (secret + seal.public).decode()).replace(data_dir / signing.FILE)
    tell(session, seal, replaces=older, at=at)
    return seal


def announce(session: Session, seal: Seal, *, at: datetime) -> bool:
    """Tell the log of the key that signs, unless it has been told; whether it was told now. Commits."""
    if event_of(session, DocumentKey(seal.certificate)) is not None:
        return False
    begin_writing(session)
    told = event_of(session, DocumentKey(seal.certificate)) is None
    if told:
        tell(session, seal, replaces=None, at=at)
    session.commit()
    return told


def tell(session: Session, seal: Seal, *, replaces: Seal | None, at: datetime) -> None:
    facts = {"certificate_sha256": seal.fingerprint, "replaces": replaces.fingerprint if replaces else None}
    events.append(
        session, kind=KIND, subject=subject_of(DocumentKey(seal.certificate)), actor=events.SYSTEM, at=at, facts=facts
    )


def subject_of(key: DocumentKey) -> str:
    """By which number the log speaks of a key: the beginning of its fingerprint."""
    return f"DOCUMENT-KEY-{key.fingerprint.replace(':', '')[:16]}"


def event_of(session: Session, key: DocumentKey) -> int | None:
    """The event with which the log was told of a key, if it was."""
    wanted = select(Event.id).where(Event.subject == subject_of(key), Event.kind == KIND)
    return session.scalars(wanted.order_by(Event.id).limit(1)).first()
