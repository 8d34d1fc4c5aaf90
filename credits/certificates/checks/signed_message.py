"""The signature of a document itself (CMS), taken apart and put together byte by byte.

Whoever made a file wrote these bytes as well. A general reader of ASN.1 takes them in many forms, and can be kept busy
for hours by two thousand of them: here a value stands in its one exact form (DER), or it is damaged.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from asn1crypto import cms, core

SEQUENCE, SET, OCTETS, FIRST, SECOND = 0x30, 0x31, 0x04, 0xA0, 0xA1
MANY = 0x1F  # a tag of several bytes, which no signature has
LONG = 0x80  # from here on a length says how many bytes it takes itself
CONSTRUCTED = 0x20

SIGNED_DATA = cms.ContentType("signed_data").dump()
DATA = cms.ContentType("data").dump()
SHA256 = cms.DigestAlgorithm({"algorithm": "sha256", "parameters": core.Null()}).dump()
ECDSA = cms.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}).dump()
VERSION = core.Integer(1).dump()


@dataclass(frozen=True)
class Part:
    """One value. whole: with its tag and length; content: without."""

    tag: int
    whole: bytes
    content: bytes


@dataclass(frozen=True)
class Message:
    """What was signed, by whom and how. unsigned: what stands behind it for which nobody has signed, or nothing."""

    version: Part
    digests: Part
    content: Part
    certificates: tuple[bytes, ...]
    signer: tuple[Part, ...]

    @property
    def attributes(self) -> bytes:
        """In the form in which they are signed."""
        return bytes([SET]) + self.signer[3].whole[1:]

    @property
    def signature(self) -> bytes:
        return self.signer[5].content

    @property
    def unsigned(self) -> bytes:
        return b"".join(part.whole for part in self.signer[6:])


def parts_in(content: bytes) -> Iterator[Part]:
    """The values that stand one behind the other. Raises ValueError, IndexError where one is not in its exact form."""
    place = 0
    while place < len(content):
        tag, length, start = content[place], content[place + 1], place + 2
        if tag & MANY == MANY:
            raise ValueError("a tag of several bytes")
        if length >= LONG:
            written = content[start : start + length - LONG]
            length, start = int.from_bytes(written), start + len(written)
            if length < LONG or written[0] == 0:
                raise ValueError("a length that is not as short as it could be, or none")
        if start + length > len(content):
            raise ValueError("a value that is cut off")
        yield Part(tag, content[place : start + length], content[start : start + length])
        place = start + length


def only(content: bytes, tag: int) -> Part:
    """The one value in these. Raises ValueError, IndexError where there are more, or it is of another kind."""
    (part,) = parts_in(content)
    if part.tag != tag:
        raise ValueError("a value of another kind")
    return part


def must_be_exact(content: bytes) -> None:
    """Raise ValueError, IndexError unless every value in these, however deep, is in its exact form."""
    waiting = [content]
    while waiting:
        waiting += [part.content for part in parts_in(waiting.pop()) if part.tag & CONSTRUCTED]


def taken_apart(message: bytes) -> Message:
    """The parts of a message that something was signed. Raises ValueError, IndexError where it is none."""
    kind, explicit = parts_in(only(message, SEQUENCE).content)
    version, digests, content, *certificates, signers = parts_in(only(explicit.content, SEQUENCE).content)
    signer = tuple(parts_in(only(signers.content, SEQUENCE).content))
    tags = [each.tag for each in (explicit, digests, content, signers, *signer[3:])]
    if kind.whole != SIGNED_DATA or tags[:7] != [FIRST, SET, SEQUENCE, SET, FIRST, SEQUENCE, OCTETS]:
        raise ValueError("no signature")
    carried = tuple(each.whole for part in certificates if part.tag == FIRST for each in parts_in(part.content))
    return Message(version, digests, content, carried, signer)


def value(tag: int, *contents: bytes) -> bytes:
    """A value in its exact form."""
    content = b"".join(contents)
    if len(content) < LONG:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, LONG + len(length)]) + length + content


def named(certificate: bytes) -> bytes:
    """How a signature names the certificate of who made it: its issuer and its number."""
    (whole,) = parts_in(certificate)
    told, *_ = parts_in(whole.content)
    _version, number, _method, issuer, *_ = parts_in(told.content)
    return value(SEQUENCE, issuer.whole, number.whole)


def put_together(certificate: bytes, attributes: bytes, signature: bytes, unsigned: bytes = b"") -> bytes:
    """The message of a signature by a certificate, in the one form in which the registry writes its own."""
    signer = value(
        SEQUENCE,
        VERSION,
        named(certificate),
        SHA256,
        bytes([FIRST]) + attributes[1:],
        ECDSA,
        value(OCTETS, signature),
        unsigned,
    )
    data = value(
        SEQUENCE,
        VERSION,
        value(SET, SHA256),
        value(SEQUENCE, DATA),
        value(FIRST, certificate),
        value(SET, signer),
    )
    return value(SEQUENCE, SIGNED_DATA, value(FIRST, data))
