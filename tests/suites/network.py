"""A faulty network between the application and PostgreSQL: lines are cut, late, half, and lose replies to commits.

    make network FAULTS=1000

Everybody asks again with the same key until there is an answer; some give up. Afterwards the judge looks.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from tests import servers
from tests.suites import trial
from tests.suites.crash import acts
from tests.suites.proxy import Proxy, faulty
from tests.suites.trial import Act, Answer, World

AT_ONCE = 6
GIVES_UP = 0.02  # share of those without an answer who never ask again
UNKNOWN = Answer("unknown")


@dataclass
class Told:
    """What everybody was told in the end, and how often nobody was told anything."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)


def ask(engine: Engine, world: World, act: Act, told: Told) -> Answer:
    try:
        return trial.ask(engine, world, act)
    except DBAPIError:
        told.counted["requests without an answer"] += 1
        return UNKNOWN


def client(world: World, proxy: Proxy, who: int, faults: int, told: Told) -> None:
    """Ask one thing after the other until there were so many faults."""
    chance = random.Random(who)
    engine = trial.engine_of(world.url)
    for act in acts(world, chance, who):
        if proxy.faults.total() >= faults:
            break
        answer = ask(engine, world, act, told)
        while answer.outcome == "unknown" and chance.random() >= GIVES_UP:
            answer = ask(engine, world, act, told)
            told.counted["had happened all the same"] += answer.outcome == "acknowledged" and not answer.new
        told.lines.append(trial.line(act, answer))
        told.counted[answer.outcome] += 1
    engine.dispose()


def trouble(world: World, port: int, faults: int) -> tuple[Proxy, Told]:
    """Ask through a faulty line to the server on `port` until there were so many faults."""
    told = Told()
    stock = Act("transfer", world.producer, "stock", world.issued // 2, world.buyer)
    engine = trial.engine_of(world.url)
    handed = trial.ask(engine, world, stock)
    trial.accept(engine, handed.number or 0, world.buyer)
    engine.dispose()
    told.lines.append(trial.line(stock, handed))
    with faulty(port) as proxy:
        far = replace(world, url=world.url.replace(f":{port}/", f":{proxy.port}/"))
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for each in [threads.submit(client, far, proxy, who, faults, told) for who in range(AT_ONCE)]:
                each.result()
    return proxy, told


def main() -> int:
    from tests.conftest import migrate  # brings pytest, which only the migrated database needs

    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--faults", type=int, default=1_000)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as home, servers.postgresql() as server:
        url = server.fresh_database()
        migrate(url)
        world, started = trial.build(url, Path(home)), time.monotonic()
        proxy, told = trouble(world, server.port, given.faults)
        print("Faults: " + ", ".join(f"{number} {fault}" for fault, number in sorted(proxy.faults.items())))
        counted = ", ".join(f"{number} {what}" for what, number in sorted(told.counted.items()))
        print(f"{proxy.faults.total()} faults; {counted}; {time.monotonic() - started:.0f} s")
        sentences = trial.judged(url, told.lines)
        print(*(sentences or ["The judge: every promise holds."]), sep="\n", flush=True)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
