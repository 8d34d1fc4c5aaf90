"""The first page after signing in: what is open for this person, and where to go."""

from datetime import date

import pytest

from credits.payments.models import Means
from credits.payments.premiums.premium_models import PayoutMeans
from tests.payments.house import House


@pytest.fixture
def house(app, stage) -> House:
    made = House(stage)
    made.files = app.extensions["premium_files"]
    return made


class TestStart:
    def test_tells_everybody_what_waits_for_them(self, client, house, words):
        stage = house.stage
        house.sold(100_000, 100)
        minute = house.decided(income=30_000)
        house.paid(minute, 20_000)
        house.asked(minute, 5_000, means=PayoutMeans.CASH)
        stage.draft(produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 20))
        offer = stage.for_sale(house.made, 1_000)
        stage.begun(stage.ordered((offer, 100), means=Means.BANK_TRANSFER))
        stage.ordered((offer, 50))
        stage.offered(house.made, 300)

        for person, told, not_told in (
            (stage.manager, ("1 batch to finish", "1 site with premium", "1 payout not accounted"), "to pay"),
            (stage.clerk, ("1 batch to finish", "1 payout not accounted for whole"), "site with premium"),
            (stage.buyer, ("1 order to pay", "1 order that you have not sent yet", "1 transfer to accept"), "batch"),
            (stage.issuer, ("1 payout of premium to see to",), "order"),
        ):
            page = words(client.sign_in(person).get("/start").text).partition("What is open")[2]
            assert [each for each in told if each not in page] == [], page
            assert not_told not in page.partition("Go on")[0], page
        for link in ("/orders?state=awaiting_payment", "/transfers?direction=incoming&amp;state=pending"):
            assert link in client.sign_in(stage.buyer).get("/start").text
