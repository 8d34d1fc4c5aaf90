"""What every test may ask for: a migrated database of its own on either engine, a session, the app and a client."""

import gc
import ipaddress
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import flask_migrate
import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Dialect, Engine, create_engine, event
from sqlalchemy.orm import Session

from config import Settings, load
from credits.app import bind_folder, create_app, keep_parts
from credits.db import begin_writing, engine_settings, prepare_engine, sqlalchemy_url
from credits.extensions import db
from credits.participants.models import User
from credits.registry import policy
from credits.registry.policy import Policy
from tests import factories, servers
from tests.prepared import Prepared, count_writes
from tests.reused import Lasting, Reused
from tests.stage import house_policy, prepare, stage, stage_of_app  # noqa: F401  fixtures


def pytest_configure() -> None:
    keep_in_memory()
    stay_on_this_machine()


def keep_in_memory() -> None:
    """What tests write stays off the disk, which each commit of an embedded registry would wait for."""
    memory = servers.in_memory()
    if memory and not os.statvfs(memory).f_flag & os.ST_NOEXEC:  # some test builds a program and runs it
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


def stay_on_this_machine() -> None:
    """No test reaches the network: only this machine answers."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            refuse_elsewhere(address[0])
        connect(self, address)

    def look_up_here(host: Any, *args: Any, **kwargs: Any) -> Any:
        refuse_elsewhere(host)
        return look_up(host, *args, **kwargs)

    socket.socket.connect = connect_here  # type: ignore[method-assign]
    socket.getaddrinfo = look_up_here


def refuse_elsewhere(host: str | bytes | None) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return
    try:
        here = ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        here = False
    if not here:
        raise RuntimeError(f"A test tried to reach {name}.")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[servers.PostgreSQL]:
    with servers.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    file = tmp_path_factory.mktemp("template") / "credits.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: servers.PostgreSQL) -> str:
    """URL of a migrated, empty database to copy."""
    url = postgresql_server.fresh_database()
    migrate(url)
    return url


@pytest.fixture(scope="session")
def postgresql_reused(postgresql_server: servers.PostgreSQL, postgresql_template: str) -> Iterator[Reused]:
    """A copy of that database for test after test."""
    reused = Reused(postgresql_server, postgresql_template)
    yield reused
    reused.drop()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let what stays to the end be looked through by no collection of garbage, and let there be fewer of them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a migrated, empty database of this test alone. Every test that asks for it runs on both engines.

    On SQLite the people of the stage are in it, where a test has one.
    """
    if request.param == "sqlite":
        file = tmp_path / "credits.db"
        if "prepared_steps" in request.fixturenames:
            # The people are there before anybody opens the file: to bring them later takes longer than to open it.
            file.write_bytes(request.getfixturevalue("prepared_on_sqlite").kept["people"].rows.beforehand)
        else:
            shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    reused: Reused = request.getfixturevalue("postgresql_reused")
    url = reused.ready()
    name = url.rpartition("/")[2]
    LASTING[name] = reused
    yield url
    del LASTING[name]
    reused.empty()


LASTING: dict[str, Reused] = {}  # by the name of the database, while a test has it
STATEMENTS: dict[str, tuple[Dialect, dict[Any, Any]]] = {}


def engine_of(url: str) -> Engine:
    """An engine that knows what earlier tests have asked: to put statements together took a fifth of their time."""
    made = create_engine(sqlalchemy_url(url), **engine_settings(url))
    prepare_engine(made)
    event.listen(made, "do_connect", connect_again)
    made.dialect, statements = STATEMENTS.setdefault(made.dialect.name, (made.dialect, {}))
    made.update_execution_options(compiled_cache=statements)
    count_writes(made)
    return made


def connect_again(_: Dialect, __: object, ___: object, parameters: dict[str, Any]) -> Lasting | None:
    """A connection that an earlier test has given back, where there are such."""
    reused = LASTING.get(parameters.get("dbname", ""))
    return reused.connect(**parameters) if reused else None


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = engine_of(database)
    yield made
    made.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A plain session that has begun to write. Factories write to it."""
    with Session(engine) as opened:
        begin_writing(opened)
        factories.write_to(opened)
        yield opened
        factories.write_to(None)


@pytest.fixture
def prepared_steps(request: pytest.FixtureRequest, database: str) -> Prepared:
    """What a stage over the database of this test need not do again."""
    kind = database.partition(":")[0]
    kept: Prepared = request.getfixturevalue(f"prepared_on_{kind}")
    return kept


@pytest.fixture(scope="session")
def prepared_on_sqlite(
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    house_policy: Policy,  # noqa: F811  the fixture
) -> Prepared:
    folder = tmp_path_factory.mktemp("prepared")
    return prepared_in(f"sqlite:///{shutil.copyfile(sqlite_template, folder / 'credits.db')}", folder, house_policy)


@pytest.fixture(scope="session")
def prepared_on_postgresql(
    postgresql_server: servers.PostgreSQL,
    postgresql_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    house_policy: Policy,  # noqa: F811  the fixture
) -> Prepared:
    url = postgresql_server.fresh_database(postgresql_template)
    kept = prepared_in(url, tmp_path_factory.mktemp("prepared"), house_policy)
    postgresql_server.drop_database(url)
    return kept


def prepared_in(url: str, folder: Path, policy: Policy) -> Prepared:
    engine = engine_of(url)
    with Session(engine) as opened:
        begin_writing(opened)
        kept = prepare(opened, folder / "evidence", policy)
    engine.dispose()
    return kept


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    return load({"DATABASE_URL": database, "DATA_DIR": str(tmp_path / "data"), "SIGN_IN_LIMITS": "off"})


@pytest.fixture(scope="session")
def apps(compiled_templates: FileSystemBytecodeCache) -> dict[str, Flask]:
    """The application of each kind of database, once it is made: to make it takes longer than most tests."""
    return {}


@pytest.fixture
def app(
    settings: Settings,
    apps: dict[str, Flask],
    compiled_templates: FileSystemBytecodeCache,
    house_policy: Policy,  # noqa: F811  the fixture
) -> Iterator[Flask]:
    """The whole application over the database of this test. Forms need no CSRF token here, mail goes to `outbox`.

    Who adds routes to it asks for `fresh_app`.
    """
    kind = settings.database_url.partition(":")[0]
    if kind not in apps:
        apps[kind] = tried_out(create_app(settings), compiled_templates)
    made = apps[kind]
    kept = dict(made.config)
    made.extensions["settings"] = settings
    with patch.object(policy, "read", return_value=house_policy):  # it was read once for all
        keep_parts(made, settings)
    with made.app_context():
        db.engines[None] = engine_of(settings.database_url)
        bind_folder(settings)
    yield made
    with made.app_context():
        db.engine.dispose()
    made.config.clear()
    made.config.update(kept)


@pytest.fixture
def fresh_app(
    settings: Settings,
    compiled_templates: FileSystemBytecodeCache,
    house_policy: Policy,  # noqa: F811  the fixture
) -> Iterator[Flask]:
    """As `app`, made for this test alone."""
    made = tried_out(create_app(settings), compiled_templates)
    made.extensions["policy"] = house_policy
    yield made
    with made.app_context():
        db.engine.dispose()


def tried_out(made: Flask, templates: FileSystemBytecodeCache) -> Flask:
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    made.extensions["mailman"].backend = "locmem"
    made.jinja_env.bytecode_cache = templates
    made.test_client_class = Visitor
    return made


@pytest.fixture(scope="session")
def any_app(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application for questions that need no database of their own."""
    data = str(tmp_path_factory.mktemp("data"))
    return create_app(load({"DATABASE_URL": f"sqlite:///{sqlite_template}", "DATA_DIR": data}))


@pytest.fixture
def outbox(app: Flask) -> list[Any]:
    """The mails sent so far."""
    app.extensions["mailman"].outbox = []
    return app.extensions["mailman"].outbox


@pytest.fixture
def client(app: Flask, session: Session) -> "Visitor":
    """A browser without JavaScript. What the test has written is committed before each request."""
    visitor = app.test_client()
    assert isinstance(visitor, Visitor)
    visitor.written = session
    return visitor


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


class Visitor(FlaskClient):
    written: Session | None = None

    def open(self, *args: Any, **kwargs: Any) -> Any:
        if self.written is not None:
            self.written.commit()
        try:
            # Buffered, so that what follows the answer has happened when the test goes on.
            answer = super().open(*args, **kwargs | {"buffered": True})
        finally:
            if self.written is not None:
                self.written.rollback()  # the next look is fresh
        if answer.mimetype == "text/html" and not 300 <= answer.status_code < 400:
            check_page(answer.text)
        return answer

    def sign_in(self, user: User) -> "Visitor":
        """Be `user` from now on, without the sign-in page."""
        handle = user.fs_uniquifier
        with self.session_transaction() as cookie:
            cookie.update({"_user_id": handle, "_fresh": True, "fs_cc": "set", "fs_paa": time.time()})
        return self


def check_page(text: str) -> None:
    """Every page that any test sees is sound HTML with one h1, and names nothing twice."""
    # A form shows again what was typed, characters included that no page should have.
    readable = "".join(character for character in text if character.isprintable() or character == "\n")
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(readable)
    assert len(page.findall(".//h1")) == 1
    names = [element.get("id") for element in page.iter() if element.get("id")]
    assert sorted(names) == sorted(set(names))


def migrate(url: str) -> None:
    """Bring the database at `url` up to date, as `flask db upgrade` does."""
    app = create_app(load({"DATABASE_URL": url}))
    with app.app_context():
        flask_migrate.upgrade()
        if db.engine.dialect.name == "sqlite":
            with db.engine.connect() as connection:
                connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()
