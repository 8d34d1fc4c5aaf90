"""Crashes: whoever works is killed at any moment, and asks again with the same key until there is an answer.

    make crash KILLS=10000 SERVER_KILLS=60

First a worker dies before and after every statement of each operation. Then workers transfer and retire while each of
them is killed at random moments, on SQLite and on PostgreSQL; then PostgreSQL itself is killed under load. Some who
were killed never ask again. Afterwards the judge compares the database with what everybody was told.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests import servers
from tests.suites import statements, trial
from tests.suites.mortal import Mortal, mortal
from tests.suites.trial import Act, Answer, World
from tests.suites.workers import UNKNOWN, Worker

AT_ONCE = 3
SPARED = 0.5  # share of requests that are let live, so that much is answered between the deaths
GIVES_UP = 0.05  # share of those who never ask again
ASKS_AGAIN = 0.1  # share of those who have an answer and ask once more
SERVER_LIFE = (0.3, 1.5)  # seconds


@dataclass
class Trial:
    """What was asked of one world, and how often somebody died over it."""

    world: World
    told: list[dict[str, Any]] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    going_on: bool = True

    def tell(self, act: Act, answer: Answer) -> None:
        self.told.append(trial.line(act, answer))
        self.counted[answer.outcome] += 1

    def judged(self) -> list[str]:
        return [*self.broken, *trial.judged(self.world.url, self.told)]

    def stock(self) -> None:
        """Half of the issuance goes to the buyer, so that there is something to retire."""
        engine = trial.engine_of(self.world.url)
        act = Act("transfer", self.world.producer, "stock", self.world.issued // 2, self.world.buyer)
        answer = trial.ask(engine, self.world, act)
        self.tell(act, answer)
        trial.accept(engine, answer.number or 0, self.world.buyer)
        engine.dispose()


def acts(world: World, chance: random.Random, who: int) -> Iterator[Act]:
    """What one client wants: small transfers and retirements, and now and then more than there is."""
    for number in count():
        kind = chance.choice(["transfer", "retire"])
        by = world.producer if kind == "transfer" else world.buyer
        quantity = chance.choice([1, 1, 1, 2, world.issued])
        yield Act(kind, by, f"{who}-{number}", quantity, world.second)


def client(asked: Trial, who: int, kills: int, worker: Worker) -> None:
    """Ask one thing after the other of a worker that is killed, `kills` times or until the trial ends."""
    chance = random.Random(who)
    killed = 0
    for act in acts(asked.world, chance, who):
        if not asked.going_on or (kills and killed >= kills):
            break
        answer = UNKNOWN
        while answer == UNKNOWN:
            mortal_now = killed < kills and chance.random() >= SPARED
            answer = worker.ask(act, life=chance.random() if mortal_now else None)
            if not worker.alive:
                killed += 1
                asked.counted["deaths"] += 1
            if answer == UNKNOWN and chance.random() < GIVES_UP:
                break
            if answer == UNKNOWN and worker.alive:
                asked.counted["broken connections"] += 1
                time.sleep(0.05)
        asked.tell(act, answer)
        if answer != UNKNOWN and worker.alive and chance.random() < ASKS_AGAIN:
            again = worker.ask(act)
            if again != UNKNOWN and (again.outcome, again.number) != (answer.outcome, answer.number):
                asked.broken.append(f"{act} was answered with {answer}, then with {again}")


def kill_workers(asked: Trial, kills: int) -> None:
    """Clients at once, each of whose workers die their share of `kills` deaths."""
    with staff(asked.world) as workers, ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda who: client(asked, who, -(-kills // AT_ONCE), workers[who]), range(AT_ONCE)))


def kill_server(asked: Trial, server: Mortal, kills: int) -> None:
    """Kill PostgreSQL itself under load, `kills` times, and start it again."""
    chance = random.Random(kills)
    with staff(asked.world) as workers, ThreadPoolExecutor(AT_ONCE) as threads:
        clients = [threads.submit(client, asked, who, 0, workers[who]) for who in range(AT_ONCE)]
        try:
            for _ in range(kills):
                threading.Event().wait(chance.uniform(*SERVER_LIFE))
                server.kill()
                asked.counted["kills of PostgreSQL"] += 1
                server.start()
        finally:
            asked.going_on = False
        for each in clients:
            each.result()


@contextmanager
def staff(world: World) -> Iterator[list[Worker]]:
    """A worker for each client, all of them ready."""
    workers: list[Worker] = []
    try:
        for _ in range(AT_ONCE):
            workers.append(Worker(world))
        yield workers
    finally:
        for each in workers:
            each.end()


def report(name: str, asked: Trial, started: float) -> bool:
    """Print the figures of a trial; whether every promise holds."""
    say(name, ", ".join(f"{number} {what}" for what, number in sorted(asked.counted.items())), started)
    return told(asked.judged())


def say(name: str, figures: str, started: float) -> None:
    print(f"{name}: {figures}; {time.monotonic() - started:.0f} s", flush=True)


def told(sentences: list[str]) -> bool:
    print(*(sentences or ["The judge: every promise holds."]), sep="\n", flush=True)
    return not sentences


def die_on(name: str, home: Path, server: servers.PostgreSQL | None, *, kills: int, every: int) -> bool:
    """Both kinds of deaths of those who work on one database; whether every promise holds."""
    from tests.conftest import migrate  # brings pytest, which only the migrated database needs

    def fresh(what: str) -> str:
        url = f"sqlite:///{home}/{what}.db" if server is None else server.fresh_database()
        migrate(url)
        return url

    sound, started = True, time.monotonic()
    if every:
        done = []
        for one in statements.statement_by_statement(home / f"theatre-{name}", server, fresh("template"), every):
            done.append(one)
            print(f"  {one.step}: {one.deaths} deaths", *one.broken, sep="\n    ", flush=True)
        deaths = sum(one.deaths for one in done)
        say(f"{name}, at every statement", f"{deaths} deaths in {len(done)} operations", started)
        sound = told([sentence for one in done for sentence in one.broken])
    started = time.monotonic()
    if kills:
        asked = Trial(trial.build(fresh("killed"), home / f"papers-{name}"))
        asked.stock()
        kill_workers(asked, kills)
        sound &= report(f"{name}, workers killed at random", asked, started)
    return sound


def die_under(home: Path, kills: int) -> bool:
    """PostgreSQL itself, on the disk and with every care, killed under load; whether every promise holds."""
    from tests.conftest import migrate

    with mortal() as server:
        url = server.fresh_database("killed")
        migrate(url)
        asked, started = Trial(trial.build(url, home / "papers-mortal")), time.monotonic()
        asked.stock()
        kill_server(asked, server, kills)
        return report("PostgreSQL itself killed under load", asked, started)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument(
        "--every", type=int, default=1, help="die at every so many-th moment of each operation; 0: at none"
    )
    asked.add_argument("--kills", type=int, default=10_000, help="of workers, on each database")
    asked.add_argument("--server-kills", type=int, default=60, help="of PostgreSQL itself")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(dir=servers.in_memory()) as folder:
        home = Path(folder)
        sound = die_on("SQLite", home, None, kills=given.kills, every=given.every)
        if given.kills or given.every:
            with servers.postgresql() as server:
                sound &= die_on("PostgreSQL", home, server, kills=given.kills, every=given.every)
        if given.server_kills:
            sound &= die_under(home, given.server_kills)
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
