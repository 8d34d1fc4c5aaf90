"""Power cuts of an embedded registry: what had not reached the disk is lost, torn or half there.

    make power CUTS=1000

SQLite writes through a layer that notes each write and each sync. Afterwards the power is cut at random moments of that
record: what was synced is there; of everything later each piece of 512 bytes is there or not, as chance has it. SQLite
repairs each of these disks, and the judge compares it with what everybody had been told by then. With
synchronous=FULL, as the registry has it, nothing may be missing; with NORMAL the same cuts must be found out.
"""

import argparse
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
from tests.suites.recorder import NoLayer, Record, Recorder, Written
from tests.suites.trial import Act, Answer, World

SECTOR = 512  # bytes that a disk writes whole or not at all
REQUESTS = 400


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
