"""A producer's pages of what limits a site and of what was sold of a batch."""

import pytest

from credits.participants.models import Kind
from credits.registry.doubts.plausibility_sales import sales_of
from credits.registry.doubts.screened import SiteLimit
from credits.web import sales, site_limits
from tests.factories import UserFactory
from tests.web.producing import NO_NUMBERS, NOW


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch):
    for door in (sales, site_limits):
        monkeypatch.setattr(door, "now", lambda: NOW)


@pytest.fixture
def limit():
    return {
        "key": "k1",
        "kind": "installed_capacity",
        "licence": "",
        "mineral": "CO",
        "kilograms": "12 000",
        "basis": "ore",
        "per": "year",
        "counts_from": "2026-01-01",
        "source": "Permit 4711, annex 2",
        "source_date": "2025-12-01",
    }


@pytest.fixture
def invoice():
    return {
        "key": "k1",
        "number": "INV-17",
        "buyer": "Depot",
        "sold_on": "2026-06-02",
        "kilograms": "4000,5",
        "grade": "31.25",
    }


def number_of(site):
    return f"{site.country}-{site.code}"


class TestSiteLimits:
    def test_says_what_to_do_where_there_is_none(self, client, stage, words):
        site = stage.site()

        page = words(client.sign_in(stage.manager).get(f"/my/sites/{number_of(site)}/limits").text)
        assert "Nobody has entered a limit of this site." in page
        assert "Enter the cap of the licence" in page

    def test_takes_the_cap_of_a_licence(self, client, stage, limit, words):
        site = stage.site()
        address = f"/my/sites/{number_of(site)}/limits"
        sent = limit | {"kind": "licence_cap", "licence": site.licences[0].number}

        entered = client.sign_in(stage.manager).post(f"{address}/new", data=sent)
        assert (entered.status_code, entered.location) == (303, address)
        page = words(client.get(address).text)
        assert f"Cap of a licence {site.licences[0].number}" in page
        assert "12,000 kg a calendar year, Dry ore as it is delivered" in page
        assert "Permit 4711, annex 2, 1 Dec 2025" in page
        assert "Counts" in page

    def test_lets_a_verifier_measure_what_a_miner_brings_out(self, client, stage, limit, words):
        site = stage.in_review().site
        address = f"/my/sites/{number_of(site)}/limits"
        sent = limit | {"kind": "productivity", "per": "miner_day", "kilograms": "4"}

        assert client.sign_in(stage.lead).post(f"{address}/new", data=sent).status_code == 303
        assert "4 kg a miner and day" in words(client.get(address).text)
        assert "Independent" in words(client.get(address).text)

    def test_does_not_offer_that_to_the_producer(self, client, stage, limit):
        address = f"/my/sites/{number_of(stage.site())}/limits/new"
        client.sign_in(stage.manager)

        assert "productivity" not in client.get(address).text
        sent = limit | {"kind": "productivity", "per": "miner_day"}
        assert client.post(address, data=sent).status_code == 422

    @pytest.mark.parametrize("typed", NO_NUMBERS)
    def test_refuses_what_is_no_quantity(self, client, stage, limit, typed, session):
        address = f"/my/sites/{number_of(stage.site())}/limits/new"

        assert client.sign_in(stage.manager).post(address, data=limit | {"kilograms": typed}).status_code == 422
        assert session.query(SiteLimit).count() == 0

    @pytest.mark.parametrize(
        "bent, says",
        [
            ({"per": "miner_day"}, "every other limit is a period's"),
            ({"kind": "licence_cap"}, "Choose the licence whose cap it is."),
            ({"source_date": "2026-12-01"}, "lies in the future"),
            ({"source": " "}, "This field is required"),
            ({"mineral": "XX"}, "Not a valid choice"),
        ],
    )
    def test_says_what_is_wrong(self, client, stage, limit, bent, says, words):
        address = f"/my/sites/{number_of(stage.site())}/limits/new"

        refused = client.sign_in(stage.manager).post(address, data=limit | bent)
        assert refused.status_code == 422
        assert says in words(refused.text)

    def test_is_not_found_by_strangers_nor_open_to_auditors(self, client, stage, limit):
        address = f"/my/sites/{number_of(stage.site())}/limits"
        client.sign_in(UserFactory(kind=Kind.COOPERATIVE))

        assert client.get(address).status_code == 404
        assert client.post(f"{address}/new", data=limit).status_code == 404


class TestSales:
    def test_enters_an_invoice_and_reckons_what_was_sold(self, client, stage, invoice, words):
        batch = stage.draft()
        address = f"/batches/{batch.number}/sales"

        assert client.sign_in(stage.clerk).post(address, data=invoice).status_code == 303
        page = words(client.get(address).text)
        assert "Claimed 2.5 credits 2,500 kg Sold 1.25 credits 1,250 kg" in page
        assert "INV-17" in page
        assert "4,000.5 kg" in page

        shown = words(client.get(f"/batches/{batch.number}").text)
        assert "Physical sales 1.25 credits 1,250 kg Bound The ceiling Claimed more" in shown
        assert "it cannot be verified like this" in shown

    def test_takes_a_mistaken_one_away(self, client, stage, invoice, session):
        batch = stage.draft()
        address = f"/batches/{batch.number}/sales"
        client.sign_in(stage.clerk).post(address, data=invoice)
        (entered,) = sales_of(session, batch)

        assert client.post(f"{address}/{entered.id}/remove").status_code == 303
        session.expire_all()
        assert sales_of(session, batch) == []

    def test_counts_an_invoice_once(self, client, stage, invoice, words):
        batch = stage.draft()
        address = f"/batches/{batch.number}/sales"
        client.sign_in(stage.clerk).post(address, data=invoice)

        again = client.post(address, data=invoice | {"key": "k2", "number": "inv 017"})
        assert again.status_code == 409
        assert "This invoice supports" in words(again.text)

    @pytest.mark.parametrize(
        "bent, says",
        [
            ({"grade": "312"}, "A share cannot be above 100"),
            ({"kilograms": "1,240"}, "Please write it without a comma"),
            ({"sold_on": "2026-12-01"}, "lies in the future"),
            ({"sold_on": "2026-01-01"}, "was sold between 1 Apr 2026 and today"),
            ({"number": ""}, "This field is required"),
        ],
    )
    def test_says_what_is_wrong(self, client, stage, invoice, bent, says, words):
        refused = client.sign_in(stage.clerk).post(f"/batches/{stage.draft().number}/sales", data=invoice | bent)

        assert refused.status_code == 422
        assert says in words(refused.text)

    def test_is_closed_once_submitted_and_readable_for_the_verifier(self, client, stage, invoice, words):
        batch = stage.in_review()
        address = f"/batches/{batch.number}/sales"

        assert client.sign_in(stage.clerk).post(address, data=invoice).status_code == 409
        page = client.sign_in(stage.lead).get(address)
        assert "No sale is entered." in words(page.text)
        assert "Enter the sale" not in page.text
        assert client.post(address, data=invoice).status_code == 404

    def test_is_not_found_by_strangers(self, client, stage, invoice):
        address = f"/batches/{stage.draft().number}/sales"

        assert client.sign_in(UserFactory(kind=Kind.COOPERATIVE)).get(address).status_code == 404


class TestSiteAndBatch:
    def test_hide_from_a_producer_what_a_neighbour_brings_out(self, client, stage, words):
        stage.issued(stage.site(latitude="-10.75"))
        batch = stage.draft()

        page = words(client.sign_in(stage.clerk).get(f"/batches/{batch.number}").text)
        assert "The site's own history" in page
        assert "Neighbouring sites" not in page

    def test_say_that_there_are_no_data_of_a_country(self, client, stage, words):
        site = stage.site(country="PER", latitude="-15.77", longitude="-73.36")

        page = words(client.sign_in(stage.manager).get(f"/my/sites/{number_of(site)}").text)
        assert "No open data about mine sites of this country are known to the registry" in page
