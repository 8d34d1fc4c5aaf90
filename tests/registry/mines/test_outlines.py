import pytest

from credits.registry.mines.outlines import OutsideCountry, must_lie_in


def at(latitude, longitude):
    return {"latitude": int(latitude * 1e6), "longitude": int(longitude * 1e6)}


class TestMustLieIn:
    @pytest.mark.parametrize(
        "country, latitude, longitude",
        [
            ("COD", -10.7164, 25.4667),  # Kolwezi
            ("COD", -1.68, 29.22),  # Goma, at the border
            ("COD", 1.56, 30.25),  # Bunia
            ("RWA", -1.95, 30.06),
            ("PER", -15.7721, -73.3652),
            ("COL", 5.69, -76.66),
            ("FJI", -17.8, 178.0),
            ("ZAF", -26.2, 28.05),
            ("LSO", -29.5, 28.2),
            ("SGP", 51.0, 0.0),  # no outline, so nothing is said
        ],
    )
    def test_lets_pass_what_lies_there_or_near_the_border(self, country, latitude, longitude):
        must_lie_in(country, **at(latitude, longitude))

    @pytest.mark.parametrize(
        "latitude, longitude, says",
        [
            (25.4667, -10.7164, "swapped it would lie there: is the latitude -10.7164 and the longitude 25.4667"),
            (10.7164, 25.4667, "Is a minus missing, or one too many? Latitude -10.7164"),
            (-15.7721, -73.3652, "look the position up again"),
            (-1.95, 30.06, "lies outside of"),  # Kigali, 90 km beyond
            (51.5, 0.1, "lies outside of Democratic Republic of the Congo"),
        ],
    )
    def test_refuses_what_lies_elsewhere_and_says_what_may_be_wrong(self, latitude, longitude, says):
        with pytest.raises(OutsideCountry) as refusal:
            must_lie_in("COD", **at(latitude, longitude))

        assert says in refusal.value.message

    def test_knows_that_a_country_within_another_is_not_of_it(self):
        with pytest.raises(OutsideCountry):
            must_lie_in("ZAF", **at(-29.55, 28.3))
