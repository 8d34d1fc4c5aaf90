"""How fast the public's pages are, always beside a route that answers with nothing, by the same clients.

    python -m benchmarks.pages [--json] [--seconds 4] [--blocks 1000000]

`ratio_to_empty` says how many times as long as the empty route a page takes, in the middle (p50). The look-up of a
serial is asked where the ledger has a million blocks.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # also when started as a file

from benchmarks.books import connected, cut_up, keep_up, migrate
from benchmarks.clients import Figures, Opening, Turn, measure
from benchmarks.ledger import SERVER
from benchmarks.market import Market, asked, opened, served
from credits.registry.models import Issuance
from tests.servers import postgresql

CLIENTS = 2
BLOCKS = 1_000_000


@dataclass(frozen=True)
class Row:
    """What is told of one page."""

    name: str
    clients: int
    per_second: float
    p50_ms: float
    p99_ms: float
    ratio_to_empty: float


def page(port: int, paths: list[str]) -> Opening:
    """Ask for one of the pages, each time drawn anew."""

    @contextmanager
    def opening(client: int) -> Iterator[Turn]:
        chance = random.Random(client)  # noqa: S311  the same choices every time

        def turn() -> None:
            path = chance.choice(paths)
            answer = asked(port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            if b" 200 " not in answer[:20]:
                raise RuntimeError(answer.decode()[:500])

        yield turn

    return opening


def serials_of(market: Market, number: int) -> list[str]:
    """Single units of the issuance that is sold, anywhere in it."""
    with connected(market.url) as engine, Session(engine) as session:
        issuance = session.scalars(select(Issuance).where(Issuance.number == market.issuance)).one()
    chance = random.Random(1)  # noqa: S311
    return [f"{issuance.number}-{chance.randint(1, issuance.quantity):09d}" for _ in range(number)]


def rows(names: list[str], found: list[Figures]) -> Iterator[Row]:
    empty = found[0].percentile(50)
    for name, figures in zip(names, found, strict=True):
        p50, p99 = figures.percentile(50), figures.percentile(99)
        yield Row(name, CLIENTS, round(figures.per_second, 1), round(p50, 3), round(p99, 3), round(p50 / empty, 2))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure public pages beside a route that answers with nothing.")
    parser.add_argument("--json", action="store_true", help="one object a line instead of a table")
    parser.add_argument("--seconds", type=float, default=4.0, help="for each page (default: 4)")
    parser.add_argument("--blocks", type=int, default=BLOCKS, help=f"in the ledger (default: {BLOCKS:,})")
    given = parser.parse_args()
    with postgresql(SERVER) as server, tempfile.TemporaryDirectory(prefix="registry-pages-") as home:
        url = server.fresh_database()
        migrate(url, Path(home))
        cut_up(url, blocks=given.blocks)
        market = opened(url, Path(home) / "market")
        keep_up(url)
        serials = serials_of(market, 500)
        with served(market, "benchmarks.with_empty_route:app") as port:
            asked_for = {
                "empty_route": ["/empty"],
                "serial_page": [f"/serials/{serial}" for serial in serials],
                "serial_json": [f"/api/v1/serials/{serial}" for serial in serials],
                "home_page": ["/"],
            }
            found = measure([page(port, paths) for paths in asked_for.values()], clients=CLIENTS, seconds=given.seconds)
        for row in rows(list(asked_for), found):
            print(json.dumps(asdict(row)) if given.json else in_columns(row), flush=True)


def in_columns(row: Row) -> str:
    return (
        f"{row.name:16} {row.clients:3} {row.per_second:8,.0f}/s  p50 {row.p50_ms:7.2f} ms  p99 {row.p99_ms:7.2f} ms"
        f"  {row.ratio_to_empty:6.2f} x empty  load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
