import pytest

from credits.registry.doubts.screening_names import likeness


class TestLikeness:
    @pytest.mark.parametrize(
        "one, other",
        [
            ("Kamilombe", "KAMILOMBÉ"),
            ("Kamilombe", "Mine de Kamilombe"),
            ("Cœur", "coeur"),
            ("D4 Gakombe", "D4-Gakombe"),
            ("Mine", "mine"),
            ("Carrière D3", "d 3"),
            ("D4", "Carriere D4"),
            ("Mine d’or de Kasulo", "KASULO"),
            ("Carriere de Kasulo", "Carrrière Kasulo"),
            ("Mungu Iko", "Iko Mungu"),
            ("Kachuba", "Katshouba"),
            ("Lwizi", "Luizi"),
            ("Miki 2", "Miki II"),
            ("Kamilombe2", "Kamilombe 2"),
        ],
    )
    def test_is_one_where_only_the_writing_differs(self, one, other):
        assert likeness(one, other) == 1

    def test_is_less_the_more_the_names_differ(self):
        assert 1 > likeness("Kamilombe", "Kamilombe2") > likeness("Kamilombe", "Kasulo") > likeness("Kamilombe", "")

    @pytest.mark.parametrize(
        "one, other, least",
        [
            ("Kamilombe", "Kamliombe", 0.85),
            ("Rubaya", "Lubaya", 0.9),
            ("Lubona", "Nyamurhale/Lubona", 0.9),
            ("Nyabibwe", "Kalimbi (Nyabibwe)", 0.9),
            ("Kalunga kibinda", "Kibinda kaluga", 0.9),
        ],
    )
    def test_is_high_for_the_same_name_mistyped_or_in_part(self, one, other, least):
        assert least <= likeness(one, other) < 1

    @pytest.mark.parametrize("one, other", [("Kamilombe", "Kamilombe 2"), ("Miki I", "Miki III"), ("D3", "D4")])
    def test_tells_numbered_sites_apart(self, one, other):
        assert likeness(one, other) < 0.8

    def test_shares_a_part_less_than_the_whole(self):
        whole, part = "Lwango/Songambele", "Lwango/Tumpyempye"

        assert likeness(whole, part) < likeness(whole, "Lwango") < likeness(whole, whole)

    @pytest.mark.parametrize("empty", ["", "  ", "!?", "🜚"])
    def test_is_nothing_without_letters(self, empty):
        assert likeness(empty, "Kamilombe") == 0
