"""Clients that are processes of their own: one Python thread in a crowd would measure the interpreter's lock."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

Turn = Callable[[], object]
"""One action, measured from its call to its return."""

Opening = Callable[[int], AbstractContextManager[Turn]]
"""Connects client number n and gives the action that it repeats."""

SLICES = 5
WARMING = 20  # actions that count for nothing: statements are compiled and prepared meanwhile
LONGEST_WAIT = 120.0  # seconds for the slowest client to be ready


@dataclass(frozen=True)
class Figures:
    """What all clients together did of one action. `each_ms` is sorted."""

    per_second: float
    each_ms: list[float]

    def percentile(self, percent: int) -> float:
        return statistics.quantiles(self.each_ms, n=100, method="inclusive")[percent - 1]


@dataclass
class Spent:
    """What one client did of one action: seconds in all, and seconds of each time."""

    whole: float = 0.0
    each: list[float] = field(default_factory=list)


def measure(openings: Sequence[Opening], *, clients: int, seconds: float) -> list[Figures]:
    """Let `clients` do every action for `seconds`, in slices by turns, so that a busy machine slows all of them alike.

    Raises RuntimeError where a client failed.
    """
    forked = multiprocessing.get_context("fork")
    gate = forked.Barrier(clients)
    working = []
    for number in range(clients):
        heard, said = forked.Pipe(duplex=False)
        process = forked.Process(target=work, args=(number, openings, gate, seconds / SLICES, said), daemon=True)
        process.start()
        said.close()
        working.append((process, heard))
    by_client: list[list[Spent]] = []
    for process, heard in working:
        try:
            by_client.append(heard.recv())
        except EOFError:
            raise RuntimeError("A client failed; what it said stands above.") from None
        process.join()
    return [together(spent) for spent in zip(*by_client, strict=True)]


def work(number: int, openings: Sequence[Opening], gate: Barrier, seconds: float, said: Connection) -> None:
    """Be client `number`, and say in the end what was done."""
    done = [Spent() for _ in openings]
    try:
        with ExitStack() as opened:
            turns = [opened.enter_context(opening(number)) for opening in openings]
            for turn in turns:
                for _ in range(WARMING):
                    turn()
            for _ in range(SLICES):
                for turn, spent in zip(turns, done, strict=True):
                    gate.wait(LONGEST_WAIT)
                    repeat(turn, seconds, spent)
    except BaseException:
        gate.abort()  # nobody waits for who will not come
        raise
    said.send(done)


def repeat(turn: Turn, seconds: float, spent: Spent) -> None:
    began = now = time.perf_counter()
    while now - began < seconds:
        turn()
        before, now = now, time.perf_counter()
        spent.each.append(now - before)
    spent.whole += now - began


def together(clients: Sequence[Spent]) -> Figures:
    per_second = sum(len(spent.each) / spent.whole for spent in clients)
    return Figures(per_second, sorted(1_000 * each for spent in clients for each in spent.each))
