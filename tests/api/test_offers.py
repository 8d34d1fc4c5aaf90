"""The catalogue for machines: read by anybody, written by producers."""

from sqlalchemy import select

from credits.participants.models import RoleName, User
from credits.payments.offering import floors


class TestOffers:
    def test_are_made_seen_and_closed(self, cooperative, issuer, maker, stranger, issuance, session):
        asked = {"issuance": issuance, "quantity": 1_500, "price": "5200.00", "currency": "USD"}
        refused = cooperative.post("/offers", asked)
        assert (refused.status_code, refused.json["code"]) == (409, "no_floor")
        by = session.scalars(select(User).where(User.roles.any(name=RoleName.ISSUER))).first()
        floors.seed(session, by=by, at=by.registered_at)
        session.commit()

        made = cooperative.post("/offers", asked, key="once")
        assert (made.status_code, cooperative.post("/offers", asked, key="once").status_code) == (201, 200)
        number = made.json["number"]
        assert made.location.endswith(f"/offers/{number}")
        told = {"mineral": "CO", "price": "5200.00", "currency": "USD", "left": 1_500, "left_credits": "1.5"}
        assert {name: made.json[name] for name in told} == told
        assert made.json["country"] == "COD"

        for query in ({}, {"mineral": "CO", "currency": "USD", "vintage": "2026", "sort": "oldest", "q": "kami"}):
            listed = stranger.get("/offers", **query)
            assert ([each["number"] for each in listed.json], listed.headers["X-Total-Count"]) == ([number], "1")
        for query in ({"mineral": "AU"}, {"vintage": "x"}, {"level": "none"}):
            assert stranger.get("/offers", **query).json == []
        assert stranger.get("/offers", currency="XAU").status_code == 422

        assert maker.post(f"/offers/{number}/close").status_code == 404
        closed = cooperative.post(f"/offers/{number}/close", key="close")
        assert (closed.json["state"], closed.json["left"]) == ("closed", 0)
        assert cooperative.post(f"/offers/{number}/close", key="close").json == closed.json
        assert cooperative.post(f"/offers/{number}/close").json["code"] == "offer_closed"
        assert maker.get("/offers").json == []
        assert maker.get(f"/offers/{number}").json["state"] == "closed"

        for bent, status, code in (
            ({"price": "5200.005"}, 422, "bad_amount"),
            ({"price": "0"}, 422, "bad_amount"),
            ({"price": 5200}, 422, "invalid"),
            ({"price": "4999.99"}, 409, "below_floor"),
            ({"currency": "JPY", "price": "780000.5"}, 422, "bad_amount"),
            ({"quantity": 2_501}, 409, "more_than_left"),
            ({"quantity": 1.5}, 422, "invalid"),
            ({"issuance": "ASMC-CO-COD-XXX001-2026-0001"}, 404, "no_such_issuance"),
        ):
            answer = cooperative.post("/offers", asked | bent)
            assert (answer.status_code, answer.json["code"]) == (status, code), bent
        assert maker.post("/offers", asked).status_code == 404
