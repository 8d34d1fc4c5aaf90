"""Every committed event gets one place, whoever writes at the same time, and no writer waits for it."""

import random
import threading
import time
from contextlib import ExitStack

import pytest
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.journal import sequencing
from tests.journal.publishing import append

WRITERS, EACH = 6, 15


class TestPlace:
    def test_gives_places_from_zero_without_a_gap(self, log):
        ids = log.add(3)
        log.publish()
        ids += log.add(2)
        log.publish()

        assert log.places() == {event_id: place for place, event_id in enumerate(ids)}

    def test_leaves_out_what_has_a_place_by_now(self, log):
        ids = log.add(3)
        with Session(log.engine) as session:
            begin_writing(session)
            sequencing.place(session, ids[:2])
            assert sequencing.place(session, ids) == 3
            session.commit()

        assert sorted(log.places().values()) == [0, 1, 2]

    def test_gives_none_to_what_is_taken_back(self, log):
        with Session(log.engine) as session:
            begin_writing(session)
            append(session)
            session.rollback()
        log.add()

        assert log.publish().events == 1
        assert log.audit().findings == []


class TestWithoutPlace:
    def test_finds_what_commits_after_what_came_later(self, log):
        if log.engine.dialect.name == "sqlite":
            pytest.skip("writers follow each other here")
        with ExitStack() as stack:
            slow, quick = (stack.enter_context(Session(log.engine)) for _ in range(2))
            first, second = append(slow), append(quick)
            quick.commit()
            done = log.publish()
            assert log.places() == {second: 0}  # nothing waits for the slow one

            third = log.add()[0]
            done = log.publish(since=done.since)
            slow.commit()
            done = log.publish(since=done.since)

        assert log.places() == {second: 0, third: 1, first: 2}
        assert log.publish(since=done.since).events == 0

    def test_begins_behind_what_is_settled(self, log):
        log.add(5)
        since = log.publish().since
        log.add(2)

        with Session(log.engine) as session:
            assert len(sequencing.without_place(session, since=since).events) == 2
            assert len(sequencing.without_place(session).events) == 2

    def test_finds_savepoints_in_a_transaction_of_an_older_number(self, log):
        with Session(log.engine) as session:
            begin_writing(session)
            append(session)
            with session.begin_nested():
                append(session, number=2)
            if log.engine.dialect.name == "postgresql":
                log.add()
            since = log.publish().since if log.engine.dialect.name == "postgresql" else 0
            session.commit()

        assert log.publish(since=since).events == 2

    def test_misses_and_doubles_nothing_while_many_write(self, log):
        chance = random.Random(7)
        waits = [[chance.random() / 50 for _ in range(EACH)] for _ in range(WRITERS)]
        committed: list[int] = []
        done = threading.Event()

        def write(mine: list[float]) -> None:
            for number, wait in enumerate(mine):
                with Session(log.engine) as session:
                    begin_writing(session)
                    event_id = append(session, number=number)
                    if log.engine.dialect.name == "postgresql":
                        time.sleep(wait)  # so that they commit in another order than they are numbered
                    if number % 5 == 4:
                        session.rollback()
                    else:
                        session.commit()
                        committed.append(event_id)

        def publish() -> None:
            since = 0
            while not done.is_set():
                since = log.publish(since=since).since

        writers = [threading.Thread(target=write, args=(mine,)) for mine in waits]
        publisher = threading.Thread(target=publish)
        for thread in [publisher, *writers]:
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        publisher.join()
        log.publish()

        assert sorted(log.places()) == sorted(committed)
        assert sorted(log.places().values()) == list(range(len(committed)))
        assert log.audit().findings == []
