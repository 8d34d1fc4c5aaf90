"""The door of the payment provider's events."""

import json
import time
from datetime import UTC, datetime

import pytest

from credits import market_jobs
from credits.payments.models import Means, OrderState, ProviderEvent
from tests.market_stage import certify
from tests.stripe_standin.deliveries import as_sent, signature
from tests.stripe_standin.in_process import SECRET, standin_at

PATH = "/webhooks/stripe"


@pytest.fixture
def standin(app):
    """The registry's provider, on the clock of the machine."""
    standin, app.extensions["gateway"] = standin_at(time.time)
    yield standin
    app.extensions["gateway"] = None


@pytest.fixture
def bought(app, standin, stage):
    """An order that was paid, of which nothing was told yet."""
    order = stage.ordered((stage.for_sale(stage.issued(), 1_000), 1_000), means=Means.STRIPE)
    payment = stage.begun(order, at=datetime.fromtimestamp(int(time.time()), UTC))
    stage.session.commit()
    till = market_jobs.Till(
        app.extensions["gateway"], stage.policy, lambda number: ("http://localhost", "http://localhost"), certify
    )
    market_jobs.open_checkout(stage.session, payment_id=payment.id, till=till, at=stage.at)
    standin.provider.pay(payment.reference, "card")
    return order


def newest(standin, **bent):
    event = list(standin.provider.things["event"].values())[-1]
    return json.dumps(as_sent(event) | bent).encode()


def post(client, body, secret=SECRET, at=None, **more):
    headers = {"Stripe-Signature": signature(body, secret, int(at or time.time()))}
    return client.post(PATH, data=body, headers=headers, content_type="application/json", **more)


class TestStripeWebhook:
    def test_delivers_what_was_paid_once(self, client, session, standin, bought):
        body = newest(standin)

        answers = [post(client, body) for _ in range(3)]

        assert [(answer.status_code, answer.text) for answer in answers] == [(200, "delivered\n")] * 3
        session.refresh(bought)
        assert bought.state is OrderState.DELIVERED
        assert session.query(ProviderEvent).count() == 1

    @pytest.mark.parametrize(
        "bent, effect",
        [
            ({"account": "acct_other"}, "mismatch"),
            ({"livemode": True}, "mismatch"),
            ({"type": "invoice.paid"}, "nothing"),
        ],
    )
    def test_moves_nothing_for_somebody_else(self, client, session, standin, bought, bent, effect):
        answer = post(client, newest(standin, **bent))

        assert (answer.status_code, answer.text.strip()) == (200, effect)
        session.refresh(bought)
        assert bought.state is OrderState.AWAITING_PAYMENT

    def test_takes_in_an_event_of_an_unknown_order(self, client, session, standin):
        event = {
            "id": "evt_1",
            "object": "event",
            "type": "checkout.session.completed",
            "livemode": False,
            "created": 1,
        }
        checkout = {"id": "cs_1", "object": "checkout.session", "amount_total": 1, "currency": "usd", "created": 1}
        body = json.dumps(event | {"data": {"object": checkout | {"client_reference_id": "ORDER-000099"}}}).encode()

        assert post(client, body).text == "unknown_order\n"

    def test_refuses_what_nobody_has_signed(self, client, standin, bought):
        body = newest(standin)

        assert client.post(PATH, data=body).status_code == 400
        assert post(client, body, secret="whsec_other").status_code == 400
        assert post(client, body, at=time.time() - 301).status_code == 400
        assert post(client, body, at=time.time() + 60).status_code == 400
        assert post(client, b"\xff\xfe").status_code == 400
        assert post(client, b"{}").status_code == 400

    def test_reads_nothing_very_large(self, client, standin):
        assert post(client, b" " * 300_000).status_code == 413

    def test_says_to_come_again_where_it_could_not_be_taken_in(self, client, session, standin, bought, monkeypatch):
        def fail(*_arguments, **_more):
            raise RuntimeError

        monkeypatch.setattr("credits.payments.receiving.receive", fail)
        assert post(client, newest(standin)).status_code == 503

    def test_is_not_there_where_nobody_pays_so(self, client, app):
        assert app.extensions["gateway"] is None
        assert client.post(PATH, data=b"{}").status_code == 404


def test_every_page_says_that_no_money_moves(client, app, standin):
    page = client.get("/about")

    assert "Test payments: no money moves." in page.text
    assert "form-action 'self' http://127.0.0.1:1" in page.headers["Content-Security-Policy"]
    app.extensions["gateway"] = None
    page = client.get("/about")
    assert "Test payments" not in page.text
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
