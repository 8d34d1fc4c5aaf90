"""Idempotency keys: whoever asks twice is answered once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits import ledger
from credits.db import begin_writing
from credits.errors import Conflict, CreditsError, Invalid, Missing, NotAllowed
from credits.ledger.claims import LONGEST_KEY, KeyBusy, KeyReused, KeyUnusable
from credits.ledger.models import Account, RequestClaim
from credits.ledger.posting import InsufficientBalance
from tests.ledger.book import balance_of, broken, holdings, issue, open_account, post

REQUEST = {"issuance": "CO-1", "quantity": 10, "range": [1, 10], "beneficiary": "Volta Motors – 電気"}


def claim(session, key="key-1", caller="ORG-000001", **other):
    return ledger.claim(session, caller=caller, key=key, request=REQUEST | other)


def settled(session, key="key-1", result=None):
    assert claim(session, key) is None
    ledger.settle(session, result or {"retirement": "RET-000001"})
    session.commit()
    begin_writing(session)


class TestClaim:
    def test_is_ours_the_first_time(self, session):
        assert claim(session) is None

    def test_gives_the_same_answer_to_the_same_request(self, session):
        settled(session)

        assert claim(session) == {"retirement": "RET-000001"}
        assert claim(session) == {"retirement": "RET-000001"}

    def test_refuses_another_request_and_names_what_differs(self, session):
        settled(session)

        with pytest.raises(KeyReused) as refusal:
            claim(session, quantity=11, note="new")

        assert refusal.value.detail == {"differs_in": ["note", "quantity"]}
        assert "note, quantity" in refusal.value.message

    def test_belongs_to_its_caller(self, session):
        settled(session)

        assert claim(session, caller="ORG-000002", quantity=11) is None

    def test_tells_apart_keys_that_look_alike(self, session):
        settled(session, "key")

        for other in ("Key", "key ", " key", "ｋｅｙ"):
            assert claim(session, other) is None
            ledger.settle(session, {})

    @pytest.mark.parametrize(
        "key", ["", "k" * (LONGEST_KEY + 1), "a\x00b", "\ud800", "a\nb", "\x7f"], ids=lambda key: ascii(key[:5])
    )
    def test_refuses_an_unusable_key(self, session, key):
        with pytest.raises(KeyUnusable):
            claim(session, key)

    def test_takes_the_longest_key(self, session):
        assert claim(session, "ü" * LONGEST_KEY) is None

    def test_takes_any_text_that_a_person_can_send(self, session):
        """Even half a character: that the operation behind it may refuse, and the refusal is remembered."""
        assert claim(session, purpose="\ud800 \x00 \u2028") is None
        ledger.remember_refusal(session, Invalid("No.", text="\ud800\x00"))
        begin_writing(session)

        with pytest.raises(Invalid) as refusal:
            claim(session, purpose="\ud800 \x00 \u2028")

        assert refusal.value.detail == {"text": "\ud800\x00"}

    def test_says_so_when_an_earlier_one_never_ended(self, session):
        claim(session)
        session.commit()
        begin_writing(session)

        with pytest.raises(KeyBusy):
            claim(session)

    def test_is_free_again_after_a_crash(self, engine, session):
        claim(session)
        session.flush()
        session.close()  # the connection is lost, nothing was committed

        with Session(engine) as again:
            begin_writing(again)
            assert claim(again) is None


class TestRememberRefusal:
    @pytest.mark.parametrize("family", [Invalid, NotAllowed, Missing, Conflict])
    def test_raises_the_same_refusal_again(self, session, family):
        class Particular(family):
            code = "very_particular"

        claim(session)
        ledger.remember_refusal(session, Particular("Only 3 are left – désolé.", left=3, of=[1, 2]))
        begin_writing(session)

        with pytest.raises(family) as refusal:
            claim(session)

        assert refusal.value.code == "very_particular"
        assert refusal.value.message == str(refusal.value) == "Only 3 are left – désolé."
        assert refusal.value.detail == {"left": 3, "of": [1, 2]}

    def test_undoes_what_was_begun(self, session):
        claim(session)
        account = open_account(session)
        ledger.remember_refusal(session, Conflict("No."))

        assert session.get(Account, account) is None
        assert session.scalars(select(RequestClaim.key)).all() == ["key-1"]

    def test_undoes_open_savepoints_too(self, session):
        claim(session)
        session.begin_nested()
        account = open_account(session)
        ledger.remember_refusal(session, Conflict("No."))

        assert session.get(Account, account) is None
        begin_writing(session)
        with pytest.raises(Conflict, match="No"):
            claim(session)

    def test_works_after_the_database_refused(self, session):
        seller = open_account(session)
        issued = issue(session, 10, seller)
        session.commit()
        begin_writing(session)
        claim(session)
        with pytest.raises(IntegrityError):
            post(session, issued, seller, seller, 1)
        ledger.remember_refusal(session, Conflict("To whom?"))
        begin_writing(session)

        with pytest.raises(Conflict, match="To whom"):
            claim(session)

    def test_leaves_another_requests_answer_alone(self, session):
        settled(session)
        with pytest.raises(KeyReused) as reused:
            claim(session, quantity=11)
        ledger.remember_refusal(session, reused.value)
        begin_writing(session)

        assert claim(session) == {"retirement": "RET-000001"}

    def test_remembers_nothing_without_a_claim(self, session):
        account = open_account(session)
        ledger.remember_refusal(session, Conflict("No."))

        assert session.get(Account, account) is None

    def test_keeps_the_first_refusal_though_things_have_changed(self, session):
        seller, buyer = open_account(session), open_account(session)
        issued = issue(session, 5, seller)
        session.commit()
        begin_writing(session)
        claim(session)
        with pytest.raises(InsufficientBalance) as refusal:
            post(session, issued, seller, buyer, 6)
        ledger.remember_refusal(session, refusal.value)
        begin_writing(session)

        with pytest.raises(Conflict) as again:
            claim(session)

        assert (again.value.code, again.value.detail) == ("insufficient_balance", {"asked": 6, "available": 5})


class TestAtOnce:
    """Eight callers under one key: one of them does it, all of them are told the same."""

    AT_ONCE = 8
    ROUNDS = 10

    def answers(self, engine, key, work):
        gate = threading.Barrier(self.AT_ONCE)

        def ask(_):
            gate.wait()
            with Session(engine) as session:
                begin_writing(session)
                try:
                    earlier = claim(session, key)
                    if earlier is not None:
                        return earlier
                    result = work(session)
                    ledger.settle(session, result)
                    session.commit()
                    return result
                except CreditsError as refusal:
                    ledger.remember_refusal(session, refusal)
                    return {"refused": refusal.code, **refusal.detail}

        with ThreadPoolExecutor(self.AT_ONCE) as threads:
            return list(threads.map(ask, range(self.AT_ONCE), timeout=60))

    def test_one_does_it_and_the_others_hear(self, engine, session):
        seller, buyer = open_account(session), open_account(session)
        issued = issue(session, 7 * self.ROUNDS, seller)
        session.commit()

        for number in range(self.ROUNDS):
            answers = self.answers(
                engine, f"key-{number}", lambda own: {"posting": post(own, issued, seller, buyer, 7).id}
            )
            assert len({answer["posting"] for answer in answers}) == 1

        # Had one of them looked before it claimed, it would have been told that nothing is left.
        assert holdings(session, issued) == [(1, 7 * self.ROUNDS, buyer)]
        assert broken(session) == {}

    def test_one_is_refused_and_the_others_hear(self, engine, session):
        seller, buyer = open_account(session), open_account(session)
        issued = issue(session, 5, seller)
        session.commit()

        answers = self.answers(engine, "key", lambda own: {"posting": post(own, issued, seller, buyer, 6).id})

        assert answers == [{"refused": "insufficient_balance", "asked": 6, "available": 5}] * self.AT_ONCE

    def test_the_next_in_line_does_it_when_the_first_crashes(self, engine, session):
        seller, buyer = open_account(session), open_account(session)
        issued = issue(session, 7, seller)
        session.commit()
        crashed = []

        def work(own):
            result = {"posting": post(own, issued, seller, buyer, 7).id}
            if not crashed:
                crashed.append(True)
                raise ConnectionError("The power is gone.")
            return result

        def ask(_):
            with Session(engine) as own:
                begin_writing(own)
                try:
                    if (earlier := claim(own)) is not None:
                        return earlier
                    result = work(own)
                except ConnectionError:
                    return None
                ledger.settle(own, result)
                own.commit()
                return result

        with ThreadPoolExecutor(self.AT_ONCE) as threads:
            answers = list(threads.map(ask, range(self.AT_ONCE), timeout=60))

        assert answers.count(None) == 1
        assert len({answer["posting"] for answer in answers if answer}) == 1
        assert balance_of(session, buyer) == 7
