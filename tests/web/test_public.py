import re
from datetime import date

import pytest

from credits.participants.models import Kyc
from credits.registry.mines.observed import ObservedSite, SiteObservation
from tests.factories import OrganisationFactory, UserFactory


class TestHome:
    def test_says_what_this_is_and_what_to_do_next(self, client, database):
        page = client.get("/").text

        for said in ("claimed once", "Join as a producer", "Join as a manufacturer", "Join as a verifier", "Look up"):
            assert said in page

    def test_counts_by_mineral(self, client, stage, words):
        issuance = stage.issued()
        stage.handed_over(issuance, 1_500)
        stage.retired(issuance, 750)

        page = words(client.get("/").text)

        assert "Cobalt 2.5 credits 2,500 kg 0.75 credits 750 kg 1.75 credits 1,750 kg" in page

    def test_leads_the_signed_in_to_what_is_open(self, client, stage):
        assert 'href="/start"' in client.sign_in(stage.manager).get("/").text


class TestAbout:
    def test_names_every_mineral_and_the_limits(self, client, database):
        page = client.get("/about").text

        for said in ("Rare earths", "1 t Li2O", "Source: IPIS", "not physically traced"):
            assert said in page


class TestPublicSite:
    @pytest.fixture
    def site(self, stage):
        return stage.issued().batch.site

    def test_shows_district_assurance_and_issuances(self, client, site, words):
        page = words(client.get("/sites/COD-KAM001").text)

        for fact in ("Kolwezi, Lualaba", "Tolerated", "CRAFT Code, 2.0", "ASMC-CO-COD-KAM001-2026-0001", "2,500 kg"):
            assert fact in page
        assert "IPIS" not in page

    def test_draws_the_same_area_for_every_site_of_a_cell(self, client, session, site):
        def drawn(address):
            (svg,) = re.findall(r"<figure class=.area.>.*?</svg>", client.get(address).text, re.DOTALL)
            return svg

        there = [
            "/sites/COD-KAM001",
            "/serials/ASMC-CO-COD-KAM001-2026-0001-000000001",
            "/issuances/ASMC-CO-COD-KAM001-2026-0001",
        ]
        (first,) = {drawn(address) for address in there}
        assert "some 110 km wide" in first
        for latitude, longitude in ((-10_000_001, 25_000_000), (-11_000_000, 25_999_999), (-10_512_345, 25_123_456)):
            site.latitude, site.longitude = latitude, longitude
            session.flush()
            assert drawn(there[0]) == first
            assert not {f"{abs(each) / 1e6:.2f}" for each in (latitude, longitude)} & set(
                re.findall(r"\d+\.\d\d", client.get(there[0]).text)
            )
        site.latitude = -9_999_999
        session.flush()
        assert drawn(there[0]) != first

    def test_can_be_shared_with_title_and_description(self, client, site):
        premium = "/sites/COD-KAM001/premium"
        for address in ("/sites/COD-KAM001", premium, "/serials/ASMC-CO-COD-KAM001-2026-0001-000000001"):
            page = client.get(address).text
            said = dict(re.findall(r'<meta (?:property|name)="([a-z:_]+)" content="([^"]*)">', page))
            assert address in said["og:url"]
            assert said["og:description"] == said["description"]
            assert "Kamilombe" in said["og:title"] + said["description"]
            assert page.count("og:site_name") == 1

    def test_says_of_what_others_saw_no_more_than_the_year(self, client, session, site, words):
        observed = ObservedSite(
            pcode="codmine00001", source="IPIS", name="Kamilombe", country="COD", province="Lualaba",
            territory="Mutshatsha", village="Kapata", latitude=-10_716_412, longitude=25_466_700,
        )  # fmt: skip
        visit = {"mineral1": "Cobalt", "workers_numb": "1500", "presence": "1", "mercury": "0"}
        observed.observations = [SiteObservation(visit=1, visited_on=date(2019, 5, 4), recorded=visit)]
        site.observed = observed

        page = client.get("/sites/COD-KAM001").text

        assert "Source: IPIS" in page
        assert "last visited for them in 2019" in words(page)
        for private in ("05-04", "1500", "10.716", "codmine00001", "Mutshatsha", "Kapata"):
            assert private not in page

    @pytest.mark.parametrize("number", ["COD-KAM002", "COD", "KAM001", "-", "%00", "9" * 40])
    def test_is_missing_where_there_is_none(self, client, site, number):
        assert client.get(f"/sites/{number}").status_code == 404


class TestOrganisation:
    def test_shows_a_producers_sites(self, client, stage):
        stage.site()

        assert "/sites/COD-KAM001" in client.get(f"/organisations/{stage.coop.number}").text

    def test_shows_a_buyers_retirements(self, client, stage):
        issuance = stage.issued()
        stage.handed_over(issuance, 1_500)
        made = stage.retired(issuance, 750)

        assert made.number in client.get(f"/organisations/{stage.buyer.organisation.number}").text

    @pytest.mark.parametrize("kyc", [Kyc.PENDING, Kyc.REFUSED])
    def test_says_nothing_of_who_does_not_take_part(self, client, session, kyc):
        organisation = OrganisationFactory(kyc=kyc, name="Unknown to the public")

        assert client.get(f"/organisations/{organisation.number}").status_code == 404
        assert f"/organisations/{organisation.number}" not in client.get("/search?q=Unknown").text

    def test_keeps_address_and_people_private(self, client, session):
        person = UserFactory(name="Somebody Private")

        page = client.get(f"/organisations/{person.organisation.number}").text

        assert "Somebody Private" not in page
        assert person.organisation.address not in page
        assert person.organisation.contact_email not in page

    @pytest.mark.parametrize("number", ["ORG-000000", f"ORG-{2**63}", "ORG-1", "x"])
    def test_is_missing_where_there_is_none(self, client, session, number):
        UserFactory()

        assert client.get(f"/organisations/{number}").status_code == 404
