from dataclasses import replace
from datetime import date, timedelta

import pytest

from credits.payments import acts, receiving
from credits.payments.gateway import Disputed
from credits.payments.going_back.disputes import TAKEN_BACK
from credits.payments.going_back.going_back_models import DisputeState
from credits.payments.models import Means, Order
from tests.factories import ApiTokenFactory
from tests.market_stage import certify
from tests.payments.selling import checkout_of

BILLING = {"name": "Nordlicht", "address": "Hamngatan 1", "country": "SWE", "email": "invoices@example.org"}


@pytest.fixture
def offer(stage):
    return stage.for_sale(stage.issued())


@pytest.fixture
def headers(stage):
    ApiTokenFactory(user=stage.buyer, secret="asmc-buyer")
    return {"Authorization": "Bearer asmc-buyer"}


@pytest.fixture
def asked(offer):
    return {"lines": [{"offer": offer.number, "quantity": 750}], "means": "bank_transfer", "billing": BILLING}


def post(client, path, body, headers, key="one"):
    return client.post(f"/api/v1{path}", json=body, headers=headers | {"Idempotency-Key": key})


class TestOrders:
    def test_are_placed_begun_and_cancelled(self, client, session, asked, headers):
        placed = [post(client, "/orders", asked, headers) for _ in range(2)]
        assert [answer.status_code for answer in placed] == [201, 200]
        order = placed[0].json
        assert (order["state"], order["total"], order["premium"]) == ("open", "3900.00", "3432.00")
        assert order["lines"][0]["credits"] == "0.75"

        stale = post(client, "/orders/ORDER-000001/pay", {"revision": 2}, headers, "two")
        assert (stale.status_code, stale.json["code"]) == (409, "changed_meanwhile")
        begun = post(client, "/orders/ORDER-000001/pay", {"revision": 1}, headers, "three").json
        assert (begun["state"], begun["payments"][0]["reference"]) == ("awaiting_payment", "ORDER-000001")
        ended = post(client, "/orders/ORDER-000001/cancel", {}, headers, "four").json
        assert (ended["state"], ended["reason"]) == ("cancelled", "Cancelled by the buyer.")
        listed = client.get("/api/v1/orders?state=cancelled", headers=headers).json
        assert [each["number"] for each in listed] == ["ORDER-000001"]

    def test_reserve_nothing_for_a_transfer_that_no_account_could_take(self, app, monkeypatch, client, asked, headers):
        post(client, "/orders", asked, headers)
        monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], bank_account=None))
        begun = post(client, "/orders/ORDER-000001/pay", {"revision": 1}, headers, "two")
        assert (begun.status_code, begun.json["code"]) == (409, "no_provider")

    def test_say_what_the_bank_has_taken_back(self, client, stage, offer, headers):
        acts.register(certify)
        order = stage.ordered((offer, 100), means=Means.STRIPE)
        payment, of = stage.begun(order), {"reference": "du_1", "amount": order.total}
        for state in (DisputeState.OPEN, DisputeState.LOST):
            seen = checkout_of(order, payment, disputes=(Disputed(**of, state=state),))
            terms = receiving.Terms(False, stage.policy, certify)
            receiving.settle_seen(stage.session, payment=payment, seen=seen, terms=terms, at=stage.at)
        number = order.number
        stage.session.commit()

        told = client.get(f"/api/v1/orders/{number}", headers=headers).json
        assert (told["state"], told["reason"], told["refunds"]) == ("refunded", TAKEN_BACK, [])
        assert [(each["amount"], each["state"], each["shortfall"]) for each in told["disputes"]] == [
            ("520.00", "lost", "0.00")
        ]
        page = client.sign_in(stage.buyer).get(f"/orders/{number}").text
        assert "This order was charged back" in page
        assert "This order was refunded" not in page

    def test_refuse_what_is_not_sound(self, client, session, asked, headers):
        for number, bent in enumerate(({"lines": []}, {"billing": BILLING | {"country": "XXX"}}, {"price": "1.00"})):
            assert post(client, "/orders", asked | bent, headers, f"try-{number}").status_code == 422
        assert session.query(Order).count() == 0


class TestStandingOrders:
    def test_are_left_paused_resumed_and_ended(self, client, stage, asked, headers):
        wanted = {"mineral": "CO", "quantity": 2_500, "price": "5200.00", "currency": "USD", "until": "2100-01-01"}
        wanted |= {"means": "bank_transfer", "billing": BILLING}
        far = post(client, "/standing-orders", wanted, headers, "far")
        assert (far.status_code, far.json["code"]) == (422, "bad_last_day")
        wanted["until"] = (date.today() + timedelta(days=30)).isoformat()
        left = [post(client, "/standing-orders", wanted, headers) for _ in range(2)]
        assert [answer.status_code for answer in left] == [201, 200]
        told = left[0].json
        assert (told["state"], told["credits"], told["price"], told["parts"]) == ("waiting", "2.5", "5200.00", [])
        for number, (step, state) in enumerate((("pause", "paused"), ("resume", "waiting"), ("end", "ended"))):
            done = post(client, f"/standing-orders/{told['number']}/{step}", {}, headers, f"step-{number}").json
            assert done["state"] == state
        refused = post(client, f"/standing-orders/{told['number']}/end", {}, headers, "again")
        assert (refused.status_code, refused.json["code"]) == (409, "standing_order_closed")
        listed = client.get("/api/v1/standing-orders?state=ended", headers=headers).json
        assert [each["number"] for each in listed] == [told["number"]]
        refused = post(client, "/orders", asked, headers, "by hand")
        refused = post(client, f"/orders/{refused.json['number']}/use", {"claim": None}, headers, "use")
        assert (refused.status_code, refused.json["code"]) == (409, "order_closed")
        shown = client.get(f"/api/v1/standing-orders/{told['number']}", headers=headers).json
        assert shown["filled"] == 0
