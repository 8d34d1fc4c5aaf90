"""What the stage is asked for most, done once for each kind of database and put back from then on.

A batch that is issued takes its people twelve operations: a fifth of a second in each of a thousand tests. They are
done in earnest before the first test that has a stage, each step is kept as the rows and files that it left, and a test
that asks an untouched stage for the very same step gets those. Whoever bends a step, or has written anything before,
does it all: those tests prove that the operations come to what is kept here.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.orm import Session, joinedload

from credits.db import begin_writing, is_read
from credits.journal.models import Event
from credits.participants.models import Organisation, User
from credits.registry.policy import Policy
from tests.factories import AT

if TYPE_CHECKING:
    from tests.stage import Stage

PEOPLE = ("manager", "clerk", "lead", "issuer", "colleague", "buyer", "second")


class Writes:
    """How often the tests' engines were told to do more than read."""

    counted = 0

    @classmethod
    def count(cls, _: Connection, __: Any, statement: str, *___: Any) -> None:
        if not is_read(statement):
            cls.counted += 1


def count_writes(engine: Engine) -> None:
    event.listen(engine, "before_cursor_execute", Writes.count)


class Rows(Protocol):
    """All rows of a database. `beforehand`: the same as a file, with which a test may begin."""

    beforehand: bytes | None

    def put_back(self, driver: Any) -> None: ...


class FileRows:
    """All rows of an SQLite file, page by page."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self.copy = sqlite3.connect(":memory:", check_same_thread=False)
        driver.backup(self.copy)
        self.beforehand = driver.serialize()

    def put_back(self, driver: sqlite3.Connection) -> None:
        self.copy.backup(driver)


class ServerRows:
    """All rows of a database of PostgreSQL, and where its sequences stand."""

    beforehand = None

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        tables = driver.execute(
            "SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        filled = [table for (table,) in tables if driver.execute(f"SELECT FROM {table} LIMIT 1").fetchone() is not None]
        self.tables = {table: self._lines(driver, table) for table in filled}
        standing = driver.execute(
            "SELECT format('SELECT setval(%L, %s)', quote_ident(sequencename), last_value) FROM pg_sequences"
            " WHERE last_value IS NOT NULL"
        )
        self.sequences = [command for (command,) in standing]

    def put_back(self, driver: psycopg.Connection[Any]) -> None:
        # As a replica, for which no trigger and no foreign key stands in the way.
        before = ["SET LOCAL session_replication_role = replica", *(f"DELETE FROM {table}" for table in self.tables)]
        driver.execute("; ".join(before))
        with driver.cursor() as cursor:
            for table, lines in self.tables.items():
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write(lines)
        driver.execute("; ".join([*self.sequences, "SET LOCAL session_replication_role = origin"]))

    @staticmethod
    def _lines(driver: psycopg.Connection[Any], table: str) -> bytes:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT") as copy:
            return b"".join(bytes(part) for part in copy)


@dataclass(frozen=True)
class Kept:
    """What a step has left, and how to find what it made."""

    rows: Rows
    files: dict[Path, bytes]
    number: int
    made: tuple[type[Any], int] | None
    people: tuple[int, ...]
    headcount: tuple[int, ...]


class Prepared:
    """The steps of one kind of database, as the house's policy has them at the time of the factories."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.kept: dict[str, Kept] = {}
        self.keeping = False

    @contextmanager
    def being_kept(self) -> Iterator[None]:
        """Keep each step that is taken meanwhile."""
        self.keeping = True
        yield
        self.keeping = False

    def keep(self, name: str, stage: "Stage", made: Any = None) -> None:
        stage.session.commit()
        driver = driver_of(stage.session)
        self.kept[name] = Kept(
            rows=FileRows(driver) if isinstance(driver, sqlite3.Connection) else ServerRows(driver),
            files={file.relative_to(stage.files.root): file.read_bytes() for file in files_in(stage.files.root)},
            number=number_reached(stage),
            made=made and (type(made), made.id),
            people=tuple(getattr(stage, name).id for name in PEOPLE),
            headcount=headcount(stage.session),
        )
        begin_writing(stage.session)

    def put_back(self, name: str, stage: "Stage") -> Any:
        """What the step has made."""
        kept, session = self.kept[name], stage.session
        session.rollback()
        kept.rows.put_back(driver_of(session))
        session.commit()
        for file, content in kept.files.items():
            there = stage.files.root / file
            there.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            there.write_bytes(content)
        stage.numbers = count(kept.number)
        begin_writing(session)
        people_in(session, kept)  # in the session again, as whoever was just brought there
        return kept.made and session.get_one(*kept.made)

    def populate(self, stage: "Stage") -> bool:
        """Put the people on the stage; not on one of PostgreSQL where somebody is already."""
        if self.keeping:
            return False
        kept, there = self.kept["people"], headcount(stage.session)
        if not any(there):
            self.put_back("people", stage)
            there = kept.headcount
        elif kept.rows.beforehand is None:
            return False
        people = {person.id: person for person in people_in(stage.session, kept)}
        for name, number in zip(PEOPLE, kept.people, strict=True):
            setattr(stage, name, people[number])
        stage.coop = stage.manager.organisation
        if there == kept.headcount and stage.policy is self.policy and stage.at == AT:
            stage.birth = Birth(stage)
        return True


def people_in(session: Session, kept: Kept) -> list[User]:
    wanted = select(User).where(User.id.in_(kept.people)).options(joinedload(User.organisation))
    return list(session.scalars(wanted.execution_options(populate_existing=True)))


def driver_of(session: Session) -> Any:
    return session.connection().connection.driver_connection


def files_in(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def number_reached(stage: "Stage") -> int:
    number = next(stage.numbers)
    stage.numbers = count(number)
    return number


def headcount(session: Session) -> tuple[int, ...]:
    """How many events, people and organisations there are."""
    counts = (select(func.count()).select_from(model).scalar_subquery() for model in (Event, User, Organisation))
    return tuple(session.execute(select(*counts)).one())


class Birth:
    """How a stage was when its people had come on it."""

    def __init__(self, stage: "Stage") -> None:
        self.seen = self._look(stage)

    def is_now(self, stage: "Stage") -> bool:
        session = stage.session
        if session.new or session.dirty or session.deleted or self._look(stage) != self.seen:
            return False
        return session.scalar(select(func.max(Event.id))) is None

    def _look(self, stage: "Stage") -> tuple[Any, ...]:
        people = (id(getattr(stage, name)) for name in PEOPLE)
        return (Writes.counted, id(stage.policy), stage.at, number_reached(stage), id(stage.coop), *people)


def prepared_step(step: Callable[..., Any]) -> Callable[..., Any]:
    """Let a step that an untouched stage is asked for, as it stands, be put back instead of done."""

    @wraps(step)
    def taken(stage: "Stage", *given: Any, **bent: Any) -> Any:
        store = stage.prepared
        as_it_stands = store is not None and not bent and all(each is None for each in given)
        if store is None or not as_it_stands:
            return step(stage, *given, **bent)
        if store.keeping:
            made = step(stage, *given)
            store.keep(step.__name__, stage, made)
            return made
        untouched = stage.birth is not None and stage.birth.is_now(stage)
        return store.put_back(step.__name__, stage) if untouched else step(stage, *given)

    return taken
