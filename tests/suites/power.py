"""Power cuts of an embedded registry: what had not reached the disk is lost, torn or half there.

    make power CUTS=1000

SQLite writes through a layer that notes each write and each sync. Afterwards the power is cut at random moments of that
record: what was synced is there; of everything later each piece of 512 bytes is there or not, as chance has it. SQLite
repairs each of these disks, and the judge compares it with what everybody had been told by then. With
synchronous=FULL, as the registry has it, nothing may be missing; with NORMAL the same cuts must be found out.
"""

import argparse
import ctypes
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import event

from tests import checker, servers
from tests.suites import trial
from tests.suites.trial import Act, Answer, World

SECTOR = 512  # bytes that a disk writes whole or not at all
REQUESTS = 400
FILES = ("-wal", "")  # besides the database itself; the index of the log is in memory, and made anew
OK = 0


class NoLayer(Exception):
    """This Python brings an SQLite of its own that nothing can be put under."""


@dataclass(frozen=True)
class Written:
    """A write to a file, a cut to a size (content is None), a sync (offset is None), or what somebody was told."""

    file: str = ""
    offset: int | None = None
    content: bytes | None = None
    told: dict[str, Any] | None = None


Record = list[Written]

_VOID, _INT, _LONG = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
OPEN = ctypes.CFUNCTYPE(_INT, _VOID, ctypes.c_char_p, _VOID, _INT, _VOID)
WRITE = ctypes.CFUNCTYPE(_INT, _VOID, _VOID, _INT, _LONG)
TRUNCATE = ctypes.CFUNCTYPE(_INT, _VOID, _LONG)
SYNC = ctypes.CFUNCTYPE(_INT, _VOID, _INT)


class Methods(ctypes.Structure):
    """sqlite3_io_methods: what SQLite does with an open file."""

    _fields_ = [
        ("version", _INT),
        *((name, _VOID) for name in ("close", "read", "write", "truncate", "sync", "file_size", "lock", "unlock")),
        *((name, _VOID) for name in ("check_reserved_lock", "file_control", "sector_size", "characteristics")),
        *((name, _VOID) for name in ("shm_map", "shm_lock", "shm_barrier", "shm_unmap", "fetch", "unfetch")),
    ]


class Layer(ctypes.Structure):
    """sqlite3_vfs: how SQLite reaches the disk."""

    _fields_ = [
        ("version", _INT),
        ("file_size", _INT),
        ("longest_path", _INT),
        ("next", _VOID),
        ("name", ctypes.c_char_p),
        ("data", _VOID),
        ("open", _VOID),
        *((f"other_{number}", _VOID) for number in range(14)),
    ]


class Recorder:
    """A layer under SQLite that notes what is written and synced, file by file, and passes it on."""

    def __init__(self) -> None:
        self.record: Record = []
        self.kept: list[Any] = []  # what C code points to must not be collected
        library = sqlite_library()
        library.sqlite3_vfs_find.restype = ctypes.POINTER(Layer)
        self.below = library.sqlite3_vfs_find(None)
        self.layer = Layer.from_buffer_copy(self.below.contents)
        self.layer.name = b"recorder"
        self._open = OPEN(self.open)
        self.layer.open = ctypes.cast(self._open, _VOID)
        self.library = library

    def __enter__(self) -> "Recorder":
        self.library.sqlite3_vfs_register(ctypes.byref(self.layer), 1)
        return self

    def __exit__(self, *_: object) -> None:
        self.library.sqlite3_vfs_unregister(ctypes.byref(self.layer))

    def open(self, layer: int, path: bytes | None, file: int, flags: int, out: int) -> int:
        done: int = OPEN(self.below.contents.open)(layer, path, file, flags, out)
        if done == OK and path is not None:
            self.watch(path.decode(), file)
        return done

    def watch(self, path: str, file: int) -> None:
        """Put our own functions in the place of those of an open file that change it."""
        place = ctypes.cast(file, ctypes.POINTER(_VOID))
        below = Methods.from_address(place[0])
        above = Methods.from_buffer_copy(below)
        write, truncate, sync = WRITE(below.write), TRUNCATE(below.truncate), SYNC(below.sync)

        def note_write(this: int, content: int, size: int, offset: int) -> int:
            self.record.append(Written(path, offset, ctypes.string_at(content, size)))
            return int(write(this, content, size, offset))

        def note_truncate(this: int, size: int) -> int:
            self.record.append(Written(path, size))
            return int(truncate(this, size))

        def note_sync(this: int, flags: int) -> int:
            done = int(sync(this, flags))
            self.record.append(Written(path))
            return done

        ours = (WRITE(note_write), TRUNCATE(note_truncate), SYNC(note_sync))
        above.write, above.truncate, above.sync = (ctypes.cast(each, _VOID) for each in ours)
        self.kept += [above, *ours]
        place[0] = ctypes.addressof(above)


def sqlite_library() -> ctypes.CDLL:
    """The very library that Python's own module uses. Raises NoLayer."""
    assert sqlite3.sqlite_version
    mapped = Path("/proc/self/maps").read_text(encoding="utf-8").split()
    found = sorted({each for each in mapped if "/libsqlite3.so" in each})
    if not found:
        raise NoLayer("This Python brings an SQLite of its own that nothing can be put under.")
    return ctypes.CDLL(found[0])


@dataclass
class Disk:
    """What is on the disk for certain, and what was written to each file since its last sync."""

    certain: dict[str, bytearray]
    loose: dict[str, list[Written]] = field(default_factory=dict)

    def take(self, written: Written) -> None:
        if written.offset is not None:
            self.loose.setdefault(written.file, []).append(written)
            return
        for each in self.loose.pop(written.file, []):
            put(self.certain.setdefault(written.file, bytearray()), each)

    def after_a_cut(self, chance: random.Random) -> dict[str, bytearray]:
        """The files as they are found when the power is back: of what was loose, any part may be there."""
        found = {name: bytearray(content) for name, content in self.certain.items()}
        share = chance.choice([0.0, 0.5, 0.9, 1.0])
        for name, writes in self.loose.items():
            content = found.setdefault(name, bytearray())
            for each in writes:
                for piece in pieces(each):
                    if chance.random() < share:
                        put(content, piece)
        return found


def pieces(written: Written) -> Iterator[Written]:
    """A write, sector by sector."""
    if written.content is None or written.offset is None:
        yield written
        return
    start = 0
    while start < len(written.content):
        size = SECTOR - (written.offset + start) % SECTOR
        yield Written(written.file, written.offset + start, written.content[start : start + size])
        start += size


def put(content: bytearray, written: Written) -> None:
    assert written.offset is not None
    if written.content is None:
        del content[written.offset :]
        return
    end = written.offset + len(written.content)
    content.extend(bytes(max(0, end - len(content))))
    content[written.offset : end] = written.content


def work(world: World, synchronous: str, requests: int) -> Record:
    """Let somebody transfer and retire, and note what reached the disk when, and what was told when."""
    with Recorder() as recorder:
        engine = trial.engine_of(world.url)
        event.listen(engine, "connect", lambda connection, _: connection.execute(f"PRAGMA synchronous={synchronous}"))
        chance = random.Random(requests)
        acts = [Act("transfer", world.producer, "stock", requests, world.buyer)]
        for number in range(requests):
            kind, by = chance.choice([("transfer", world.producer), ("retire", world.buyer)])
            acts.append(Act(kind, by, f"key-{number}", 1, world.second))
        for act in acts:
            recorder.record.append(Written(told=trial.line(act, Answer("unknown"))))
            answer = trial.ask(engine, world, act)
            recorder.record.append(Written(told=trial.line(act, answer)))
            if act.key == "stock":
                trial.accept(engine, answer.number or 0, world.buyer)
        engine.dispose()
    return recorder.record


@dataclass
class Cuts:
    """How many cuts left each number of broken promises, and the first of the sentences."""

    counted: Counter[str] = field(default_factory=Counter)
    sentences: list[str] = field(default_factory=list)


def cut(file: Path, before: bytes, record: Record, cuts: int, seed: int = 1) -> Cuts:
    """Cut the power at so many moments of the record, and judge each disk.

    file: where the database was when it was written to. before: its content when the record begins.
    """
    chance, result = random.Random(seed), Cuts()
    told: dict[str, dict[str, Any]] = {}
    moments = Counter(chance.choices(range(len(record)), k=cuts))
    disk = Disk({str(file): bytearray(before)})
    home = file.parent / "after"
    home.mkdir()
    for number, written in enumerate(record):
        if written.told is not None:
            told[written.told["key"]] = written.told
        else:
            disk.take(written)
        for _ in range(moments[number]):
            broken = judged_on(disk.after_a_cut(chance), home / file.name, [*told.values()])
            result.counted["broken" if broken else "sound"] += 1
            result.sentences += broken[:1]
    return result


def judged_on(files: dict[str, bytearray], place: Path, told: list[dict[str, Any]]) -> list[str]:
    """Put the files down, let SQLite repair them, and ask the judge."""
    for old in place.parent.iterdir():
        old.unlink()
    for name, content in files.items():
        place.with_name(Path(name).name).write_bytes(content)
    with closing(sqlite3.connect(place)) as connection:
        try:
            (sound,) = connection.execute("PRAGMA quick_check").fetchone()
        except sqlite3.DatabaseError as error:
            return [f"SQLite cannot repair it: {error}"]
        if sound != "ok":
            return [f"SQLite finds damage: {sound}"]
        return checker.judge(connection, told)


@contextmanager
def world_in(home: Path) -> Iterator[tuple[World, Path]]:
    from tests.conftest import migrate  # brings pytest, which only the migrated database needs

    file = home / "credits.db"
    migrate(f"sqlite:///{file}")
    yield rested(trial.build(f"sqlite:///{file}", home / "papers"), file), file


def rested(world: World, file: Path) -> World:
    """Everything of the database in its one file."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return world


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--cuts", type=int, default=1_000)
    given = asked.parse_args()
    sound = True
    for synchronous in ("FULL", "NORMAL"):
        with tempfile.TemporaryDirectory(dir=servers.in_memory()) as home, world_in(Path(home)) as (world, file):
            started, before = time.monotonic(), file.read_bytes()
            try:
                record = work(world, synchronous, REQUESTS)
            except NoLayer as reason:
                print(f"Skipped: {reason}")
                return 0
            result = cut(file, before, record, given.cuts)
            syncs = sum(each.offset is None and each.told is None for each in record)
            print(
                f"synchronous={synchronous}: {REQUESTS} requests, {syncs} syncs; {given.cuts} power cuts, "
                f"{result.counted['sound']} sound, {result.counted['broken']} found out; "
                f"{time.monotonic() - started:.0f} s"
            )
            if result.sentences:
                print(*result.sentences[:3], sep="\n", flush=True)
            sound &= bool(result.sentences) == (synchronous == "NORMAL")
    print("Every promise holds with FULL, and NORMAL is found out." if sound else "NOT AS IT MUST BE.")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
