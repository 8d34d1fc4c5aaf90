"""A registry under trial: who asks for what, what they were told, and the judge who looks afterwards."""

import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session, configure_mappers

from config import ROOT
from credits.db import begin_writing, engine_settings, prepare_engine, sqlalchemy_url
from credits.errors import CreditsError
from credits.files import Files
from credits.ledger import remember_refusal
from credits.ledger.balances import balance
from credits.ledger.claims import KeyBusy, was_new
from credits.ledger.models import AccountKind
from credits.participants.models import User
from credits.registry import policy, reservation, retirement, transfer
from credits.registry.accounts import account_of
from credits.registry.models import Issuance, Retirement, Transfer
from credits.registry.movements import Earmark
from tests import checker, factories
from tests.factories import AT
from tests.stage import CLAIM, Stage

LONGEST_NAP = 0.05  # seconds
HOUSE = policy.read(ROOT / "policy.toml")
MANY = 1_000_000  # one buyer orders for all
POLICY = replace(HOUSE, guarded=(), market=replace(HOUSE.market, unpaid_transfers=MANY, unpaid_checkouts=MANY))
configure_mappers()  # once, not in every process that is about to be killed


@dataclass(frozen=True)
class World:
    """What whoever asks must know. Travels to other processes. producer, buyer, second: ids of persons."""

    url: str
    issuance: int
    issued: int
    producer: int
    buyer: int
    second: int


@dataclass(frozen=True)
class Act:
    """One request: a transfer from `by` to `to`, a retirement, or a reservation, of so many base units."""

    kind: str
    by: int
    key: str
    quantity: int
    to: int = 0


@dataclass(frozen=True)
class Answer:
    """What whoever asked was told. number: the id of what came about. new: not an earlier request answered again."""

    outcome: str
    number: int | None = None
    code: str = ""
    new: bool = True


# Ten kilograms of gold: nearly ten million serials, so that no trial runs out of them.
GOLD = {"mineral_code": "AU", "form": "doré", "gross_kg": "10", "moisture": "0", "grade": "999", "days_worked": 60}


def build(url: str, papers: Path) -> World:
    """A producer with an issuance, two buyers, and nobody connected any more."""
    engine = engine_of(url)
    with Session(engine) as session:
        begin_writing(session)
        factories.write_to(session)
        stage = Stage(session, Files(papers), POLICY)
        made = stage.issued(**GOLD)
        people = (stage.manager.id, stage.buyer.id, stage.second.id)
        world = World(url, made.id, made.quantity, *people)
        session.commit()
        factories.write_to(None)
    engine.dispose()
    return world


class Patient(sqlite3.Cursor):
    """Waits for SQLite's lock in naps of chance length. Its own waiters, let go together, wake together again in vain,
    so that sixty-four of them would wait for seconds."""

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        while True:
            try:
                return super().execute(statement, *parameters)
            except sqlite3.OperationalError as error:
                if statement != "BEGIN IMMEDIATE" or "database is locked" not in str(error):
                    raise
            time.sleep(random.uniform(0, LONGEST_NAP))


class Crowded(sqlite3.Connection):
    """One of very many connections to an SQLite database."""

    def cursor(self, factory: type[sqlite3.Cursor] = Patient) -> sqlite3.Cursor:
        return super().cursor(factory)


def engine_of(url: str, at_once: int = 1) -> Engine:
    """An engine as the registry makes it, with a connection for everybody who asks at once."""
    settings = engine_settings(url) | {"pool_size": at_once + 1}
    if url.startswith("sqlite") and at_once > 1:
        settings["connect_args"] |= {"factory": Crowded}
    engine = create_engine(sqlalchemy_url(url), **settings)
    prepare_engine(engine)
    if engine.dialect.name == "sqlite" and at_once > 1:
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=0"))
    return engine


def ask(engine: Engine, world: World, act: Act) -> Answer:
    """Do what a door does: one operation, one commit; a refusal is remembered."""
    with Session(engine) as session:
        try:
            begin_writing(session)
            made = DOING[act.kind](session, world, act)
            answer = Answer("acknowledged", made.id, new=was_new(session))
            session.commit()
        except CreditsError as refusal:
            new = was_new(session)
            refusal = remember_refusal(session, refusal)
            # Whoever is told to ask again has no answer yet.
            outcome = "unknown" if refusal.code == KeyBusy.code else "refused"
            answer = Answer(outcome, code=refusal.code, new=new)
    return answer


def rehearse(engine: Engine, world: World) -> None:
    """Do everything once and undo it, so that whoever is forked from here need not put statements together."""
    with Session(engine) as session:
        for kind, do in DOING.items():
            begin_writing(session)
            with suppress(CreditsError):
                by = world.buyer if kind == "retire" else world.producer
                do(session, world, Act(kind, by, "rehearsal", 1, world.second))
            session.rollback()
    engine.dispose()


def propose(session: Session, world: World, act: Act) -> Transfer:
    by = session.get_one(User, act.by)
    return transfer.propose(
        session,
        issuance=session.get_one(Issuance, world.issuance),
        sender=by.organisation,
        recipient=session.get_one(User, act.to).organisation,
        quantity=act.quantity,
        note="",
        policy=POLICY,
        by=by,
        key=act.key,
        at=AT,
    )


def retire(session: Session, world: World, act: Act) -> Retirement:
    by = session.get_one(User, act.by)
    return retirement.retire(
        session,
        issuance=session.get_one(Issuance, world.issuance),
        holder=by.organisation,
        quantity=act.quantity,
        claim=CLAIM,
        policy=POLICY,
        by=by,
        key=act.key,
        at=AT,
    )


def reserve(session: Session, world: World, act: Act) -> Earmark:
    by = session.get_one(User, act.by)
    return reservation.reserve(
        session,
        holder=by.organisation,
        chosen=[(session.get_one(Issuance, world.issuance), act.quantity)],
        why="Order 17",
        policy=POLICY,
        by=by,
        key=act.key,
        at=AT,
    )


DOING: dict[str, Callable[[Session, World, Act], Any]] = {"transfer": propose, "retire": retire, "reserve": reserve}


def accept(engine: Engine, number: int, by: int) -> Answer:
    """Accept a transfer: it has no key, the transfer itself can be closed once."""
    with Session(engine) as session:
        try:
            begin_writing(session)
            transfer.accept(session, transfer=session.get_one(Transfer, number), by=session.get_one(User, by), at=AT)
            session.commit()
        except CreditsError as refusal:
            session.rollback()
            return Answer("refused", code=refusal.code)
    return Answer("acknowledged", number)


def undo(engine: Engine, world: World, kind: str, number: int) -> None:
    """Take a pending transfer or a reservation of the producer back."""
    with Session(engine) as session:
        begin_writing(session)
        by = session.get_one(User, world.producer)
        if kind == "transfer":
            transfer.withdraw(session, transfer=session.get_one(Transfer, number), by=by, at=AT)
        else:
            reservation.release(session, reservation=session.get_one(Earmark, number), by=by, at=AT)
        session.commit()


def available(session: Session, world: World, person: int) -> int:
    """What the organisation of a person has of the issuance and may dispose of, in base units."""
    account = account_of(session, session.get_one(User, person).organisation, AccountKind.AVAILABLE)
    return balance(session, accounts=[account], issuance_id=world.issuance)


def line(act: Act, answer: Answer) -> dict[str, Any]:
    """A line of the history that the judge reads."""
    return {
        "caller": f"USR-{act.by:06d}",
        "key": act.key,
        "kind": act.kind,
        "quantity": act.quantity,
        "outcome": answer.outcome,
        "number": answer.number,
    }


def judged(url: str, told: list[dict[str, Any]]) -> list[str]:
    """Every broken promise, as the judge says it, over a connection that is not the application's."""
    path = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path) if path != url else psycopg.connect(url)) as connection:
        return checker.judge(connection, told)
