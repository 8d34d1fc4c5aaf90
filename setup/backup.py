"""Save a registry in one file and bring it back: `make backup TO=…`, `make restore FROM=…`.

The file is a compressed tar: the database (`database.sqlite` or `database.pgdump`), what stands in DATA_DIR under
`data/`, and last `about.json` with the SHA-256 of each. It holds keys and private evidence: keep it as safe as the
registry itself. Background work that waits in a queue file is not saved; the registry asks for it again.
"""

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO
from urllib.parse import unquote, urlsplit, urlunsplit

from config import Settings, load

FORMAT = 1
ABOUT = "about.json"
NEWEST_CHECKPOINT = "checkpoint"  # belongs to the newest database: beside an older one it would close it
DRAWN = "pages"  # pictures of the evidence, drawn anew when somebody looks
PARTIAL = ".part"  # the end of a name while a file is being written
TABLES = """SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname !~ '^(pg_|information_schema)'"""
DATABASES = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}


class BackupError(SystemExit):
    """The backup or the restore cannot be made. Nothing was changed, unless the sentence says so."""


def save(settings: Settings, to: Path, at: datetime) -> int:
    """Write the backup file `to`, which must not exist yet. Returns the number of files of DATA_DIR in it.

    The registry may be in use meanwhile. The database is read first, at one moment: the files that it speaks of were
    all there before it spoke of them, and files are only ever added.
    """
    if to.exists():
        raise BackupError(f"{to} is already there. Name a new file.")
    if not to.parent.is_dir():
        raise BackupError(f"There is no directory {to.parent}.")
    if to.is_relative_to(settings.data_dir):
        raise BackupError(f"{to} is inside DATA_DIR, of which it is to be the copy. Name a file elsewhere.")
    kind = kind_of(settings)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=".backup-") as scratch:
        database = Path(scratch, DATABASES[kind])
        if kind == "sqlite":
            dump_sqlite(settings, database)
        else:
            dump_postgresql(settings, database)
        files = {DATABASES[kind]: database}
        files |= {f"data/{file.relative_to(settings.data_dir).as_posix()}": file for file in kept_files(settings)}
        unfinished = Path(scratch, "backup.tar.gz")
        # Nobody else may read it from its first byte on.
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            write_archive(stream, files, {"format": FORMAT, "database": kind, "saved_at": at.isoformat()})
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.rename(to)
    return len(files) - 1


def restore(settings: Settings, source: Path) -> int:
    """Bring the backup file `source` back. Returns the number of files of DATA_DIR that came with it.

    The database must have no table and DATA_DIR no file, so that two registries are never mixed.
    """
    refuse_unless_empty(settings)
    with tempfile.TemporaryDirectory(dir=nearest_directory(settings.data_dir), prefix=".restore-") as scratch:
        try:
            about = read_archive(source, Path(scratch))
        except (OSError, tarfile.TarError, ValueError, KeyError, EOFError) as error:
            raise BackupError(f"{source} is not a whole backup: {error}") from error
        kind = kind_of(settings)
        if about["database"] != kind:
            raise BackupError(f"This backup is of a {about['database']} database, and DATABASE_URL is of {kind}.")
        database = Path(scratch, DATABASES[kind])
        if kind == "sqlite":
            load_sqlite(settings, database)
        else:
            load_postgresql(settings, database)
        data = Path(scratch, "data")
        data.mkdir(exist_ok=True)
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for entry in sorted(data.iterdir()):
            shutil.move(entry, settings.data_dir / entry.name)
    return sum(name.startswith("data/") for name in about["sha256"])


def kind_of(settings: Settings) -> str:
    return "sqlite" if settings.is_embedded else "postgresql"


def kept_files(settings: Settings) -> Iterator[Path]:
    """The files of DATA_DIR but the database itself, the queue, what SQLite keeps beside each, the checkpoint, and
    what can be drawn again."""
    left_out = database_files(settings) | {settings.data_dir / NEWEST_CHECKPOINT}
    for file in sorted(settings.data_dir.rglob("*")):
        drawn = file.is_relative_to(settings.data_dir / DRAWN)
        if file.is_file() and file not in left_out and file.suffix != PARTIAL and not drawn:
            yield file


def database_files(settings: Settings) -> set[Path]:
    beside = [file for file in (settings.database_file, settings.queue_file) if file]
    return {Path(f"{file}{end}") for file in beside for end in ("", "-wal", "-shm", "-journal")}


class Hashing:
    """A file to read whose SHA-256 is taken of the very bytes that were read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self.stream.read(size)
        self.sha256.update(piece)
        return piece


def write_archive(stream: BinaryIO, files: dict[str, Path], about: dict[str, Any]) -> None:
    """Write `files` by their names in the archive, then `about.json` with the SHA-256 of each."""
    digests = {}
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=6) as archive:
        for name, file in files.items():
            with file.open("rb") as opened:
                body = Hashing(opened)
                archive.addfile(archive.gettarinfo(arcname=name, fileobj=opened), body)
            digests[name] = body.sha256.hexdigest()
        note = json.dumps(about | {"sha256": digests}, indent=1).encode()
        member = tarfile.TarInfo(ABOUT)
        member.size = len(note)
        archive.addfile(member, BytesIO(note))


def read_archive(source: Path, into: Path) -> dict[str, Any]:
    """Unpack a backup and compare every file with its SHA-256. Raises ValueError where anything is not as listed."""
    digests = {}
    with tarfile.open(source, mode="r:gz") as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            opened = archive.extractfile(member) if member.isreg() else None
            if opened is None or path.is_absolute() or ".." in path.parts:
                raise ValueError(f"{member.name!r} does not belong in it")
            file = into / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with opened, file.open("xb") as written:
                body = Hashing(opened)
                shutil.copyfileobj(body, written)
            file.chmod(member.mode & 0o700)
            digests[member.name] = body.sha256.hexdigest()
    digests.pop(ABOUT, None)
    about: dict[str, Any] = json.loads((into / ABOUT).read_bytes())
    if about["format"] != FORMAT:
        raise ValueError(f"its format is {about['format']}, and this version reads {FORMAT}")
    if about["sha256"] != digests:
        wrong = sorted(name for name, _ in about["sha256"].items() ^ digests.items())
        raise ValueError(f"{wrong[0]!r} is not as it was saved")
    return about


def nearest_directory(path: Path) -> Path:
    """`path`, or its nearest parent that exists."""
    return path if path.is_dir() else nearest_directory(path.parent)


def refuse_unless_empty(settings: Settings) -> None:
    if settings.data_dir.is_dir() and set(settings.data_dir.iterdir()) - database_files(settings):
        raise BackupError(f"DATA_DIR ({settings.data_dir}) is not empty. Restore into an empty one.")
    file = settings.database_file
    if file is None:
        found = run_postgresql(settings, "psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", TABLES)
        occupied = found.strip() != b"0"
    else:
        occupied = file.exists() and file.stat().st_size > 0
    if occupied:
        raise BackupError("The database is not empty. Restore into an empty one: name another DATABASE_URL.")


def dump_sqlite(settings: Settings, to: Path) -> None:
    """Copy the database at one moment, while others may read and write it."""
    file = settings.database_file
    if file is None or not file.exists():
        raise BackupError(f"There is no database {file} to save.")
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as source, closing(sqlite3.connect(to)) as copy:
        source.execute("PRAGMA busy_timeout = 30000")
        source.backup(copy)


def load_sqlite(settings: Settings, dump: Path) -> None:
    with closing(sqlite3.connect(dump)) as copy:
        found = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise BackupError(f"The database in the backup is damaged: {found}")
        copy.execute("PRAGMA journal_mode = DELETE")  # one file to move, with nothing beside it
    file = settings.database_file
    if file is None:
        raise BackupError("DATABASE_URL names no SQLite file.")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.move(dump, file)


def dump_postgresql(settings: Settings, to: Path) -> None:
    run_postgresql(settings, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={to}")


def load_postgresql(settings: Settings, dump: Path) -> None:
    """All or nothing: what fails in the middle leaves the database empty."""
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    run_postgresql(settings, "pg_restore", *options, str(dump))


def run_postgresql(settings: Settings, tool: str, *arguments: str) -> bytes:
    """Run one of PostgreSQL's own tools on the database; its password goes by the environment, where nobody sees it."""
    parts = urlsplit(settings.database_url)
    environ = dict(os.environ)
    if parts.password is not None:
        environ["PGPASSWORD"] = unquote(parts.password)
    user = f"{parts.username}@" if parts.username else ""
    where = parts.netloc.rpartition("@")[2]
    url = urlunsplit(("postgresql", user + where, parts.path, parts.query, ""))
    try:
        done = subprocess.run([tool, f"--dbname={url}", *arguments], env=environ, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise BackupError(f"{tool} is missing. Type as root: apt-get install postgresql-client") from error
    if done.returncode:
        raise BackupError(f"{tool} failed:\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m setup.backup", description="Save or bring back a registry.")
    parser.add_argument("what", choices=["save", "restore"])
    parser.add_argument("file", help="the backup file, such as backup.tar.gz")
    asked = parser.parse_args()
    if not asked.file:
        parser.error("name the file: make backup TO=backup.tar.gz, make restore FROM=backup.tar.gz")
    settings = load(os.environ)
    file = Path(asked.file).absolute()
    if asked.what == "save":
        count = save(settings, file, datetime.now(UTC))
        print(f"Saved the database and {count} files of {settings.data_dir} in {file}.")
    else:
        count = restore(settings, file)
        print(f"Brought back the database and {count} files of {settings.data_dir}.")
        print("Before serving it, bring it up to date: flask --app wsgi db upgrade (make run does it).")


if __name__ == "__main__":
    main()
