"""Connections to PostgreSQL that outlive their server."""

import psycopg
import pytest
from sqlalchemy import create_engine, text

from credits.db import engine_settings, prepare_engine, sqlalchemy_url


@pytest.fixture
def on_postgresql(postgresql_server, postgresql_template):
    url = postgresql_server.fresh_database(postgresql_template)
    engine = create_engine(sqlalchemy_url(url), **engine_settings(url))
    prepare_engine(engine)
    yield engine
    engine.dispose()


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
