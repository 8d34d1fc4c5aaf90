import random
import time
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from credits.registry.doubts.screening import has_data, nearest
from credits.registry.mines import ipis
from credits.registry.mines.observations import enter
from credits.registry.mines.observed import ObservedSite
from tests.registry.ipis_file import SMALL, file_of

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PUBLISHED = Path(__file__).parents[4] / "shared" / "data" / "ipis" / "drc_mine_sites.csv"
KAMILOMBE = {"latitude": -10_753_703, "longitude": 25_391_610}


def entering(session, content):
    return enter(session, ipis.read(content, today=AT.date()), actor="system", at=AT)


class TestNearest:
    @pytest.fixture
    def around(self, session):
        """Sites around Kamilombe, by their names: how many millionths of a degree further north."""

        def enter_sites(**north):
            rows = [
                {"vid": str(n), "pcode": f"c{n}", "name": name, "latitude": f"{(-10_753_703 + north[name]) / 1e6:.6f}"}
                for n, name in enumerate(north)
            ]
            entering(session, file_of(*rows))

        return enter_sites

    def names(self, session, name="Kamilombe", limit=10):
        return [candidate.site.name for candidate in nearest(session, **KAMILOMBE, name=name, limit=limit)]

    def test_puts_the_same_name_before_a_nearer_one(self, session, around):
        around(Autre=0, Kamilombé=50_000, Kamilombe2=40_000)

        assert self.names(session) == ["Kamilombé", "Kamilombe2", "Autre"]

    def test_puts_the_nearer_of_two_like_names_first(self, session, around):
        around(KAMILOMBE=90_000, Kamilombe=10_000)

        assert self.names(session) == ["Kamilombe", "KAMILOMBE"]

    def test_leaves_out_what_is_further_than_25_km(self, session, around):
        around(Kamilombe=224_000, Kamilombe3=226_000, Kamilombe4=-226_000)

        assert self.names(session) == ["Kamilombe"]

    def test_leaves_out_sites_without_a_position(self, session):
        entering(session, file_of({"name": "Kamilombe", "latitude": "", "longitude": ""}))

        assert self.names(session) == []

    def test_gives_no_more_than_asked(self, session, around):
        around(A=1, B=2, C=3)

        assert len(self.names(session, limit=2)) == 2

    def test_puts_the_mine_of_the_mineral_first_where_all_else_is_alike(self, session):
        rows = [
            {"vid": "1", "pcode": "c1", "name": "Kamilombe", "mineral1": "Or"},
            {"vid": "2", "pcode": "c2", "name": "Kamilombe", "mineral1": "Cuivre", "mineral2": "Cobalt"},
        ]
        entering(session, file_of(*rows))

        found = nearest(session, **KAMILOMBE, name="Kamilombe", limit=5, mineral="CO")
        assert [candidate.site.pcode for candidate in found] == ["c2", "c1"]

    @pytest.mark.parametrize("longitude", ["179.99", "-179.99"])
    def test_looks_across_the_180th_meridian(self, session, longitude):
        session.add(
            ObservedSite(
                pcode="far",
                source="IPIS",
                name="Taveuni",
                country="FJI",
                province="",
                territory="",
                village="",
                latitude=0,
                longitude=int(float(longitude) * 1e6),
            )
        )
        session.flush()

        found = nearest(session, latitude=0, longitude=180_000_000, name="Taveuni", limit=5)
        assert [candidate.site.pcode for candidate in found] == ["far"]

    @pytest.mark.skipif(not PUBLISHED.exists(), reason="The published data are not beside this repository.")
    def test_finds_the_published_sites_again_however_they_are_written(self, session):
        entering(session, PUBLISHED.read_bytes())
        chosen = random.Random(4)
        sites = chosen.sample(session.scalars(select(ObservedSite).order_by(ObservedSite.pcode)).all(), 120)
        first = third = 0
        began = time.monotonic()
        for site in sites:
            found = nearest(
                session,
                latitude=site.latitude + chosen.randint(-30_000, 30_000),  # up to 4.7 km away
                longitude=site.longitude + chosen.randint(-30_000, 30_000),
                name=written_otherwise(site.name, chosen),
                limit=3,
            )
            codes = [candidate.site.pcode for candidate in found]
            first += codes[0] == site.pcode
            third += site.pcode in codes
        took = (time.monotonic() - began) / len(sites)

        assert (first, third) >= (112, 117)
        assert took < 0.15


def written_otherwise(name, chosen):
    """As somebody else might write it: no accents, two letters swapped, words turned round, "Carrière" before."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    at = chosen.randrange(max(1, len(plain) - 1))
    swapped = plain[:at] + plain[at : at + 2][::-1] + plain[at + 2 :]
    return chosen.choice(["Carrière ", "Mine d’or de ", "SITE "]) + " ".join(reversed(swapped.split())).upper()


class TestHasData:
    def test_tells_of_a_country_whether_anybody_published_about_it(self, session):
        entering(session, SMALL.read_bytes())

        assert has_data(session, "COD")
        assert not has_data(session, "PER")
