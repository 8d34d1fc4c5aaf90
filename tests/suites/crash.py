"""Crashes: whoever works is killed at any moment, and asks again with the same key until there is an answer.

    make crash KILLS=10000 SERVER_KILLS=60

First a worker dies before and after every statement of each operation. Then workers transfer and retire while each of
them is killed at random moments, on SQLite and on PostgreSQL; then PostgreSQL itself is killed under load. Some who
were killed never ask again. Afterwards the judge compares the database with what everybody was told.
"""

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from tests.suites import trial
from tests.suites.mortal import Mortal, mortal
from tests.suites.trial import Act, Answer, World

AT_ONCE = 3
LONGEST_LIFE = 0.06  # seconds that a worker may have after it was asked: a request takes about half of it
LONGEST_FIRST = 0.4  # a first request takes longer: its statements are put together then
PATIENCE = 60  # seconds for an answer, or to start
SPARED = 0.5  # share of requests that are let live, so that much is answered between the deaths
GIVES_UP = 0.05  # share of those who never ask again
ASKS_AGAIN = 0.1  # share of those who have an answer and ask once more
SERVER_LIFE = (0.3, 1.5)  # seconds
UNKNOWN = Answer("unknown")

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.suites.trial"])


def work(world: World, line: Connection) -> None:
    """A worker's life: do what comes down the line and say how it ended. With a number: die at that moment."""
    engine = trial.engine_of(world.url)
    line.send("ready")
    while True:
        act, moment = line.recv()
        if moment is not None:
            die_at(engine, moment)
        try:
            line.send(trial.ask(engine, world, act))
        except DBAPIError:
            line.send(UNKNOWN)  # the connection broke: it may have happened, or not


def die_at(engine: Engine, moment: int) -> None:
    """Arrange to die at the given moment: two for each statement, before and after it, and two for each commit."""
    moments = count()

    def pass_moment(*_: Any) -> None:
        if next(moments) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(engine, name, pass_moment)


class Worker:
    """A process that works, seen from whoever asks it."""

    def __init__(self, world: World) -> None:
        self.answers = 0
        self.line, theirs = processes.Pipe()
        self.process = processes.Process(target=work, args=(world, theirs), daemon=True)
        self.process.start()
        theirs.close()
        if not self.line.poll(PATIENCE) or self.line.recv() != "ready":
            raise RuntimeError("A worker did not start.")

    def ask(self, act: Act, *, moment: int | None = None, life: float | None = None) -> Answer:
        """What it said; unknown where it died on the way.

        moment: when it kills itself. life: the share of a request's usual time after which it is killed.
        """
        self.line.send((act, moment))
        if life is not None and not self.line.poll(life * (LONGEST_LIFE if self.answers else LONGEST_FIRST)):
            self.kill()
        try:
            if not self.line.poll(PATIENCE):
                raise RuntimeError("A worker neither answers nor dies.")
            answer: Answer = self.line.recv()
        except (EOFError, ConnectionResetError):
            self.kill()
            return UNKNOWN
        self.answers += 1
        return answer

    @property
    def alive(self) -> bool:
        return self.process.is_alive()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


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


def statement_by_statement(asked: Trial) -> None:
    """Die at every moment of a transfer, a retirement, and of their refusals, and ask again each time."""
    world = asked.world
    too_much = world.issued + 1
    for kind, by, quantity in (
        ("transfer", world.producer, 1),
        ("retire", world.buyer, 1),
        ("transfer", world.producer, too_much),
        ("retire", world.buyer, too_much),
    ):
        for moment in count():
            act = Act(kind, by, f"{kind}-{quantity}-{moment}", quantity, world.second)
            worker = Worker(world)
            answer = worker.ask(act, moment=moment)
            died = not worker.alive
            worker.kill()
            if died:
                asked.counted["deaths"] += 1
                worker = Worker(world)
                answer = worker.ask(act)
                worker.kill()
            asked.tell(act, answer)
            if answer.outcome != ("acknowledged" if quantity == 1 else "refused"):
                asked.broken.append(f"{act} was answered with {answer}")
            if not died:
                break


def acts(world: World, chance: random.Random, who: int) -> Iterator[Act]:
    """What one client wants: small transfers and retirements, and now and then more than there is."""
    for number in count():
        kind = chance.choice(["transfer", "retire"])
        by = world.producer if kind == "transfer" else world.buyer
        quantity = chance.choice([1, 1, 1, 2, world.issued])
        yield Act(kind, by, f"{who}-{number}", quantity, world.second)


def client(asked: Trial, who: int, kills: int) -> None:
    """Ask one thing after the other of workers that are killed, `kills` times or until the trial ends."""
    chance = random.Random(who)
    worker = Worker(asked.world)
    killed = 0
    for act in acts(asked.world, chance, who):
        if not asked.going_on or (kills and killed >= kills):
            break
        answer = UNKNOWN
        while answer == UNKNOWN:
            if not worker.alive:
                worker = Worker(asked.world)
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
    worker.kill()


def kill_workers(asked: Trial, kills: int) -> None:
    """Clients at once, each of whose workers die their share of `kills` deaths."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda who: client(asked, who, -(-kills // AT_ONCE)), range(AT_ONCE)))


def kill_server(asked: Trial, server: Mortal, kills: int) -> None:
    """Kill PostgreSQL itself under load, `kills` times, and start it again."""
    chance = random.Random(kills)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        clients = [threads.submit(client, asked, who, 0) for who in range(AT_ONCE)]
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


def report(name: str, asked: Trial, started: float) -> bool:
    """Print the figures of a trial; whether every promise holds."""
    sentences = asked.judged()
    counted = ", ".join(f"{number} {what}" for what, number in sorted(asked.counted.items()))
    print(f"{name}: {counted}; {time.monotonic() - started:.0f} s")
    print(*(sentences or ["The judge: every promise holds."]), sep="\n", flush=True)
    return not sentences


def main() -> int:
    from tests.conftest import migrate  # brings pytest, which only the migrated database needs

    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--kills", type=int, default=10_000, help="of workers, on each database")
    asked.add_argument("--server-kills", type=int, default=60, help="of PostgreSQL itself")
    given = asked.parse_args()
    sound = True
    with tempfile.TemporaryDirectory() as home, mortal() as server:
        numbers = count()

        def fresh(kind: str) -> Trial:
            number = next(numbers)
            url = f"sqlite:///{home}/{number}.db" if kind == "SQLite" else server.fresh_database(f"trial_{number}")
            migrate(url)
            made = Trial(trial.build(url, Path(home) / f"papers-{number}"))
            made.stock()
            return made

        for name in ("SQLite", "PostgreSQL"):
            one, started = fresh(name), time.monotonic()
            statement_by_statement(one)
            sound &= report(f"{name}, at every statement", one, started)
            one, started = fresh(name), time.monotonic()
            kill_workers(one, given.kills)
            sound &= report(f"{name}, workers killed at random", one, started)
        one, started = fresh("PostgreSQL"), time.monotonic()
        kill_server(one, server, given.server_kills)
        sound &= report("PostgreSQL itself killed under load", one, started)
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
