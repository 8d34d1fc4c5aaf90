import pytest

from credits.certificates.claiming.claim_figures import figures_beyond
from credits.registry.minerals import mineral_of

HALF = [(mineral_of("CO"), 500)]


@pytest.mark.parametrize(
    "said, sound",
    [
        ("We retired 500 kg of cobalt.", True),
        ("We retired 0.5 credits, 500,000 g of cobalt.", True),
        ("We retired 0,5 credits.", True),
        ("Rings of 5G. Since 2026, 0.5 t.", True),
        ("We retired 750 kg of cobalt.", False),
        ("We retired 499 kg of cobalt.", False),
        ("We retired 0.5 million kg of cobalt.", False),
        ("We retired <b>2</b>,000&nbsp;kilos of cobalt.", False),
        ("We retired 1 500 kg of cobalt.", False),
        ("We retired 500.000 kg of cobalt.", False),
        ("We retired \uff12\uff10\uff10\uff10 kg of cobalt.", False),
        ("Krediti 0.75, kilo 750.", False),
        ("We retired 18 ounces.", False),
    ],
)
def test_figures_are_those_of_the_claim(said, sound):
    assert (figures_beyond(said, HALF, "en") == []) == sound


@pytest.mark.parametrize(
    "said, language, sound",
    [
        ("1,125 crédits, 1 125 kg", "fr", True),
        ("1.125 credits equal to 1,125 kg", "en", True),
        ("créditos: 1,125 créditos, 1.125 kg", "pt", True),
        ("krediti 1.125, sawa na kilo 1,125", "sw", True),
        ("1.125 kg", "en", False),
        ("1,125 credits", "en", False),
        ("1.125 créditos", "es", False),
    ],
)
def test_figures_are_read_as_their_language_writes_them(said, language, sound):
    marks = figures_beyond(said, [(mineral_of("CO"), 1_125)], language)

    assert (marks == []) == sound
    assert all(said[mark.start : mark.end] == mark.found for mark in marks)


def test_figures_of_several_count_one_by_one_and_together():
    parts = [(mineral_of("CO"), 500), (mineral_of("CO"), 250), (mineral_of("AU"), 2_000)]

    assert figures_beyond("500 kg, 250 kg, 750 kg of cobalt; 2 g of gold; 2.75 credits", parts, "en") == []
    assert [mark.found for mark in figures_beyond("2 kg of gold, 1 t", parts, "en")] == ["2 kg", "1 t"]
    assert figures_beyond("A part: 100 kg", parts, None) == []
