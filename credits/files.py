"""Files kept under the hash of their content, outside the web root. Written once, never changed."""

import hashlib
import os
import threading
from pathlib import Path


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
        """Store `content` and return its SHA-256 in hexadecimal. Storing the same content again changes nothing."""
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.path(sha256)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            # Whole or not at all: another process or thread may write the same content at this moment.
            partial = target.with_suffix(f".{os.getpid()}.{threading.get_ident()}.part")
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
        return sha256

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
