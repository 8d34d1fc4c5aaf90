"""Signed notes (c2sp.org/signed-note) with Ed25519, and cosignatures of witnesses (c2sp.org/tlog-cosignature). Pure.

A note is a text, an empty line, and signature lines `— <name> <base64>`. Who has a key knows it as text:
`<name>+<key id>+<base64>` (vkey), and secretly `PRIVATE+KEY+<name>+<key id>+<base64>`.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LOG = 0x01  # signs the text itself
WITNESS = 0x04  # signs the text and the time at which it was seen
KEY_SIZE = 32
SIGNATURE_SIZE = 64
MOST_SIGNATURES = 100
DASH = "— "
PRIVATE = "PRIVATE+KEY+"


class BadKey(Exception):
    """This is not a key as text."""


class BadNote(Exception):
    """Not a signed note, or none that a known key has signed. The sentence says which."""


@dataclass(frozen=True)
class VerifyingKey:
    """A public key with the name of its owner. kind: LOG or WITNESS."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def text(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_encoded(bytes([self.kind]) + self.public)}"

    def verifies(self, text: str, signature: bytes) -> bool:
        message = text.encode()
        if self.kind == WITNESS:
            seen_at, signature = signature[:8], signature[8:]
            message = _cosigned(message, int.from_bytes(seen_at, "big"))
        if len(signature) != SIGNATURE_SIZE:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """A private key with the name of its owner. seed: 32 random bytes."""

    name: str
    kind: int
    seed: bytes = field(repr=False)

    @property
    def verifying(self) -> VerifyingKey:
        return VerifyingKey(self.name, self.kind, self._private.public_key().public_bytes_raw())

    @property
    def text(self) -> str:
        """The key as text. Secret."""
        return f"{PRIVATE}{self.name}+{self.verifying.key_id.hex()}+{_encoded(bytes([self.kind]) + self.seed)}"

    def sign(self, text: str) -> str:
        """The signature line of a log over `text`, which ends with a newline."""
        return self._line(self._private.sign(text.encode()))

    def cosign(self, text: str, seen_at: int) -> str:
        """The signature line of a witness. seen_at: POSIX seconds."""
        return self._line(seen_at.to_bytes(8, "big") + self._private.sign(_cosigned(text.encode(), seen_at)))

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def _line(self, signature: bytes) -> str:
        return f"{DASH}{self.name} {_encoded(self.verifying.key_id + signature)}\n"


@dataclass(frozen=True)
class Signature:
    """One signature line: whose it says it is, and the bytes behind the key id."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        return f"{DASH}{self.name} {_encoded(self.key_id + self.signature)}\n"

    @property
    def seen_at(self) -> int:
        """POSIX seconds of a witness's signature."""
        return int.from_bytes(self.signature[:8], "big")


@dataclass(frozen=True)
class Note:
    """A text and what stands under it. signed_by: the known keys that have signed it."""

    text: str
    signatures: tuple[Signature, ...]
    signed_by: tuple[VerifyingKey, ...] = ()


def verifying_key(text: str) -> VerifyingKey:
    """The public key written as `text`. Raises BadKey."""
    name, key_id, kind, public = _key_parts(text.strip(), "This is not a public key as text (name+id+base64).")
    found = VerifyingKey(name, kind, public)
    if found.key_id.hex() != key_id:
        raise BadKey("The key was damaged: its id belongs to another key.")
    return found


def signing_key(text: str) -> SigningKey:
    """The private key written as `text`. Raises BadKey, which repeats nothing of it."""
    text = text.strip()
    if not text.startswith(PRIVATE):
        raise BadKey("This is not a private key as text.")
    name, key_id, kind, seed = _key_parts(text.removeprefix(PRIVATE), "This is not a private key as text.")
    found = SigningKey(name, kind, seed)
    if found.verifying.key_id.hex() != key_id:
        raise BadKey("The private key was damaged: its id belongs to another key.")
    return found


def is_name(name: str) -> bool:
    """Whether a key may be called so."""
    return bool(name) and "+" not in name and not any(sign.isspace() or sign < " " for sign in name)


def read(message: str | bytes) -> Note:
    """The parts of a signed note, of which nothing is verified yet. Raises BadNote."""
    text, signatures = split(message)
    if not 1 <= len(signatures) <= MOST_SIGNATURES:
        raise BadNote("A signed note has between 1 and 100 signature lines.")
    return Note(text, tuple(signature_of(line) for line in signatures))


def split(message: str | bytes) -> tuple[str, list[str]]:
    """The text and the lines under its last empty line."""
    try:
        whole = message.decode() if isinstance(message, bytes) else message
    except UnicodeDecodeError:
        raise BadNote("The note is not UTF-8 text.") from None
    text, gap, below = whole.rpartition("\n\n")
    if not gap or not below.endswith("\n"):
        raise BadNote("A signed note is a text, an empty line and signature lines.")
    if any(sign < " " and sign != "\n" for sign in whole):
        raise BadNote("The note has control characters in it.")
    return text + "\n", below.removesuffix("\n").split("\n")


def signature_of(line: str) -> Signature:
    """One signature line, without its newline. Raises BadNote."""
    name, gap, encoded = line.removeprefix(DASH).partition(" ")
    try:
        raw = _decoded(encoded)
    except ValueError:
        raw = b""
    if not line.startswith(DASH) or not gap or not is_name(name) or len(raw) <= 4:
        raise BadNote(f"This is not a signature line: {line[:60]!r}")
    return Signature(name, raw[:4], raw[4:])


def open_note(message: str | bytes, keys: Iterable[VerifyingKey]) -> Note:
    """The note, if at least one of `keys` has signed it.

    Signatures of unknown keys count for nothing; a wrong one of a known key is no accident. Raises BadNote for both.
    """
    note = read(message)
    known = {(key.name, key.key_id): key for key in keys}
    signed_by: dict[tuple[str, bytes], VerifyingKey] = {}
    for each in note.signatures:
        key = known.get((each.name, each.key_id))
        if key is None:
            continue
        if not key.verifies(note.text, each.signature):
            raise BadNote(f"The signature of {each.name} is wrong.")
        signed_by[each.name, each.key_id] = key
    if not signed_by:
        raise BadNote("The note is signed by none of the keys that were asked for.")
    return Note(note.text, note.signatures, tuple(signed_by.values()))


def _cosigned(message: bytes, seen_at: int) -> bytes:
    return b"cosignature/v1\ntime %d\n%b" % (seen_at, message)


def _key_parts(text: str, otherwise: str) -> tuple[str, str, int, bytes]:
    name, _plus, rest = text.partition("+")
    key_id, _plus, encoded = rest.partition("+")
    try:
        raw = _decoded(encoded)
    except ValueError:
        raw = b""
    if not is_name(name) or len(raw) != 1 + KEY_SIZE or raw[0] not in (LOG, WITNESS):
        raise BadKey(otherwise)
    return name, key_id, raw[0], raw[1:]


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decoded(text: str) -> bytes:
    """Base64 in its one form, so that no two texts mean the same. Raises ValueError."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as fault:
        raise ValueError(str(fault)) from None
    if _encoded(raw) != text:
        raise ValueError("not in its one form")
    return raw
