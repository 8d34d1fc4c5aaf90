"""Watch a registry's log from outside and cosign what holds: `python -m credits.journal.witness`.

For another organisation than the registry's, with a key of its own. Run it every few minutes. It remembers the last
checkpoint that it cosigned; the next one must have the same beginning, or it is refused and stays refused. A log
that shrinks, or that shows different people different histories, so meets somebody who noticed.

    python -m credits.journal.witness --new-key witness.example/one --key my.key
    python -m credits.journal.witness --log https://registry.example --log-key VKEY --key my.key --seen last.txt

The first line makes the key and prints its public half, which the registry has to be told. The second prints the
cosignature, and hands it in. Exit status 0: cosigned, 1: THE LOG MISBEHAVES (the two checkpoints that show it are
printed: keep them), 2: could not look, which says nothing against the log unless it stays so.
"""

import argparse
import fcntl
import os
import sys
import time
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

from credits.journal.heads import Head, head_of, open_checkpoint
from credits.journal.merkle import BadProof, consistency_proof, root, verify_consistency
from credits.journal.notes import LOG, WITNESS, BadKey, BadNote, SigningKey, is_name, read, signing_key, verifying_key
from credits.journal.tiles import BadTile, tree_of

LARGEST = 1_000_000  # bytes of any answer
PATIENCE = 30  # seconds
COSIGNED, MISBEHAVES, UNABLE = 0, 1, 2


class Misbehaves(Exception):
    """The log has signed two histories that do not go together."""


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parser().parse_args(arguments)
    try:
        if asked.new_key:
            print(new_key(asked.new_key, asked.key))
            return COSIGNED
        key, log = signing_key(asked.key.read_text()), asked.log.rstrip("/")
        log_keys = [verifying_key(text) for text in asked.log_key]
        if key.kind != WITNESS or any(each.kind != LOG for each in log_keys):
            raise BadKey("--key must be a witness's own key, --log-key the public key of a log.")
        with asked.seen.with_name(f"{asked.seen.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two at once could each cosign what the other would have refused
            message = fetch(f"{log}/checkpoint")
            head, note = open_checkpoint(message, log_keys)
            must_continue(log, head, message, asked.seen)
            remember(message, asked.seen)  # before anybody gets the cosignature
            line = key.cosign(note.text, int(time.time()))
        print(line, end="")
        if not log.startswith("file:"):
            fetch(f"{log}/log/checkpoints/{head.size}/cosignatures", line.encode())
    except Misbehaves as fault:
        sys.stderr.write(f"THE LOG MISBEHAVES: {fault}\n")
        return MISBEHAVES
    except (BadKey, BadNote, BadTile, HTTPException, OSError, ValueError) as fault:
        sys.stderr.write(f"COULD NOT LOOK: {fault or type(fault).__name__}\n")
        return UNABLE
    return COSIGNED


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m credits.journal.witness", description="Watch and cosign a log.")
    made.add_argument("--key", type=Path, required=True, help="file of the witness's own private key")
    made.add_argument("--new-key", metavar="NAME", help="make that file for a witness of this name")
    made.add_argument("--log", default="", help="address of the log (https://…), or of a copy of it (file:///…)")
    made.add_argument("--log-key", action="append", default=[], help="public key of the log (name+id+base64)")
    made.add_argument("--seen", type=Path, default=Path("last-checkpoint"), help="remembers the last checkpoint")
    return made


def new_key(name: str, file: Path) -> str:
    """Make a private key in `file`, which must not exist; its public half."""
    if not is_name(name):
        raise BadKey("A witness's name has no spaces and no plus sign, such as witness.example/one.")
    key = SigningKey(name, WITNESS, os.urandom(32))
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(key.text + "\n")
    return key.verifying.text


def must_continue(log: str, new: Head, message: bytes, seen: Path) -> None:
    """Raise Misbehaves unless the log of the head `new` has the beginning that was seen last."""
    if not seen.exists():
        return
    old = head_of(read(seen.read_text()).text)
    if old.origin != new.origin:
        raise BadNote(f"The log is now called {new.origin}, and was {old.origin}: remember each in a file of its own.")
    tree = tree_of(new.size, lambda tile: fetch(f"{log}/{tile.path}"))
    if new.size > old.size and root(new.size, tree) != new.root:
        raise BadNote("The tiles do not belong to the checkpoint. If this stays so, the log hides something.")
    try:
        if new.size < old.size:
            raise BadProof(f"It had {old.size} entries, and now has {new.size}.")
        proof = consistency_proof(old.size, new.size, tree)
        verify_consistency(old.size, new.size, old.root, new.root, proof)
    except BadProof as fault:
        raise Misbehaves(f"{fault}\n\nSeen before:\n{seen.read_text()}\nServed now:\n{message.decode()}") from None


def remember(message: bytes, seen: Path) -> None:
    """Keep the checkpoint: on the disk, and whole, when it returns."""
    partial = seen.with_name(f"{seen.name}.part")
    with partial.open("wb") as file:
        file.write(message)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(seen)


def fetch(address: str, content: bytes | None = None) -> bytes:
    """What the log answers, with `content` to what is handed in. Raises OSError, HTTPException, ValueError."""
    asked = Request(address, content, {"Content-Type": "text/plain; charset=utf-8"} if content else {})  # noqa: S310
    with urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310  whoever runs this has named the address
        body: bytes = answer.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise ValueError(f"{address} answered more than {LARGEST} bytes.")
    return body


if __name__ == "__main__":
    sys.exit(main())
