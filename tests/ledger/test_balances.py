"""What stands where, and how it came to be there."""

import pytest
from sqlalchemy import event

from credits.ledger.balances import Standing, balance, balances_by_issuance, standings
from credits.ledger.serials import SerialRange
from tests.ledger.book import issue, move, open_account


@pytest.fixture
def one(session):
    return open_account(session)


@pytest.fixture
def other(session):
    return open_account(session)


@pytest.fixture
def issued(session, one, other):
    """Serials 1 to 100: 41–60 with the other, the rest with the one."""
    issued = issue(session, 100, one)
    move(session, issued, (41, 60), one, other)
    return issued


class TestBalance:
    def test_adds_up_blocks(self, session, one, other, issued):
        second = issue(session, 7, other)

        assert balance(session, accounts=[one]) == 80
        assert balance(session, accounts=[one, other]) == 107
        assert balance(session, accounts=[one, other], issuance_id=second) == 7

    def test_is_nothing_for_nobody(self, session, issued):
        assert balance(session, accounts=[]) == 0
        assert balance(session, accounts=[9_999]) == 0
        assert balance(session, accounts=[9_999], issuance_id=9_999) == 0

    def test_by_issuance_leaves_out_what_is_not_held(self, session, one, other, issued):
        second = issue(session, 7, other)

        assert balances_by_issuance(session, accounts=[one, other]) == {
            (one, issued): 80,
            (other, issued): 20,
            (other, second): 7,
        }
        assert balances_by_issuance(session, accounts=[]) == {}


class TestStandings:
    def test_are_cut_to_the_range_that_was_asked(self, session, one, other, issued):
        found = standings(session, issuance_id=issued, units=SerialRange(30, 50), limit=10)

        assert found == [Standing(issued, SerialRange(30, 40), one), Standing(issued, SerialRange(41, 50), other)]

    def test_are_no_more_than_asked(self, session, issued):
        assert len(standings(session, issuance_id=issued, units=SerialRange(1, 100), limit=2)) == 2
        assert standings(session, issuance_id=issued, units=SerialRange(101, 200), limit=2) == []

    @pytest.mark.parametrize("serial", [1, 40, 41, 60, 61, 100])
    def test_find_any_one_serial(self, session, one, other, issued, serial):
        holder = other if 41 <= serial <= 60 else one
        units = SerialRange(serial, serial)

        assert standings(session, issuance_id=issued, units=units, limit=9) == [Standing(issued, units, holder)]

    def test_are_nowhere_where_nothing_was_issued(self, session, issued):
        assert standings(session, issuance_id=9_999, units=SerialRange(1, 1), limit=9) == []

    def test_begin_with_one_look_into_the_index(self, session, engine, one, issued):
        """On SQLite, which tells how: the first block is searched by both of its keys, and so are those above it."""
        if engine.dialect.name != "sqlite":
            pytest.skip("PostgreSQL plans by how many rows there are")
        asked = []
        event.listen(engine, "before_cursor_execute", lambda *said: asked.append(said[2:4]))
        standings(session, issuance_id=issued, units=SerialRange(90, 90), limit=9)
        (statement, values), *_ = asked

        plan = [row[-1] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]

        searches = [step for step in plan if step.startswith("SEARCH")]
        assert len(searches) == 2
        assert not [step for step in plan if step.startswith("SCAN")]
        assert "first>? AND first<?" in searches[0]
        assert "first<?" in searches[1]
