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
HELD_BY_ONE = "SELECT sum(last - first + 1) FROM block WHERE account_id = ?"


def steps_of(file, asked):
    with closing(sqlite3.connect(file)) as connection:
        steps = connection.execute(f"EXPLAIN QUERY PLAN {asked}", [1] * asked.count("?")).fetchall()
    return [step for *_, step in steps]


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_no_block_is_looked_for_among_all_of_its_issuance(sqlite_template, asked):
    steps = steps_of(sqlite_template, asked)

    assert not [step for step in steps if step.endswith("(issuance_id=?)")]
    assert not [step for step in steps if "PRIMARY KEY (issuance_id=? AND first>? AND first<?)" in step]


@pytest.mark.parametrize("asked", [ASKED["held"], ASKED["held-named"], HELD_BY_ONE], ids=["held", "held-named", "sum"])
def test_what_an_account_holds_is_read_from_its_index_alone(sqlite_template, asked):
    assert steps_of(sqlite_template, asked)[0].startswith(
        "SEARCH block USING COVERING INDEX ix_block_account_id_issuance_id_first_last (account_id=?"
    )
