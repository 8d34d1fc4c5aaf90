"""The registry's public keys of all times, as one file that those who check documents keep (`asmc-keys-1`).

Keys of the log sign its checkpoints, keys of documents the documents. Both stay published with their validity when
their time is over: what they signed stays good. Pure, and free of the web: the offline verifier reads the same file.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from credits.journal.keys import LogKeys
from credits.journal.notes import BadKey, VerifyingKey, verifying_key

SCHEMA = "asmc-keys-1"


class KeysUnreadable(Exception):
    """This is no file of public keys. The sentence says why."""


@dataclass(frozen=True)
class DocumentKey:
    """retired_at: when a later key took over, else None. logged: the log's entry that announced the key, if known."""

    certificate: x509.Certificate
    retired_at: datetime | None = None
    logged: int | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as people compare it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def valid_from(self) -> datetime:
        return self.certificate.not_valid_before_utc

    @property
    def valid_to(self) -> datetime:
        """The last moment at which it may have signed."""
        end = self.certificate.not_valid_after_utc
        return end if self.retired_at is None else min(end, self.retired_at)

    @property
    def addresses(self) -> set[str]:
        """Where the registry was when this key was made, as its certificate says."""
        names = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return set(names.get_values_for_type(x509.UniformResourceIdentifier))


@dataclass(frozen=True)
class PublishedLogKey:
    """valid_to: the last moment at which it signed, or None while it still does."""

    key: VerifyingKey
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True)
class PublishedKeys:
    """Who the registry is and by which keys it speaks. url: without a slash at the end."""

    code: str
    name: str
    url: str
    registry_id: str
    log: tuple[PublishedLogKey, ...]
    documents: tuple[DocumentKey, ...]

    @property
    def addresses(self) -> set[str]:
        """Every address that the registry is known to have had."""
        return {self.url}.union(*(key.addresses for key in self.documents))


def published(
    *, code: str, name: str, url: str, registry_id: str, log: LogKeys | None, documents: Iterable[DocumentKey]
) -> dict[str, Any]:
    """The file as plain values, oldest keys first. url: without a slash at the end."""
    log_keys = [key for each in (*log.earlier, log) for key in each.keys] if log else []
    return {
        "schema": SCHEMA,
        "registry": {"code": code, "name": name, "url": url, "id": registry_id},
        "log": [
            {"vkey": key.public, "valid_from": in_utc(key.since), "valid_to": in_utc(key.until) if key.until else None}
            for key in log_keys
        ],
        "documents": [
            {
                "certificate": key.certificate.public_bytes(serialization.Encoding.PEM).decode(),
                "fingerprint": key.fingerprint,
                "valid_from": written(key.valid_from),
                "valid_to": written(key.valid_to),
                "retired_at": written(key.retired_at) if key.retired_at else None,
                "logged": key.logged,
            }
            for key in documents
        ],
    }


def in_text(told: dict[str, Any]) -> str:
    """As the file is served and written."""
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_utc(text: str) -> str:
    return written(datetime.fromisoformat(text))


def keys_in(content: bytes) -> PublishedKeys:
    """Read the file. Every part is checked, so that a damaged file is not taken for one without keys.

    Raises KeysUnreadable.
    """
    try:
        told = json.loads(content)
        if not isinstance(told, dict) or told.get("schema") != SCHEMA:
            raise KeysUnreadable(f"It is no file of public keys: its schema is not {SCHEMA}.")
        registry = told["registry"]
        keys = PublishedKeys(
            code=text_in(registry["code"]),
            name=text_in(registry["name"]),
            url=text_in(registry["url"]),
            registry_id=text_in(registry["id"]),
            log=tuple(log_key_in(each) for each in told["log"]),
            documents=tuple(document_key_in(each) for each in told["documents"]),
        )
    except KeysUnreadable:
        raise
    except BadKey as fault:
        raise KeysUnreadable(f"A key of the log in it is damaged. {fault}") from None
    except Exception as fault:  # whatever its reading ends with: a damaged file says nothing of a document
        raise KeysUnreadable(f"It is no whole file of public keys ({type(fault).__name__}).") from None
    if not keys.log or not keys.documents:
        raise KeysUnreadable("It holds no key of the log or none of documents.")
    return keys


def log_key_in(told: dict[str, Any]) -> PublishedLogKey:
    return PublishedLogKey(verifying_key(told["vkey"]), moment_in(told["valid_from"]), end_in(told["valid_to"]))


def document_key_in(told: dict[str, Any]) -> DocumentKey:
    """Raises ValueError where what stands beside the certificate is of another one."""
    certificate = x509.load_pem_x509_certificate(told["certificate"].encode())
    logged = told.get("logged")
    if logged is not None and type(logged) is not int:  # True is 1 elsewhere
        raise TypeError("not a place in the log")
    key = DocumentKey(certificate, end_in(told["retired_at"]), logged)
    beside = (told["fingerprint"], told["valid_from"], told["valid_to"])
    if beside != (key.fingerprint, written(key.valid_from), written(key.valid_to)):
        raise ValueError("not the certificate that is told of beside it")
    if not isinstance(certificate.public_key(), ec.EllipticCurvePublicKey):
        raise ValueError("not a key on an elliptic curve")
    key.addresses  # noqa: B018  a certificate without an address is none of a registry
    return key


def moment_in(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def end_in(value: object) -> datetime | None:
    """When a key ended; None for one in use, which is told by null alone: an empty text is damage."""
    return None if value is None else moment_in(text_in(value))


def text_in(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError("not a text, or nothing in it")
    return value
