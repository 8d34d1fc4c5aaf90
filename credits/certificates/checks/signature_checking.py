"""Whether a PDF is, byte for byte, what the registry has signed: the exact shape that `signing` makes, and no other.

Works on the bytes alone: a file that somebody else may have made is searched and hashed, never interpreted. What is
found sound here was written by the registry, from its first byte to its last.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from asn1crypto import cms, tsp
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from credits.certificates.checks.published_keys import DocumentKey
from credits.certificates.checks.signed_message import DATA, SET, Part, only, parts_in, put_together, taken_apart
from credits.certificates.signing import low

HEAD, END = b"%PDF-", b"%%EOF"
RANGE = re.compile(rb"/ByteRange ?\[ ?([0-9]{1,10}) ([0-9]{1,10}) ([0-9]{1,10}) ([0-9]{1,10}) ?\]")
LARGEST_SIGNATURE = 65_536  # bytes between the two parts that are signed
FAULTS = (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, AttributeError)
KIND, DIGEST, CERTIFICATE = (
    cms.CMSAttributeType(name).dump() for name in ("content_type", "message_digest", "signing_certificate_v2")
)


class Unsound(Exception):
    """The file is not as the registry signed it. The sentence says in which way."""


@dataclass(frozen=True)
class Gap:
    """The only place of a file that its signature does not cover: the signature itself, from `<` to `>`."""

    first: int
    last: int  # the place behind it


def must_be_whole(content: bytes) -> None:
    """Raise Unsound where this cannot be a whole PDF file."""
    if not content:
        raise Unsound("The file is empty.")
    if not content.startswith(HEAD):
        raise Unsound("This is not a PDF file.")
    if not content.rstrip(b"\r\n").endswith(END):
        raise Unsound("The file is cut off, or something was added: it does not end as a PDF file does.")


def gap_in(content: bytes) -> Gap:
    """Where the signature stands that covers all the rest. Raises Unsound where there is none."""
    covered = 0
    for found in RANGE.finditer(content):
        start, length, behind, rest = map(int, found.groups())
        covered = max(covered, behind + rest)
        if start == 0 and behind + rest == len(content) and length < behind <= length + LARGEST_SIGNATURE:
            return Gap(length, behind)
    if b"/Encrypt" in content:
        raise Unsound("The file is locked with a password. The registry locks none.")
    if not covered:
        raise Unsound("There is no signature in the file.")
    if covered < len(content):
        raise Unsound(f"{len(content) - covered:,} bytes were added to the file after it was signed.")
    raise Unsound("The file is shorter than when it was signed, or its signature does not cover all of it.")


def message_in(content: bytes, gap: Gap) -> bytes:
    """The signature's own bytes, behind which nothing but zeros stands. Raises Unsound."""
    written = content[gap.first : gap.last]
    try:
        if written[:1] + written[-1:] != b"<>":
            raise ValueError("not between its brackets")
        room = bytes.fromhex(written[1:-1].decode("ascii"))
        message = next(parts_in(room)).whole
    except (StopIteration, *FAULTS):
        raise Unsound("The signature is damaged: it cannot be read.") from None
    # In its one form, or a changed letter (a for A) or something behind it would go unnoticed.
    if written[1:-1] != message.ljust(len(room), b"\0").hex().upper().encode():
        raise Unsound("Something else stands where the signature is, or it is not written in its one form.")
    return message


def signer_of(message: bytes, keys: Sequence[DocumentKey]) -> DocumentKey:
    """Which of `keys` the signature says it is of. Raises Unsound where it is none of them."""
    try:
        shown = taken_apart(message).certificates
    except FAULTS:
        raise Unsound("The signature is damaged: it does not say whose it is.") from None
    for key in keys:
        if shown == (key.der,):
            return key
    prints = ", ".join(sha256(each).digest().hex(":").upper() for each in shown[:3]) or "none"
    raise Unsound(f"It was signed by another key than the published ones. Certificate in the file: {prints}.")


def must_be_signed(content: bytes, gap: Gap, message: bytes, key: DocumentKey) -> None:
    """Raise Unsound unless `message` is the signature of `key` over the whole of `content` but the gap."""
    digest = sha256(content[: gap.first] + content[gap.last :]).digest()
    public = key.certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    try:
        parts = taken_apart(message)
        told = attributes_in(parts.attributes)
        if told[DIGEST].content != digest:
            raise Unsound("The file is not the one that was signed: at least one byte of it was changed.")
        public.verify(parts.signature, parts.attributes, ec.ECDSA(hashes.SHA256()))
        # What is opened from here on was written by whoever has the key.
        whole = put_together(key.der, parts.attributes, parts.signature, parts.unsigned) == message
        as_ever = tuple(told) == (KIND, DIGEST, CERTIFICATE) and told[KIND].whole == DATA
        named = tsp.SigningCertificateV2.load(told[CERTIFICATE].whole)["certs"][0]["cert_hash"].native
    except InvalidSignature:
        raise Unsound("The signature was not made by the published key that it names.") from None
    except FAULTS:
        raise Unsound("The signature is damaged: parts of it cannot be read.") from None
    if not (whole and as_ever and named == sha256(key.der).digest()):
        raise Unsound("The signature is not of the form that the registry gives its own.")


def attributes_in(attributes: bytes) -> dict[bytes, Part]:
    """What is signed beside the digest of the file, by its kind. Raises ValueError where one says several things."""
    told = {}
    for each in parts_in(only(attributes, SET).content):
        kind, values = parts_in(each.content)
        (told[kind.whole],) = parts_in(values.content)
    return told


def must_be_low(message: bytes) -> None:
    """Raise Unsound where the signature is the other one of the two that ECDSA has for the same bytes and key.

    Anybody can make it of the first one, without a key. Of documents that say so, the registry made the low one.
    """
    signature = taken_apart(message).signature
    if low(signature) != signature:
        raise Unsound("The signature was turned round: it is right for these bytes, and not the one that was made.")
