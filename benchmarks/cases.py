"""What is measured: each opening connects a client and gives the action that it repeats."""

import itertools
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from benchmarks.books import A_BLOCK, AT, Book, connected, issue, number_of, recorded
from benchmarks.clients import Opening, Turn
from credits import ledger
from credits.db import Work, begin_writing, writing
from credits.ledger.balances import Standing, balance, standings
from credits.ledger.serials import SerialRange


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


@dataclass(frozen=True)
class Asked:
    """Who asks for something, under which key."""

    caller: str
    key: str


Act = Callable[[Work], object]
Kept = AbstractContextManager[Callable[[Act], None]]
"""What a client keeps open for as long as it works, and does one unit of work after the other in: one commit each."""


@contextmanager
def on_a_connection(engine: Engine) -> Iterator[Callable[[Act], None]]:
    """Past the objects, on one connection, as the bare commits are made."""
    with writing(engine) as connection:

        def do(act: Act) -> None:
            with connection.begin():
                act(connection)

        yield do


@contextmanager
def in_sessions(engine: Engine) -> Iterator[Callable[[Act], None]]:
    """As the doors do it: by objects, in a session for each request."""

    def do(act: Act) -> None:
        with Session(engine) as session:
            begin_writing(session)
            act(session)
            session.commit()

    yield do


def written_by(
    url: str, act: Callable[[Work, random.Random, Asked], object], kept: Callable[[Engine], Kept] = on_a_connection
) -> Opening:
    """`act` in a unit of work of its own, under a new key each time."""

    @contextmanager
    def opening(client: int) -> Iterator[Turn]:
        chance = random.Random(client)  # noqa: S311  the same choices every time
        caller = f"USR-{client:06d}"
        with connected(url) as engine, kept(engine) as do:
            yield lambda: do(lambda work: act(work, chance, Asked(caller, uuid4().hex)))

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


def transfer(book: Book, *, quantity: int, sellers: int, kept: Callable[[Engine], Kept] = on_a_connection) -> Opening:
    """From one of the first `sellers` issuances, still with whom they were issued to, to any of the holders."""

    def act(work: Work, chance: random.Random, asked: Asked) -> None:
        issuance_id, source = chance.choice(book.issued[:sellers])
        target = chance.choice(book.accounts)
        while target == source:
            target = chance.choice(book.accounts)
        transferred(work, asked, issuance_id, source, target, quantity)

    return written_by(book.url, act, kept)


def transferred(work: Work, asked: Asked, issuance_id: int, source: int, target: int, quantity: int) -> None:
    ledger.post_once(
        work,
        ledger.Wanted(issuance_id, number_of(issuance_id), source, target, quantity),
        caller=asked.caller,
        key=asked.key,
        request=request(quantity),
        at=AT,
        record=recorded(work, issuance_id),
    )


def request(quantity: int) -> dict[str, str]:
    return {"act": "transfer", "issuance": "CO-COD-0001", "quantity": str(quantity), "to": "ORG-000023"}


def transfer_on(book: Book) -> Opening:
    """Two holders of each issuance in turn pass whole blocks to and fro, so that the number of blocks stays."""
    pairs = [
        (issuance, book.accounts[1 + 5 * place : 3 + 5 * place]) for place, (issuance, _) in enumerate(book.issued)
    ]
    there = [(issuance, first, second) for issuance, (first, second) in pairs]
    back = [(issuance, second, first) for issuance, (first, second) in pairs]
    turns = itertools.cycle([*there, *back])

    def act(work: Work, _: random.Random, asked: Asked) -> None:
        transferred(work, asked, *next(turns), A_BLOCK)

    return written_by(book.url, act)


def issuing(book: Book, quantity: int) -> Opening:
    def act(work: Work, chance: random.Random, asked: Asked) -> None:
        ledger.claim(work, caller=asked.caller, key=asked.key, request=request(quantity))
        ledger.settle(work, {"issuance": issue(work, quantity, chance.choice(book.accounts))})

    return written_by(book.url, act)


def balance_of_one(book: Book) -> Opening:
    return reading(book.url, lambda session, chance: balance(session, accounts=[chance.choice(book.accounts[1:])]))


def look_up(book: Book) -> Opening:
    def look(session: Session, chance: random.Random) -> list[Standing]:
        issuance_id, _ = chance.choice(book.issued)
        serial = chance.randint(1, book.units)
        return standings(session, issuance_id=issuance_id, units=SerialRange(serial, serial), limit=1)

    return reading(book.url, look)
