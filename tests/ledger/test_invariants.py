"""The check behind `flask ledger check`: it sees each kind of damage, planted here past every wall."""

import sqlite3
from contextlib import closing

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credits.ledger.invariants import check, merged, replayed
from credits.ledger.models import AccountKind
from tests.ledger.book import broken, holdings, issue, move, open_account

PROMISES = ["conservation", "tiling", "unissued", "final", "recorded", "replay"]

UNBOUND = ("DROP INDEX uq_block_issuance_id", "DROP INDEX uq_block_issuance_id_next_first")


def damage(session, url, *statements):
    """Run the statements where no trigger, constraint or reference holds any more."""
    session.commit()
    if url.startswith("postgresql"):
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            named = "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype IN ('f', 'c')"
            for table, name in connection.execute(named + " AND connamespace = 'public'::regnamespace").fetchall():
                connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}"')
            for table in ("block", "entry", "posting", "event", "issuance", "account"):
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            for statement in (*UNBOUND, *statements):
                connection.execute(statement)
        return
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("PRAGMA ignore_check_constraints=ON")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in (*UNBOUND, *statements):
        connection.execute(statement)
    connection.close()


@pytest.fixture
def world(session):
    """One issuance of 100: 1–60 available, 61–80 elsewhere, 81–100 retired; and one of 10."""
    one, other, final = open_account(session), open_account(session), open_account(session, AccountKind.RETIRED)
    issued = issue(session, 100, one)
    move(session, issued, (61, 80), one, other)
    move(session, issued, (81, 100), one, final)
    second = issue(session, 10, other)
    return {"one": one, "other": other, "final": final, "i": issued, "j": second}


class TestCheck:
    def test_finds_nothing_where_nothing_is_wrong(self, session, world):
        promises = check(session)

        assert [promise.name for promise in promises] == PROMISES
        assert all(promise.holds for promise in promises)

    def test_finds_nothing_in_an_empty_ledger(self, session):
        assert broken(session) == {}

    @pytest.mark.parametrize(
        "statement, seen",
        [
            ("DELETE FROM block WHERE issuance_id = {i} AND first = 61", {"conservation", "tiling", "replay"}),
            ("DELETE FROM block WHERE issuance_id = {i} AND first = 1", {"conservation", "tiling", "replay"}),
            ("DELETE FROM block WHERE issuance_id = {i} AND first = 81", {"conservation", "tiling", "replay"}),
            ("DELETE FROM block WHERE issuance_id = {i}", {"conservation", "replay"}),
            ("UPDATE block SET last = 70 WHERE issuance_id = {i} AND first = 1", {"conservation", "tiling", "replay"}),
            ("UPDATE block SET last = 50 WHERE issuance_id = {i} AND first = 1", {"conservation", "tiling", "replay"}),
            (
                "UPDATE block SET last = 101 WHERE issuance_id = {i} AND first = 81",
                {"conservation", "tiling", "replay"},
            ),
            ("UPDATE block SET issued = 99 WHERE issuance_id = {i} AND first = 1", {"tiling"}),
            ("UPDATE block SET account_id = {other} WHERE issuance_id = {i} AND first = 1", {"replay"}),
            ("UPDATE block SET account_id = 9999 WHERE issuance_id = {i} AND first = 1", {"replay"}),
            ("INSERT INTO block VALUES ({i}, 100, 101, 110, {one}, NULL)", {"conservation", "tiling", "replay"}),
            ("INSERT INTO block VALUES (9999, 5, 1, 5, {one}, NULL)", {"unissued", "replay"}),
            ("INSERT INTO issuance (id, first, quantity) VALUES (9999, 1, 5)", {"conservation"}),
            ("UPDATE issuance SET quantity = 90 WHERE id = {i}", {"conservation", "tiling"}),
            ("DELETE FROM issuance WHERE id = {i}", {"unissued"}),
            ("UPDATE account SET kind = 'expired' WHERE id = {one}", {"final"}),
            ("DELETE FROM event WHERE id = (SELECT min(event_id) FROM posting)", {"recorded"}),
            ("UPDATE posting SET event_id = 9999 WHERE id = (SELECT max(id) FROM posting)", {"recorded"}),
            ("DELETE FROM posting WHERE id = (SELECT max(id) FROM posting)", {"recorded"}),
            ("DELETE FROM entry WHERE issuance_id = {i} AND first = 61", {"replay"}),
            ("DELETE FROM entry WHERE issuance_id = {j}", {"replay"}),
            ("UPDATE entry SET to_account_id = {other} WHERE first = 81", {"replay"}),
            ("UPDATE entry SET from_account_id = {other} WHERE first = 81", {"replay"}),
            ("UPDATE entry SET from_account_id = {final} WHERE first = 61", {"final", "replay"}),
            ("UPDATE entry SET from_account_id = NULL WHERE first = 61", {"replay"}),
            ("UPDATE entry SET last = 79 WHERE first = 61", {"replay"}),
            ("UPDATE entry SET from_account_id = 9999 WHERE first = 61", {"recorded", "replay"}),
            ("UPDATE entry SET to_account_id = 9999 WHERE first = 61", {"recorded", "replay"}),
        ],
    )
    def test_sees_damage(self, session, database, world, statement, seen):
        damage(session, database, statement.format(**world))

        assert set(broken(session)) == seen

    def test_sees_two_blocks_exchanged_in_number(self, session, database, world):
        """Sums and edges are right, and still the serials are with the wrong people."""
        swap = "CASE account_id WHEN {one} THEN {other} WHEN {other} THEN {one} ELSE account_id END"
        damage(session, database, f"UPDATE block SET account_id = {swap} WHERE issuance_id = {{i}}".format(**world))

        assert broken(session) == {"replay": [f"issuance {world['i']}"]}

    def test_names_at_most_ten_places(self, session, database, world):
        damage(
            session,
            database,
            *(f"INSERT INTO issuance (id, first, quantity) VALUES ({number}, 1, 5)" for number in range(100, 120)),
        )

        assert len(broken(session)["conservation"]) == 10


class TestReplayed:
    @settings(max_examples=60)
    @given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 4)), max_size=40))
    def test_is_what_a_dictionary_would_be(self, asked):
        held = dict.fromkeys(range(1, 41), 1)
        history = [(1, 40, None, 1)]
        for a, b, target in asked:
            first, last = min(a, b), max(a, b)
            sources = {held[serial] for serial in range(first, last + 1)}
            if len(sources) == 1 and sources != {target}:
                history.append((first, last, sources.pop(), target))
                held.update(dict.fromkeys(range(first, last + 1), target))

        assert replayed(history) == merged((serial, serial, account) for serial, account in held.items())

    @pytest.mark.parametrize(
        "history",
        [
            [(1, 10, 1, 2)],
            [(1, 10, None, 1), (1, 5, 2, 3)],
            [(1, 10, None, 1), (5, 11, 1, 2)],
            [(1, 10, None, 1), (5, 6, None, 2)],
            [(1, 10, None, 1), (4, 6, 1, 2), (1, 10, 1, 3)],
        ],
    )
    def test_is_nothing_where_an_entry_takes_what_is_not_there(self, history):
        assert replayed(history) is None

    def test_takes_long_histories_in_its_stride(self):
        """Fifty thousand movements that leave fifty thousand fragments: minutes, were it quadratic."""
        whole = 100_001
        history = [(1, whole, None, 1), *((serial, serial, 1, 2) for serial in range(2, whole, 2))]

        held = replayed(history)

        assert held is not None
        assert len(held) == whole


class TestHoldings:
    def test_are_left_as_they_were(self, session, world):
        before = holdings(session, world["i"])

        check(session)

        assert holdings(session, world["i"]) == before
