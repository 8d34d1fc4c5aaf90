"""A disk that is full: requests fail while it is, nothing that was told is lost, and work goes on when there is room.

    make disk-full ROUNDS=20

The database lies on a small disk of its own (a file system in memory, mounted where no other process sees it). In each
round a file fills what is left of it while people work, is taken away again, and everybody asks again with the same
key. PostgreSQL may stop itself when its own log has no room; it is started again then, as a supervisor would.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from tests.suites import trial
from tests.suites.crash import acts
from tests.suites.mortal import Mortal
from tests.suites.trial import Act, Answer, World

SIZES = {"SQLite": "24m", "PostgreSQL": "160m"}  # of the disk
REQUESTS = 25  # while the disk is full, and once more when there is room
ROOM = (0, 400_000, 20_000, 100_000)  # bytes that are left of it, round by round
PIECE = 64 * 1024  # bytes
UNKNOWN = Answer("unknown")
INSIDE = "--on-a-disk-of-its-own"


@dataclass
class Full:
    """One database on a small disk, and what everybody was told."""

    world: World
    disk: Path
    use_up: Callable[[], None]  # what the database has put by on its disk
    revive: Callable[[], None]
    told: list[dict[str, Any]] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)

    def fill(self, room: int) -> None:
        """Leave so many bytes of the disk."""
        self.ballast.unlink(missing_ok=True)
        with self.ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(PIECE))
        with self.ballast.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(512))
        os.truncate(self.ballast, max(0, self.ballast.stat().st_size - room))

    @property
    def ballast(self) -> Path:
        return self.disk / "ballast"

    def ask(self, engine: Engine, act: Act) -> Answer:
        try:
            return trial.ask(engine, self.world, act)
        except DBAPIError:
            self.counted["requests that failed"] += 1
            return UNKNOWN

    def round(self, engine: Engine, wanted: list[Act], room: int) -> None:
        """Ask for all of it on a disk that runs full, then again with room, until everything has an answer."""
        self.fill(room)
        if room == 0:
            self.use_up()
        answers = {act: self.ask(engine, act) for act in wanted}
        self.counted["answered on a full disk"] += sum(answer != UNKNOWN for answer in answers.values())
        self.ballast.unlink()
        self.revive()
        for act in wanted:
            while answers[act] == UNKNOWN:
                answers[act] = self.ask(engine, act)
            self.told.append(trial.line(act, answers[act]))
            self.counted[answers[act].outcome] += 1


def play(full: Full, rounds: int) -> None:
    """Fill the disk and make room so many times."""
    engine = trial.engine_of(full.world.url)
    stock = Act("transfer", full.world.producer, "stock", full.world.issued // 2, full.world.buyer)
    answer = trial.ask(engine, full.world, stock)
    trial.accept(engine, answer.number or 0, full.world.buyer)
    full.told.append(trial.line(stock, answer))
    wanted = acts(full.world, random.Random(rounds), 0)
    for number in range(rounds):
        full.round(engine, list(islice(wanted, REQUESTS)), ROOM[number % len(ROOM)])
    engine.dispose()


def on_sqlite(disk: Path, papers: Path, rounds: int) -> tuple[Full, list[str]]:
    from tests.conftest import migrate  # brings pytest, which only the migrated database needs

    url = f"sqlite:///{disk}/credits.db"
    migrate(url)
    full = Full(trial.build(url, papers), disk, lambda: None, lambda: None)
    play(full, rounds)
    return full, trial.judged(url, full.told)


def on_postgresql(disk: Path, papers: Path, rounds: int) -> tuple[Full, list[str]]:
    from tests.conftest import migrate

    home = disk / "postgresql"
    home.mkdir()
    server = Mortal(home, segment_megabytes=1)
    server.start()
    try:
        url = server.fresh_database("full")
        migrate(url)
        full = Full(trial.build(url, papers), disk, server.use_up, server.revive)
        play(full, rounds)
        full.counted["times PostgreSQL stopped"] = server.revived
        return full, trial.judged(url, full.told)
    finally:
        server.kill()


DATABASES = {"SQLite": on_sqlite, "PostgreSQL": on_postgresql}


def on_a_small_disk(name: str, rounds: int) -> bool:
    """Mount the disk, which only this process and its children see, and play; whether every promise holds."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="registry-full-") as home:
        Path(home).chmod(0o755)  # PostgreSQL is not root
        disk = Path(home) / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZES[name]},mode=755", "none", str(disk)]
        subprocess.run(mount, check=True)
        try:
            full, sentences = DATABASES[name](disk, Path(home) / "papers", rounds)
        finally:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)
    counted = ", ".join(f"{number} {what}" for what, number in sorted(full.counted.items()))
    print(f"{name}: full {rounds} times; {counted}; {time.monotonic() - started:.0f} s")
    print(*(sentences or ["The judge: every promise holds."]), sep="\n", flush=True)
    return not sentences


def why_not() -> str:
    """Why no disk can be mounted here, or nothing."""
    if os.geteuid() != 0:
        return "only root may mount a small disk"
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True, check=False
    )
    return tried.stderr.strip()


def apart(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this suite where its mounts are nobody else's, and go with it."""
    command = ["unshare", "--mount", sys.executable, "-m", "tests.suites.disk", *arguments, INSIDE]
    return subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=20)
    asked.add_argument("--databases", nargs="*", default=list(DATABASES), choices=list(DATABASES))
    asked.add_argument(INSIDE, dest="inside", action="store_true", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.inside:
        sound = True
        for name in given.databases:
            sound &= on_a_small_disk(name, given.rounds)
        return 0 if sound else 1
    if reason := why_not():
        print(f"Skipped: {reason}")
        return 0
    ended = apart("--rounds", str(given.rounds), "--databases", *given.databases)
    print(ended.stdout, end="")
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main())
