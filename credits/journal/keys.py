"""The log's own keys: a file in DATA_DIR that its owner alone can read, with the public keys of all times.

Made once; a rotation adds a key, and for a while checkpoints carry the signatures of both. A key whose time is over
loses its secret half and stays published, so that old proofs can still be checked.
"""

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from credits.journal.notes import LOG, BadKey, SigningKey, VerifyingKey, is_name, signing_key, verifying_key

FILE = Path("keys", "log.json")
WITNESSES = Path("keys", "witnesses")


class KeysUnsound(Exception):
    """The file of keys is not as this program wrote it. A fault, not a refusal."""


@dataclass(frozen=True)
class LogKey:
    """public, secret: as text; secret is empty once the key signs no more. since, until: ISO 8601, UTC."""

    public: str
    secret: str
    since: str
    until: str = ""

    @property
    def ends(self) -> datetime | None:
        """From when on it signs no more; None where that is not known yet."""
        return datetime.fromisoformat(self.until) if self.until else None


@dataclass(frozen=True)
class LogKeys:
    """The name of the log, which its keys and checkpoints carry, and its keys, oldest first.

    earlier: the logs, oldest first, whose end was lost and for which this one goes on. They sign nothing any more.
    """

    origin: str
    keys: tuple[LogKey, ...]
    earlier: tuple["LogKeys", ...] = ()

    @property
    def public(self) -> list[VerifyingKey]:
        return [verifying_key(key.public) for key in self.keys]

    @property
    def of_all_times(self) -> list[VerifyingKey]:
        """The public keys of this log and of the earlier ones."""
        return [key for log in (*self.earlier, self) for key in log.public]

    def signing(self, at: datetime) -> list[SigningKey]:
        """The keys that sign at that time, newest first."""
        return [signing_key(key.secret) for key in reversed(self.keys) if key.secret and not is_over(key, at)]


def is_over(key: LogKey, at: datetime) -> bool:
    return key.ends is not None and at >= key.ends


def load(data_dir: Path) -> LogKeys | None:
    """The keys, or None where none were made yet. Raises KeysUnsound."""
    try:
        kept = json.loads((data_dir / FILE).read_bytes())
        keys = log_in(kept)
        keys = replace(keys, earlier=tuple(log_in(each) for each in kept.get("earlier", ())))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, BadKey) as fault:
        raise KeysUnsound(
            f"{data_dir / FILE} is damaged ({type(fault).__name__}). Bring back a backup of it."
        ) from None
    return keys


def log_in(kept: dict[str, Any]) -> LogKeys:
    """One log of the file, without the earlier ones. Raises BadKey."""
    keys = LogKeys(kept["origin"], tuple(LogKey(**key) for key in kept["keys"]))
    for key in keys.keys:
        if verifying_key(key.public).name != keys.origin or (key.secret and public_of(key.secret) != key.public):
            raise BadKey("a key does not belong to this log")
    return keys


def make(data_dir: Path, *, origin: str, seed: bytes, at: datetime) -> LogKeys:
    """The keys; where there are none, the first is made from `seed` (32 random bytes).

    origin: a name without spaces that nobody else has, such as the registry's address and id.
    """
    if kept := load(data_dir):
        return kept
    if not is_name(origin):
        raise ValueError(f"{origin!r} cannot name a log.")
    keys = LogKeys(origin, (new_key(origin, seed, at),))
    target = data_dir / FILE
    partial = written(target, in_text(keys))
    try:
        os.link(partial, target)  # unlike a rename, it never replaces the key of another process
    except FileExistsError:
        pass
    finally:
        partial.unlink()
    return load(data_dir) or keys


def rotate(data_dir: Path, *, seed: bytes, at: datetime, overlap: timedelta) -> LogKeys:
    """Add a key made from `seed`. The others sign beside it until `overlap` is over."""
    kept = load(data_dir)
    if kept is None:
        raise KeysUnsound(f"There is no {data_dir / FILE} yet.")
    end = (at + overlap).isoformat()
    older = (key if key.until else replace(key, until=end) for key in kept.keys)
    older_still_secret = (replace(key, secret="") if is_over(key, at) else key for key in older)
    keys = replace(kept, keys=(*older_still_secret, new_key(kept.origin, seed, at)))
    written(data_dir / FILE, in_text(keys)).replace(data_dir / FILE)
    return keys


def succeed(data_dir: Path, *, seed: bytes, at: datetime) -> LogKeys:
    """The keys of a log that goes on for this one under a name never used before. The older keys lose their secrets."""
    kept = load(data_dir)
    if kept is None:
        raise KeysUnsound(f"There is no {data_dir / FILE} yet.")
    closed = (replace(key, secret="", until=at.isoformat() if key.secret else key.until) for key in kept.keys)
    earlier = (*kept.earlier, LogKeys(kept.origin, tuple(closed)))
    origin = f"{earlier[0].origin}/{len(earlier) + 1}"
    keys = LogKeys(origin, (new_key(origin, seed, at),), earlier)
    written(data_dir / FILE, in_text(keys)).replace(data_dir / FILE)
    return keys


def new_key(origin: str, seed: bytes, at: datetime) -> LogKey:
    key = SigningKey(origin, LOG, seed)
    return LogKey(key.verifying.text, key.text, at.isoformat())


def public_of(secret: str) -> str:
    return signing_key(secret).verifying.text


def in_text(keys: LogKeys) -> str:
    return json.dumps(asdict(keys), indent=1)


def written(target: Path, text: str) -> Path:
    """A new file beside `target` with this text, whole and on the disk, readable by its owner alone."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    opened, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def witnesses(data_dir: Path) -> list[VerifyingKey]:
    """The public keys of the witnesses that the registry's operator has agreed with, from a file with one a line."""
    try:
        lines = (data_dir / WITNESSES).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    try:
        return [verifying_key(line) for line in lines if line.strip()]
    except BadKey as fault:
        raise KeysUnsound(f"{data_dir / WITNESSES}: {fault}") from None


def trust(data_dir: Path, keys: Iterable[VerifyingKey]) -> None:
    """Accept the cosignatures of these witnesses too."""
    known = {key.text: key for key in [*witnesses(data_dir), *keys]}
    target = data_dir / WITNESSES
    written(target, "".join(f"{text}\n" for text in known)).replace(target)
