import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import Invalid, Missing
from credits.journal.events import private_of, story
from credits.participants.models import Kind, User
from credits.participants.permissions import WrongRole
from credits.registry.calendar import BadPeriod
from credits.registry.mines import sites
from credits.registry.mines.observed import ObservedSite
from credits.registry.mines.sites import BadPosition, LicenceKnown, SiteFacts, SiteKnown, position
from credits.registry.production import Answer
from tests.batch_stage import FACTS
from tests.factories import AT, UserFactory


class TestRegister:
    def test_gives_a_code_of_the_name(self, stage):
        assert sites.number_of(stage.site()) == "COD-KAM001"
        assert sites.number_of(stage.site()) == "COD-KAM002"
        assert sites.number_of(stage.site(name="Île Été")) == "COD-ILE001"
        assert sites.number_of(stage.site(name="Жезды")) == "COD-XXX001"
        assert sites.number_of(stage.site(country="ZMB", latitude="-12.81", longitude="28.21")) == "ZMB-KAM001"

    def test_gives_each_its_own_where_producers_register_at_once(self, stage, engine):
        people = [stage.manager, *(UserFactory(kind=Kind.COOPERATIVE) for _ in range(3))]
        stage.session.commit()
        ids = [person.id for person in people]
        gate = threading.Barrier(len(ids))

        def register(person):
            with Session(engine) as own:
                gate.wait()
                begin_writing(own)
                by = own.get_one(User, person)
                made = sites.register(own, producer=by.organisation, facts=FACTS, by=by, key="once", at=AT)
                number = sites.number_of(made)
                time.sleep(0.1)  # the others look for a free code before this one is there
                own.commit()
                return number

        with ThreadPoolExecutor(len(ids)) as threads:
            numbers = list(threads.map(register, ids, timeout=60))

        assert sorted(numbers) == [f"COD-KAM00{number}" for number in range(1, 5)]

    def test_asks_back_where_the_producer_has_the_same_mine(self, stage):
        stage.site(name="Île-Été")
        with pytest.raises(SiteKnown, match="COD-ILE001"):
            stage.site(name="ILE ÉTÉ ", latitude="-10.9")

        stage.site(name="Île-Été 2")
        stage.site(name="Île-Été", district="Lubudi")
        other = UserFactory(kind=Kind.COOPERATIVE)
        facts = SiteFacts(**vars(FACTS) | {"name": "Île-Été"})
        assert sites.register(
            stage.session, producer=other.organisation, facts=facts, by=other, key="theirs", at=stage.at
        )

    def test_keeps_the_position_private(self, stage):
        stage.site()
        registered = story(stage.session, "COD-KAM001")[0]

        assert b"10716400" not in registered.body

    @pytest.mark.parametrize(
        "bent",
        [
            {"name": ""},
            {"name": "x" * 121},
            {"country": "CD"},
            {"miners": -1},
            {"miners": 100_001},
            {"conflict_affected": Answer.YES, "conflict_source": " "},
            {"conflict_affected": Answer.YES, "conflict_source": "ACLED"},
            {"conflict_affected": Answer.NO, "conflict_source": "ACLED"},
            {"conflict_affected": Answer.NO, "conflict_source": "ACLED", "conflict_checked_on": date(2026, 7, 2)},
            {"conflict_checked_on": date(2026, 7, 2)},
            {"district": ""},
            {"concession_owner": ""},
        ],
        ids=str,
    )
    def test_refuses_what_cannot_be(self, stage, bent):
        with pytest.raises(Invalid):
            stage.site(**bent)

    def test_is_for_producers(self, stage):
        stage.coop, stage.manager = stage.buyer.organisation, stage.buyer
        with pytest.raises(WrongRole):
            stage.site()


class TestAddLicence:
    def test_refuses_a_number_twice(self, stage):
        site = stage.site()
        asked = {"site": site, "number": "L-1", "authority": "Ministry", "by": stage.manager, "at": stage.at}
        asked |= {"valid_from": date(2026, 1, 1), "valid_to": date(2026, 12, 31)}
        sites.add_licence(stage.session, key="a", **asked)
        with pytest.raises(LicenceKnown):
            sites.add_licence(stage.session, key="b", **asked)

    def test_refuses_an_end_before_the_beginning(self, stage):
        with pytest.raises(BadPeriod):
            stage.licence(stage.site(), date(2026, 2, 1), date(2026, 1, 31))

    def test_is_not_for_strangers(self, stage):
        site = stage.site()
        stage.manager = stage.second
        with pytest.raises(Missing):
            stage.licence(site, date(2026, 1, 1), date(2026, 1, 31))


class TestConfirmMatch:
    def test_links_the_site_to_what_others_saw_and_loosens_it(self, stage):
        site = stage.site()
        seen = ObservedSite(
            pcode="codmine1", source="IPIS", name="Kamilombe", country="COD", province="", territory="", village=""
        )
        stage.session.add(seen)
        stage.session.flush()
        sites.confirm_match(stage.session, site=site, observed=seen, by=stage.manager, at=stage.at)
        assert site.pcode == "codmine1"
        matched = story(stage.session, sites.number_of(site))[-1]
        assert json.loads(matched.body)["facts"] == {"matched": True}
        assert private_of(stage.session, [matched]) == {matched.id: {"pcode": "codmine1"}}
        told = len(story(stage.session, sites.number_of(site)))
        sites.confirm_match(stage.session, site=site, observed=seen, by=stage.manager, at=stage.at)
        assert len(story(stage.session, sites.number_of(site))) == told
        sites.confirm_match(stage.session, site=site, observed=None, by=stage.manager, at=stage.at)
        assert site.pcode is None


class TestPosition:
    def test_is_kept_in_micro_degrees(self):
        assert position("-10.71641", " 25.4667 ") == {"latitude": -10_716_410, "longitude": 25_466_700}

    @pytest.mark.parametrize(
        "latitude, longitude",
        [("0", "0"), ("91", "0"), ("-90.1", "1"), ("1", "180.5"), ("1e1", "2"), ("NaN", "2"), ("١", "2"), ("", "2")],
    )
    def test_refuses(self, latitude, longitude):
        with pytest.raises(BadPosition):
            position(latitude, longitude)
