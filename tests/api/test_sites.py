from datetime import date

import pytest

from credits.participants.models import Kind
from credits.registry.mines.observed import ObservedSite, SiteObservation


@pytest.fixture
def observed(session):
    """A site of the open data beside the one that is registered, and one far away."""
    for pcode, latitude in (("codmine1", -10_716_000), ("codmine2", -5_000_000)):
        place = {"country": "COD", "province": "Lualaba", "territory": "Mutshatsha", "village": "Kolwezi"}
        seen = ObservedSite(pcode=pcode, source="IPIS", name="Kamilombe", **place)
        seen.latitude, seen.longitude = latitude, 25_466_000
        visit = {"visit": -latitude, "visited_on": date(2019, 5, 4), "recorded": {"mineral1": "Cobalt"}}
        seen.observations = [SiteObservation(**visit)]
        session.add(seen)
        session.flush()


class TestObservedSite:
    def test_is_closed_to_the_public(self, stranger, observed):
        assert stranger.get("/observed-sites/codmine1").status_code == 401

    def test_is_for_who_has_a_site_near_it(self, cooperative, machine, site, observed):
        assert cooperative.get("/observed-sites/codmine1").status_code == 404
        cooperative.post("/sites", site)

        shown = cooperative.get("/observed-sites/codmine1").json
        assert [visit["visited_on"] for visit in shown["visits"]] == ["2019-05-04"]
        assert cooperative.get("/observed-sites/codmine2").status_code == 404
        for kind in (Kind.COOPERATIVE, Kind.MANUFACTURER, Kind.VERIFIER):
            assert machine(kind).get("/observed-sites/codmine1").status_code == 404

    def test_is_for_who_has_matched_it(self, cooperative, site, observed):
        cooperative.post("/sites", site)
        cooperative.send("PUT", "/sites/COD-KAM001/match", json={"pcode": "codmine2"})

        assert cooperative.get("/observed-sites/codmine2").status_code == 200

    def test_is_open_to_the_registry(self, issuer, observed):
        assert issuer.get("/observed-sites/codmine2").status_code == 200
        assert issuer.get("/observed-sites/codmine3").status_code == 404
