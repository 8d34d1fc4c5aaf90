"""Connections: those that outlive their server, those that only read, and those that are not let in."""

import sqlite3
from contextlib import closing

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import create_engine, event, func, insert, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from credits.db import WrittenAlone, begin_writing, engine_settings, prepare_engine, read_alone, sqlalchemy_url, writing
from credits.ledger.models import Account, AccountKind

OPENED = select(func.count(Account.id)).where(Account.kind == AccountKind.AVAILABLE)


@pytest.fixture
def on_postgresql(postgresql_server, postgresql_template):
    url = postgresql_server.fresh_database(postgresql_template)
    engine = create_engine(sqlalchemy_url(url), **engine_settings(url))
    prepare_engine(engine)
    yield engine
    engine.dispose()


class TestPrepareEngine:
    @pytest.mark.parametrize("before", [None, 4096], ids=["new", "older"])
    def test_chooses_the_pages_of_a_new_file_alone(self, tmp_path, before):
        file = tmp_path / "credits.db"
        if before:
            with closing(sqlite3.connect(file)) as connection:
                connection.execute(f"PRAGMA page_size={before}")
                connection.execute("CREATE TABLE kept (number INTEGER)")
        engine = create_engine(f"sqlite:///{file}", **engine_settings("sqlite:"))
        prepare_engine(engine)

        with engine.connect() as connection:
            connection.execute(text("CREATE TABLE mine (number INTEGER)"))
            connection.commit()
            asked = [connection.scalar(text(f"PRAGMA {name}")) for name in ("page_size", "journal_mode", "synchronous")]
        engine.dispose()

        assert asked == [before or 2048, "wal", 2]  # 2 is FULL


class TestSeeThatItIsOpen:
    def test_takes_another_connection_where_the_server_has_hung_up(self, on_postgresql):
        own = text("SELECT pg_backend_pid()")
        with on_postgresql.connect() as first, on_postgresql.connect() as second:
            ended = {first.scalar(own), second.scalar(own)}
        url = on_postgresql.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as other:
            for number in ended:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", (number,))

        for _ in range(3):
            with on_postgresql.connect() as connection:
                assert connection.scalar(own) not in ended

    def test_keeps_a_connection_that_is_sound(self, on_postgresql):
        own = text("SELECT pg_backend_pid()")
        with on_postgresql.connect() as connection:
            number = connection.scalar(own)

        with on_postgresql.connect() as connection:
            assert connection.scalar(own) == number


class TestReadAlone:
    def test_begins_nothing_for_who_only_reads(self, on_postgresql):
        read_alone(on_postgresql, lambda: True)
        with on_postgresql.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1

            assert connection.connection.driver_connection.info.transaction_status is TransactionStatus.IDLE

    def test_refuses_a_statement_that_writes(self, on_postgresql):
        read_alone(on_postgresql, lambda: True)
        with Session(on_postgresql) as session:
            session.add(Account(kind=AccountKind.AVAILABLE))
            with pytest.raises(WrittenAlone, match="begin_writing"):
                session.flush()

            session.rollback()

            assert session.scalar(OPENED) == 0

    def test_gives_who_writes_a_transaction_on_the_same_connection(self, on_postgresql):
        read_alone(on_postgresql, lambda: True)
        with Session(on_postgresql) as session:
            own = session.scalar(text("SELECT pg_backend_pid()"))
            begin_writing(session)
            session.add(Account(kind=AccountKind.AVAILABLE))
            session.flush()
            assert session.scalar(text("SELECT pg_backend_pid()")) == own

            session.rollback()

            assert session.scalar(OPENED) == 0

    def test_gives_who_writes_past_the_objects_one_too(self, on_postgresql):
        read_alone(on_postgresql, lambda: True)

        def fail_half_way():
            with writing(on_postgresql) as connection, connection.begin():
                connection.execute(insert(Account).values(kind=AccountKind.AVAILABLE))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail_half_way()

        with on_postgresql.connect() as connection:
            assert connection.scalar(OPENED) == 0

    def test_leaves_others_alone(self, on_postgresql):
        read_alone(on_postgresql, lambda: False)
        with Session(on_postgresql) as session:
            session.add(Account(kind=AccountKind.AVAILABLE))
            session.flush()
            session.rollback()

            assert session.scalar(OPENED) == 0


class TestStraight:
    def test_raises_what_sqlalchemy_would_where_somebody_else_is_writing(self, tmp_path):
        file = tmp_path / "busy.db"
        engine = create_engine(f"sqlite:///{file}", **engine_settings("sqlite:///"))
        prepare_engine(engine)
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=1"))
        with closing(sqlite3.connect(file, isolation_level=None)) as other, Session(engine) as session:
            other.execute("BEGIN IMMEDIATE")

            with pytest.raises(OperationalError, match="locked"):
                begin_writing(session)

            other.execute("COMMIT")
            begin_writing(session)
        engine.dispose()
