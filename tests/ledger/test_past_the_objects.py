"""The ledger on a bare connection: the same movements, events and answers as in a session of objects."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.db import writing
from credits.journal.models import Event, EventSecret
from credits.ledger.claims import KeyReused
from credits.ledger.models import Posting, RequestClaim
from credits.ledger.once import MOST_RANGES
from credits.ledger.posting import InsufficientBalance
from credits.ledger.serials import SerialRange
from tests.ledger.book import broken, holdings, issue, move, open_account, post
from tests.ledger.test_once import post_once, scattered


@pytest.fixture
def market(session):
    """A seller who was issued a hundred units, and a buyer, written down: (seller, buyer, issuance)."""
    seller, buyer = open_account(session), open_account(session)
    issued = issue(session, 100, seller)
    session.commit()
    return seller, buyer, issued


def bodies(session):
    return session.scalars(select(Event.body).order_by(Event.id)).all()


class TestPastTheObjects:
    def test_moves_as_in_a_session_to_the_byte(self, engine, session, market):
        seller, buyer, issued = market

        with writing(engine) as connection, connection.begin():
            bare = post_once(connection, issued, seller, buyer, 30)
        with Session(engine) as by_objects:
            post_once(by_objects, issued, buyer, seller, 30, key="key-2")
            post_once(by_objects, issued, seller, buyer, 30, key="key-3")
            by_objects.commit()

        assert bare.ranges == {issued: [SerialRange(1, 30)]}
        first, _, third = bodies(session)[-3:]
        assert first == third
        assert holdings(session, issued) == [(1, 30, buyer), (31, 100, seller)]
        assert broken(session) == {}

    def test_answers_the_same_request_again_on_either(self, engine, session, market):
        seller, buyer, issued = market
        with writing(engine) as connection, connection.begin():
            made = post_once(connection, issued, seller, buyer, 30)

        with writing(engine) as connection, connection.begin():
            again = post_once(connection, issued, seller, buyer, 30)
        by_objects = post_once(session, issued, seller, buyer, 30)

        assert again.again == by_objects.again == {"posting": made.id}
        assert holdings(session, issued) == [(1, 30, buyer), (31, 100, seller)]

    def test_refuses_another_request_under_the_key(self, engine, session, market):
        seller, buyer, issued = market
        with writing(engine) as connection, connection.begin():
            post_once(connection, issued, seller, buyer, 5)

        with pytest.raises(KeyReused) as refusal, writing(engine) as connection, connection.begin():
            post_once(connection, issued, seller, buyer, 6)

        assert refusal.value.detail["differs_in"] == ["quantity"]

    def test_leaves_nothing_of_what_is_refused(self, engine, session, market):
        seller, buyer, issued = market
        before = bodies(session)
        session.rollback()

        def ask_for_too_much():
            with writing(engine) as connection, connection.begin():
                post_once(connection, issued, seller, buyer, 60)
                post_once(connection, issued, seller, buyer, 60, key="key-2")

        with pytest.raises(InsufficientBalance) as refusal:
            ask_for_too_much()

        assert refusal.value.available == 40
        assert (bodies(session), holdings(session, issued)) == (before, [(1, 100, seller)])
        assert session.scalars(select(func.count()).select_from(RequestClaim)).one() == 0

    def test_takes_more_ranges_than_a_trip_writes_and_keeps_private_fields_apart(self, engine, session, market):
        seller, buyer, _ = market
        many = scattered(session, seller, buyer, MOST_RANGES + 1)
        session.commit()

        with writing(engine) as connection, connection.begin():
            made = post_once(connection, many, buyer, seller, 302, private={"reason": "Nobody else's."})

        assert sum(each.units.quantity for each in made.moves) == 302
        event = session.scalars(select(Posting.event_id).where(Posting.id == made.id)).one()
        assert session.scalars(select(EventSecret.value).where(EventSecret.event_id == event)).all() == [
            "Nobody else's."
        ]
        assert post_once(session, many, buyer, seller, 302).again == {"posting": made.id}
        assert broken(session) == {}

    def test_issues_moves_and_settles_step_by_step(self, engine, session, market):
        seller, buyer, _ = market
        asked = {"caller": "ORG-000001", "key": "steps", "request": {"act": "issue"}}

        with writing(engine) as connection, connection.begin():
            assert ledger.claim(connection, **asked) is None
            second = issue(connection, 10, seller)
            move(connection, second, (4, 6), seller, buyer)
            post(connection, second, seller, buyer, 5)
            ledger.settle(connection, {"issuance": second})
        with writing(engine) as connection, connection.begin():
            told = ledger.claim(connection, **asked)

        assert told == {"issuance": second}
        assert holdings(session, second) == [(1, 8, buyer), (9, 10, seller)]
        assert broken(session) == {}

    def test_undoes_all_where_something_fails_later(self, engine, session, market):
        seller, buyer, issued = market

        def fail_half_way():
            with writing(engine) as connection, connection.begin():
                post_once(connection, issued, seller, buyer, 30)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail_half_way()

        assert holdings(session, issued) == [(1, 100, seller)]
        with writing(engine) as connection, connection.begin():
            assert post_once(connection, issued, seller, buyer, 30).again is None
