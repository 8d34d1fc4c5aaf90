import pytest

from config import ROOT
from credits.participants.models import Organisation, RoleName
from credits.registry import policy
from credits.registry.trusted import Trust


@pytest.fixture
def partner(app, machine, cooperative, session):
    """A second person of the cooperative, under the house's own policy."""
    app.extensions["policy"] = policy.read(ROOT / "policy.toml")
    coop = session.get_one(Organisation, int(cooperative.number.removeprefix("ORG-")))
    return machine(may=[RoleName.MANAGER], organisation=coop)


class TestApproveTransfer:
    def test_is_done_by_a_second_person(self, cooperative, partner, maker, issuance):
        asked = {"issuance": issuance, "recipient": maker.number, "quantity": 1000}
        made = cooperative.post("/transfers", asked).json
        assert made["guard"] == {"cause": "first", "approved_at": None, "open_from": None}
        number = made["number"]
        refused = maker.post(f"/transfers/{number}/accept")
        assert (refused.status_code, refused.json["code"]) == (409, "transfer_not_open")
        own = cooperative.post(f"/transfers/{number}/approve")
        assert (own.status_code, own.json["code"]) == (403, "same_person")

        first = partner.post(f"/transfers/{number}/approve", key="once")
        again = partner.post(f"/transfers/{number}/approve", key="once")
        assert (first.status_code, first.json) == (200, again.json)
        assert first.json["guard"]["open_from"] > first.json["guard"]["approved_at"]
        early = maker.post(f"/transfers/{number}/accept")
        assert (early.status_code, early.json["code"]) == (409, "transfer_not_open")
        assert early.json["context"]["open_from"]
        assert partner.post(f"/transfers/{number}/approve").json["code"] == "nothing_to_approve"


class TestTrusted:
    def test_goes_through_two_people(self, cooperative, partner, maker, session):
        first = cooperative.post("/trusted-recipients", {"recipient": maker.number}, key="once")
        again = cooperative.post("/trusted-recipients", {"recipient": maker.number}, key="once")
        assert (first.status_code, again.status_code) == (201, 200)
        address = f"/trusted-recipients/{first.json['number']}"
        assert first.location.endswith(address)
        assert cooperative.post(f"{address}/approve").json["code"] == "same_person"
        assert partner.post(f"{address}/approve").json["in_force_from"]
        assert [each["recipient"]["number"] for each in partner.get("/trusted-recipients").json] == [maker.number]
        assert cooperative.get(address).json["approved_at"]
        ended = cooperative.post(f"{address}/end", key="end")
        assert ended.json["ended_at"]
        assert cooperative.post(f"{address}/end", key="end").json == ended.json
        assert partner.get("/trusted-recipients").json == []
        assert session.query(Trust).count() == 1

    def test_refuses_what_is_not_sound(self, cooperative, partner, maker, stranger):
        for body, status, code in (
            ({"recipient": cooperative.number}, 422, "transfer_to_oneself"),
            ({"recipient": "ORG-000099"}, 404, "no_such_organisation"),
            ({"recipient": maker.number, "holder": maker.number}, 404, "no_such_organisation"),
            ({}, 422, "invalid"),
        ):
            answer = cooperative.post("/trusted-recipients", body)
            assert (answer.status_code, answer.json["code"]) == (status, code)
        number = cooperative.post("/trusted-recipients", {"recipient": maker.number}).json["number"]
        assert maker.get(f"/trusted-recipients/{number}").status_code == 404
        assert maker.post(f"/trusted-recipients/{number}/approve").status_code == 404
        assert stranger.get("/trusted-recipients").status_code == 401
