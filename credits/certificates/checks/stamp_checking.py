"""A time stamp (RFC 3161) beside the registry's signature: that it is of this signature, and what it says.

Its server is nobody whom the registry vouches for: whoever relies on the time looks at the server's certificate too.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from credits.certificates.checks.signature_checking import FAULTS, Unsound

HASHES: dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
ATTRIBUTE = "signature_time_stamp_token"
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
        signer = cms.ContentInfo.load(message)["content"]["signer_infos"][0]
        if isinstance(signer["unsigned_attrs"], core.Void):
            return None
        (attribute,) = signer["unsigned_attrs"]
        if attribute["type"].native != ATTRIBUTE:
            raise ValueError("another attribute")
        (token,) = attribute["values"]
        stamp = stamp_in(token["content"], signer["signature"].native)
    except UnsupportedAlgorithm as fault:
        raise Unfamiliar(str(fault)) from None
    except (InvalidSignature, *FAULTS):
        raise Unsound("The time stamp is not one of this signature, or it was changed.") from None
    if abs(stamp.at - signed_at) > APART:
        raise Unsound(f"The time stamp is of {stamp.at:%Y-%m-%d %H:%M:%S} UTC, another time than the document says.")
    return stamp


def stamp_in(token: cms.SignedData, stamped: bytes) -> Stamp:
    """What a time stamp says, if it is sound and of `stamped`. Raises ValueError and what the libraries raise."""
    content: tsp.TSTInfo = token["encap_content_info"]["content"].parsed
    imprint = content["message_imprint"]
    if imprint["hashed_message"].native != digest(imprint["hash_algorithm"]["algorithm"].native, stamped):
        raise ValueError("of something else")
    (signer,) = token["signer_infos"]
    told = {each["type"].native: each["values"] for each in signer["signed_attrs"]}
    method = signer["digest_algorithm"]["algorithm"].native
    if (told["content_type"].native, told["message_digest"].native) != (
        ["tst_info"],
        [digest(method, bytes(token["encap_content_info"]["content"]))],
    ):
        raise ValueError("signed for something else")
    server = server_of(token, told)
    must_be_as_ever(token, signer, server)
    verify(server, signer["signature"].native, signer["signed_attrs"].untag().dump(), method)
    at = content["gen_time"].native
    # RFC 3161 wants it in UTC. Without its Z it compares with no other time, and the year 0 is no datetime at all.
    if not (isinstance(at, datetime) and content["gen_time"].contents.endswith(b"Z")):
        raise ValueError("a time without its zone")
    return Stamp(at, server.subject.rfc4514_string())


def must_be_as_ever(token: cms.SignedData, signer: cms.SignerInfo, server: x509.Certificate) -> None:
    """Raise ValueError where what nobody has signed, around the stamp itself, is not as it follows from the rest."""
    way, method = signer["signature_algorithm"], signer["digest_algorithm"]["algorithm"].native
    if way["algorithm"].native not in ("rsassa_pkcs1v15", f"{method}_rsa", f"{method}_ecdsa"):
        raise Unfamiliar(way["algorithm"].native)
    said = (
        token["version"].native,
        signer["version"].native,
        [each.dump() for each in token["digest_algorithms"]],
        signer["sid"].chosen.dump(),
        way["parameters"].native,
    )
    named = cms.IssuerAndSerialNumber(
        {"issuer": asn1.Name.load(server.issuer.public_bytes()), "serial_number": server.serial_number}
    )
    if said != ("v3", "v1", [signer["digest_algorithm"].dump()], named.dump(), None):
        raise ValueError("not of the usual form")


def server_of(token: cms.SignedData, told: dict[str, core.Asn1Value]) -> x509.Certificate:
    """The certificate of the server, which the stamp names by its hash."""
    if "signing_certificate_v2" in told:
        named = told["signing_certificate_v2"][0]["certs"][0]
        method = named["hash_algorithm"]["algorithm"].native
    else:
        named, method = told["signing_certificate"][0]["certs"][0], "sha1"
    for each in token["certificates"]:
        der: bytes = each.chosen.dump()
        if hashlib.new(method, der, usedforsecurity=False).digest() == named["cert_hash"].native:
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
