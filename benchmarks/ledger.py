"""How fast the ledger is, always beside the bare commit of one row, by the same clients on the same server.

    python -m benchmarks.ledger [--json] [--seconds 4] [--only NAME] [--full]

`ratio_to_commit` is what counts: the bare commit says how fast machine and server are at this moment. It is one
INSERT of one number, prepared, straight through the driver. Everything else goes the whole way of the registry:
key, locks, event, posting, entry, constraints, answer, commit. `in_process` is the ledger by itself, on a connection
of SQLAlchemy that stays open as that of the bare commit does; `in_session` the same in a new session of objects each
time, as the doors have one. PostgreSQL runs with its defaults, so nothing is acknowledged that is not on disk; its
files stand where temporary files do (TMPDIR).
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # also when started as a file

from benchmarks.books import Book, cut_up, migrate, publish, spread_out
from benchmarks.cases import (
    balance_of_one,
    bare_postgresql,
    bare_sqlite,
    in_sessions,
    issuing,
    look_up,
    transfer,
    transfer_on,
)
from benchmarks.clients import Figures, Opening, measure
from benchmarks.market import LINES, Market, opened, retire_in_bulk, retire_singly, served, transfer_http
from tests.servers import PostgreSQL, postgresql

BILLION = 10**9
HOLDERS = 1_000
ISSUANCES = 250
CROWD = 16
PUBLISHED = 100_000  # events
IN_BULK = f"retire_line_of_{LINES}"
SIZES = (1_000, 100_000, 1_000_000)  # blocks
# Its defaults, but for room: nothing here makes a commit less durable.
SERVER = {"shared_buffers": "512MB", "max_wal_size": "4GB"}


@dataclass(frozen=True)
class Group:
    """Actions measured by turns in the same seconds, beside the bare commit. Each is opened when it is wanted.

    worth: what one turn counts for, where that is more than one.
    """

    database: str
    clients: int
    cases: Mapping[str, Callable[[], Opening]]
    worth: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """What is told of one action."""

    name: str
    database: str
    clients: int
    per_second: float
    p50_ms: float
    p99_ms: float
    ratio_to_commit: float


class Shelf:
    """The books that are measured in, each filled when it is first asked for."""

    def __init__(self, server: PostgreSQL, home: Path, serving: ExitStack) -> None:
        self.server = server
        self.home = home
        self.cut_books: dict[int, Book] = {}
        self.serving = serving

    @cached_property
    def empty(self) -> str:
        url = self.server.fresh_database()
        migrate(url, self.home)
        return url

    def fresh(self, database: str) -> str:
        """The address of a migrated database without anything in it."""
        if database == "postgresql":
            return self.server.fresh_database(self.empty)
        url = f"sqlite:///{self.home / uuid4().hex}.db"
        migrate(url, self.home)
        return url

    @cached_property
    def spread(self) -> Book:
        return spread_out(self.fresh("postgresql"), holders=HOLDERS, issuances=ISSUANCES)

    @cached_property
    def on_sqlite(self) -> Book:
        return spread_out(self.fresh("sqlite"), holders=HOLDERS, issuances=ISSUANCES)

    @cached_property
    def market(self) -> Market:
        return opened(self.fresh("postgresql"), self.home / "market")

    @cached_property
    def port(self) -> int:
        return self.serving.enter_context(served(self.market))

    def cut(self, blocks: int) -> Book:
        if blocks not in self.cut_books:
            self.cut_books[blocks] = cut_up(self.fresh("postgresql"), blocks=blocks)
        return self.cut_books[blocks]

    def bare(self, database: str) -> Opening:
        if database == "sqlite":
            return bare_sqlite(self.home / f"{uuid4().hex}.db")
        return bare_postgresql(self.server.fresh_database(self.empty))


def groups(shelf: Shelf, sizes: Sequence[int]) -> list[Group]:
    """Everything that is measured. sizes: the numbers of blocks between which growth is looked at."""
    spread = {
        "transfer_in_process": lambda: transfer(shelf.spread, quantity=10, sellers=ISSUANCES),
        "transfer_in_session": lambda: transfer(shelf.spread, quantity=10, sellers=ISSUANCES, kept=in_sessions),
    }
    hot = {"transfer_hot": lambda: transfer(shelf.spread, quantity=10, sellers=1)}
    http = {"transfer_http": lambda: transfer_http(shelf.market, shelf.port)}
    growth = {
        f"{verb}_among_{size}_blocks": partial(lambda opened, size: opened(shelf.cut(size)), opening, size)
        for verb, opening in (("transfer", transfer_on), ("balance", balance_of_one), ("look_up", look_up))
        for size in sizes
    }
    return [
        Group("postgresql", 1, spread),
        Group("postgresql", CROWD, spread | hot | http),
        Group(
            "postgresql",
            1,
            {
                "move_1_unit": lambda: transfer(shelf.spread, quantity=1, sellers=ISSUANCES),
                f"move_{BILLION}_units": lambda: transfer(shelf.spread, quantity=BILLION, sellers=ISSUANCES),
            },
        ),
        Group("postgresql", 1, growth),
        Group("postgresql", 1, {f"issue_{BILLION}_units": lambda: issuing(shelf.spread, BILLION)}),
        Group(
            "postgresql",
            1,
            {"retire_line_singly": lambda: retire_singly(shelf.market), IN_BULK: lambda: retire_in_bulk(shelf.market)},
            {IN_BULK: LINES},
        ),
        Group(
            "sqlite",
            1,
            {
                "transfer_in_process": lambda: transfer(shelf.on_sqlite, quantity=10, sellers=ISSUANCES),
                "transfer_in_session": lambda: transfer(
                    shelf.on_sqlite, quantity=10, sellers=ISSUANCES, kept=in_sessions
                ),
            },
        ),
    ]


def rows_of(group: Group, shelf: Shelf, *, only: str, seconds: float) -> Iterator[Row]:
    """One row for each action of the group whose name begins with `only`, and for the bare commit beside them."""
    cases = {name: build() for name, build in group.cases.items() if name.startswith(only)}
    if not cases and only != "commit":
        return
    found = measure([shelf.bare(group.database), *cases.values()], clients=group.clients, seconds=seconds)
    for name, figures in zip(["commit", *cases], found, strict=True):
        per_second = figures.per_second * group.worth.get(name, 1)
        yield row(name, group.database, group.clients, figures, per_second, found[0].per_second)


def published(shelf: Shelf, database: str, *, only: str, seconds: float) -> Iterator[Row]:
    """How many events a second go into the log where many wait: done once, beside the bare commit."""
    name = f"publish_{PUBLISHED}_events"
    if not name.startswith(only):
        return
    (bare,) = measure([shelf.bare(database)], clients=1, seconds=seconds)
    took = publish(shelf.fresh(database), shelf.home, PUBLISHED)
    yield row(name, database, 1, Figures(0, [took * 1_000] * 2), PUBLISHED / took, bare.per_second)


def row(name: str, database: str, clients: int, figures: Figures, per_second: float, commits: float) -> Row:
    return Row(
        name,
        database,
        clients,
        round(per_second, 1),
        round(figures.percentile(50), 3),
        round(figures.percentile(99), 3),
        round(per_second / commits, 3),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the ledger beside the bare commit of one row.")
    parser.add_argument("--json", action="store_true", help="one object a line instead of a table")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each action (default: 5)")
    parser.add_argument("--only", default="", metavar="NAME", help="only what begins with NAME, as in the first column")
    parser.add_argument("--full", action="store_true", help="let growth go on to 1,000,000 blocks")
    asked = parser.parse_args()
    if not asked.json:
        print(f"{'':26} {'database':10} {'clients':>7} {'a second':>10} {'p50 ms':>8} {'p99 ms':>8} {'ratio':>9}  load")
    with (
        postgresql(SERVER) as server,
        tempfile.TemporaryDirectory(prefix="registry-books-") as home,
        ExitStack() as serving,
    ):
        shelf = Shelf(server, Path(home), serving)
        for group in groups(shelf, SIZES if asked.full else SIZES[:-1]):
            for found in rows_of(group, shelf, only=asked.only, seconds=asked.seconds):
                print(json.dumps(asdict(found)) if asked.json else in_columns(found), flush=True)
        for database in ("postgresql", "sqlite"):
            for found in published(shelf, database, only=asked.only, seconds=asked.seconds):
                print(json.dumps(asdict(found)) if asked.json else in_columns(found), flush=True)


def in_columns(row: Row) -> str:
    """The row as people read it, and the machine's load of the last minute, which says what it is worth."""
    return (
        f"{row.name:26} {row.database:10} {row.clients:7} {row.per_second:10,.0f} {row.p50_ms:8.2f} {row.p99_ms:8.2f}"
        f" {row.ratio_to_commit:9.3f}  {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
