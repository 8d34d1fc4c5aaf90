"""Premium over the JSON API: entered by the cooperative, read by everybody."""

from io import BytesIO

import pytest

from credits.api import decisions
from credits.api import premium as door
from credits.ledger.serials import SerialRange, written
from tests import papers
from tests.factories import AT, ApiTokenFactory
from tests.payments.house import House
from tests.payments.selling import sold
from tests.stage import Stage

SITE = "/api/v1/sites/COD-KAM001/premium"
MINUTE = {"currency": "USD", "said": "Lamps.", "decided_on": "2026-07-01", "women": "2", "men": "2", "income": "400.50"}
USE = {"theme": "income", "amount": "100", "what": "Goats", "bought_on": "2026-07-01", "open_to_public": "true"}


@pytest.fixture
def house(app, session, monkeypatch, prepared_steps) -> House:
    for module in (door, decisions):
        monkeypatch.setattr(module, "now", lambda: AT)
    made = House(
        Stage(session, app.extensions["evidence_files"], app.extensions["policy"], prepared=prepared_steps),
        committee=False,
    )
    made.files = app.extensions["premium_files"]
    return made


def jpeg(shade: int) -> tuple[BytesIO, str]:
    return BytesIO(papers.photo_with_position() + bytes([shade])), "photo.jpg"


def bearer(user, digit: str) -> dict[str, str]:
    assert ApiTokenFactory(user=user, secret="asmc_" + digit * 43)
    return {"Authorization": "Bearer asmc_" + digit * 43, "Idempotency-Key": f"k-{digit}"}


def recorded_and_approved(client, house, sent) -> None:
    """One issuer records that PAYOUT-000001 was paid, another one approves; nobody else may."""
    there = "/api/v1/premium/payouts"
    one, other = bearer(house.stage.issuer, "8"), bearer(house.stage.colleague, "9")
    paid = {"reference": "MP 2607.01", "paid_on": "2026-07-01"}

    refused = client.post(f"{there}/PAYOUT-000001/record", data=paid | {"file": jpeg(9)}, **sent)
    assert refused.status_code == 403
    (waiting,) = client.get(f"{there}?state=asked", headers=one).json
    assert (waiting["number"], waiting["payee"], waiting["site"]) == ("PAYOUT-000001", "Amina", "COD-KAM001")
    answers = []
    for _again in range(2):
        form = paid | {"file": jpeg(9)}
        answers.append(client.post(f"{there}/PAYOUT-000001/record", data=form, headers=one))
    assert [answer.status_code for answer in answers] == [201, 200], answers[0].text
    approve = f"/api/v1/decisions/{answers[0].json['number']}/approve"
    assert client.post(approve, headers=one | {"Idempotency-Key": "own"}).status_code == 403
    assert client.get(f"{there}/PAYOUT-000001", headers=one).json["state"] == "asked"
    assert client.post(approve, headers=other).json["state"] == "approved"
    assert client.get(f"{there}/PAYOUT-000001", headers=one).json["reference"] == "MP260701"


def test_leads_from_the_committee_to_the_receipt(client, house):
    sold(house.stage, (house.made, 500, 50_000))
    token = ApiTokenFactory(user=house.stage.manager, secret="asmc_" + "7" * 43)
    assert token
    sent = {"headers": {"Authorization": "Bearer asmc_" + "7" * 43, "Idempotency-Key": "k1"}}
    committee = {"women": 2, "men": 2, "names": "Amina", "since": "2026-01-01"}

    assert client.post(f"{SITE}/committee", json=committee, **sent).status_code == 201
    answers = []
    for _again in range(2):
        sent["headers"]["Idempotency-Key"] = "k2"
        answers.append(client.post(f"{SITE}/decisions", data=MINUTE | {"file": jpeg(1)}, **sent))
    assert [answer.status_code for answer in answers] == [201, 200], answers[0].text
    sent["headers"]["Idempotency-Key"] = "k3"
    asked = {"amount": "400.50", "means": "cash", "payee": "Amina"}
    answer = client.post("/api/v1/premium/decisions/MINUTE-000001/payouts", json=asked, **sent)
    assert (answer.status_code, answer.json["number"]) == (201, "PAYOUT-000001"), answer.text
    recorded_and_approved(client, house, sent)
    sent["headers"]["Idempotency-Key"] = "k4"
    answer = client.post("/api/v1/premium/payouts/PAYOUT-000001/uses", data=USE | {"file": jpeg(2)}, **sent)
    assert answer.status_code == 201, answer.text

    (premium,) = client.get(SITE).json
    assert premium == {
        "currency": "USD",
        "collected": "440.00",
        "gone_back": "0.00",
        "paid_out": "400.50",
        "held": "39.50",
    }
    (minute,) = client.get(f"{SITE}/decisions").json
    assert minute["themes"] == {"income": "400.50"}
    assert minute["payouts"][0]["uses"][0]["bought"] == "Goats"
    (trail,) = client.get(f"/api/v1/serials/{written(house.made.number, SerialRange(1, 5))}/premium").json
    assert (trail["share"], trail["payouts"][0]["number"]) == (None, "PAYOUT-000001")
    assert "Amina" not in client.get(f"{SITE}/decisions").text
