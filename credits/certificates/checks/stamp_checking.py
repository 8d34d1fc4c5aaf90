"""A time stamp (RFC 3161) beside the registry's signature: that it is of this signature, and what it says.

Its server is nobody whom the registry vouches for: whoever relies on the time looks at the server's certificate too.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from asn1crypto import cms, core, tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from credits.certificates.checks.signature_checking import FAULTS, Unsound
from credits.certificates.checks.signed_message import (
    FIRST,
    OCTETS,
    SECOND,
    SEQUENCE,
    SET,
    VERSION,
    Message,
    must_be_exact,
    named,
    only,
    parts_in,
    taken_apart,
)

HASHES: dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
STAMP = cms.CMSAttributeType("signature_time_stamp_token").dump()
TOLD = cms.ContentType("tst_info").dump()
TOKEN_VERSION = core.Integer(3).dump()
APART = timedelta(hours=1)  # between the clock of the registry and that of the server


class Unfamiliar(Exception):
    """The time stamp is made in a way that is not known here, and says neither yes nor no."""


@dataclass(frozen=True)
class Stamp:
    """When the signature was there already, and who says so."""

    at: datetime
    by: str


def stamp_on(message: bytes, signed_at: datetime) -> Stamp | None:
    """The time stamp of a signature, or None where it has none. Raises Unsound over a wrong one, and Unfamiliar.

    message: a signature that was found sound. signed_at: what the document itself says.
    """
    try:
        told = taken_apart(message)
        if not told.unsigned:
            return None
        must_be_exact(told.unsigned)  # or anybody could write the same stamp in many ways, and some take hours to read
        kind, values = parts_in(only(only(told.unsigned, SECOND).content, SEQUENCE).content)
        if (kind.whole, values.tag) != (STAMP, SET):
            raise ValueError("another attribute")
        stamp = stamp_in(taken_apart(values.content), told.signature)
    except UnsupportedAlgorithm as fault:
        raise Unfamiliar(str(fault)) from None
    except (InvalidSignature, x509.InvalidVersion, *FAULTS):
        raise Unsound("The time stamp is not one of this signature, or it was changed.") from None
    if abs(stamp.at - signed_at) > APART:
        raise Unsound(f"The time stamp is of {stamp.at:%Y-%m-%d %H:%M:%S} UTC, another time than the document says.")
    return stamp


def stamp_in(token: Message, stamped: bytes) -> Stamp:
    """What a time stamp says, if it is sound and of `stamped`. Raises ValueError and what the libraries raise."""
    kind, explicit = parts_in(token.content.content)
    octets = only(explicit.content, OCTETS)
    content = tsp.TSTInfo.load(octets.content)
    imprint = content["message_imprint"]
    if imprint["hashed_message"].native != digest(imprint["hash_algorithm"]["algorithm"].native, stamped):
        raise ValueError("of something else")
    told = {each["type"].native: each["values"] for each in cms.CMSAttributes.load(token.attributes)}
    method = cms.DigestAlgorithm.load(token.signer[2].whole)["algorithm"].native
    if (kind.whole, explicit.tag) != (TOLD, FIRST) or (told["content_type"].native, told["message_digest"].native) != (
        ["tst_info"],
        [digest(method, octets.content)],
    ):
        raise ValueError("signed for something else")
    server = server_of(token, told)
    must_be_as_ever(token, method, server)
    verify(server, token.signature, token.attributes, method)
    at = content["gen_time"].native
    # RFC 3161 wants it in UTC. Without its Z it compares with no other time, and the year 0 is no datetime at all.
    if not (isinstance(at, datetime) and content["gen_time"].contents.endswith(b"Z")):
        raise ValueError("a time without its zone")
    return Stamp(at, server.subject.rfc4514_string())


def must_be_as_ever(token: Message, method: str, server: x509.Certificate) -> None:
    """Raise ValueError where what nobody has signed, around the stamp itself, is not as it follows from the rest."""
    way = cms.SignedDigestAlgorithm.load(token.signer[4].whole)
    if way["algorithm"].native not in ("rsassa_pkcs1v15", f"{method}_rsa", f"{method}_ecdsa"):
        raise Unfamiliar(way["algorithm"].native)
    said = (
        token.version.whole,
        token.signer[0].whole,
        token.digests.content,
        token.signer[1].whole,
        way["parameters"].native,
    )
    named_so = named(server.public_bytes(serialization.Encoding.DER))
    if said != (TOKEN_VERSION, VERSION, token.signer[2].whole, named_so, None):
        raise ValueError("not of the usual form")


def server_of(token: Message, told: dict[str, core.Asn1Value]) -> x509.Certificate:
    """The certificate of the server, which the stamp names by its hash."""
    if "signing_certificate_v2" in told:
        shown = told["signing_certificate_v2"][0]["certs"][0]
        method = shown["hash_algorithm"]["algorithm"].native
    else:
        shown, method = told["signing_certificate"][0]["certs"][0], "sha1"
    for der in token.certificates:
        if hashlib.new(method, der, usedforsecurity=False).digest() == shown["cert_hash"].native:
            return x509.load_der_x509_certificate(der)
    raise ValueError("no certificate of a time stamp server")


def verify(server: x509.Certificate, signature: bytes, signed: bytes, method: str) -> None:
    """Raise InvalidSignature unless the server has signed. Raises Unfamiliar over another kind of key."""
    public = server.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, signed, padding.PKCS1v15(), HASHES[method]())
    elif isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, signed, ec.ECDSA(HASHES[method]()))
    else:
        raise Unfamiliar(type(public).__name__)


def digest(method: str, content: bytes) -> bytes:
    if method not in HASHES:
        raise Unfamiliar(method)
    return hashlib.new(method, content).digest()
