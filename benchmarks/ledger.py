"""How fast the ledger is, always beside the bare commit of one row, by the same clients on the same server.

    python -m benchmarks.ledger [--json] [--seconds 4] [--only NAME] [--full]

`ratio_to_commit` is what counts: the bare commit says how fast machine and server are at this moment. It is one
INSERT of one number, prepared, straight through the driver. Everything else goes the whole way of the registry:
session, key, locks, event, posting, entry, constraints, answer, commit. PostgreSQL runs with its defaults, so
nothing is acknowledged that is not on disk; its files stand where temporary files do (TMPDIR).
"""

import argparse
import itertools
import json
import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from uuid import uuid4

import psycopg
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # also when started as a file

from benchmarks.books import A_BLOCK, AT, Book, connected, cut_up, issue, migrate, recorded, spread_out
from benchmarks.clients import Opening, Turn, measure
from credits import ledger
from credits.db import begin_writing
from credits.ledger.balances import Standing, balance, standings
from credits.ledger.serials import SerialRange
from tests.servers import PostgreSQL, postgresql

BILLION = 10**9
HOLDERS = 1_000
ISSUANCES = 250
CROWD = 16
SIZES = (1_000, 100_000, 1_000_000)  # blocks
# Its defaults, but for room: nothing here makes a commit less durable.
SERVER = {"shared_buffers": "512MB", "max_wal_size": "4GB"}


@dataclass(frozen=True)
class Group:
    """Actions measured by turns in the same seconds, beside the bare commit. Each is opened when it is wanted."""

    database: str
    clients: int
    cases: dict[str, Callable[[], Opening]]


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


def bare_postgresql(url: str) -> Opening:
    @contextmanager
    def opening(_: int) -> Iterator[Turn]:
        with psycopg.connect(url, autocommit=True) as connection:
            yield lambda: connection.execute("INSERT INTO bare VALUES (%s)", (1,), prepare=True)

    with psycopg.connect(url, autocommit=True) as connection:  # once, before the clients come
        connection.execute("CREATE TABLE bare (number BIGINT)")
    return opening


def bare_sqlite(file: Path) -> Opening:
    @contextmanager
    def opening(_: int) -> Iterator[Turn]:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("CREATE TABLE bare (number INTEGER) STRICT")
            yield lambda: connection.execute("INSERT INTO bare VALUES (?)", (1,))

    return opening


def written_by(url: str, work: Callable[[Session, random.Random], dict[str, int]]) -> Opening:
    """`work` as a door does it: a session and a new key for each request, one commit."""

    @contextmanager
    def opening(client: int) -> Iterator[Turn]:
        chance = random.Random(client)  # noqa: S311  the same choices every time
        with connected(url) as engine:

            def turn() -> None:
                with Session(engine) as session:
                    begin_writing(session)
                    request = {"act": "transfer", "issuance": "CO-COD-0001", "quantity": "10", "to": "ORG-000023"}
                    ledger.claim(session, caller=f"USR-{client:06d}", key=uuid4().hex, request=request)
                    ledger.settle(session, work(session, chance))
                    session.commit()

            yield turn

    return opening


def reading(url: str, look: Callable[[Session, random.Random], object]) -> Opening:
    @contextmanager
    def opening(client: int) -> Iterator[Turn]:
        chance = random.Random(client)  # noqa: S311
        with connected(url) as engine:

            def turn() -> None:
                with Session(engine) as session:
                    look(session, chance)

            yield turn

    return opening


def transfer(book: Book, *, quantity: int, sellers: int) -> Opening:
    """From one of the first `sellers` issuances, still with whom they were issued to, to any of the holders."""

    def work(session: Session, chance: random.Random) -> dict[str, int]:
        issuance_id, source = chance.choice(book.issued[:sellers])
        target = chance.choice(book.accounts)
        while target == source:
            target = chance.choice(book.accounts)
        return {"posting": transferred(session, issuance_id, source, target, quantity)}

    return written_by(book.url, work)


def transferred(session: Session, issuance_id: int, source: int, target: int, quantity: int) -> int:
    return ledger.post(
        session,
        issuance_id=issuance_id,
        source=source,
        target=target,
        quantity=quantity,
        at=AT,
        record=recorded(session, issuance_id),
    ).id


def transfer_on(book: Book) -> Opening:
    """Two holders of each issuance in turn pass whole blocks to and fro, so that the number of blocks stays."""
    pairs = [
        (issuance, book.accounts[1 + 5 * place : 3 + 5 * place]) for place, (issuance, _) in enumerate(book.issued)
    ]
    there = [(issuance, first, second) for issuance, (first, second) in pairs]
    back = [(issuance, second, first) for issuance, (first, second) in pairs]
    turns = itertools.cycle([*there, *back])

    def work(session: Session, _: random.Random) -> dict[str, int]:
        return {"posting": transferred(session, *next(turns), A_BLOCK)}

    return written_by(book.url, work)


def issuing(book: Book) -> Opening:
    def work(session: Session, chance: random.Random) -> dict[str, int]:
        return {"issuance": issue(session, BILLION, chance.choice(book.accounts))}

    return written_by(book.url, work)


def balance_of_one(book: Book) -> Opening:
    return reading(book.url, lambda session, chance: balance(session, accounts=[chance.choice(book.accounts[1:])]))


def look_up(book: Book) -> Opening:
    def look(session: Session, chance: random.Random) -> list[Standing]:
        issuance_id, _ = chance.choice(book.issued)
        serial = chance.randint(1, book.units)
        return standings(session, issuance_id=issuance_id, units=SerialRange(serial, serial), limit=1)

    return reading(book.url, look)


class Shelf:
    """The books that are measured in, each filled when it is first asked for."""

    def __init__(self, server: PostgreSQL, home: Path) -> None:
        self.server = server
        self.home = home
        self.cut_books: dict[int, Book] = {}

    @cached_property
    def empty(self) -> str:
        url = self.server.fresh_database()
        migrate(url, self.home)
        return url

    @cached_property
    def spread(self) -> Book:
        return spread_out(self.server.fresh_database(self.empty), holders=HOLDERS, issuances=ISSUANCES)

    @cached_property
    def on_sqlite(self) -> Book:
        url = f"sqlite:///{self.home / 'credits.db'}"
        migrate(url, self.home)
        return spread_out(url, holders=HOLDERS, issuances=ISSUANCES)

    def cut(self, blocks: int) -> Book:
        if blocks not in self.cut_books:
            self.cut_books[blocks] = cut_up(self.server.fresh_database(self.empty), blocks=blocks)
        return self.cut_books[blocks]

    def bare(self, database: str) -> Opening:
        if database == "sqlite":
            return bare_sqlite(self.home / f"{uuid4().hex}.db")
        return bare_postgresql(self.server.fresh_database(self.empty))


def groups(shelf: Shelf, sizes: Sequence[int]) -> list[Group]:
    """Everything that is measured. sizes: the numbers of blocks between which growth is looked at."""
    spread = {"transfer_in_process": lambda: transfer(shelf.spread, quantity=10, sellers=ISSUANCES)}
    hot = {"transfer_hot": lambda: transfer(shelf.spread, quantity=10, sellers=1)}
    growth = {
        f"{verb}_among_{size}_blocks": partial(lambda opened, size: opened(shelf.cut(size)), opening, size)
        for verb, opening in (("transfer", transfer_on), ("balance", balance_of_one), ("look_up", look_up))
        for size in sizes
    }
    return [
        Group("postgresql", 1, spread),
        Group("postgresql", CROWD, spread | hot),
        Group(
            "postgresql",
            1,
            {
                "move_1_unit": lambda: transfer(shelf.spread, quantity=1, sellers=ISSUANCES),
                f"move_{BILLION}_units": lambda: transfer(shelf.spread, quantity=BILLION, sellers=ISSUANCES),
            },
        ),
        Group("postgresql", 1, growth),
        Group("postgresql", 1, {f"issue_{BILLION}_units": lambda: issuing(shelf.spread)}),
        Group("sqlite", 1, {"transfer_in_process": lambda: transfer(shelf.on_sqlite, quantity=10, sellers=ISSUANCES)}),
    ]


def rows_of(group: Group, shelf: Shelf, *, only: str, seconds: float) -> Iterator[Row]:
    """One row for each action of the group whose name begins with `only`, and for the bare commit beside them."""
    cases = {name: build() for name, build in group.cases.items() if name.startswith(only)}
    if not cases and only != "commit":
        return
    found = measure([shelf.bare(group.database), *cases.values()], clients=group.clients, seconds=seconds)
    for name, figures in zip(["commit", *cases], found, strict=True):
        yield Row(
            name,
            group.database,
            group.clients,
            round(figures.per_second, 1),
            round(figures.percentile(50), 3),
            round(figures.percentile(99), 3),
            round(figures.per_second / found[0].per_second, 3),
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
    with postgresql(SERVER) as server, tempfile.TemporaryDirectory(prefix="registry-books-") as home:
        shelf = Shelf(server, Path(home))
        for group in groups(shelf, SIZES if asked.full else SIZES[:-1]):
            for row in rows_of(group, shelf, only=asked.only, seconds=asked.seconds):
                print(json.dumps(asdict(row)) if asked.json else in_columns(row), flush=True)


def in_columns(row: Row) -> str:
    """The row as people read it, and the machine's load of the last minute, which says what it is worth."""
    return (
        f"{row.name:26} {row.database:10} {row.clients:7} {row.per_second:10,.0f} {row.p50_ms:8.2f} {row.p99_ms:8.2f}"
        f" {row.ratio_to_commit:9.3f}  {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
