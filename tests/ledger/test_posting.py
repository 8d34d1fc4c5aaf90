"""Issuing and moving serials, one at a time and many at once."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from credits import ledger
from credits.db import begin_writing
from credits.journal.models import Event
from credits.ledger import posting
from credits.ledger.balances import balance, balances_by_issuance
from credits.ledger.models import TERMINAL, AccountKind, Posting
from credits.ledger.posting import BadQuantity, InsufficientBalance, NotHeld
from credits.ledger.serials import LARGEST, BadSerial, SerialRange
from tests.ledger.book import AT, broken, holdings, issue, move, open_account, post, recording

BAD_QUANTITIES = [0, -1, True, False, LARGEST + 1, 2**63, 2**64, 1.0, 2.5, float("nan"), float("inf"), "7", None, b"1"]


@pytest.fixture
def seller(session):
    return open_account(session)


@pytest.fixture
def buyer(session):
    return open_account(session)


@pytest.fixture
def issued(session, seller):
    """Serials 1 to 100 in the seller's account."""
    return issue(session, 100, seller)


class TestIssue:
    def test_puts_every_serial_into_one_account(self, session, seller, issued):
        assert holdings(session, issued) == [(1, 100, seller)]
        session.commit()
        assert broken(session) == {}

    @pytest.mark.parametrize("quantity", BAD_QUANTITIES, ids=repr)
    def test_refuses_bad_quantities(self, session, seller, quantity):
        with pytest.raises(BadQuantity):
            issue(session, quantity, seller)

    def test_takes_the_largest_quantity_and_moves_its_last_serial(self, session, seller, buyer):
        issued = issue(session, LARGEST, seller)
        move(session, issued, (LARGEST, LARGEST), seller, buyer)
        post(session, issued, seller, buyer, LARGEST - 1)
        session.commit()

        assert holdings(session, issued) == [(1, LARGEST, buyer)]
        assert broken(session) == {}

    def test_gives_each_issuance_its_own_serials(self, session, seller):
        first, second = issue(session, 5, seller), issue(session, 7, seller)

        assert balances_by_issuance(session, accounts=[seller]) == {(seller, first): 5, (seller, second): 7}
        assert balance(session, accounts=[seller]) == 12


class TestPick:
    def test_looks_again_where_enough_came_back_meanwhile(self, session, seller, buyer, issued, monkeypatch):
        post(session, issued, seller, buyer, 95)
        counted = posting.balance

        def somebody_gives_back(*asked, **more):
            monkeypatch.setattr(posting, "balance", counted)
            move(session, issued, (1, 50), buyer, seller)
            return counted(*asked, **more)

        monkeypatch.setattr(posting, "balance", somebody_gives_back)

        assert posting.pick(session, issuance_id=issued, source=seller, quantity=20) == [SerialRange(1, 20)]


class TestPost:
    def test_moves_the_lowest_serials_first(self, session, seller, buyer, issued):
        posting = post(session, issued, seller, buyer, 30)

        assert holdings(session, issued) == [(1, 30, buyer), (31, 100, seller)]
        assert posting.ranges == {issued: [SerialRange(1, 30)]}

    def test_gathers_what_is_scattered(self, session, seller, buyer, issued):
        for first in (10, 30, 50):
            move(session, issued, (first, first + 4), seller, buyer)

        posting = post(session, issued, buyer, seller, 12)

        taken = [SerialRange(10, 14), SerialRange(30, 34), SerialRange(50, 51)]
        assert posting.ranges == {issued: taken}
        assert holdings(session, issued) == [(1, 51, seller), (52, 54, buyer), (55, 100, seller)]

    def test_joins_what_meets_again(self, session, seller, buyer, issued):
        for first in range(1, 100, 2):
            move(session, issued, (first, first), seller, buyer)
        assert len(holdings(session, issued)) == 100

        post(session, issued, buyer, seller, 50)
        session.commit()

        assert holdings(session, issued) == [(1, 100, seller)]
        assert broken(session) == {}

    def test_crosses_more_blocks_than_it_locks_at_a_time(self, session, seller, buyer):
        issued = issue(session, 1_000, seller)
        apart = [ledger.Move(issued, SerialRange(n, n), seller, buyer) for n in range(1, 1_001, 2)]
        ledger.move(session, apart, at=AT, record=recording(session))

        post(session, issued, buyer, seller, 499)

        assert holdings(session, issued) == [(1, 998, seller), (999, 999, buyer), (1_000, 1_000, seller)]

    def test_writes_an_event_with_each_posting(self, session, seller, buyer, issued):
        posting = post(session, issued, seller, buyer, 1)

        event = session.get_one(Event, session.get_one(Posting, posting.id).event_id)
        assert (event.kind, event.at) == ("test.moved", AT)

    def test_refuses_more_than_is_held(self, session, seller, buyer, issued):
        post(session, issued, seller, buyer, 30)

        with pytest.raises(InsufficientBalance) as refusal:
            post(session, issued, seller, buyer, 71)

        assert refusal.value.detail == {"asked": 71, "available": 70}
        assert holdings(session, issued) == [(1, 30, buyer), (31, 100, seller)]

    def test_refuses_serials_of_another_issuance(self, session, seller, buyer, issued):
        issue(session, 500, seller)

        with pytest.raises(InsufficientBalance, match="Only 100"):
            post(session, issued, seller, buyer, 101)

    @pytest.mark.parametrize("quantity", BAD_QUANTITIES, ids=repr)
    def test_refuses_bad_quantities(self, session, seller, buyer, issued, quantity):
        with pytest.raises(BadQuantity):
            post(session, issued, seller, buyer, quantity)

        assert holdings(session, issued) == [(1, 100, seller)]

    def test_refuses_a_transfer_to_the_same_account(self, session, seller, issued):
        with pytest.raises(IntegrityError):
            post(session, issued, seller, seller, 10)

    def test_refuses_an_account_that_does_not_exist(self, session, seller, issued):
        with pytest.raises(IntegrityError):
            post(session, issued, seller, 999_999, 10)

    @pytest.mark.parametrize("kind", TERMINAL)
    def test_takes_nothing_out_of_what_is_final(self, session, seller, issued, kind):
        gone = open_account(session, kind)
        post(session, issued, seller, gone, 10)
        session.commit()
        begin_writing(session)

        with pytest.raises(IntegrityError, match="are final"):
            post(session, issued, gone, seller, 1)
        session.rollback()

        assert holdings(session, issued) == [(1, 10, gone), (11, 100, seller)]

    @pytest.mark.parametrize("kind", [kind for kind in AccountKind if kind not in TERMINAL])
    def test_takes_serials_back_out_of_every_other_account(self, session, seller, issued, kind):
        there = open_account(session, kind)

        post(session, issued, seller, there, 10)
        post(session, issued, there, seller, 10)

        assert holdings(session, issued) == [(1, 100, seller)]

    def test_writes_nothing_when_the_event_cannot_be_written(self, session, seller, buyer, issued):
        session.commit()
        begin_writing(session)

        told = ledger.Told({"kind": "k", "subject": "S", "actor": "a", "at": AT, "body": None}, False, lambda *_: None)

        with pytest.raises(IntegrityError):
            ledger.post(
                session, issuance_id=issued, source=seller, target=buyer, quantity=1, at=AT, record=lambda _: told
            )
        session.rollback()

        assert session.scalar(select(func.count(Posting.id))) == 1


class TestMove:
    def test_moves_exactly_the_named_serials(self, session, seller, buyer, issued):
        move(session, issued, (40, 60), seller, buyer)

        assert holdings(session, issued) == [(1, 39, seller), (40, 60, buyer), (61, 100, seller)]

    def test_joins_on_both_sides(self, session, seller, buyer, issued):
        move(session, issued, (40, 60), seller, buyer)
        move(session, issued, (40, 60), buyer, seller)

        assert holdings(session, issued) == [(1, 100, seller)]

    def test_refuses_a_range_with_a_hole(self, session, seller, buyer, issued):
        move(session, issued, (40, 60), seller, buyer)

        with pytest.raises(NotHeld):
            move(session, issued, (30, 70), seller, buyer)

    def test_moves_several_issuances_under_one_event(self, session, seller, buyer, issued):
        other = issue(session, 10, seller)
        moves = [
            ledger.Move(other, SerialRange(3, 4), seller, buyer),
            ledger.Move(issued, SerialRange(90, 100), seller, buyer),
            ledger.Move(issued, SerialRange(1, 5), seller, buyer),
        ]

        posting = ledger.move(session, moves, at=AT, record=recording(session))

        assert posting.ranges == {
            issued: [SerialRange(1, 5), SerialRange(90, 100)],
            other: [SerialRange(3, 4)],
        }

    @pytest.mark.parametrize("units", [(100, 101), (101, 101), (5, 2**52)])
    def test_refuses_what_is_not_there(self, session, seller, buyer, issued, units):
        with pytest.raises(NotHeld):
            move(session, issued, units, seller, buyer)

    def test_refuses_what_another_holds(self, session, seller, buyer, issued):
        with pytest.raises(NotHeld) as refusal:
            move(session, issued, (1, 1), buyer, seller)

        assert refusal.value.detail == {"first": 1, "last": 1}

    def test_moves_all_or_nothing(self, session, seller, buyer, issued):
        moves = [
            ledger.Move(issued, SerialRange(1, 5), seller, buyer),
            ledger.Move(issued, SerialRange(50, 51), buyer, seller),
        ]

        with pytest.raises(NotHeld):
            ledger.move(session, moves, at=AT, record=recording(session))

        assert holdings(session, issued) == [(1, 100, seller)]

    def test_refuses_a_serial_named_twice(self, session, seller, buyer, issued):
        moves = [ledger.Move(issued, SerialRange(*ends), seller, buyer) for ends in [(1, 10), (10, 12)]]

        with pytest.raises(BadSerial, match="share"):
            ledger.move(session, moves, at=AT, record=recording(session))


class TestAgainstADictionary:
    """Whatever is asked, the blocks are what a dictionary from serial to account would be."""

    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(
        asked=st.lists(
            st.one_of(
                st.tuples(st.just("post"), st.integers(0, 3), st.integers(0, 3), st.integers(1, 25)),
                st.tuples(
                    st.just("move"),
                    st.integers(0, 3),
                    st.integers(0, 3),
                    st.tuples(st.integers(1, 40), st.integers(1, 40)),
                ),
            ),
            max_size=25,
        )
    )
    def test_after_any_movements(self, session, asked):
        accounts = [open_account(session) for _ in range(3)] + [open_account(session, AccountKind.RETIRED)]
        issued = issue(session, 40, accounts[0])
        model = dict.fromkeys(range(1, 41), accounts[0])
        for verb, a, b, what in asked:
            source, target = accounts[a], accounts[b]
            held = [serial for serial, account in model.items() if account == source]
            if verb == "post":
                taken = held[:what]
                sound = len(taken) == what
            else:
                first, last = sorted(what)
                taken = list(range(first, last + 1))
                sound = set(taken) <= set(held)
            attempt = session.begin_nested()
            try:
                if verb == "post":
                    post(session, issued, source, target, what)
                else:
                    move(session, issued, (taken[0], taken[-1]), source, target)
            except (InsufficientBalance, NotHeld):
                attempt.rollback()
                assert not sound
            except IntegrityError:
                attempt.rollback()
                assert sound
                assert source == target or a == 3
            else:
                attempt.commit()
                assert sound
                model.update(dict.fromkeys(taken, target))
            assert self.as_dictionary(session, issued) == model
        session.commit()
        assert broken(session) == {}
        self.joined(session, issued)
        begin_writing(session)

    def as_dictionary(self, session, issued):
        return {
            serial: account for first, last, account in holdings(session, issued) for serial in range(first, last + 1)
        }

    def joined(self, session, issued):
        blocks = holdings(session, issued)
        assert all(left[2] != right[2] for left, right in itertools.pairwise(blocks))
