"""However many blocks an issuance has, SQLite is led to the few that are asked for."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy.dialects import sqlite

from credits.ledger import invariants, statements

ASKED = {
    "held": str(statements.HELD.compile(dialect=sqlite.dialect())),
    "held-named": str(statements.HELD_NAMED.compile(dialect=sqlite.dialect())),
    "tiling": invariants.QUERIES["tiling"][1],
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_no_block_is_looked_for_among_all_of_its_issuance(sqlite_template, asked):
    with closing(sqlite3.connect(sqlite_template)) as connection:
        steps = connection.execute(f"EXPLAIN QUERY PLAN {asked}", [1] * asked.count("?")).fetchall()

    assert not [step for *_, step in steps if step.endswith("(issuance_id=?)")]
    assert not [step for *_, step in steps if "PRIMARY KEY (issuance_id=? AND first>? AND first<?)" in step]
