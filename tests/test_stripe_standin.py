"""The stand-in keeps to what the real provider documents, and its process to what it is told."""

import json
import os
import subprocess
import sys
from urllib.parse import urlencode

import pytest

from config import ROOT
from tests.stripe_standin.deliveries import PAUSES, Deliveries
from tests.stripe_standin.in_process import KEY, standin_at
from tests.stripe_standin.server import Fault

SESSIONS = "/v1/checkout/sessions"
SOUND = {
    "mode": "payment",
    "success_url": "http://localhost/paid",
    "cancel_url": "http://localhost/order",
    "client_reference_id": "ORDER-000001",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "usd",
    "line_items[0][price_data][unit_amount]": "450",
    "line_items[0][price_data][product_data][name]": "1 credit of gold",
}


@pytest.fixture
def standin():
    made, _ = standin_at(lambda: 1_800_000_000)
    return made


def ask(standin, method, path, params=None, key=None, api_key=KEY):
    headers = {"Authorization": f"Bearer {api_key}"} | ({"Idempotency-Key": key} if key else {})
    answer = standin.answer(method, path, headers, urlencode(params or {}).encode())
    return answer.status, json.loads(answer.body), answer.headers


def error(standin, **bent):
    asked = {name: value for name, value in (SOUND | bent).items() if value is not None}
    status, told, _ = ask(standin, "POST", SESSIONS, asked)
    return status, told.get("error", {}).get("param") or told.get("error", {}).get("code")


class TestParameters:
    @pytest.mark.parametrize(
        "bent, named",
        [
            ({"payment_method_types[0]": "card"}, "payment_method_types"),
            ({"line_items[0][colour]": "red"}, "line_items[0][colour]"),
            ({"mode": "barter"}, "mode"),
            ({"line_items[0][quantity]": "1.5"}, "line_items[0][quantity]"),
            ({"success_url": None}, "success_url"),
            ({"expires_at": "1800001799"}, "expires_at"),
            ({"expires_at": "1800086401"}, "expires_at"),
            ({"line_items[0][price_data][unit_amount]": "49"}, "amount_too_small"),
            ({"line_items[0][price_data][unit_amount]": "100000000"}, "amount_too_large"),
            ({"line_items[0][price_data][currency]": "xxx"}, "line_items"),
            ({"metadata[a]": "x" * 501}, "metadata"),
        ],
    )
    def test_are_refused_by_name(self, standin, bent, named):
        assert error(standin, **bent) == (400, named)

    def test_are_those_of_the_library(self, standin):
        status, session, _ = ask(standin, "POST", SESSIONS, SOUND | {"expires_at": "1800001800", "locale": "fr"})

        assert status == 200
        assert (session["status"], session["payment_status"], session["amount_total"]) == ("open", "unpaid", 450)


class TestIdempotency:
    def test_gives_the_same_answer_for_a_day(self, standin):
        first = ask(standin, "POST", SESSIONS, SOUND, "key")[1]

        status, again, headers = ask(standin, "POST", SESSIONS, SOUND, "key")
        assert (status, again["id"], headers["Idempotent-Replayed"]) == (200, first["id"], "true")
        standin.provider.advance(86_400)
        assert ask(standin, "POST", SESSIONS, SOUND, "key")[1]["id"] != first["id"]

    def test_refuses_other_parameters(self, standin):
        ask(standin, "POST", SESSIONS, SOUND, "key")

        status, told, _ = ask(standin, "POST", SESSIONS, SOUND | {"client_reference_id": "ORDER-000002"}, "key")
        assert (status, told["error"]["type"]) == (400, "idempotency_error")

    def test_repeats_a_failure_after_the_effect_and_forgets_one_before(self, standin):
        standin.faults = [Fault("POST", when="before")]
        assert [ask(standin, "POST", SESSIONS, SOUND, "one")[0] for _ in range(2)] == [500, 200]
        standin.faults = [Fault("POST", when="after")]
        assert [ask(standin, "POST", SESSIONS, SOUND, "two")[0] for _ in range(2)] == [500, 500]
        assert len(standin.provider.things["checkout.session"]) == 2


def test_knows_its_key_its_paths_and_its_things(standin):
    assert ask(standin, "GET", SESSIONS, api_key="sk_test_other")[0] == 401
    assert ask(standin, "GET", "/v1/unicorns")[0] == 404
    assert ask(standin, "GET", f"{SESSIONS}/cs_test_1")[1]["error"]["code"] == "resource_missing"
    for status in (402, 409, 429):
        standin.faults = [Fault("GET", status=status)]
        assert ask(standin, "GET", SESSIONS)[0] == status


def test_the_page_to_pay_on_leads_back(standin):
    made = ask(standin, "POST", SESSIONS, SOUND)[1]
    path = f"/c/pay/{made['id']}"

    assert "Test payment: USD 4.50" in standin.answer("GET", path, {}, b"").body.decode()
    assert "declined" in standin.answer("POST", path, {}, b"how=declines").body.decode()
    assert standin.answer("POST", path, {}, b"how=cancel").headers["Location"] == "http://localhost/order"
    assert standin.answer("POST", path, {}, b"how=card").headers["Location"] == "http://localhost/paid"
    assert standin.answer("POST", path, {}, b"how=card").headers["Location"] == "http://localhost/paid"
    other = ask(standin, "POST", SESSIONS, SOUND)[1]
    standin.provider.advance(90_000)
    assert "expired" in standin.answer("GET", f"/c/pay/{other['id']}", {}, b"").body.decode()


def test_events_come_again_with_growing_pauses_for_three_days(standin):
    made = ask(standin, "POST", SESSIONS, SOUND)[1]
    standin.provider.pay(made["id"], "card")
    deliveries = Deliveries(standin.provider, secret="whsec_1", url="http://127.0.0.1:9")
    tried = 0
    for pause in (0, *PAUSES):
        standin.provider.advance(pause)
        tried += len(deliveries.due())
        assert deliveries.due() == []

    assert tried == len(PAUSES) + 1
    assert 2 * 86_400 < sum(PAUSES) <= 3 * 86_400


def test_the_process_keeps_what_it_knows(tmp_path):
    state = tmp_path / "state.json"
    command = [sys.executable, "-m", "tests.stripe_standin", "--state", str(state)]
    environ = os.environ | {"STRIPE_API_KEY": KEY, "STRIPE_WEBHOOK_SECRET": "whsec_1"}
    for _ in range(2):
        with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline().startswith("http://127.0.0.1:")
            process.terminate()
        assert process.returncode == 0

    assert json.loads(state.read_text())["things"]["event"] == {}
    assert state.stat().st_mode & 0o777 == 0o600
