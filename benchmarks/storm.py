"""How public pages answer while the worker draws a thousand certificates, beside how they answer when it rests.

    python -m benchmarks.storm [--json] [--count 1000] [--seconds 20]

gunicorn, PostgreSQL and the worker run as in production, each as a process of its own. The pages are asked before the
storm, during it and after it, by one client that waits for each answer: `ratio_to_idle` is the p99 of the storm over
the mean p99 of the two quiet times. What the worker has drawn meanwhile is counted.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # also when started as a file

from benchmarks.books import ROOT, connected, migrate
from benchmarks.certificates import retired
from benchmarks.clients import Figures, measure
from benchmarks.ledger import SERVER
from benchmarks.market import Market, opened, served, settings
from benchmarks.pages import page
from credits.certificates.models import Certificate
from tests.servers import postgresql

WORKER = [sys.executable, "-m", "huey.bin.huey_consumer", "credits.worker.huey", "--flush-locks", "--quiet"]
BEGINS = 90.0  # seconds until the worker has drawn the first
CLIENTS = 1


@dataclass(frozen=True)
class Row:
    """What is told of one time. drawn: certificates meanwhile."""

    name: str
    pages: int
    p50_ms: float
    p99_ms: float
    drawn_per_second: float
    load: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one object a line instead of a table")
    parser.add_argument("--count", type=int, default=1_000, help="how many certificates wait (1,000)")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each of the three times (20)")
    given = parser.parse_args()
    with postgresql(SERVER) as server, tempfile.TemporaryDirectory(prefix="registry-storm-") as home:
        url = server.fresh_database()
        migrate(url, Path(home))
        market = opened(url, Path(home) / "market")
        with connected(url) as engine, Session(engine) as session:
            numbers = retired(session, market, given.count)
        told = []
        for row in rows(market, numbers, given.seconds):
            told.append(row)
            print(json.dumps(asdict(row)) if given.json else in_columns(row), flush=True)
    before, storm, after = told
    ratio = round(storm.p99_ms / statistics.mean([before.p99_ms, after.p99_ms]), 2)
    print(json.dumps({"ratio_to_idle": ratio}) if given.json else f"p99 of the storm over idle: {ratio}")


def rows(market: Market, numbers: list[str], seconds: float) -> Iterator[Row]:
    paths = ["/", "/offers", "/search", *(f"/certificates/{number}" for number in numbers[:50])]
    with served(market) as port, connected(market.url) as engine, Session(engine) as session:

        def drawn() -> int:
            session.rollback()
            return session.scalar(select(func.count(Certificate.drawn_at))) or 0

        def asked(name: str) -> Row:
            first, began = drawn(), time.monotonic()
            (found,) = measure([page(port, paths)], clients=CLIENTS, seconds=seconds)
            return row(name, found, (drawn() - first) / (time.monotonic() - began))

        asked("warm up")
        yield asked("idle before")
        with working(market):
            at_rest = drawn()
            wait_until(lambda: drawn() > at_rest + 2)
            yield asked("storm")
        yield asked("idle after")


@contextmanager
def working(market: Market) -> Iterator[None]:
    """The worker beside the server."""
    with subprocess.Popen(WORKER, cwd=ROOT, env=settings(market.url, market.home)) as worker:
        try:
            yield
        finally:
            worker.terminate()


def wait_until(done: Callable[[], bool]) -> None:
    ends = time.monotonic() + BEGINS
    while not done():
        if time.monotonic() > ends:
            raise TimeoutError("The worker draws nothing.")
        time.sleep(0.2)


def row(name: str, found: Figures, drawn: float) -> Row:
    p50, p99 = (round(found.percentile(each), 2) for each in (50, 99))
    return Row(name, len(found.each_ms), p50, p99, round(drawn, 1), round(os.getloadavg()[0], 1))


def in_columns(row: Row) -> str:
    return (
        f"{row.name:12} {row.pages:6} pages  p50 {row.p50_ms:7.2f} ms  p99 {row.p99_ms:7.2f} ms"
        f"  {row.drawn_per_second:5.1f} certificates/s  load {row.load:.1f}"
    )


if __name__ == "__main__":
    main()
