"""The model in its short form: Hypothesis looks for the shortest story in which the ledger and its model differ."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.ledger import book
from tests.suites import model, trial
from tests.suites.model import ACCOUNTS, LARGEST, Differs, Twins

ANY = st.integers(0, len(ACCOUNTS) - 1)
OWN = st.integers(0, 4)  # accounts out of which serials can be taken again
SERIAL = st.integers(1, LARGEST)


class Story(RuleBasedStateMachine):
    """Steps of the ledger and its model, chosen and then shortened by Hypothesis."""

    engine = None

    def __init__(self):
        super().__init__()
        self.twins = Twins(self.engine)

    def account(self, number):
        return self.twins.accounts[number][0]

    def issuance(self, number):
        return self.twins.live[number % len(self.twins.live)]

    @rule(quantity=SERIAL, into=OWN)
    def issue(self, quantity, into):
        self.twins.issue(quantity, self.account(into))

    @precondition(lambda self: self.twins.live)
    @rule(issuance=st.integers(0, 11), source=ANY, into=ANY, quantity=SERIAL)
    def post(self, issuance, source, into, quantity):
        self.twins.post(self.issuance(issuance), self.account(source), self.account(into), quantity)

    @precondition(lambda self: self.twins.live)
    @rule(issuance=st.integers(0, 11), first=SERIAL, more=st.integers(0, 5), source=ANY, into=ANY)
    def move(self, issuance, first, more, source, into):
        units = (first, first + more)
        self.twins.move(self.issuance(issuance), units, self.account(source), self.account(into))

    @precondition(lambda self: self.twins.live)
    @rule(issuance=st.integers(0, 11), key=st.integers(1, 3), source=OWN, further=st.integers(1, 4), quantity=SERIAL)
    def ask(self, issuance, key, source, further, quantity):
        accounts = self.account(source), self.account((source + further) % 5)
        self.twins.ask(f"key-{key}", self.issuance(issuance), *accounts, quantity)

    @precondition(lambda self: self.twins.live)
    @rule(issuance=st.integers(0, 11), first=SERIAL, more=st.integers(0, LARGEST))
    def look(self, issuance, first, more):
        self.twins.look(self.issuance(issuance), first, first + more)

    @precondition(lambda self: self.twins.live)
    @rule(issuance=st.integers(0, 11))
    def count(self, issuance):
        self.twins.count(self.issuance(issuance))

    @rule()
    def keep(self):
        self.twins.keep()

    @rule()
    def undo(self):
        self.twins.undo()

    def teardown(self):
        self.twins.end()


def test_never_differs(engine, database):
    class Here(Story):
        pass

    Here.engine = engine
    short = settings(
        max_examples=20,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Here, settings=short)

    assert trial.judged(database, []) == []


def test_never_differs_at_random(database):
    ended = model.walk(database, steps=300, seed=7)

    assert ended.total() == 300
    assert ended["post: done"] > 20
    assert trial.judged(database, []) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sees_a_ledger_that_moves_one_too_few(database, monkeypatch):
    post = book.post
    monkeypatch.setattr(book, "post", lambda *place: post(*place[:-1], max(1, place[-1] - 1)))

    with pytest.raises(Differs, match="seed 7"):
        model.walk(database, steps=300, seed=7)
