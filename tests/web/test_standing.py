"""Standing orders over HTTP, by what a buyer and the registry see."""

from html import unescape
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from credits import standing_jobs
from credits.payments import gateway
from credits.payments.models import Currency, Means, Order
from credits.payments.offering import portioning
from credits.payments.offering.standing_models import StandingOrder, StandingState
from credits.web import by_quantity, order_use, standing
from tests.web.conftest import NOW

BILL = {"name": "Nordlicht", "address": "Hamngatan 1", "country": "SWE", "email": "invoices@example.org"}


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch):
    for door in (by_quantity, order_use, standing):
        monkeypatch.setattr(door, "now", lambda: NOW)


@pytest.fixture
def typed():
    asked = {"mineral": "CO", "quantity": "2.5", "unit": "t", "currency": "USD", "price": "5,200", "sorting": "oldest"}
    return asked | {"vintage": "2026", "until": "2026-12-31", "means": "bank_transfer", "key": "this-form"} | BILL


def left_in(session):
    return session.scalars(select(StandingOrder).order_by(StandingOrder.id)).all()


def test_a_standing_order_from_too_little_on_offer_to_what_was_found(client, session, stage, typed, words):
    issuance = stage.issued()
    stage.for_sale(issuance, 600)
    client.sign_in(stage.buyer)
    page = client.get("/offers/by-quantity?quantity=2.5&unit=t&mineral=CO&currency=USD&vintage=2026")
    assert page.status_code == 409
    assert "Only 600 kg of cobalt that fit are on offer" in page.text
    way = "/standing-orders/new?mineral=CO&quantity=2.5&unit=t&currency=USD&sorting=oldest&vintage=2026"
    assert way in unescape(page.text)
    form = client.get(way).text
    assert 'value="2.5"' in form
    assert '<option selected value="t">' in form
    assert "cobalt USD 5,000.00" in words(form)

    seen = words(client.post("/standing-orders/new", data=typed).text)
    for each in ("2.5 credits 2,500 kg", "Cobalt, vintage 2026", "On offer now that fits 0.6 credits", "any part"):
        assert each in seen
    committed = ("Price before tax USD 13,000.00", "Tax, 0 % USD 0.00", "Total USD 13,000.00", "VAT number none")
    said = ("Time to pay each order 14 days", "Hamngatan 1", "invoices@example.org", "may see what you paid no")
    for each in (*committed, *said, "until it is paid, whether its credits are retired at once or kept"):
        assert each in seen.replace("\N{NO-BREAK SPACE}", " ")
    assert left_in(session) == []
    answers = [client.post("/standing-orders/new", data=typed | {"confirmed": "yes"}) for _ in range(2)]
    (left,) = left_in(session)
    assert {answer.location for answer in answers} == {f"/standing-orders/{left.number}"}
    assert (left.quantity, left.smallest, left.price, left.vintage) == (2_500, 1, 520_000, 2026)
    number = left.number
    seen = words(client.get(f"/standing-orders/{number}").text)
    for each in ("Being looked for now", "Hamngatan 1", "invoices@example.org", "Everybody may see what you paid no"):
        assert each in seen

    session.commit()
    standing_jobs.serve_waiting(session, policy=stage.policy, means=tuple(Means), at=NOW)
    seen = words(client.get(f"/standing-orders/{number}").text)
    assert "ORDER-000001 0.6 credits 600 kg USD 3,120.00 Awaiting payment" in seen
    assert f"Placed for a standing order: {number}" in words(client.get("/orders/ORDER-000001").text)
    assert "Please send USD 3,120.00" in words(client.get("/orders/ORDER-000001").text)
    assert "2.5 credits" in words(client.get("/standing-orders?state=waiting").text)

    said = {"beneficiary": "Nordlicht", "country": "SWE", "identifier": "SE 1", "purpose": "Cells", "key": "claim"}
    said |= {"claim_from": "2026-01-01", "claim_to": "2026-12-31", "language": "fr"}
    assert "Retire at once" in client.get("/orders/ORDER-000001/retire").text
    assert client.post("/orders/ORDER-000001/retire", data=said | {"claim_to": "2029-12-31"}).status_code == 422
    client.post("/orders/ORDER-000001/retire", data=said)
    assert "retired in the name of Nordlicht as soon" in words(client.get("/orders/ORDER-000001").text)
    client.post("/orders/ORDER-000001/keep")
    assert "You keep them" in words(client.get("/orders/ORDER-000001").text)
    stops_and_ends(client, session, stage, words, number)


def stops_and_ends(client, session, stage, words, number):
    """What the buyer does with an order and then with the standing order; nobody else may."""
    assert client.sign_in(stage.second).post("/orders/ORDER-000001/keep").status_code == 404
    client.sign_in(stage.buyer)
    seen = words(client.sign_in(stage.issuer).get(f"/standing-orders/{number}").text)
    assert "Waits for the buyer's payment" in seen
    assert "Please pay" not in seen
    client.sign_in(stage.buyer).post("/orders/ORDER-000001/cancel")
    seen = words(client.get(f"/standing-orders/{number}").text)
    assert "Nothing is ordered for it now You cancelled ORDER-000001." in seen
    client.post(f"/standing-orders/{number}/resume")
    client.post(f"/standing-orders/{number}/pause")
    assert "Paused by the buyer." in client.get(f"/standing-orders/{number}").text
    assert "Missing 2.5 credits 2,500 kg" in words(client.get(f"/standing-orders/{number}/end").text)
    assert client.post(f"/standing-orders/{number}/end").status_code == 303
    again = client.post(f"/standing-orders/{number}/end")
    assert (again.status_code, left_in(session)[0].state) == (409, StandingState.ENDED)


def test_says_why_what_fits_is_not_ordered(app, client, session, stage, typed, words, monkeypatch):
    monkeypatch.setitem(app.extensions, "gateway", SimpleNamespace(pages="https://pay.example", livemode=True))
    monkeypatch.setitem(gateway.LEAST, Currency.USD, 1_000)
    issuance = stage.issued()
    stage.for_sale(issuance, 1)
    client.sign_in(stage.buyer).post("/standing-orders/new", data=typed | {"means": "stripe", "confirmed": "yes"})
    address = f"/standing-orders/{left_in(session)[0].number}"
    for more, why in (
        (1, "less than can be paid by card or bank debit: USD 5.20, where USD 10.00 is the least"),
        (9, ""),
    ):
        session.commit()
        page = words(client.get(address).text)
        assert why in page
        assert ("cannot be paid like this" in page) is bool(why)
        stage.for_sale(issuance, more)


def test_bad_input_is_said_at_its_field_and_kept(client, session, stage, typed):
    stage.floor()
    client.sign_in(stage.buyer)
    for bent, status, name, why in (
        ({"quantity": "2.5001", "unit": "t"}, 422, "quantity", "cannot be counted in whole kg, at least 1"),
        ({"quantity": "1,240"}, 422, "quantity", "1,240"),
        ({"smallest": "3"}, 422, "smallest", "at most all that you want"),
        ({"price": "4,999.99"}, 409, "price", "costs at least USD 5,000.00"),
        ({"price": "5200.005"}, 422, "price", "at most 2 decimals"),
        ({"until": "2026-07-10"}, 422, "until", "today or later"),
        ({"vintage": "26"}, 422, "vintage", "such as 2026"),
        ({"vat_number": "12"}, 422, "vat_number", "does not look like a VAT number"),
        ({"unit": "lb"}, 422, "unit", "Not a valid choice"),
    ):
        page = client.post("/standing-orders/new", data=typed | bent | {"key": f"{name} {why}"})
        assert page.status_code == status, bent
        assert why in page.text, bent
        assert f'id="{name}-error-0"' in page.text, bent
    assert left_in(session) == []


def test_is_seen_by_its_buyer_and_the_registry_alone(client, session, stage, typed, words):
    client.sign_in(stage.buyer)
    assert "The registry has set no price floor yet" in client.get("/standing-orders/new").text
    stage.floor()
    assert "Nothing is waited for." in client.get("/standing-orders").text
    client.post("/standing-orders/new", data=typed | {"confirmed": "yes"})
    (left,) = left_in(session)
    address = f"/standing-orders/{left.number}"
    assert client.sign_in(stage.manager).get("/standing-orders/new").status_code == 403
    for stranger in (stage.manager, stage.second):
        assert client.sign_in(stranger).get(address).status_code == 404
        assert client.post(f"{address}/end").status_code == 404
    assert "Nothing is waited for." in client.get("/standing-orders").text
    client.sign_in(stage.issuer)
    assert stage.buyer.organisation.name in words(client.get("/admin/standing-orders?state=waiting").text)
    assert "No standing order is in this state." in client.get("/admin/standing-orders?state=ended").text
    assert stage.buyer.organisation.name in client.get(address).text
    assert client.post(f"{address}/pause").status_code in (403, 404)


def test_by_card_it_is_ordered_in_parts_that_can_be_paid_and_asked_about_before_paying(
    app, client, session, stage, typed, words, monkeypatch
):
    monkeypatch.setitem(app.extensions, "gateway", SimpleNamespace(pages="https://pay.example", livemode=True))
    stage.for_sale(stage.issued(), 2_500)
    client.sign_in(stage.buyer)
    large = typed | {"means": "stripe", "quantity": "250", "country": "DEU", "price": "6,000,000"}
    seen = words(client.post("/standing-orders/new", data=large).text).replace("\N{NO-BREAK SPACE}", " ")
    assert "Total USD 1,785,000,000.00" in seen
    assert "Time to pay each order 24 hours" in seen
    assert "At most USD 999,999.99 are paid by card at once: it is ordered in parts" in seen
    refused = client.post("/standing-orders/new", data=large | {"smallest": "250", "key": "other"})
    assert refused.status_code == 422
    assert "at most USD 999,999.99 are paid by card at once" in refused.text
    monkeypatch.setattr(portioning, "MOST", 600_000)
    small = typed | {"means": "stripe", "country": "DEU", "confirmed": "yes", "key": "small"}
    client.post("/standing-orders/new", data=small)
    session.commit()
    standing_jobs.serve_waiting(session, policy=stage.policy, means=tuple(Means), at=NOW)

    order = session.scalars(select(Order)).one()
    assert (order.lines[0].quantity, order.total) == (969, 599_617)  # at USD 5,200 with 19 %: no kilogram more
    assert "What are the credits for?" in client.get("/orders/ORDER-000001").text
    assert "What are the credits for?" not in client.get("/orders/ORDER-000001?paid=1").text
