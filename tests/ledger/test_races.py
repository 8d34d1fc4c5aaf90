"""Many at once: nothing is lost, doubled or sold twice, and nobody waits for ever."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import ANY

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.ledger.balances import balance
from credits.ledger.models import Block, Entry
from credits.ledger.posting import InsufficientBalance, NotHeld
from tests.ledger.book import broken, issue, move, open_account, post


@pytest.fixture
def seller(session):
    return open_account(session)


class TestRaces:
    AT_ONCE = 8
    ROUNDS = 25

    def race(self, engine, turn):
        """Let everybody do `turn(session, who, round)` in transactions of their own; how each one ended."""
        gate = threading.Barrier(self.AT_ONCE)

        def run(who):
            ended = Counter()
            gate.wait()
            for number in range(self.ROUNDS):
                with Session(engine) as session:
                    begin_writing(session)
                    try:
                        turn(session, who, number)
                        session.commit()
                        ended["done"] += 1
                    except (InsufficientBalance, NotHeld) as refusal:
                        session.rollback()
                        ended[type(refusal).__name__] += 1
            return ended

        with ThreadPoolExecutor(self.AT_ONCE) as threads:
            return sum(threads.map(run, range(self.AT_ONCE), timeout=120), Counter())

    def test_sell_exactly_what_there_is(self, engine, session, seller):
        issued = issue(session, 1_000, seller)
        buyers = [open_account(session) for _ in range(self.AT_ONCE)]
        session.commit()

        ended = self.race(engine, lambda own, who, _: post(own, issued, seller, buyers[who], 7))

        assert ended == {"done": 142, "InsufficientBalance": 58}
        assert balance(session, accounts=[seller]) == 6
        assert balance(session, accounts=[seller, *buyers]) == 1_000
        assert broken(session) == {}

    def test_move_a_serial_once(self, engine, session, seller):
        issued = issue(session, self.ROUNDS * 2, seller)
        buyers = [open_account(session) for _ in range(self.AT_ONCE)]
        session.commit()

        ended = self.race(engine, lambda own, who, n: move(own, issued, (2 * n + 1, 2 * n + 2), seller, buyers[who]))

        assert ended == {"done": self.ROUNDS, "NotHeld": self.ROUNDS * (self.AT_ONCE - 1)}
        assert broken(session) == {}

    def test_pass_serials_round_without_deadlock(self, engine, session):
        accounts = [open_account(session) for _ in range(4)]
        issuances = [issue(session, 60, account) for account in accounts]
        session.commit()

        def turn(own, who, number):
            chance = random.Random(who * 1_000 + number)
            source, target = chance.sample(accounts, 2)
            post(own, chance.choice(issuances), source, target, chance.randint(1, 20))

        ended = self.race(engine, turn)

        assert ended == {"done": ANY, "InsufficientBalance": ANY}
        assert sum(ended.values()) == self.AT_ONCE * self.ROUNDS
        assert ended["done"] > self.ROUNDS
        assert balance(session, accounts=accounts) == 240
        assert broken(session) == {}

    def test_neighbours_split_and_join_without_deadlock(self, engine, session):
        """Everybody works on their own stripe of one issuance, and all of them meet at the edges."""
        first, second = open_account(session), open_account(session)
        issued = issue(session, 10 * self.AT_ONCE, first)
        session.commit()

        def turn(own, who, number):
            source, target = (first, second) if number % 2 == 0 else (second, first)
            move(own, issued, (10 * who + 1, 10 * who + 10), source, target)

        ended = self.race(engine, turn)

        assert ended == {"done": self.AT_ONCE * self.ROUNDS}
        assert balance(session, accounts=[second]) == 10 * self.AT_ONCE
        assert broken(session) == {}

    def test_leave_history_and_present_in_step(self, engine, session, seller):
        issued = issue(session, 500, seller)
        other = open_account(session)
        session.commit()

        self.race(
            engine,
            lambda own, who, n: post(own, issued, *((seller, other) if who % 2 else (other, seller)), 1 + n % 5),
        )

        moved = session.scalar(select(func.count()).select_from(Entry).where(Entry.issuance_id == issued))
        blocks = session.scalar(select(func.count()).select_from(Block).where(Block.issuance_id == issued))
        assert moved >= blocks >= 1
        assert broken(session) == {}
