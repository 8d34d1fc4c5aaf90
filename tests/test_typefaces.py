import pytest

from credits.typefaces import undrawable


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

    @pytest.mark.parametrize("invisible", ["\u202e", "\u200b", "\ufeff", "\x00", "\x1b", "\ud800", "\ue000"])
    def test_finds_what_nobody_could_see(self, invisible):
        assert undrawable(f"Volta{invisible} GmbH") == [invisible]
