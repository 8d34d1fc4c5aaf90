"""Files outside the web root: kept under the hash of their content for good, on their way, or drawn from them."""

import fcntl
import hashlib
import os
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

SHA256 = re.compile("[0-9a-f]{64}")


class FileMissing(Exception):
    """A file that the registry knows is not in its folder, or no longer what it was. A fault, not a refusal."""


class WrongFolder(SystemExit):
    """The folder belongs to another registry's database: files of two must never meet."""


def bind(folder: Path, registry_id: str) -> None:
    """Give `folder` to the registry with this id, once; raise WrongFolder where it is another's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = folder / "registry-id"
    try:
        with mark.open("x", encoding="ascii") as file:
            file.write(registry_id)
    except FileExistsError:
        if mark.read_text(encoding="ascii") != registry_id:
            raise WrongFolder(
                f"{folder} belongs to another registry's database. Give each database a DATA_DIR of its own."
            ) from None


class Files:
    """A folder of files named by their SHA-256."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keep(self, content: bytes) -> str:
        """Store `content` and return its SHA-256 in hexadecimal. Storing it again changes its time alone."""
        sha256 = hashlib.sha256(content).hexdigest()
        if not self.path(sha256).exists():
            write_whole(self.path(sha256), content)
        else:
            os.utime(self.path(sha256))
        return sha256

    def touch(self, sha256: str, at: datetime) -> None:
        """Let the file count as touched then, if it is there."""
        with suppress(FileNotFoundError):
            os.utime(self.path(sha256), (at.timestamp(), at.timestamp()))

    def drop(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)

    def untouched_since(self, moment: float) -> Iterator[str]:
        """The SHA-256 of the files that were neither stored nor touched since `moment` (seconds of the epoch)."""
        for file in self.root.glob("??/*"):
            if SHA256.fullmatch(file.name) and file.stat().st_mtime < moment:
                yield file.name

    def read(self, sha256: str) -> bytes:
        """The stored bytes. Raises FileMissing where they are gone or changed."""
        try:
            content = self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise FileMissing(f"The file {sha256} is not in {self.root}.") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise FileMissing(f"The file {sha256} in {self.root} was changed.")
        return content

    def path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256


class WrongOffset(Exception):
    """A piece does not begin where the file ends. there: how many bytes are there."""

    def __init__(self, there: int) -> None:
        super().__init__(f"{there} bytes are there.")
        self.there = there


class Parts:
    """A folder of files that arrive in pieces, named by handles: nothing but lower-case hexadecimal digits."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def begin(self, handle: str) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path(handle).touch(mode=0o600, exist_ok=False)

    def length(self, handle: str) -> int:
        """How many bytes have arrived. Raises FileMissing."""
        try:
            return self.path(handle).stat().st_size
        except FileNotFoundError:
            raise FileMissing(f"The file {handle} is not in {self.root}.") from None

    def append(self, handle: str, offset: int, piece: bytes) -> int:
        """Add `piece`, which begins at `offset`; how many bytes are there then. Raises WrongOffset, FileMissing."""
        try:
            file = self.path(handle).open("r+b")
        except FileNotFoundError:
            raise FileMissing(f"The file {handle} is not in {self.root}.") from None
        with file:
            # A phone that lost the answer sends the piece again, perhaps while the first is still being written.
            fcntl.flock(file, fcntl.LOCK_EX)
            there = file.seek(0, os.SEEK_END)
            if there != offset:
                raise WrongOffset(there)
            file.write(piece)
        return there + len(piece)

    def read(self, handle: str) -> bytes:
        """All that has arrived. Raises FileMissing."""
        try:
            return self.path(handle).read_bytes()
        except FileNotFoundError:
            raise FileMissing(f"The file {handle} is not in {self.root}.") from None

    def drop(self, handle: str) -> None:
        self.path(handle).unlink(missing_ok=True)

    def untouched_since(self, moment: float) -> Iterator[str]:
        """The handles of the files to which nothing was added since `moment` (seconds of the epoch)."""
        for file in self.root.glob("*.part"):
            if file.stat().st_mtime < moment:
                yield file.stem

    def path(self, handle: str) -> Path:
        return self.root / f"{handle}.part"


class Pages:
    """A folder of pictures drawn from the pages of kept files, to look at. Whoever deletes them loses nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, sha256: str, number: int) -> bytes | None:
        try:
            return self.path(sha256, number).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, sha256: str, number: int, picture: bytes) -> None:
        write_whole(self.path(sha256, number), picture)

    def path(self, sha256: str, number: int) -> Path:
        return self.root / sha256[:2] / f"{sha256}-{number}.jpg"


def write_whole(target: Path, content: bytes) -> None:
    """Write a file whole or not at all: another process or thread may write the same content at this moment."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.{threading.get_ident()}.part")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)
