"""Races: many ask at the same moment for what only one of them can have.

    make races ROUNDS=1000 THREADS=64

Five games, on SQLite and on PostgreSQL. In every round everybody is let go at once, and exactly one may win. Afterwards
the judge looks at the database and at what everybody was told.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from credits.db import begin_writing
from tests import servers
from tests.suites import trial
from tests.suites.trial import Act, Answer, World

PATIENCE = 300  # seconds that a round may take


@dataclass
class Arena:
    """A world, an engine for everybody at once, and what they were told."""

    world: World
    at_once: int
    told: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = trial.engine_of(self.world.url, self.at_once)

    def ask(self, act: Act) -> Answer:
        answer = trial.ask(self.engine, self.world, act)
        self.told.append(trial.line(act, answer))
        return answer

    def offer(self, key: str, quantity: int) -> Act:
        return Act("transfer", self.world.producer, key, quantity, self.world.buyer)

    def left(self) -> int:
        with Session(self.engine) as session:
            begin_writing(session)
            held = trial.available(session, self.world, self.world.producer)
            session.commit()
        return held

    def hand_over_one(self, key: str) -> None:
        offered = self.ask(self.offer(key, 1))
        trial.accept(self.engine, offered.number or 0, self.world.buyer)


Turn = Callable[[int], Answer]


@contextmanager
def transfer(arena: Arena, number: int) -> Iterator[Turn]:
    """Everybody offers all that the producer has."""
    everything = arena.left()
    won: list[int] = []

    def turn(who: int) -> Answer:
        answer = arena.ask(arena.offer(f"transfer-{number}-{who}", everything))
        won.extend([answer.number] if answer.number else [])
        return answer

    yield turn
    for each in won:
        trial.undo(arena.engine, arena.world, "transfer", each)


@contextmanager
def retire(arena: Arena, number: int) -> Iterator[Turn]:
    """Everybody retires the one unit that the buyer has."""
    arena.hand_over_one(f"for-retire-{number}")
    yield lambda who: arena.ask(Act("retire", arena.world.buyer, f"retire-{number}-{who}", 1))


@contextmanager
def approve(arena: Arena, number: int) -> Iterator[Turn]:
    """Everybody accepts the same transfer. What came of it is retired, so that the buyer has nothing again."""
    offered = arena.ask(arena.offer(f"approve-{number}", 1))
    yield lambda who: trial.accept(arena.engine, offered.number or 0, arena.world.buyer)
    arena.ask(Act("retire", arena.world.buyer, f"after-approve-{number}", 1))


@contextmanager
def reserve(arena: Arena, number: int) -> Iterator[Turn]:
    """Everybody reserves all that the producer has, as whoever is about to buy does."""
    everything = arena.left()
    won: list[int] = []

    def turn(who: int) -> Answer:
        answer = arena.ask(Act("reserve", arena.world.producer, f"reserve-{number}-{who}", everything))
        won.extend([answer.number] if answer.number else [])
        return answer

    yield turn
    for each in won:
        trial.undo(arena.engine, arena.world, "reserve", each)


@contextmanager
def key_reuse(arena: Arena, number: int) -> Iterator[Turn]:
    """Everybody sends the same request with the same key: one does it, all are told the same."""
    told: list[int | None] = []

    def turn(_: int) -> Answer:
        answer = arena.ask(arena.offer(f"same-{number}", 1))
        told.append(answer.number)
        return answer

    yield turn
    if len(set(told)) != 1 or told[0] is None:
        raise AssertionError(f"one key was answered with {set(told)}")
    trial.undo(arena.engine, arena.world, "transfer", told[0])


GAMES = {"transfer": transfer, "retire": retire, "approve": approve, "reserve": reserve, "key reuse": key_reuse}


@dataclass(frozen=True)
class Figures:
    """Of one game. winners: how many rounds had so many winners. losers: what the others were told."""

    game: str
    winners: Counter[int]
    losers: Counter[str]
    requests: int
    seconds: float

    @property
    def sound(self) -> bool:
        return set(self.winners) == {1}

    def __str__(self) -> str:
        others = {count: rounds for count, rounds in self.winners.items() if count != 1}
        return (
            f"{self.game:<10} {self.winners[1]} rounds with one winner, others: {others or 'none'}; {self.requests} "
            f"requests in {self.seconds:.1f} s ({self.requests / self.seconds:.0f}/s); losers: {dict(self.losers)}"
        )


def play(arena: Arena, game: str, rounds: int) -> Figures:
    """Let everybody go at once, `rounds` times."""
    winners: Counter[int] = Counter()
    losers: Counter[str] = Counter()
    gate = threading.Barrier(arena.at_once)
    started = time.monotonic()
    with ThreadPoolExecutor(arena.at_once) as threads:
        for number in range(rounds):
            with GAMES[game](arena, number) as turn:

                def go(who: int, turn: Turn = turn) -> Answer:
                    gate.wait(PATIENCE)
                    return turn(who)

                answers = list(threads.map(go, range(arena.at_once), timeout=PATIENCE))
            won = [answer for answer in answers if answer.outcome == "acknowledged" and answer.new]
            winners[len(won)] += 1
            losers.update(answer.code or "told the same" for answer in answers if answer not in won)
    return Figures(game, winners, losers, rounds * arena.at_once, time.monotonic() - started)


def race(url: str, papers: Path, rounds: int, threads: int) -> bool:
    """Every game in one database: print the figures and what the judge says afterwards; whether all is sound."""
    arena = Arena(trial.build(url, papers), threads)
    sound = True
    try:
        for game in GAMES:
            figures = play(arena, game, rounds)
            print(figures, flush=True)
            sound &= figures.sound
    finally:
        arena.engine.dispose()
    sentences = trial.judged(url, arena.told)
    print(*(sentences or ["The judge: every promise holds."]), sep="\n", flush=True)
    return sound and not sentences


def main() -> int:
    from tests.conftest import migrate  # brings pytest, which only the migrated database needs

    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=1_000)
    asked.add_argument("--threads", type=int, default=64)
    given = asked.parse_args()
    sound = True
    with tempfile.TemporaryDirectory(dir=servers.in_memory()) as home, servers.postgresql() as server:
        for name, url in (("SQLite", f"sqlite:///{home}/credits.db"), ("PostgreSQL", server.fresh_database())):
            migrate(url)
            print(f"{name}: {given.threads} threads, {given.rounds} rounds a game", flush=True)
            sound &= race(url, Path(home) / name, given.rounds, given.threads)
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
