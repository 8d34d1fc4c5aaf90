"""Documents speak five languages, each with every sentence and the same places in it."""

import re
from typing import Any

import pytest

from credits.certificates.wording import LANGUAGES, Words, words_of
from credits.participants.models import Language
from credits.registry.minerals import MINERALS
from credits.typefaces import undrawable


def sentences(texts: Any, path: str = "") -> dict[str, str]:
    if isinstance(texts, str):
        return {path: texts}
    parts = texts.items() if isinstance(texts, dict) else enumerate(texts) if isinstance(texts, list) else ()
    return {key: said for name, part in parts for key, said in sentences(part, f"{path}/{name}").items()}


def places(said: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", said))


def test_they_are_the_languages_of_people():
    assert set(LANGUAGES) == {each.value for each in Language}


@pytest.mark.parametrize("language", LANGUAGES)
class TestWords:
    def test_has_every_sentence_with_the_same_places(self, language):
        english, here = sentences(words_of("en").texts), sentences(words_of(language).texts)

        assert here.keys() == english.keys()
        assert {key for key, said in here.items() if places(said) != places(english[key])} == set()
        assert {key for key, said in here.items() if not said.strip()} == set()

    def test_can_be_printed(self, language):
        words = words_of(language)
        shown = [words.number("1234567.5"), words.day("2026-08-01"), words.country("CIV")]

        assert undrawable("".join([*sentences(words.texts).values(), *shown])) == []

    def test_says_something_of_its_own(self, language):
        if language != "en":
            english, here = sentences(words_of("en").texts), sentences(words_of(language).texts)
            same = {key for key in here if here[key] == english[key]}
            assert len(same) < len(here) / 4

    def test_names_every_mineral_in_the_claim(self, language):
        words = words_of(language)
        for code in MINERALS:
            asked = {"year": "2026", "company": "Volta", "mineral": code, "cooperative": "Kilima", "country": "Congo"}
            said = words.claim(**asked, number="2.5", quantity="2,500 kg")
            assert [each for each in ("2026", "Volta", "Kilima", "Congo", "2,500 kg") if each not in said] == []
            assert words.mineral(code)["of"] in said
            assert words.mineral(code)["the"] in said

    def test_translates_every_level_of_the_standard(self, language, house_policy):
        levels = {level.title for level in house_policy.standards.default.levels}

        assert levels <= words_of(language).texts["levels"].keys()


@pytest.mark.parametrize(
    ("language", "amount", "day", "number"),
    [
        ("en", "0.75 cobalt credits", "1 May 2026", "1,234.5"),
        ("fr", "0,75 crédit de cobalt", "1er mai 2026", "1\u202f234,5"),
        ("es", "0,75 créditos de cobalto", "1 de mayo de 2026", "1.234,5"),
        ("pt", "0,75 crédito de cobalto", "1 de maio de 2026", "1.234,5"),
        ("sw", "krediti 0.75 za kobalti", "1 Mei 2026", "1,234.5"),
    ],
)
def test_counts_and_dates_as_the_language_does(language, amount, day, number):
    words = Words(language)

    assert words.amount("0.75", "CO") == amount
    assert words.day("2026-05-01") == day
    assert words.number("1234.5") == number


@pytest.mark.parametrize(
    ("language", "one"), [("en", "1 gold credit"), ("fr", "1 crédit d’or"), ("sw", "krediti 1 ya dhahabu")]
)
def test_knows_a_single_credit(language, one):
    assert words_of(language).amount("1", "AU") == one
