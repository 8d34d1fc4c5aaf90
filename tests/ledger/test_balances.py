"""What stands where, and how it came to be there."""

import pytest

from credits.ledger.balances import Standing, balance, balances_by_issuance, movements, standing_at, standings
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


class TestStandingAt:
    def test_finds_the_block_of_a_serial(self, session, one, other, issued):
        for serial, ends, account in [
            (1, (1, 40), one),
            (40, (1, 40), one),
            (41, (41, 60), other),
            (100, (61, 100), one),
        ]:
            found = standing_at(session, issuance_id=issued, serial=serial)
            assert found == Standing(issued, SerialRange(*ends), account)

    @pytest.mark.parametrize("serial", [-1, 0, 101, 2**63 - 1])
    def test_finds_nothing_that_was_not_issued(self, session, issued, serial):
        assert standing_at(session, issuance_id=issued, serial=serial) is None
        assert standing_at(session, issuance_id=9_999, serial=1) is None


class TestStandings:
    def test_are_cut_to_the_range_that_was_asked(self, session, one, other, issued):
        found = standings(session, issuance_id=issued, units=SerialRange(30, 50), limit=10)

        assert found == [Standing(issued, SerialRange(30, 40), one), Standing(issued, SerialRange(41, 50), other)]

    def test_are_no_more_than_asked(self, session, issued):
        assert len(standings(session, issuance_id=issued, units=SerialRange(1, 100), limit=2)) == 2
        assert standings(session, issuance_id=issued, units=SerialRange(101, 200), limit=2) == []


class TestMovements:
    def test_tell_the_newest_first(self, session, one, other, issued):
        move(session, issued, (50, 55), other, one)

        told = movements(session, issuance_id=issued, units=SerialRange(52, 52), limit=10)

        assert [(m.units, m.source, m.target) for m in told] == [
            (SerialRange(50, 55), other, one),
            (SerialRange(41, 60), one, other),
            (SerialRange(1, 100), None, one),
        ]
        assert len({m.event_id for m in told}) == 3

    def test_leave_out_what_others_went_through(self, session, issued):
        assert len(movements(session, issuance_id=issued, units=SerialRange(1, 40), limit=10)) == 1
        assert len(movements(session, issuance_id=issued, units=SerialRange(1, 41), limit=1)) == 1
