"""Statements, holds, suspension and decisions, as machines meet them."""

import pytest

from credits.participants.models import Kind, Organisation, RoleName


@pytest.fixture
def stock(issuance, cooperative, maker) -> str:
    """The number of an issuance of which the maker holds 1,000 units."""
    offer = cooperative.post("/transfers", {"issuance": issuance, "recipient": maker.number, "quantity": 1_000})
    assert maker.post(f"/transfers/{offer.json['number']}/accept").status_code == 200
    return issuance


@pytest.fixture
def large(batch) -> None:
    """Lets the issuance be of 10,000 units."""
    batch["gross_kg"] = "40000"


@pytest.fixture
def colleague(machine, issuer, session):
    """Another issuer of the registry."""
    registry = session.query(Organisation).filter_by(kind=Kind.REGISTRY).one()
    return machine(may=[RoleName.ISSUER], organisation=registry)


class TestRetireInBulk:
    def test_makes_a_statement_with_a_certificate_each(self, stock, maker, stranger, claim):
        lines = [claim | {"issuance": stock, "quantity": 10, "beneficiary": f"Maker {n}"} for n in range(3)]
        answer = maker.post("/retirements/bulk", {"lines": lines}, key="k")

        assert (answer.status_code, answer.json["lines"], answer.json["kind"]) == (201, 3, "retirement")
        second = stranger.get(f"/certificates/{answer.json['numbers'][1]}").json
        assert second["beneficiary"]["name"] == "Maker 1"
        assert second["origins"][0]["serials"][0].split("-")[-3:-1] == ["000000011", "000000020"]
        assert maker.post("/retirements/bulk", {"lines": lines}, key="k").status_code == 200
        assert maker.get(f"/statements/{answer.json['number']}").json == answer.json
        assert maker.get("/holdings").json[0]["available"] == 970

    def test_names_the_line_that_fails(self, stock, maker, claim):
        lines = [claim | {"issuance": stock, "quantity": quantity} for quantity in (999, 2)]
        answer = maker.post("/retirements/bulk", {"lines": lines})

        assert (answer.status_code, answer.json["code"], answer.json["context"]["line"]) == (409, "line_refused", 2)
        assert maker.get("/retirements").json == []

    def test_names_the_line_that_no_certificate_can_show(self, stock, maker, claim):
        lines = [claim | {"issuance": stock, "beneficiary": name} for name in ("Maker", "制造")]
        lines = [line | {"quantity": 1} for line in lines]
        answer = maker.post("/retirements/bulk", {"lines": lines})

        assert answer.status_code in (409, 422)
        assert answer.json["context"]["line"] == 2
        assert maker.get("/holdings").json[0]["available"] == 1_000

    def test_refuses_no_line_and_too_many(self, stock, maker, claim):
        line = claim | {"issuance": stock, "quantity": 1}
        for lines, code in (([], "no_lines"), ([line] * 10_001, "too_many_lines")):
            answer = maker.post("/retirements/bulk", {"lines": lines})
            assert (answer.status_code, answer.json["code"]) == (422, code)

    def test_keeps_statements_from_strangers(self, stock, maker, cooperative, claim):
        made = maker.post("/retirements/bulk", {"lines": [claim | {"issuance": stock, "quantity": 1}]}).json

        assert cooperative.get(f"/statements/{made['number']}").status_code == 404


class TestRetireChosen:
    def test_takes_what_fits(self, stock, maker, claim):
        asked = {name: value for name, value in claim.items() if name != "quantity"}
        asked |= {"mineral": "CO", "at_least": 1, "at_most": 5_000}
        answers = [maker.post("/retirements/chosen", asked, key="k") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [201, 200]
        assert answers[0].json == answers[1].json
        assert maker.get("/retirements").json[0]["quantity"] == 1_000
        assert maker.post("/retirements/chosen", asked).json["code"] == "insufficient_balance"


class TestOfferInBulk:
    def test_offers_each_line_to_its_recipient(self, issuance, cooperative, maker):
        line = {"issuance": issuance, "recipient": maker.number, "quantity": 5}
        answer = cooperative.post("/transfers/bulk", {"lines": [line, line]})
        [first, second] = answer.json["numbers"]

        assert maker.post(f"/transfers/{second}/accept").status_code == 200
        assert cooperative.get(f"/transfers/{first}").json["state"] == "pending"

    def test_carries_ten_thousand_lines(self, large, issuance, cooperative, maker):
        lines = [{"issuance": issuance, "recipient": maker.number, "quantity": 1}] * 10_000
        answer = cooperative.post("/transfers/bulk", {"lines": lines})

        assert (answer.status_code, answer.json["lines"], len(set(answer.json["numbers"]))) == (201, 10_000, 10_000)
        assert cooperative.get("/holdings").json[0]["pending"] == 10_000

    def test_refuses_one_line_more(self, issuance, cooperative, maker):
        lines = [{"issuance": issuance, "recipient": maker.number, "quantity": 1}] * 10_001

        assert cooperative.post("/transfers/bulk", {"lines": lines}).json["code"] == "too_many_lines"

    def test_names_the_line_with_nobody_behind_it(self, issuance, cooperative):
        line = {"issuance": issuance, "recipient": "ORG-999999", "quantity": 5}
        answer = cooperative.post("/transfers/bulk", {"lines": [line]})

        assert (answer.status_code, answer.json["context"]["reason"]) == (409, "cannot_hold")


class TestHolds:
    def test_are_placed_by_one_and_released_by_two(self, stock, issuer, colleague, maker, cooperative):
        asked = {"issuance": stock, "holder": maker.number, "reason": "A question."}
        held = issuer.post("/holds", asked)
        assert (held.status_code, maker.get("/holdings").json[0]["held"]) == (201, 1_000)
        assert maker.get(f"/holds/{held.json['number']}").json["reason"] == "A question."
        assert cooperative.get(f"/holds/{held.json['number']}").status_code == 404

        wanted = {"kind": "release", "subject": held.json["number"], "reason": "Answered."}
        decision = issuer.post("/decisions", wanted).json["number"]
        assert issuer.post(f"/decisions/{decision}/approve").json["code"] == "same_person"
        answer = colleague.post(f"/decisions/{decision}/approve", key="yes")
        assert (answer.status_code, answer.json["state"]) == (200, "approved")
        assert colleague.post(f"/decisions/{decision}/approve", key="yes").status_code == 200
        assert maker.get("/holdings").json[0]["available"] == 1_000

    def test_freeze_all_that_is_unsold_of_a_period(self, stock, issuer, cooperative, maker, batch):
        asked = {"site": batch["site"], "first_day": batch["produced_to"], "last_day": batch["produced_to"]}
        answer = issuer.post("/holds/periods", asked | {"reason": "Children at work."})

        assert [each["number"] for each in answer.json["tell"]] == [maker.number]
        assert cooperative.get("/holdings").json[0]["held"] == 1_500

    def test_are_for_issuers(self, stock, maker):
        asked = {"issuance": stock, "holder": maker.number, "reason": "Why."}

        assert maker.post("/holds", asked).status_code == 403


class TestDecisions:
    def test_cancel_for_good(self, stock, issuer, colleague, maker):
        asked = {"kind": "cancellation", "subject": stock, "holder": maker.number, "quantity": 400, "reason": "Why."}
        number = issuer.post("/decisions", asked).json["number"]
        [waiting] = colleague.get("/decisions", state="waiting").json
        colleague.post(f"/decisions/{number}/approve")

        assert (waiting["number"], waiting["request"]) == (number, {"holder": maker.number, "quantity": 400})
        assert maker.get("/holdings").json[0]["available"] == 600

    def test_end_when_declined_or_taken_back(self, stock, issuer, colleague, maker):
        asked = {"kind": "cancellation", "subject": stock, "holder": maker.number, "quantity": 400, "reason": "Why."}
        first, second = (issuer.post("/decisions", asked).json["number"] for _ in range(2))

        assert colleague.post(f"/decisions/{first}/decline").json["state"] == "declined"
        assert colleague.post(f"/decisions/{second}/withdraw").status_code == 403
        assert issuer.post(f"/decisions/{second}/withdraw").json["state"] == "withdrawn"

    def test_let_a_holder_ask_for_an_export(self, stock, maker, issuer, cooperative):
        asked = {"kind": "export", "subject": stock, "holder": maker.number, "quantity": 400, "reason": "Sold there."}
        number = maker.post("/decisions", asked | {"registry": "Other", "reference": "O-1"}).json["number"]

        assert cooperative.get(f"/decisions/{number}").status_code == 404
        assert maker.post(f"/decisions/{number}/approve").status_code == 403
        assert issuer.post(f"/decisions/{number}/approve").status_code == 200
        assert maker.get("/holdings").json[0]["available"] == 600


class TestSuspend:
    def test_stops_every_use_until_two_lift_it(self, stock, issuer, colleague, maker, claim):
        assert issuer.post(f"/issuances/{stock}/suspend", {"reason": "Under review."}).status_code == 200
        assert maker.post("/retirements", claim | {"issuance": stock}).json["code"] == "issuance_suspended"

        asked = {"kind": "lift", "subject": stock, "reason": "Cleared."}
        number = issuer.post("/decisions", asked).json["number"]
        colleague.post(f"/decisions/{number}/approve")
        assert maker.post("/retirements", claim | {"issuance": stock}).status_code == 201
