import pytest

from credits.typefaces import named, undrawable


class TestUndrawable:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Ẹgbẹ́ ŋ ɛ̃ ɔ̌ ɖ ƙ ʼ",
            "E\u0323\u0301",
            "Nguyễn, Łódź, Þór, ĳ, ſ, €",
            "Ελλάδα Україна",
            "two\nlines\tand a tab",
        ],
    )
    def test_finds_nothing_in_latin_greek_and_cyrillic(self, text):
        assert undrawable(text) == []

    def test_names_each_stranger_once_in_order(self):
        assert undrawable("金 Co 😀 金 ا") == ["金", "😀", "ا"]

    @pytest.mark.parametrize(
        "invisible",
        [*"\u202e\u200b\ufeff\x00\x1b\ud800\ue000\u034f\u2028\u2029\ufe00\ufe0f\ufffc"],
    )
    def test_finds_what_nobody_could_see(self, invisible):
        assert undrawable(f"Volta{invisible} GmbH") == [invisible]


class TestNamed:
    def test_shows_a_sign_or_its_number_where_nobody_could_see_it(self):
        assert [named(sign) for sign in "金e\u034f\u2028\ufe0f\x1b"] == [
            "金",
            "e",
            "U+034F",
            "U+2028",
            "U+FE0F",
            "U+001B",
        ]
