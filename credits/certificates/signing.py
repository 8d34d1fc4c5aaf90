"""Documents that the registry signs: its key and certificate, and the signature on a PDF (PAdES baseline B or T).

The certificate is issued by the registry to itself: it says who signs, and who wants to be sure compares its
fingerprint with the one that the registry publishes. The signature certifies the document and forbids every change.
Signing the same document twice gives other bytes (its identifier and ECDSA draw lots), so it is done once and kept.
"""

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pyhanko.sign.timestamps import TimeStamper

FILE = Path("keys", "documents.pem")
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256: a key is below it
ONE_FORM = "low-s"  # what a document says of its signature, since only one of the two that ECDSA has is made
YEARS_VALID = 20
LONGEST_NAME = 64  # letters of a common name in a certificate


class KeyUnsound(Exception):
    """The file of the key is not as this program wrote it. A fault, not a refusal."""


class NoTimeStamp(Exception):
    """The server that is to stamp the time did not, or gave no sound answer: the document waits."""


@dataclass(frozen=True)
class Seal:
    """The key that signs documents, and the certificate that names whose it is."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def signer(self) -> str:
        (name,) = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(name.value)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as people compare it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def public(self) -> bytes:
        """The certificate in text (PEM), for everybody."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def load(data_dir: Path) -> Seal | None:
    """The seal, or None where none was made yet. Raises KeyUnsound."""
    try:
        kept = (data_dir / FILE).read_bytes()
    except FileNotFoundError:
        return None
    try:
        key = serialization.load_pem_private_key(kept, password=None)
        certificate = x509.load_pem_x509_certificate(kept)
    except ValueError:
        raise KeyUnsound(f"{data_dir / FILE} is damaged. Bring back a backup of it.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        raise KeyUnsound(f"{data_dir / FILE} holds a key and the certificate of another one.")
    return Seal(key, certificate)


def make(data_dir: Path, *, name: str, url: str, seed: bytes, at: datetime) -> Seal:
    """The seal; where there is none, the first is made from `seed` (32 random bytes) and kept for its owner alone.

    name, url: the registry, as its certificate names it.
    """
    if kept := load(data_dir):
        return kept
    seal = new_seal(name, url, seed, at)
    secret = seal.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    target = data_dir / FILE
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{hashlib.sha256(seed).hexdigest()[:16]}.part")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret + seal.public)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, target)  # unlike a rename, it never replaces the key of another process
    except FileExistsError:
        pass
    finally:
        partial.unlink()
    return load(data_dir) or seal


def new_seal(name: str, url: str, seed: bytes, at: datetime) -> Seal:
    """A key on the curve P-256, drawn from `seed`, and its self-issued certificate."""
    key = ec.derive_private_key(
        int.from_bytes(hashlib.sha512(b"key" + seed).digest()) % (ORDER - 1) + 1, ec.SECP256R1()
    )
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name[:LONGEST_NAME]),
            x509.NameAttribute(NameOID.COMMON_NAME, name[:LONGEST_NAME]),
        ]
    )
    uses = dict.fromkeys(
        (
            "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only",
            "decipher_only",
        ),
        False,
    )  # fmt: skip
    start = at.astimezone(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(b"serial" + seed).digest()[:16]) >> 1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=366 * YEARS_VALID))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, content_commitment=True, **uses), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(url)]), critical=False)
    )
    return Seal(key, builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True))


def low(signature: bytes) -> bytes:
    """Of the signatures (r, s) and (r, -s), both right, the one that is made since: anybody can turn one round."""
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, min(s, ORDER - s))


def signed(pdf: bytes, seal: Seal, *, reason: str, at: datetime, stamper: "TimeStamper | None" = None) -> bytes:
    """The document with the registry's signature, after which nothing in it may be changed.

    reason: why it is signed, as the reader's program shows it. at: when, given by the door.
    stamper: whom to ask for a time stamp (RFC 3161), if anybody. Raises NoTimeStamp.
    """
    from credits.certificates import pades  # it takes a second to load, which only those pay who sign

    return pades.signed(pdf, seal, reason=reason, at=at, stamper=stamper)
