"""The plain typed base of every model, column types for both databases, and how an engine is set up.

SQLite tables are STRICT, which knows INTEGER, TEXT, REAL and BLOB alone: the types below are written
for that, so that both databases refuse the same values.
"""

import json
import select
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Connection,
    Date,
    DateTime,
    Dialect,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session
from sqlalchemy.types import TypeDecorator, TypeEngine

E = TypeVar("E", bound=StrEnum)

Work = Session | Connection
"""What a unit of work is done with: by objects, or past them."""

WRITING = "credits_writing"  # execution option: this transaction will write
READS = ("SELECT", "BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")  # how what changes nothing begins


class Flag(TypeDecorator[bool]):
    """True or false; 1 or 0 on SQLite."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class Moment(TypeDecorator[datetime]):
    """An aware time in UTC. On SQLite a text of fixed width, so that it sorts as time does."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            # Sign-in libraries hand over naive times that mean UTC.
            value = value.replace(tzinfo=UTC)
        return as_text(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        moment: datetime = value
        return moment.astimezone(UTC)


def as_text(moment: datetime) -> str:
    """An aware time as SQLite keeps it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


class Day(TypeDecorator[date]):
    """A calendar day."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Date())

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        return date.fromisoformat(value) if isinstance(value, str) else value


class Word(TypeDecorator[E], Generic[E]):
    """One word of a closed list, kept as readable text. Pair it with `one_of` in the table's constraints."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(self, value: Any, dialect: Dialect) -> E | None:
        return None if value is None else self.words(value)


class Document(TypeDecorator[Any]):
    """A JSON value that is read and written whole. Kept in ASCII, where even half a character has a form."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, sort_keys=True)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def one_of(column: str, words: type[StrEnum], name: str | None = None) -> CheckConstraint:
    """CHECK that `column` holds one of `words`."""
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=name or f"{column}_known")


Whole = BigInteger().with_variant(Integer(), "sqlite")


class Model(DeclarativeBase):
    """The base of every table. Quantities are 64-bit integers, texts have no hidden length."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        int: Whole,
        str: Text(),
        bool: Flag(),
        bytes: LargeBinary(),
        datetime: Moment(),
        date: Day(),
        dict[str, Any]: Document(),
        list[Any]: Document(),
        list[str]: Document(),
    }

    def __init_subclass__(cls, **kwargs: Any) -> None:
        given = cls.__dict__.get("__table_args__", ())
        constraints, options = (given[:-1], given[-1]) if given and isinstance(given[-1], Mapping) else (given, {})
        if "__tablename__" in cls.__dict__:
            cls.__table_args__ = (*constraints, {"sqlite_strict": True, **options})
        super().__init_subclass__(**kwargs)


def engine_settings(url: str) -> dict[str, Any]:
    """Keyword arguments of `create_engine` for `url`."""
    if url.startswith("sqlite"):
        return {
            "connect_args": {
                "isolation_level": None,
                "timeout": 30,
                "check_same_thread": False,
            }
        }
    # A line that was taken for reading alone has nothing to roll back when it is given back.
    return {"pool_size": 5, "max_overflow": 15, "skip_autocommit_rollback": True}


def sqlalchemy_url(url: str) -> str:
    """`postgresql://…` means psycopg 3 here; every other address stays as it is."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def prepare_engine(engine: Engine) -> None:
    """Make SQLite keep what it was told and take its write lock in time; use no line that PostgreSQL has cut."""
    if engine.dialect.name != "sqlite":
        event.listen(engine, "checkout", see_that_it_is_open)
        return

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _: object) -> None:
        cursor = connection.cursor()
        # NORMAL loses acknowledged commits at a power cut.
        for pragma in (
            "page_size=2048",  # of a new file; a movement changes a little on many pages, and each is written whole
            "journal_mode=WAL",
            "wal_autocheckpoint=4000",  # pages; what was changed again meanwhile is brought into the file once
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=30000",
            "recursive_triggers=ON",
            "trusted_schema=ON",  # the ledger's triggers ask whether this connection keeps its rules
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later would find the lock taken and its snapshot stale.
        writing = connection.get_execution_options().get(WRITING, False)
        with straight(connection) as cursor:
            cursor.execute("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def straight(connection: Connection) -> Iterator[Any]:
    """A cursor of the driver itself, for what is done so often that SQLAlchemy's own work around a statement counts.

    Raises what SQLAlchemy would have raised, and like it lets a lost connection go.
    """
    dialect = connection.dialect
    driver = dialect.loaded_dbapi
    try:
        yield connection.connection.cursor()
    except driver.Error as error:
        if lost := dialect.is_disconnect(error, connection.connection.dbapi_connection, None):
            connection.invalidate(error)
        raise DBAPIError.instance(
            None, None, error, driver.Error, connection_invalidated=lost, dialect=dialect
        ) from error


def read_alone(engine: Engine, reads: Callable[[], bool]) -> None:
    """Let each statement on PostgreSQL be a transaction of its own where `reads()` says that nothing will be written.

    READ COMMITTED looks anew for each statement anyway, so the answers are the same; to begin and to end would be two
    trips more, as many as most questions take. SQLite makes no trips, and keeps to one moment.

    A statement that writes then raises WrittenAlone: what fails half-way would stay half done.
    """
    if engine.dialect.name == "sqlite":
        return

    @event.listens_for(engine, "checkout")
    def begin_nothing(driver: Any, *_: object) -> None:
        alone = reads()
        if driver.autocommit is not alone:
            driver.autocommit = alone

    event.listen(engine, "before_cursor_execute", refuse_to_write_alone)


class WrittenAlone(RuntimeError):
    """Something wrote in a unit of work that said it only reads, without begin_writing()."""


def refuse_to_write_alone(_: Connection, cursor: Any, statement: str, *__: object) -> None:
    """Raise WrittenAlone where a statement that writes would be a transaction of its own on PostgreSQL."""
    if cursor.connection.autocommit and not is_read(statement):
        raise WrittenAlone(f"Written without begin_writing(): {statement}")


def is_read(statement: str) -> bool:
    return statement.lstrip()[:9].upper().startswith(READS)


def see_that_it_is_open(connection: Any, *_: object) -> None:
    """Let the pool take another connection where the server has hung up on this one.

    A server that was stopped has said so: there is something to read. To ask it each time would cost a trip.
    """
    if connection.closed:
        raise DisconnectionError
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        raise DisconnectionError


def writing(engine: Engine, **options: bool) -> Connection:
    """A connection each of whose transactions may write past the objects, to be closed by who asked for it.

    options: other execution options. For programs that post, and need neither objects nor the notices that a session's
    commit tells people.
    """
    connection = engine.connect().execution_options(**{WRITING: True} | options)
    take_part(connection)
    return connection


def connection_of(work: Work) -> Connection:
    """The connection of a unit of work, with everything written down that waits in its objects."""
    if isinstance(work, Connection):
        return work
    work.flush()
    return work.connection()


def unwrapped(work: Work | scoped_session[Session]) -> Work:
    """The unit of work itself, where a door hands over the session of its request behind a proxy."""
    return work.registry() if isinstance(work, scoped_session) else work


def dialect_of(work: Work) -> str:
    """Which database it is done on: "sqlite" or "postgresql"."""
    return (work if isinstance(work, Connection) else work.get_bind()).dialect.name


def inserting(work: Work, table: type[Model]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say what happens where such a row stands already."""
    insert = postgresql.insert if dialect_of(work) == "postgresql" else sqlite.insert
    return insert(table)


def begin_writing(session: Session) -> None:
    """Begin the session's transaction as one that writes. Ends a transaction that has only read.

    Call it before anything else in a unit of work that changes the registry.
    """
    session.rollback()
    take_part(session.connection(execution_options={WRITING: True}))


def take_part(connection: Connection) -> None:
    """Let the statements of a connection that was taken for reading alone be of one transaction."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql" and driver.autocommit:
        driver.autocommit = False
