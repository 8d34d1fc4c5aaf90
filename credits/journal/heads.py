"""Checkpoints as text (c2sp.org/tlog-checkpoint): which log, how many entries, which root. Pure."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

from credits.journal.merkle import HASH_SIZE
from credits.journal.notes import BadNote, Note, SigningKey, VerifyingKey, open_note

LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Head:
    """What a log says of itself: its name, its number of entries and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, keys: Iterable[SigningKey]) -> str:
        """The checkpoint: this head as a note signed by `keys`."""
        return self.text + "\n" + "".join(key.sign(self.text) for key in keys)


def head_of(text: str) -> Head:
    """The head that the text of a note states. Extension lines are not looked at. Raises BadNote."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise BadNote("A checkpoint has three lines: the log, its size and its root.")
    size = lines[1]
    sound = size.isascii() and size.isdigit() and len(size) <= 19 and str(int(size)) == size and int(size) <= LARGEST
    if not sound:
        raise BadNote("The second line of a checkpoint is a whole number.")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except binascii.Error:
        root = b""
    if len(root) != HASH_SIZE or base64.b64encode(root).decode() != lines[2]:
        raise BadNote("The third line of a checkpoint is a root in base64.")
    return Head(lines[0], int(size), root)


def open_checkpoint(message: str | bytes, keys: Iterable[VerifyingKey]) -> tuple[Head, Note]:
    """The head of a checkpoint that one of `keys` has signed in the name of this very log. Raises BadNote."""
    note = open_note(message, keys)
    head = head_of(note.text)
    if all(key.name != head.origin for key in note.signed_by):
        raise BadNote(f"The checkpoint is of the log {head.origin}, for which this key does not speak.")
    return head, note
