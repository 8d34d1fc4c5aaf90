"""Several callers at once under one Idempotency-Key: one of them does it, all hear the same."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from credits.registry.models import Transfer
from tests.api.conftest import PREFIX

CALLERS = 8


@pytest.fixture
def at_once(app, session, cooperative):
    """Lets that many callers send a request each at the same moment, under one key."""

    def at_once(bodies: list[dict[str, Any]]) -> list[Any]:
        session.commit()
        ready = Barrier(len(bodies))
        headers = {"Authorization": f"Bearer {cooperative.secret}", "Idempotency-Key": "one"}

        def call(body: dict[str, Any]) -> Any:
            caller = app.test_client()
            ready.wait()
            return caller.post(f"{PREFIX}/transfers", json=body, headers=headers)

        with ThreadPoolExecutor(len(bodies)) as callers:
            return list(callers.map(call, bodies))

    return at_once


def test_one_request_sent_by_many_is_done_once(at_once, session, issuance, maker):
    body = {"issuance": issuance, "recipient": maker.number, "quantity": 2_000}
    answers = at_once([body] * CALLERS)
    (made,) = session.query(Transfer).all()

    assert sorted(answer.status_code for answer in answers) == [200] * (CALLERS - 1) + [201]
    assert {answer.json["number"] for answer in answers} == {made.number}


def test_another_request_under_the_same_key_is_told_so(at_once, session, issuance, maker):
    bodies = [{"issuance": issuance, "recipient": maker.number, "quantity": 100 + n} for n in range(CALLERS)]
    answers = at_once(bodies)

    assert len(session.query(Transfer).all()) == 1
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (CALLERS - 1)
    refused = [answer.json for answer in answers if answer.status_code == 409]
    assert {answer["code"] for answer in refused} == {"key_reused"}
    assert refused[0]["context"]["differs_in"] == ["quantity"]
