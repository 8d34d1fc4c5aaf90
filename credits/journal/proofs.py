"""Proofs that an event stands in the log, as files anybody can check (c2sp.org/tlog-proof). Pure.

c2sp.org/tlog-proof@v1
extra <base64: the event's exact bytes>
index <its place in the log, from 0>
<hash in base64, one a line, from the leaf's neighbour up to the root's child>

<checkpoint: the signed head of the log, with cosignatures>
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from credits.journal.heads import LARGEST, Head, open_checkpoint
from credits.journal.merkle import HASH_SIZE, BadProof, leaf_hash, verify_inclusion
from credits.journal.notes import BadNote, VerifyingKey, open_note, read

FIRST_LINE = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 63


@dataclass(frozen=True)
class Proof:
    """body: the event's exact bytes, or None where the file goes without."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    body: bytes | None

    @property
    def text(self) -> str:
        extra = [] if self.body is None else [f"extra {base64.b64encode(self.body).decode()}"]
        hashes = [base64.b64encode(each).decode() for each in self.hashes]
        return "\n".join([FIRST_LINE, *extra, f"index {self.index}", *hashes, "", self.checkpoint])


@dataclass(frozen=True)
class Proven:
    """What a sound proof shows. witnesses: name and POSIX seconds of those asked for who saw this checkpoint."""

    head: Head
    index: int
    body: bytes
    witnesses: tuple[tuple[str, int], ...]


def proof_in(content: bytes) -> Proof:
    """Read a proof file. Raises BadProof where it is none, or damaged."""
    try:
        above, gap, checkpoint = content.decode().partition("\n\n")
        lines = above.split("\n")
        if lines.pop(0) != FIRST_LINE or not gap:
            raise BadProof(f"It does not begin with {FIRST_LINE} and have a checkpoint behind an empty line.")
        body = decoded(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else None
        index = lines.pop(0).removeprefix("index ") if lines and lines[0].startswith("index ") else ""
        if not (index.isascii() and index.isdigit() and str(int(index[:20])) == index and int(index) <= LARGEST):
            raise BadProof("It does not say the place of the event in the log.")
        hashes = tuple(decoded(line) for line in lines)
    except (UnicodeDecodeError, binascii.Error) as fault:
        raise BadProof(f"A line of it is damaged: {fault}.") from None
    if len(hashes) > MOST_HASHES or any(len(each) != HASH_SIZE for each in hashes):
        raise BadProof("One of its hashes has not 32 bytes, or there are too many.")
    return Proof(int(index), hashes, checkpoint, body)


def check(proof: Proof, *, body: bytes, keys: Sequence[VerifyingKey], witnesses: Sequence[VerifyingKey] = ()) -> Proven:
    """Raise BadProof unless `body` is the event at the proof's place of the log that one of `keys` speaks for.

    Every one of `witnesses` must have cosigned the checkpoint.
    """
    try:
        head, _note = open_checkpoint(proof.checkpoint, keys)
    except BadNote as fault:
        raise BadProof(f"The checkpoint does not hold: {fault}") from None
    verify_inclusion(proof.index, head.size, leaf_hash(body), proof.hashes, head.root)
    return Proven(head, proof.index, body, tuple(seen(proof.checkpoint, witness) for witness in witnesses))


def seen(checkpoint: str, witness: VerifyingKey) -> tuple[str, int]:
    """The name of a witness and when it saw the checkpoint. Raises BadProof."""
    try:
        open_note(checkpoint, [witness])
    except BadNote as fault:
        raise BadProof(f"The witness {witness.name} does not stand by the checkpoint: {fault}") from None
    line = next(
        each for each in read(checkpoint).signatures if (each.name, each.key_id) == (witness.name, witness.key_id)
    )
    return witness.name, line.seen_at


def decoded(line: str) -> bytes:
    raw = base64.b64decode(line, validate=True)
    if base64.b64encode(raw).decode() != line:
        raise binascii.Error("not base64 in its one form")
    return raw
