from types import SimpleNamespace

import pytest

from credits.admin.maps import SIZE, drawn
from credits.registry.mines.neighbourhood import Neighbour, around

KAMILOMBE = SimpleNamespace(latitude=-10_716_400, longitude=25_466_700, country="COD")


def at(north, east, **bent):
    """A neighbour so many micro-degrees away."""
    facts = {"name": "Mine", "code": "x", "is_observed": True, "is_match": False, "producer": "", "distance_km": 1.0}
    return Neighbour(latitude=KAMILOMBE.latitude + north, longitude=KAMILOMBE.longitude + east, **facts | bent)


class TestDrawn:
    def test_puts_north_above_and_east_to_the_right_to_scale(self):
        shown = drawn(KAMILOMBE, [at(9_000, 0), at(0, 9_000)])
        north, east = shown.places

        assert (north.x, east.y) == (SIZE // 2, SIZE // 2)
        assert north.y < SIZE // 2 < east.x
        kilometre = shown.bar / shown.bar_km
        assert SIZE // 2 - north.y == pytest.approx(1.0 * kilometre, abs=1.5)

    def test_lists_what_lies_beyond_the_drawing_without_drawing_it(self):
        shown = drawn(KAMILOMBE, [at(9_000, 0)] * 4 + [at(180_000, 0, distance_km=20.0)])

        assert [place.x is None for place in shown.places] == [False] * 4 + [True]

    def test_reaches_as_far_as_the_mine_that_the_site_is_said_to_be(self):
        shown = drawn(KAMILOMBE, [at(9_000, 0)] * 4 + [at(180_000, 0, distance_km=20.0, is_match=True)])

        assert shown.radius_km == 25
        assert shown.places[4].x is not None

    def test_shows_where_in_the_country_it_lies(self):
        inset = drawn(KAMILOMBE, []).inset

        assert inset.path.startswith("M")
        assert inset.x > 46  # the mines of Lualaba lie in the south-east
        assert inset.y > 60
        nowhere = SimpleNamespace(latitude=0, longitude=0, country="XXX")
        assert drawn(nowhere, []).inset is None


class TestAround:
    def test_finds_the_nearest_first_and_nothing_far(self, stage):
        site = stage.site()
        near = stage.site(name="Musonoi", latitude="-10.72", longitude="25.47")
        stage.site(name="Far", latitude="-9.0", longitude="25.47")

        (found,) = around(stage.session, site)

        assert (found.code, found.is_observed) == (f"COD-{near.code}", False)
        assert found.distance_km == pytest.approx(0.54, abs=0.1)
