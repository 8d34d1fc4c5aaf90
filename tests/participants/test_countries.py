import pytest

from credits.participants.countries import UnknownCountry, country, listed, name_of


class TestCountry:
    def test_gives_back_a_known_code(self):
        assert country("COD") == "COD"

    @pytest.mark.parametrize("code", ["XKX", "cod", "", "COD ", "CODE", "🇨🇩"])
    def test_refuses_what_iso_3166_does_not_know(self, code):
        with pytest.raises(UnknownCountry):
            country(code)


class TestNameOf:
    @pytest.mark.parametrize(
        "code, language, name",
        [
            ("COD", "en", "Democratic Republic of the Congo"),
            ("COG", "en", "Republic of the Congo"),
            ("COD", "fr", "République démocratique du Congo"),
            ("CIV", "en", "Côte d’Ivoire"),
            ("PER", "es", "Perú"),
            ("ZZQ", "en", "ZZQ"),
        ],
    )
    def test_is_the_name_in_the_reader_s_language(self, code, language, name):
        assert name_of(code, language) == name


class TestListed:
    def test_has_every_country_once(self):
        assert len({code for code, _ in listed("sw")}) == 249
