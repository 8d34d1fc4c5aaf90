from sqlalchemy import select

from credits.payments.models import OfferState
from credits.payments.offering.floor_models import Floor


class TestPriceFloors:
    def test_shows_what_counts_with_its_source(self, client, stage, words):
        stage.floor(price=480_000)
        stage.floor(price=500_000)

        seen = words(client.sign_in(stage.issuer).get("/admin/floors").text)
        for each in ("Cobalt (1 t)", "USD 5,000.00", "USD 4,800.00", "As the buyers agreed.", stage.issuer.name):
            assert each in seen
        assert "Nothing of these can be offered yet." in seen
        assert client.sign_in(stage.lead).get("/admin/floors").status_code == 403


class TestNewFloor:
    def test_begins_with_what_is_known_and_counts_at_once(self, client, session, stage, words):
        issuance = stage.issued()
        low = stage.for_sale(issuance, price=500_000)
        client.sign_in(stage.issuer)
        assert "Fairmined" in client.get("/admin/floors/new?mineral=AU").text
        assert client.get("/admin/floors/new?mineral=odd").status_code == 200

        typed = {"mineral": "CO", "currency": "USD", "price": "5,100", "source": "Board of 2026", "key": "k"}
        for _ in range(2):
            answer = client.post("/admin/floors/new", data=typed)
            assert (answer.status_code, answer.location) == (303, "/admin/floors")
        prices = session.scalars(select(Floor.price).where(Floor.mineral_code == "CO").order_by(Floor.id)).all()
        assert prices == [500_000, 510_000]
        session.refresh(low)
        assert low.state is OfferState.CLOSED
        assert "USD 5,100.00" in words(client.get("/admin/floors").text)

    def test_refuses_what_is_no_floor_and_whoever_is_no_issuer(self, client, stage, words):
        typed = {"mineral": "CO", "currency": "JPY", "price": "700000", "source": "Ours", "key": "k"}
        client.sign_in(stage.issuer)
        for bent, why in (
            ({"price": "0"}, "more than 0"),
            ({"price": "700000.0"}, "no decimals"),
            ({"source": " "}, "required"),
            ({"mineral": "XX"}, "Not a valid choice"),
            ({"currency": "BTC"}, "Not a valid choice"),
        ):
            page = client.post("/admin/floors/new", data=typed | bent)
            assert page.status_code == 422
            assert why in words(page.text)
        assert client.sign_in(stage.lead).get("/admin/floors/new").status_code == 403
