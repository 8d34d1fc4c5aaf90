from datetime import date

import pytest
from sqlalchemy import func, select

from credits.participants.models import Kind, Kyc, RoleName
from credits.registry.mines.observed import ObservedSite, SiteObservation
from credits.registry.mines.sites import number_of, register
from credits.registry.production import Licence, Site
from credits.web import sites
from tests.batch_stage import FACTS
from tests.factories import OrganisationFactory, UserFactory
from tests.web.producing import NO_NUMBERS, NOW


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch):
    monkeypatch.setattr(sites, "now", lambda: NOW)


@pytest.fixture
def filled_in():
    return {
        "key": "k1",
        "name": "Kamilombe",
        "country": "COD",
        "province": "Lualaba",
        "district": "Mutshatsha",
        "latitude": "-10.7164",
        "longitude": "25,4667",
        "access": "sub_lease",
        "concession_owner": "State mining company",
        "method": "underground",
        "mercury": "no",
        "miners": "1 200",
        "conflict_affected": "unknown",
        "conflict_source": "",
        "conflict_checked_on": "",
    }


@pytest.fixture
def licence():
    return {
        "key": "k2",
        "number": "AC/2026/0147",
        "authority": "Ministry of Mines",
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
    }


@pytest.fixture
def near(session):
    """A site of the open data close to the stage's, and one far away."""
    for pcode, name, latitude in (("codmine1", "Kamilombe", -10_716_000), ("codmine2", "Elsewhere", -2_000_000)):
        session.add(
            ObservedSite(
                pcode=pcode,
                source="IPIS",
                name=name,
                country="COD",
                province="Lualaba",
                territory="Mutshatsha",
                village="Kapata",
                latitude=latitude,
                longitude=25_466_000,
            )
        )
    session.flush()
    session.add(
        SiteObservation(visit=1, pcode="codmine1", visited_on=date(2019, 5, 15), recorded={"mineral1": "Cobalt"})
    )


def count(session, model):
    return session.scalars(select(func.count()).select_from(model)).one()


class TestSites:
    def test_say_what_comes_first(self, client, stage):
        page = client.sign_in(stage.clerk).get("/my/sites")

        assert page.status_code == 200
        assert "Register the first site" in page.text

    def test_list_ones_own_alone(self, client, stage):
        stage.site()
        stranger = UserFactory()

        assert "COD-KAM001" in client.sign_in(stage.clerk).get("/my/sites").text
        assert "COD-KAM001" not in client.sign_in(stranger).get("/my/sites").text

    def test_find_by_name_code_or_district(self, client, stage):
        stage.site()
        stage.site(name="Mutoshi", district="Lubudi")
        client.sign_in(stage.clerk)

        for asked in ("utosh", "mut001", "lubudi"):
            page = client.get("/my/sites", query_string={"q": asked})
            assert "COD-MUT001" in page.text
            assert "COD-KAM001" not in page.text

    @pytest.mark.parametrize("asked", ["%", "_", "\x00", "<b>", "x" * 500])
    def test_find_nothing_under_what_is_no_name(self, client, stage, asked):
        stage.site()

        page = client.sign_in(stage.clerk).get("/my/sites", query_string={"q": asked + "zzz"})

        assert page.status_code == 200
        assert "No site fits this search" in page.text

    def test_come_in_pages(self, client, stage):
        for number in range(26):
            stage.site(name=f"Pit {number:02d}")
        client.sign_in(stage.clerk)

        assert "Page 1 of 2" in client.get("/my/sites").text
        assert "Pit 25" in client.get("/my/sites?page=99").text

    def test_offer_nothing_before_the_approval(self, client):
        waiting = UserFactory(organisation=OrganisationFactory(kyc=Kyc.PENDING))

        page = client.sign_in(waiting).get("/my/sites")

        assert "has to approve" in page.text
        assert "Register" not in page.text


class TestRegisterSite:
    def test_enters_the_site_with_a_number(self, client, session, stage, filled_in):
        answer = client.sign_in(stage.clerk).post("/my/sites/new", data=filled_in)

        assert (answer.status_code, answer.location) == (303, "/my/sites/COD-KAM001")
        made = session.scalars(select(Site)).one()
        assert (made.producer_id, made.miners, made.latitude, made.longitude) == (
            stage.coop.id,
            1200,
            -10_716_400,
            25_466_700,
        )

    def test_enters_it_once_where_the_form_is_sent_twice(self, client, session, stage, filled_in):
        client.sign_in(stage.clerk)

        answers = [client.post("/my/sites/new", data=filled_in) for _ in range(2)]

        assert [answer.location for answer in answers] == ["/my/sites/COD-KAM001"] * 2
        assert count(session, Site) == 1

    def test_tells_a_changed_form_from_one_sent_twice(self, client, session, stage, filled_in):
        client.sign_in(stage.clerk).post("/my/sites/new", data=filled_in)

        answer = client.post("/my/sites/new", data=filled_in | {"name": "Mutoshi"})

        assert answer.status_code == 409
        assert "sent already, with other values" in answer.text
        assert count(session, Site) == 1

    @pytest.mark.parametrize(
        ("field", "wrong"),
        [
            ("miners", [*NO_NUMBERS, "0.5", "1,200", "100001"]),
            ("latitude", [*(text for text in NO_NUMBERS if text != "-5"), "91", "1.2.3", "10°43'"]),
            ("longitude", ["180.1", "east"]),
            ("name", ["", "   ", "x" * 121, "x" * 100_000, "hidden\u202eeman", "\x00"]),
            ("province", ["", "x" * 121]),
            ("district", ["", "x" * 121]),
            ("concession_owner", ["", "x" * 201]),
            ("country", ["COX", ""]),
            ("access", ["", "stolen"]),
            ("method", ["", "magic"]),
            ("mercury", ["", "maybe"]),
            ("conflict_affected", ["", "yes"]),  # yes needs a source
            ("conflict_checked_on", ["2026-02-30", "٢٠٢٦-01-01", "2026-07-12", "true"]),
        ],
    )
    def test_refuses_what_is_not_sound_and_loses_nothing(self, client, session, stage, filled_in, field, wrong):
        client.sign_in(stage.clerk)
        kept = "district" if field == "name" else "name"

        for value in wrong:
            answer = client.post("/my/sites/new", data=filled_in | {field: value, "key": f"key {value[:20]}"})

            assert answer.status_code == 422, value
            assert "Please look at this again" in answer.text
            assert f'value="{filled_in[kept]}"' in answer.text
        assert count(session, Site) == 0

    def test_shows_markup_as_text(self, client, stage, filled_in):
        marked = dict.fromkeys(("name", "province", "district", "concession_owner"), "<b>x</b>")
        client.sign_in(stage.clerk).post("/my/sites/new", data=filled_in | marked)

        page = client.get("/my/sites/COD-BXB001")

        assert page.status_code == 200
        assert "<b>x</b>" not in page.text
        assert page.text.count("&lt;b&gt;x&lt;/b&gt;") >= 4

    def test_lets_a_group_manager_choose_the_member(self, client, session, filled_in):
        manager = UserFactory(kind=Kind.GROUP_MANAGER)
        member = OrganisationFactory(group_manager=manager.organisation, name="Coopérative Lualaba")
        OrganisationFactory(name="Not of the group")
        client.sign_in(manager)

        form = client.get("/my/sites/new").text
        answer = client.post("/my/sites/new", data=filled_in | {"producer": member.number})

        assert "Coopérative Lualaba" in form
        assert "Not of the group" not in form
        assert answer.status_code == 303
        assert session.scalars(select(Site.producer_id)).one() == member.id

    def test_does_not_let_them_choose_another(self, client, session, filled_in):
        manager = UserFactory(kind=Kind.GROUP_MANAGER)
        OrganisationFactory(group_manager=manager.organisation)
        stranger = OrganisationFactory()

        answer = client.sign_in(manager).post("/my/sites/new", data=filled_in | {"producer": stranger.number})

        assert answer.status_code == 422
        assert count(session, Site) == 0

    def test_is_not_for_buyers(self, client, session, stage, filled_in):
        answer = client.sign_in(stage.buyer).post("/my/sites/new", data=filled_in)

        assert answer.status_code == 403
        assert count(session, Site) == 0


class TestSite:
    def test_shows_its_own_people_what_comes_next(self, client, session, stage):
        made = register(session, producer=stage.coop, facts=FACTS, by=stage.manager, key=stage.key(), at=stage.at)

        page = client.sign_in(stage.clerk).get(f"/my/sites/{number_of(made)}")

        assert page.status_code == 200
        assert "-10.716400, 25.466700" in page.text
        assert "Add the licence" in page.text

    @pytest.mark.parametrize("way", ["", "/licences/new", "/match"])
    def test_is_unknown_to_others(self, client, stage, way):
        stage.site()

        assert client.sign_in(UserFactory()).get(f"/my/sites/COD-KAM001{way}").status_code == 404

    def test_shows_group_managers_those_of_their_members(self, client, stage):
        manager = UserFactory(kind=Kind.GROUP_MANAGER)
        stage.coop.group_manager = manager.organisation
        stage.site()

        assert client.sign_in(manager).get("/my/sites/COD-KAM001").status_code == 200

    def test_lets_a_verifier_look_but_not_write(self, client, stage):
        site = stage.site()
        client.sign_in(stage.lead)
        assert client.get("/my/sites/COD-KAM001").status_code == 404
        stage.submitted(site)

        assert "Add a licence" not in client.get("/my/sites/COD-KAM001").text
        assert client.get("/my/sites/COD-KAM001/licences/new").status_code == 404


class TestAddLicence:
    def test_enters_it_once(self, client, session, stage, licence):
        stage.site()
        client.sign_in(stage.clerk)

        answers = [client.post("/my/sites/COD-KAM001/licences/new", data=licence) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert session.scalars(select(Licence.number).where(Licence.number == "AC/2026/0147")).all() == ["AC/2026/0147"]

    def test_refuses_what_is_not_sound(self, client, session, stage, licence):
        stage.site()
        client.sign_in(stage.clerk)

        for field, wrong in [
            ("number", ""),
            ("number", "x" * 81),
            ("authority", "\x07"),
            ("valid_from", ""),
            ("valid_from", "01/01/2026"),
            ("valid_to", "2025-12-31"),  # before the first day
            ("valid_to", "9999-12-31"),
            ("valid_to", "true"),
        ]:
            answer = client.post(
                "/my/sites/COD-KAM001/licences/new", data=licence | {field: wrong, "key": f"{field} {wrong[:20]}"}
            )

            assert answer.status_code == 422, (field, wrong)
            assert "Please look at this again" in answer.text
        assert count(session, Licence) == 1

    def test_refuses_a_number_that_is_there_already(self, client, stage, licence):
        stage.site()
        client.sign_in(stage.clerk).post("/my/sites/COD-KAM001/licences/new", data=licence)

        answer = client.post("/my/sites/COD-KAM001/licences/new", data=licence | {"key": "k3"})

        assert answer.status_code == 409
        assert "already has a licence with that number" in answer.text


class TestMatchSite:
    def test_proposes_what_is_near_and_names_the_source(self, client, stage, near):
        stage.site()

        page = client.sign_in(stage.clerk).get("/my/sites/COD-KAM001/match")

        assert "codmine1" in page.text
        assert "codmine2" not in page.text
        assert "Source: IPIS" in page.text

    def test_keeps_the_answer(self, client, session, stage, near):
        made = stage.site()
        client.sign_in(stage.clerk)

        client.post("/my/sites/COD-KAM001/match", data={"pcode": "codmine1"})
        assert session.get_one(Site, made.id).pcode == "codmine1"
        assert "Source: IPIS" in client.get("/my/sites/COD-KAM001").text

        client.post("/my/sites/COD-KAM001/match", data={"pcode": "none"})
        assert session.get_one(Site, made.id).pcode is None

    @pytest.mark.parametrize("pcode", ["", "codmine2", "unheard-of", "<b>"])
    def test_takes_nothing_that_was_not_proposed(self, client, session, stage, near, pcode):
        made = stage.site()

        answer = client.sign_in(stage.clerk).post("/my/sites/COD-KAM001/match", data={"pcode": pcode})

        assert answer.status_code == 422
        assert session.get_one(Site, made.id).pcode is None

    def test_is_not_for_who_only_reads(self, client, stage):
        stage.site()
        reader = UserFactory(organisation=stage.coop, may=[RoleName.READER])

        assert client.sign_in(reader).get("/my/sites/COD-KAM001/match").status_code == 403
