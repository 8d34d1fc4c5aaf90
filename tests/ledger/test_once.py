"""Posting once for a key: in one trip it comes to the same, to the byte, as claiming and posting step by step."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from credits import ledger
from credits.db import begin_writing, engine_settings, sqlalchemy_url
from credits.errors import Conflict
from credits.journal import events
from credits.journal.models import Event, EventSecret
from credits.ledger.claims import KeyReused
from credits.ledger.models import Posting, RequestClaim
from credits.ledger.once import MOST_RANGES
from credits.ledger.posting import BadQuantity, InsufficientBalance
from credits.ledger.serials import LARGEST, SerialRange
from credits.registry.telling import serials_told
from tests.ledger.book import AT, balance_of, broken, holdings, issue, move, open_account

NUMBER = "ASMC-CO-COD-KAM001-2026-0042"
REQUEST = {"act": "transfer", "note": "Volta Motors – 電気"}


@pytest.fixture
def seller(session):
    return open_account(session)


@pytest.fixture
def buyer(session):
    return open_account(session)


def recording(session, issuance_id, private=None, number=NUMBER):
    def record(moves):
        facts = {"a": '"serials":[]', "to": "Volta – 電気"} | serials_told({issuance_id: number}, moves)
        return events.drafted(
            session, kind="moved", subject="S-1", actor="USR-1", at=AT, facts=facts, private=private or {}
        )

    return record


def post_once(session, issued, source, target, quantity, *, key="key-1", caller="ORG-000001", private=None, **other):
    return ledger.post_once(
        session,
        ledger.Wanted(issued, NUMBER, source, target, quantity),
        caller=caller,
        key=key,
        request=REQUEST | {"quantity": quantity} | other,
        at=AT,
        record=recording(session, issued, private),
    )


def last_event(session):
    return session.scalars(select(Event).order_by(Event.id.desc())).first()


def scattered(session, seller, buyer, pieces, length=3):
    """An issuance of which the buyer holds so many pieces, each apart from the next."""
    issued = issue(session, 2 * pieces * length, seller)
    for place in range(pieces):
        move(session, issued, (2 * place * length + 1, (2 * place + 1) * length), seller, buyer)
    return issued


class TestPostOnce:
    def test_moves_the_lowest_serials_and_answers_for_ever(self, session, seller, buyer):
        issued = issue(session, 100, seller)

        made = post_once(session, issued, seller, buyer, 30)
        session.commit()
        begin_writing(session)
        asked_again = post_once(session, issued, seller, buyer, 30)

        assert (made.again, made.ranges) == (None, {issued: [SerialRange(1, 30)]})
        assert (asked_again.id, asked_again.again, asked_again.moves) == (made.id, {"posting": made.id}, ())
        assert holdings(session, issued) == [(1, 30, buyer), (31, 100, seller)]
        assert session.scalars(select(Posting.id).where(Posting.id == made.id)).all() == [made.id]
        assert ledger.claim(session, caller="ORG-000001", key="key-1", request=REQUEST | {"quantity": 30}) == {
            "posting": made.id
        }
        session.commit()
        assert broken(session) == {}

    @pytest.mark.parametrize(
        ("pieces", "quantity"),
        [(1, 2), (1, 3), (4, 7), (4, 12), (MOST_RANGES, 3 * MOST_RANGES), (MOST_RANGES + 1, 302)],
    )
    def test_writes_what_the_journal_would_have_written(self, session, seller, buyer, pieces, quantity):
        issued = scattered(session, seller, buyer, pieces)

        made = post_once(session, issued, buyer, seller, quantity)

        assert last_event(session).body == recording(session, issued)(made.moves).row["body"]
        assert sum(move.units.quantity for move in made.moves) == quantity
        noted = events.appended(session, ["moved"])
        assert [(each.id, each.body) for each in noted] == [(last_event(session).id, last_event(session).body)]
        assert balance_of(session, buyer) == 3 * pieces - quantity
        session.commit()
        assert broken(session) == {}

    @pytest.mark.parametrize("first", [1, 999_999_999, 1_000_000_000, 123_456_789_012, LARGEST - 9])
    def test_writes_every_serial_as_it_is_checked(self, session, seller, buyer, first):
        issued = issue(session, LARGEST, seller)
        if first > 1:
            post_once(session, issued, seller, open_account(session), first - 1, key="before")

        made = post_once(session, issued, seller, buyer, 10)

        assert made.ranges == {issued: [SerialRange(first, first + 9)]}
        assert last_event(session).body == recording(session, issued)(made.moves).row["body"]

    def test_keeps_private_fields_apart(self, session, seller, buyer):
        issued = issue(session, 100, seller)

        made = post_once(session, issued, seller, buyer, 5, private={"reason": "Nobody else's business."})

        event = last_event(session)
        assert b"business" not in event.body
        assert b'"hashed":{"reason":' in event.body
        assert session.scalars(select(EventSecret.value).where(EventSecret.event_id == event.id)).all() == [
            "Nobody else's business."
        ]
        assert session.get_one(Posting, made.id).event_id == event.id
        again = ledger.claim(session, caller="ORG-000001", key="key-1", request=REQUEST | {"quantity": 5})
        assert again == {"posting": made.id}

    def test_refuses_another_request_under_the_key(self, session, seller, buyer):
        issued = issue(session, 100, seller)
        post_once(session, issued, seller, buyer, 5)

        with pytest.raises(KeyReused) as refusal:
            post_once(session, issued, seller, buyer, 6)

        assert refusal.value.detail == {"differs_in": ["quantity"]}
        assert post_once(session, issued, seller, buyer, 6, caller="ORG-000002").again is None

    def test_says_what_there_is_where_it_is_too_little_and_says_it_again(self, session, seller, buyer):
        issued = issue(session, 100, seller)
        session.commit()
        begin_writing(session)

        with pytest.raises(InsufficientBalance) as refusal:
            post_once(session, issued, seller, buyer, 101)
        ledger.remember_refusal(session, refusal.value)
        begin_writing(session)
        post_once(session, issued, seller, buyer, 60, key="in between")

        with pytest.raises(Conflict) as again:
            post_once(session, issued, seller, buyer, 101)

        assert refusal.value.detail == {"asked": 101, "available": 100}
        assert (again.value.code, again.value.detail) == ("insufficient_balance", refusal.value.detail)

    @pytest.mark.parametrize("quantity", [0, -1, 2**53, 2**63, 1.0, None, True])
    def test_refuses_bad_quantities(self, session, seller, buyer, quantity):
        issued = issue(session, 100, seller)

        with pytest.raises(BadQuantity):
            post_once(session, issued, seller, buyer, quantity)

    def test_is_stopped_by_the_database_like_everything_else(self, session, seller):
        issued = issue(session, 100, seller)

        with pytest.raises(IntegrityError):
            post_once(session, issued, seller, seller, 5)

    def test_leaves_nothing_of_a_refusal_that_comes_after_it(self, session, seller, buyer):
        issued = issue(session, 100, seller)
        session.commit()
        begin_writing(session)
        post_once(session, issued, seller, buyer, 5)

        ledger.remember_refusal(session, Conflict("Suspended."))

        assert holdings(session, issued) == [(1, 100, seller)]
        kept = session.scalars(select(RequestClaim.answer).where(RequestClaim.key == "key-1")).one()
        assert kept["refusal"]["message"] == "Suspended."

    def test_remembers_a_refusal_that_comes_after_many_ranges(self, session, seller, buyer):
        issued = scattered(session, seller, buyer, MOST_RANGES + 1)
        session.commit()
        begin_writing(session)
        post_once(session, issued, buyer, seller, 3 * MOST_RANGES + 1)

        ledger.remember_refusal(session, Conflict("Suspended."))

        assert balance_of(session, buyer) == 3 * MOST_RANGES + 3
        kept = session.scalars(select(RequestClaim.answer).where(RequestClaim.key == "key-1")).one()
        assert kept["refusal"]["message"] == "Suspended."

    def test_is_carried_out_once_however_many_ask_at_once(self, engine, session, seller, buyer):
        issued = issue(session, 100, seller)
        session.commit()
        gate = threading.Barrier(8)

        def ask(_):
            with Session(engine) as mine:
                gate.wait()
                begin_writing(mine)
                made = post_once(mine, issued, seller, buyer, 60)
                mine.commit()
                return made.id, made.again is not None

        with ThreadPoolExecutor(8) as crowd:
            told = list(crowd.map(ask, range(8)))

        assert len({posting for posting, _ in told}) == 1
        assert sorted(again for _, again in told) == [False] + [True] * 7
        assert holdings(session, issued) == [(1, 60, buyer), (61, 100, seller)]

    def test_is_numbered_when_its_turn_comes(self, engine, session, seller, buyer):
        """Whoever waited has moved last, and history says so: postings are read in the order of their numbers."""
        issued = issue(session, 100, seller)
        session.commit()
        waiting = threading.Event()

        def wait_and_move():
            with Session(engine) as mine:
                waiting.set()
                begin_writing(mine)
                made = post_once(mine, issued, seller, buyer, 10, key="waited")
                mine.commit()
                return made.id

        with Session(engine) as busy, ThreadPoolExecutor(1) as crowd:
            begin_writing(busy)
            post_once(busy, issued, seller, buyer, 5, key="came first")
            waited = crowd.submit(wait_and_move)
            waiting.wait()
            time.sleep(0.3)  # until it stands behind us
            between = move(busy, issued, (1, 5), buyer, seller).id
            busy.commit()
            assert waited.result() > between

        assert broken(session) == {}

    def test_lets_a_lost_connection_go(self, postgresql_server, postgresql_template):
        url = sqlalchemy_url(postgresql_server.fresh_database(postgresql_template))
        engine = create_engine(url, **engine_settings(url))
        with Session(engine) as session, engine.connect() as other:
            seller, buyer = open_account(session), open_account(session)
            issued = issue(session, 100, seller)
            session.commit()
            begin_writing(session)
            number = session.scalar(text("SELECT pg_backend_pid()"))
            other.execute(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})

            with pytest.raises(OperationalError) as error:
                post_once(session, issued, seller, buyer, 5)

            assert error.value.connection_invalidated
            begin_writing(session)
            assert post_once(session, issued, seller, buyer, 5).again is None
        engine.dispose()
