"""Dying at every statement: whoever works is killed before and after each statement and each commit of an operation.

Each death begins with the same database. What it leaves must be all of the operation or nothing of it, and whoever
asks again with the same key must leave exactly what an undisturbed operation leaves.
"""

import json
import os
import shutil
import signal
import sqlite3
import traceback
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Self

import psycopg
from sqlalchemy import Engine, event, inspect
from sqlalchemy.orm import Session

from credits.db import Model, begin_writing
from credits.errors import CreditsError
from credits.files import Files
from credits.ledger import invariants, remember_refusal
from credits.registry import invariants as reasons
from credits.registry import retelling
from tests import checker, factories
from tests.servers import PostgreSQL
from tests.stage import Stage
from tests.suites import trial
from tests.suites.steps import STEPS, Step

DONE, REFUSED, BROKE = 0, 3, 4  # how a process ends that was not killed
TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}
# Numbers may have been lost with those who died; whose serials are where may not.
STANDING = """SELECT b.first, b.last, a.kind FROM block b JOIN account a ON a.id = b.account_id
              ORDER BY b.issuance_id, b.first"""
STATES = {
    "batch": "SELECT state, revision FROM batch ORDER BY state, revision",
    "transfer": "SELECT quantity, state FROM transfer ORDER BY quantity, state",
    "decision": "SELECT kind, state FROM decision ORDER BY kind, state",
    "earmark": "SELECT kind, closing_posting_id IS NULL FROM earmark ORDER BY 1, 2",
    "debit": "SELECT quantity, still_open FROM debit ORDER BY 1, 2",
    "event": "SELECT kind FROM event ORDER BY kind",
    "answer": "SELECT count(*) FROM request_claim WHERE answer IS NULL",
}


@dataclass
class Place:
    """A database that can be put back to what was prepared in it, and the folder that belongs to it."""

    home: Path
    server: PostgreSQL | None = None

    def __post_init__(self) -> None:
        self.folder, self.kept = self.home / "folder", self.home / "kept-folder"
        self.folder.mkdir(parents=True)
        self.file = self.home / "work.db"
        self.url = f"sqlite:///{self.file}" if self.server is None else self.server.url_of(self.name("work"))

    def name(self, what: str) -> str:
        return f"{self.home.name}_{what}".replace("-", "_").lower()

    def begin(self, template: str) -> None:
        """An empty, migrated database, a copy of the one at `template`."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        if self.server is None:
            self._remove()
            shutil.copyfile(template.removeprefix("sqlite:///"), self.file)
        else:
            self._copy(template.rpartition("/")[2], self.name("work"))

    def keep(self) -> None:
        """What stands now is what every death begins with. Nobody may be connected."""
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(self.folder, self.kept)
        if self.server is None:
            with closing(sqlite3.connect(self.file)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copyfile(self.file, self.home / "kept.db")
        else:
            self._copy(self.name("work"), self.name("kept"))

    def put_back(self) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self.kept, self.folder)
        if self.server is None:
            self._remove()
            shutil.copyfile(self.home / "kept.db", self.file)
        else:
            self._copy(self.name("kept"), self.name("work"))

    def forget(self) -> None:
        shutil.rmtree(self.home)
        if self.server is not None:
            for what in ("work", "kept"):
                self.server.drop_database(self.server.url_of(self.name(what)))

    def connection(self) -> Any:
        """A connection that is not the application's."""
        return sqlite3.connect(self.file) if self.server is None else psycopg.connect(self.url)

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)

    def _copy(self, source: str, target: str) -> None:
        assert self.server is not None
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            # Whoever was killed may not have been missed yet.
            connection.execute(f"DROP DATABASE IF EXISTS {target} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {target} TEMPLATE {source}")


@dataclass
class Deaths:
    """Of one step: how often somebody died, and what was found wrong."""

    step: str
    deaths: int = 0
    broken: list[str] = field(default_factory=list)


class Theatre:
    """Where a step is played again and again: the place, an engine that knows its statements, and the people."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.engine = trial.engine_of(place.url)
        self.organisations: dict[str, int] = {}

    def prepare(self, step: Step, template: str) -> None:
        self.engine.dispose()
        self.place.begin(template)
        with Session(self.engine) as session:
            begin_writing(session)
            factories.write_to(session)
            try:
                stage = Stage(session, Files(self.place.folder / "papers"), trial.POLICY)
                made = step.prepare(stage)
                session.commit()
            finally:
                factories.write_to(None)
            things = made if isinstance(made, tuple) else (made,)
            self.things = [row_of(each) for each in things if isinstance(each, Model)]
            self.people = {name: row_of(it) for name, it in vars(stage).items() if isinstance(it, Model)}
            self.policy = stage.policy
        self.engine.dispose()
        self.place.keep()

    def play(self, step: Step) -> int:
        """Do the step as a door does; how it ended."""
        with Session(self.engine) as session:
            begin_writing(session)
            stage = Stage.__new__(Stage)
            stage.session, stage.files, stage.policy = session, Files(self.place.folder / "papers"), self.policy
            stage.at, stage.numbers = factories.AT, count(1_000)
            for name, row in self.people.items():
                setattr(stage, name, session.get_one(*row))
            things = [session.get(*row) for row in self.things]
            if None in things:  # what was to be taken away is gone
                return REFUSED
            try:
                step.act(stage, *things)
                session.commit()
            except CreditsError as refusal:
                remember_refusal(session, refusal)
                return REFUSED
        return DONE

    def apart(self, step: Step, moment: int | None = None) -> int:
        """Do the step in another process, which kills itself at this moment; its exit status, or minus the signal."""
        child = os.fork()
        if child == 0:
            try:
                if moment is not None:
                    die_at(self.engine, moment)
                os._exit(self.play(step))
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(BROKE)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def state(self) -> str:
        """What stands in the database, but for numbers and times; equal for equal histories."""
        with closing(self.place.connection()) as connection:
            dialect = "sqlite" if self.place.server is None else "postgresql"
            tables = sorted(name for (name,) in checker.rows(connection, TABLES[dialect]))
            counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in tables)
            found = {name: checker.rows(connection, query) for name, query in STATES.items()}
            found |= {"counts": sorted(checker.rows(connection, counts)), "block": checker.rows(connection, STANDING)}
            return json.dumps(found, indent=0, default=str)

    def judged(self) -> list[str]:
        with closing(self.place.connection()) as connection:
            return checker.judge(connection)

    def promises(self) -> list[str]:
        """The promises of ledger and registry that do not hold."""
        with Session(self.engine) as session:
            asked = [*invariants.check(session), *reasons.check(session), *retelling.check(session)]
        self.engine.dispose()
        return [f"{promise.name} {promise.broken}" for promise in asked if not promise.holds]


def row_of(row: Model) -> tuple[type[Model], Any]:
    return type(row), inspect(row).identity


def die_at(engine: Engine, moment: int) -> None:
    """Arrange to die at the given moment: two for each statement, before and after it, and two for each commit."""
    moments = count()

    def pass_moment(*_: Any) -> None:
        if next(moments) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def pass_statement(text: str) -> None:
        if not text.startswith("--"):  # so begins what a trigger does
            pass_moment()

    class Mortal(psycopg.Cursor[Any]):
        def execute(self, *said: Any, **how: Any) -> Self:
            pass_moment()
            super().execute(*said, **how)
            pass_moment()
            return self

        def executemany(self, *said: Any, **how: Any) -> None:
            pass_moment()
            super().executemany(*said, **how)
            pass_moment()

    # The driver is asked, for it sees the statements, too, that SQLAlchemy never does.
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.set_trace_callback(pass_statement))
        event.listen(engine, "after_cursor_execute", pass_moment)
    else:
        event.listen(engine, "connect", lambda connection, _: setattr(connection, "cursor_factory", Mortal))
    event.listen(engine, "commit", pass_moment)
    event.listen(Session, "after_commit", pass_moment)


def die_everywhere(theatre: Theatre, name: str, template: str, *, every: int = 1) -> Deaths:
    """Die at every moment of a step, or at every so many-th, and ask again each time."""
    step, told = STEPS[name], Deaths(name)
    theatre.prepare(step, template)
    before = theatre.state()
    expected = theatre.play(step)
    theatre.engine.dispose()
    after = theatre.state()
    if before == after or expected != (REFUSED if step.refused else DONE):
        told.broken.append(f"{name}: it ended with {expected}, and should have changed something")
    for moment in count(hash_of(name) % every, every):
        theatre.place.put_back()
        ended = theatre.apart(step, moment)
        if ended == expected:
            break
        told.deaths += 1
        left = theatre.state()
        told.broken += [f"{name}, killed at {moment}: {wrong}" for wrong in wrong_after(theatre, step, expected, ended)]
        if not step.parts and left not in (before, after):
            told.broken.append(f"{name}, killed at {moment}: a part of it was left")
        if theatre.state() != after:
            told.broken.append(f"{name}, killed at {moment}: asked again, it left something else than it does alone")
    told.broken += [f"{name}: {sentence}" for sentence in [*theatre.judged(), *theatre.promises()]]
    return told


def statement_by_statement(
    home: Path, server: PostgreSQL | None, template: str, every: int = 1, names: Iterable[str] = STEPS
) -> Iterator[Deaths]:
    """Die at every moment of every operation, or at every so many-th; the figures of each. Forks: have no threads."""
    with theatre_at(home, server) as theatre:
        for name in names:
            yield die_everywhere(theatre, name, template, every=every)


def all_deaths(
    home: Path, server: PostgreSQL | None, template: str, every: int, names: Iterable[str] = STEPS
) -> list[Deaths]:
    """The same at one go, to be called in a process of its own."""
    return list(statement_by_statement(home, server, template, every, names))


def wrong_after(theatre: Theatre, step: Step, expected: int, ended: int) -> Iterator[str]:
    """Ask again after a death; what is wrong with the answer."""
    if ended != -signal.SIGKILL:
        yield f"it ended with {ended}"
    whole = theatre.state()
    again = theatre.apart(step)
    # An act without a key that was carried out is refused when it comes again.
    if again != expected and not (again == REFUSED and theatre.state() == whole):
        yield f"asked again, it ended with {again}"
    yield from theatre.judged()


def hash_of(name: str) -> int:
    """A number of its own for each name, so that a short run looks elsewhere in each step."""
    return sum(name.encode())


@contextmanager
def theatre_at(home: Path, server: PostgreSQL | None = None) -> Iterator[Theatre]:
    made = Theatre(Place(home, server))
    try:
        yield made
    finally:
        made.engine.dispose()
        made.place.forget()
