import pytest

from credits.participants.countries import TWO_LETTERS, UnknownCountry, country, listed, name_of


class TestCountry:
    def test_knows_the_249_of_the_standard(self):
        assert len(TWO_LETTERS) == len(set(TWO_LETTERS.values())) == 249
        assert country("COD") == "COD"

    @pytest.mark.parametrize("code", ["", "CD", "cod", "ZAR", "XKX", "COD ", "ΑΑΑ"])
    def test_refuses_other_codes(self, code):
        with pytest.raises(UnknownCountry):
            country(code)


class TestNameOf:
    @pytest.mark.parametrize("language", ["en", "fr", "es", "pt", "sw"])
    def test_has_a_name_for_each_in_every_language(self, language):
        assert [code for code, name in listed(language) if name == code or not name] == []

    def test_speaks_the_language(self):
        assert name_of("DEU", "fr") == "Allemagne"

    def test_falls_back_on_the_code(self):
        assert name_of("XXX") == "XXX"
