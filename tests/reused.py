"""One database of a PostgreSQL for test after test: emptied in between, which takes a tenth of copying a new one.

Its connections go from test to test as well. A new one has all that it knows of the tables still to learn, which takes
the server longer than what most tests ask of it.
"""

import select
import time
from typing import Any

import psycopg
from psycopg.pq import ConnStatus, TransactionStatus

from tests.servers import PostgreSQL

# The rows that nobody has deleted yet lie about in the tables, and slow the reading down.
TURNS = 200

# What a change of the tables, columns, rules, triggers or functions leaves behind: rows written by a later transaction.
FINGERPRINT = """
SELECT (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_class)
    || (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_attribute WHERE attrelid >= 16384)
    || (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_constraint)
    || (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_trigger)
    || (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_proc)
"""
# Whoever was not given back, or keeps something that outlives a transaction.
OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity AS it
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    AND (pid <> ALL (%s) OR EXISTS (SELECT FROM pg_locks WHERE pid = it.pid AND locktype = 'advisory'))
"""
TABLES = """
SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
SEQUENCES = """
CREATE TEMPORARY TABLE first_sequences AS
SELECT format('%I.%I', schemaname, sequencename)::regclass AS name, coalesce(last_value, start_value) AS value,
       last_value IS NOT NULL AS called
FROM pg_sequences
"""


class Lasting(psycopg.Connection[Any]):
    """A connection that whoever closes it gives back."""

    stock: "list[Lasting]"

    def close(self) -> None:
        if self.closed or self.broken:
            super().close()
            return
        if self.info.transaction_status != TransactionStatus.IDLE:
            self.rollback()
        self.autocommit = True
        self.execute("RESET ALL")  # who worked past the triggers is the last who does
        self.autocommit = False
        self.stock.append(self)

    def end(self) -> None:
        super().close()


class Reused:
    """A copy of `template` that is as the template was whenever a test begins."""

    def __init__(self, server: PostgreSQL, template: str) -> None:
        self.server = server
        self.template = template
        self.url = ""
        self.turns = 0
        self.keeper: psycopg.Connection[Any]
        self.fingerprint: Any = None
        self.stock: list[Lasting] = []

    def ready(self) -> str:
        """URL of the database, to which nobody but the keeper is connected."""
        if not self.url:
            self._make()
        self.turns += 1
        return self.url

    def connect(self, **parameters: Any) -> Lasting:
        """A connection as if it were new: one that was given back and that the server has not ended, else a new one."""
        while self.stock:
            there = self.stock.pop()
            if there.pgconn.status == ConnStatus.OK and not is_ended(there):
                return there
            there.end()
        made = Lasting.connect(**parameters)
        made.stock = self.stock
        return made

    def empty(self) -> None:
        """End whoever is still connected, and bring the rows back that there were; after more than rows, drop it."""
        while self.keeper.execute(OTHERS, [[each.info.backend_pid for each in self.stock]]).fetchall():
            time.sleep(0.002)  # to be waited for by the server itself takes 100 ms
        if self.turns >= TURNS or self.keeper.execute(FINGERPRINT).fetchone() != self.fingerprint:
            self.drop()
        else:
            self.keeper.execute("SELECT pg_temp.empty()")

    def drop(self) -> None:
        if self.url:
            for each in self.stock:
                each.end()
            self.stock = []
            self.keeper.close()
            self.server.drop_database(self.url)
            self.url = ""

    def _make(self) -> None:
        self.url, self.turns = self.server.fresh_database(self.template), 0
        self.keeper = psycopg.connect(self.url, autocommit=True)
        tables = [row[0] for row in self.keeper.execute(TABLES)]
        body = ["PERFORM setval(name, value, called) FROM first_sequences;"]
        for number, table in enumerate(tables):
            body.append(f"DELETE FROM {table};")
            if self.keeper.execute(f"SELECT FROM {table} LIMIT 1").fetchone() is not None:
                self.keeper.execute(f"CREATE TEMPORARY TABLE first_{number} AS TABLE {table}")
                body.append(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE first_{number};")
        self.keeper.execute(SEQUENCES)
        # As a replica, for which no trigger and no foreign key stands in the way. A function keeps its plans.
        self.keeper.execute(
            "CREATE FUNCTION pg_temp.empty() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica AS "
            f"$$BEGIN {' '.join(body)} END$$"
        )
        self.fingerprint = self.keeper.execute(FINGERPRINT).fetchone()


def is_ended(connection: Lasting) -> bool:
    """Whether the server has hung up: it has said so then, and nothing else is to be read from an idle connection."""
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))
