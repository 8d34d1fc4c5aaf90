"""Watch a registry's log from outside and cosign what holds: `python -m credits.journal.witness`.

For another organisation than the registry's, with a key of its own. Run it every few minutes. It remembers the last
checkpoint that it cosigned; the next one must have the same beginning, or it is refused and stays refused. A log
that shrinks, or that shows different people different histories, so meets somebody who noticed.

    python -m credits.journal.witness --new-key witness.example/one --key my.key
    python -m credits.journal.witness --log https://registry.example --log-key VKEY --key my.key --seen last.txt

The first line makes the key and prints its public half, which the registry has to be told. Exit status 0: cosigned,
1: THE LOG MISBEHAVES (the two checkpoints that show it are printed: keep them), 2: could not look.
"""

import argparse
import fcntl
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from credits.journal.heads import Head, head_of, open_checkpoint
from credits.journal.merkle import BadProof, consistency_proof, root, verify_consistency
from credits.journal.notes import (
    LOG,
    WITNESS,
    BadKey,
    BadNote,
    SigningKey,
    VerifyingKey,
    is_name,
    read,
    signing_key,
    verifying_key,
)
from credits.journal.tiles import BadTile, tree_of

LARGEST = 1_000_000  # bytes of any answer
PATIENCE = 30  # seconds
COSIGNED, MISBEHAVES, UNABLE = 0, 1, 2


class Unable(Exception):
    """The log could not be looked at, or did not answer as a log does. Says nothing against it yet."""


class Misbehaves(Exception):
    """The log has signed two histories that do not go together."""


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parser().parse_args(arguments)
    try:
        if asked.new_key:
            print(new_key(asked.new_key, asked.key))
            return COSIGNED
        log_keys = [verifying_key(text) for text in asked.log_key]
        key = signing_key(asked.key.read_text())
        if key.kind != WITNESS or any(each.kind != LOG for each in log_keys):
            raise BadKey("--key must be a witness's own key, --log-key the public key of a log.")
        head, line = look(asked.log, log_keys, key, asked.seen)
        if asked.out:
            asked.out.write_text(line)
        answer = "" if asked.keep else hand_in(asked.log, head, line)
    except Misbehaves as fault:
        sys.stderr.write(f"THE LOG MISBEHAVES: {fault}\n")
        return MISBEHAVES
    except (Unable, BadKey, OSError) as fault:
        sys.stderr.write(f"COULD NOT LOOK: {fault}\n")
        return UNABLE
    print(f"Cosigned {head.size} entries of {head.origin}. {answer}".rstrip())
    return COSIGNED


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m credits.journal.witness", description="Watch and cosign a log.")
    made.add_argument("--key", type=Path, required=True, help="file of the witness's own private key")
    made.add_argument("--new-key", metavar="NAME", help="make that file for a witness of this name")
    made.add_argument("--log", default="", help="the log's address, or a folder with a copy of it")
    made.add_argument("--log-key", action="append", default=[], help="public key of the log (name+id+base64)")
    made.add_argument("--seen", type=Path, default=Path("last-checkpoint"), help="remembers the last checkpoint")
    made.add_argument("--out", type=Path, help="write the cosignature there too")
    made.add_argument("--keep", action="store_true", help="do not hand the cosignature in")
    return made


def new_key(name: str, file: Path) -> str:
    """Make a private key in `file`, which must not exist; its public half."""
    if not is_name(name):
        raise BadKey("A witness's name has no spaces and no plus sign, such as witness.example/one.")
    key = SigningKey(name, WITNESS, os.urandom(32))
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(key.text + "\n")
    return key.verifying.text


def look(log: str, log_keys: Sequence[VerifyingKey], key: SigningKey, seen: Path) -> tuple[Head, str]:
    """Compare the log's checkpoint with the last one seen, remember it, and cosign it. Raises Misbehaves, Unable."""
    # Two looks at once could each cosign what the other would have refused.
    with seen.with_name(f"{seen.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        message = fetch(log, "checkpoint")
        try:
            head, note = open_checkpoint(message, log_keys)
        except BadNote as fault:
            raise Unable(f"what the log serves is not a checkpoint of it: {fault}") from None
        if seen.exists():
            before = seen.read_text()
            try:
                compare(head_of(read(before).text), head, log)
            except BadNote as fault:
                raise Unable(f"{seen} is damaged: {fault}") from None
            except BadProof as fault:
                raise Misbehaves(f"{fault}\n\nSeen before:\n{before}\nServed now:\n{message.decode()}") from None
        remember(seen, message)
        return head, key.cosign(note.text, int(time.time()))


def compare(old: Head, new: Head, log: str) -> None:
    """Raise BadProof unless `new` continues `old`."""
    if old.origin != new.origin:
        raise Unable(f"the log is now called {new.origin}, and was {old.origin}: remember each in a file of its own.")
    if new.size < old.size:
        raise BadProof(f"It had {old.size} entries, and now has {new.size}.")
    if old.size in (0, new.size):
        verify_consistency(old.size, new.size, old.root, new.root, [])
        return
    tree = tree_of(new.size, lambda tile: fetch(log, tile.path))
    try:
        if root(new.size, tree) != new.root:
            raise Unable("its tiles do not belong to its checkpoint. If this stays so, it hides something.")
        verify_consistency(old.size, new.size, old.root, new.root, consistency_proof(old.size, new.size, tree))
    except BadTile as fault:
        raise Unable(str(fault)) from None


def remember(seen: Path, message: bytes) -> None:
    """Keep the checkpoint before anybody gets the cosignature."""
    partial = seen.with_name(f"{seen.name}.part")
    with partial.open("wb") as file:
        file.write(message)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(seen)


def fetch(log: str, path: str) -> bytes:
    """A file of the log, from its address or its folder. Raises Unable."""
    if log.startswith(("http://", "https://")):
        return request(f"{log.rstrip('/')}/{path}")
    try:
        return Path(log, path).read_bytes()
    except OSError as fault:
        raise Unable(f"{fault.filename}: {fault.strerror}") from None


def hand_in(log: str, head: Head, line: str) -> str:
    """Send the cosignature to the log; from a folder, print it instead."""
    if not log.startswith(("http://", "https://")):
        return line
    request(f"{log.rstrip('/')}/log/checkpoints/{head.size}/cosignatures", line.encode())
    return "The log has taken it in."


def request(url: str, content: bytes | None = None) -> bytes:
    asked = Request(url, content, {"Content-Type": "text/plain; charset=utf-8"} if content else {})  # noqa: S310
    try:
        with urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310  http or https, as its callers have seen
            body: bytes = answer.read(LARGEST + 1)
    except HTTPError as fault:
        raise Unable(f"{url} answered {fault.code} {fault.reason}") from None
    except (URLError, OSError, ValueError) as fault:
        raise Unable(f"{url}: {fault}") from None
    if len(body) > LARGEST:
        raise Unable(f"{url} answered more than {LARGEST} bytes.")
    return body


if __name__ == "__main__":
    sys.exit(main())
