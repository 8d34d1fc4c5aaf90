from datetime import date

import pytest
from sqlalchemy import select

from credits.participants.models import Kind
from credits.payments.models import Currency, Offer, OfferState
from credits.registry.movements import DecisionKind
from credits.web import by_quantity, offers, selling
from tests.factories import OrganisationFactory, UserFactory
from tests.web.conftest import NOW

MARKUP = "<script>alert(1)</script>"
EARLY = {"produced_from": date(2026, 1, 5), "produced_to": date(2026, 1, 30)}


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch):
    for door in (by_quantity, offers, selling):
        monkeypatch.setattr(door, "now", lambda: NOW)


@pytest.fixture
def issuance(stage):
    return stage.issued()


@pytest.fixture
def typed():
    return {"quantity": "1.5", "price": "5,200.00", "currency": "USD", "key": "key-of-this-form"}


def offers_in(session):
    return session.scalars(select(Offer).order_by(Offer.id)).all()


class TestAllOffers:
    def test_shows_anybody_what_is_for_sale(self, client, stage, issuance, words):
        made = stage.for_sale(issuance, 1_500)

        seen = words(client.get("/offers").text)
        assert "1 offer" in seen
        for each in (made.number, "Cobalt", "Kamilombe", stage.coop.name, "Step 6", "1.5 credits", "USD 5,200.00"):
            assert each in seen
        assert "Democratic Republic of the Congo" in seen
        assert '<details class="filters">' in client.get("/offers").text
        assert '<details class="filters" open>' in client.get("/offers?mineral=CO").text
        assert 'id="levels"' in client.get("/about").text

    def test_is_filtered_by_what_there_is(self, client, stage, issuance):
        made = stage.for_sale(issuance)
        fits = f"mineral=CO&country=COD&vintage=2026&currency=USD&level={issuance.facts['assurance']['level']}&q=kami"

        assert made.number in client.get(f"/offers?{fits}&sort=cheapest&page=1").text
        for odd in ("vintage=x", "currency=usd", "country=", "mineral=GOLD", "sort=worst", "page=-1"):
            assert made.number in client.get(f"/offers?{odd}").text  # a filter that there is not filters nothing
        page = client.get(f"/offers?q={MARKUP}").text
        assert "No offer fits all of this." in page
        assert MARKUP not in page

    def test_says_what_comes_where_nothing_is_for_sale(self, client, stage):
        assert "Nothing is for sale now." in client.get("/offers").text
        assert "Nothing is for sale now." in client.get("/offers/by-quantity").text
        assert client.sign_in(stage.manager).get("/my-offers").text.count("/holdings") >= 2


class TestOffer:
    def test_tells_the_story_and_who_gets_what(self, client, stage, issuance, words):
        made = stage.for_sale(issuance)

        seen = words(client.get(f"/offers/{made.number}?quantity=2.5&bill=DEU").text)
        for each in ("Cobalt from Kamilombe", "Kolwezi, Lualaba", "Step 6", stage.coop.name, "Nothing is open."):
            assert each in seen
        for line in (
            "Premium to the site, 88 % USD 11,440.00",
            "Verification USD 650.00",
            "Registry fee USD 910.00",
            "Price before tax USD 13,000.00",
            "Tax, 19 % USD 2,470.00",
            "You pay USD 15,470.00",
        ):
            assert line in seen
        assert "Tax, 0 % USD 0.00" in words(client.get(f"/offers/{made.number}?bill=DEU&vat=yes").text)
        untaxed = words(client.get(f"/offers/{made.number}?bill=SWE").text)
        assert "Tax, 0 % USD 0.00" in untaxed
        assert "a country for which the registry charges none" in untaxed

    def test_takes_the_buyer_s_own_country_and_leads_to_the_order(self, client, stage, issuance, words):
        made = stage.for_sale(issuance)
        buyer = UserFactory(organisation=OrganisationFactory(kind=Kind.MANUFACTURER, country="FRA"))

        page = client.sign_in(buyer).get(f"/offers/{made.number}?quantity=0,5").text
        assert "Tax, 20 % USD 520.00" in words(page)
        assert f"/orders/new?offer={made.number}&amp;quantity=0.5" in page
        assert "/orders/new" not in client.sign_in(stage.clerk).get(f"/offers/{made.number}").text

    def test_sells_no_more_than_is_left_and_stays_when_nothing_is(self, client, stage, issuance):
        made = stage.for_sale(issuance)

        for quantity, status in (("2.501", 409), ("0", 422), ("-1", 422), (MARKUP, 422), ("1,240", 422)):
            page = client.get(f"/offers/{made.number}", query_string={"quantity": quantity})
            assert page.status_code == status
            assert 'aria-invalid="true"' in page.text
            assert "/orders/new" not in page.text
            assert MARKUP not in page.text

        stage.offered(issuance, 2_500)
        assert "Sold out" in client.get(f"/offers/{made.number}").text
        assert "It may come back" not in client.get(f"/offers/{made.number}").text  # nothing of it is reserved
        client.sign_in(stage.manager).post(f"/my-offers/{made.number}/close")
        page = client.get(f"/offers/{made.number}?quantity=1").text
        assert "Nothing more is sold from this offer." in page
        assert client.get("/offers/OFFER-999999").status_code == 404

    def test_shows_a_yen_without_decimals(self, client, stage, issuance, words):
        stage.floor(price=700_000, currency=Currency.JPY)
        made = stage.for_sale(issuance, price=780_001, currency=Currency.JPY)

        seen = words(client.get(f"/offers/{made.number}?quantity=0.5").text)
        assert "Price before tax JPY 390,001 Tax comes on top where it is due" in seen
        assert "You pay" not in seen


class TestPublicPages:
    def test_say_where_credits_are_on_offer(self, client, stage, issuance, words):
        made = stage.for_sale(issuance, 1_500)
        number = issuance.facts["producer"]["site_code"]
        assert client.get(f"/search?q=offer-{made.id}").location == f"/offers/{made.number}"
        assert client.get("/search?q=OFFER-999999").status_code == 404
        for address in (f"/issuances/{issuance.number}", f"/serials/{issuance.number}-000000001", f"/sites/{number}"):
            page = client.get(address).text
            assert "On offer: 1.5 credits at USD 5,200.00 each" in words(page)
            assert f"/offers/{made.number}" in page
        client.sign_in(stage.manager)
        for address in ("/holdings", f"/holdings/{issuance.number}"):
            seen = words(client.get(address).text).lower()
            assert "on offer" in seen
            assert "1.5 credits" in seen


class TestByQuantity:
    def test_shows_the_lines_before_anything_is_ordered(self, client, stage, words):
        site = stage.site()
        late, early = stage.issued(site), stage.issued(site, **EARLY)
        cheap, old = stage.for_sale(late, 2_000), stage.for_sale(early, 1_500, 600_000)

        asked = "quantity=2.5&mineral=CO&currency=USD"
        page = client.sign_in(stage.buyer).get(f"/offers/by-quantity?{asked}&bill=JPN").text
        seen = words(page)
        assert seen.index(old.number) < seen.index(cheap.number)
        for each in ("1.5 credits", "USD 9,000.00", "1 credit", "USD 5,200.00", "You pay USD 15,620.00"):
            assert each in seen
        lines = f"offer={old.number}&amp;offer={cheap.number}&amp;quantity=1.5&amp;quantity=1"
        assert f"/orders/new?{lines}" in page
        seen = words(client.get(f"/offers/by-quantity?{asked}&sort=cheapest").text)
        assert seen.index(cheap.number) < seen.index(old.number)

    def test_says_what_is_missing(self, client, stage, issuance, words):
        stage.for_sale(issuance, 2_400)
        stage.floor(price=400_000, currency=Currency.EUR)
        stage.for_sale(issuance, 100, currency=Currency.EUR)
        for asked, status, why in (
            ("quantity=3&mineral=CO&currency=USD", 409, "Others are on offer in EUR"),
            ("quantity=3&mineral=CO&currency=USD", 409, "Only 2,400 kg of cobalt that fit are on offer in USD"),
            ("quantity=1&currency=USD", 422, "Say of which mineral"),
            ("quantity=x&mineral=CO&currency=USD", 422, "plain number"),
        ):
            page = client.get(f"/offers/by-quantity?{asked}")
            assert page.status_code == status
            assert why in words(page.text)
        assert client.get("/offers/by-quantity").status_code == 200


class TestOfferCredits:
    def test_shows_what_will_be_offered_before_it_is(self, client, session, stage, issuance, typed, words):
        stage.floor()
        address = f"/issuances/{issuance.number}/offer"
        client.sign_in(stage.manager)
        assert address in client.get(f"/holdings/{issuance.number}").text

        seen = words(client.post(address, data=typed).text)
        assert "1.5 credits 1,500 kg" in seen
        assert "Premium to the site USD 6,864.00" in seen
        assert offers_in(session) == []

        answer = client.post(address, data=typed | {"confirmed": "yes"})
        (made,) = offers_in(session)
        assert (answer.status_code, answer.location) == (303, f"/my-offers/{made.number}")
        assert (made.quantity, made.price, made.currency) == (1_500, 520_000, Currency.USD)
        assert client.post(address, data=typed | {"confirmed": "yes"}).location == answer.location
        assert len(offers_in(session)) == 1
        assert '<option selected value="USD">' in client.get(address).text  # as last time

    def test_says_at_the_field_or_above_what_cannot_be(self, client, session, stage, issuance, typed, words):
        stage.floor()
        stage.floor(price=700_000, currency=Currency.JPY)
        client.sign_in(stage.manager)
        for bent, status, why in (
            ({"price": "0"}, 422, "An amount is more than 0."),
            ({"price": "5200.005"}, 422, "at most 2 decimals"),
            ({"price": "780000.5", "currency": "JPY"}, 422, "An amount in JPY has no decimals"),
            ({"price": "4999.99"}, 409, "A credit of cobalt costs at least USD 5,000.00"),
            ({"price": "five"}, 422, "plain amount"),
            ({"currency": "EUR"}, 422, "Not a valid choice"),
            ({"quantity": "2.501"}, 409, "2,500 kg are available"),
            ({"quantity": "0"}, 422, "cannot be counted in whole kg, at least 1"),
            ({"quantity": ""}, 422, "required"),
        ):
            page = client.post(f"/issuances/{issuance.number}/offer", data=typed | bent | {"key": why})
            assert page.status_code == status, bent
            assert why in words(page.text), bent
        assert offers_in(session) == []

    def test_names_who_sets_the_floor_where_there_is_none(self, client, stage, issuance):
        page = client.sign_in(stage.manager).get(f"/issuances/{issuance.number}/offer").text

        assert "Ask the registry to set that floor." in page
        assert "Check the offer" not in page

    def test_is_for_its_producer_and_the_registry(self, client, stage, issuance, typed):
        stage.floor()
        address = f"/issuances/{issuance.number}/offer"
        for user, status in ((stage.clerk, 403), (stage.buyer, 404), (stage.lead, 404), (stage.issuer, 200)):
            assert client.sign_in(user).get(address).status_code == status
            assert client.post(address, data=typed | {"key": f"of-{user.id}"}).status_code == status
        assert address in client.get(f"/admin/issuances/{issuance.number}").text


class TestMyOffers:
    def test_shows_what_came_of_each(self, client, stage, issuance, words):
        made, closed = stage.for_sale(issuance, 1_500), stage.for_sale(issuance, 500)
        client.sign_in(stage.manager)
        assert "is closed." in client.post(f"/my-offers/{closed.number}/close", follow_redirects=True).text

        seen = words(client.get("/my-offers?state=open").text)
        assert made.number in seen
        assert closed.number not in seen
        assert "1.5 credits 1,500 kg" in seen
        seen = words(client.get(f"/my-offers/{made.number}").text)
        assert "Nobody has ordered from this offer yet." in seen
        assert "No offer is in this state." not in client.get("/my-offers?state=odd").text
        assert "nothing on offer yet" in client.sign_in(stage.buyer).get("/my-offers").text
        assert client.get(f"/my-offers/{made.number}").status_code == 404

    def test_tells_who_has_ordered(self, client, stage, issuance, words):
        made = stage.for_sale(issuance, 1_500)
        order = stage.ordered((made, 500))
        page = client.sign_in(stage.manager).get(f"/my-offers/{made.number}").text
        assert order.number not in page  # nothing is promised yet
        stage.begun(order)

        seen = words(client.get(f"/my-offers/{made.number}").text)
        for each in (order.number, stage.buyer.organisation.name, "Awaiting payment", "USD 2,288.00"):
            assert each in seen
        assert "Ordered, not paid yet 0.5 credits" in seen
        assert "Left 1 credit" in seen
        assert "Refunded" not in seen
        stage.approve(stage.money_seen(order))
        stage.decided(DecisionKind.REFUND, order.number)
        seen = words(client.get(f"/my-offers/{made.number}").text)
        assert "Of orders that were refunded, 0.5 credits 500 kg are not in this offer any more." in seen
        assert "went back" in seen
        assert "USD 2,288.00" not in seen

    def test_closes_once_and_says_so_again(self, client, session, stage, issuance):
        made = stage.for_sale(issuance)
        number = made.number
        assert client.sign_in(stage.clerk).post(f"/my-offers/{number}/close").status_code == 403
        assert client.sign_in(stage.buyer).post(f"/my-offers/{number}/close").status_code == 404
        client.sign_in(stage.manager)
        answers = [client.post(f"/my-offers/{number}/close") for _ in range(2)]

        assert {answer.location for answer in answers} == {f"/my-offers/{number}"}
        assert offers_in(session)[0].state is OfferState.CLOSED
