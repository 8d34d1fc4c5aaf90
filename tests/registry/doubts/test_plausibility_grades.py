import pytest

from credits.registry.doubts.plausibility_grades import GradeImpossible, doubt, must_be_possible
from credits.registry.minerals import mineral_of, share_ppm


def asked(code, form, typed):
    mineral = mineral_of(code)
    return doubt(mineral, form, share_ppm(typed, per=1000 if mineral.per_thousand else 100))


class TestDoubt:
    def test_asks_back_a_share_typed_for_a_percentage(self):
        assert asked("CO", "ore", "0.312") == (
            "0.312 % Co is very little: 3.12 kg in a tonne. Did you mean 31.2 %? "
            "If the assay really says 0.312 %, confirm it."
        )

    @pytest.mark.parametrize(
        "code, form, typed, meant",
        [
            ("AU", "doré", "0.92", "Did you mean 920 ‰?"),
            ("AU", "doré", "92", "Did you mean 920 ‰?"),
            ("AU", "grain", "22", "Did you mean 916.666 or 220 ‰?"),
            ("SN", "cassiterite", "0.65", "Did you mean 65 %?"),
            ("W", "wolframite", "0.65", "Did you mean 65 %?"),
        ],
    )
    def test_says_what_may_have_been_meant(self, code, form, typed, meant):
        assert meant in asked(code, form, typed)

    def test_suggests_nothing_that_cannot_be(self):
        assert "Did you mean" not in asked("LI", "spodumene", "0.9")
        assert "confirm it" in asked("LI", "spodumene", "0.9")

    @pytest.mark.parametrize("code, form, typed", [("CO", "ore", "1"), ("CO", "ore", "31.2"), ("AU", "doré", "915.5")])
    def test_is_none_for_a_usual_grade(self, code, form, typed):
        assert asked(code, form, typed) is None


class TestMustBePossible:
    @pytest.mark.parametrize(
        "code, form, most, over",
        [
            ("SN", "cassiterite", 787_700, 787_701),
            ("CO", "hydroxide", 634_100, 640_000),
            ("W", "wolframite", 765_800, 800_000),
            ("LI", "spodumene", 80_400, 312_000),
            ("TA", "coltan", 861_800, 900_000),
        ],
    )
    def test_refuses_more_than_the_pure_mineral_has(self, code, form, most, over):
        must_be_possible(mineral_of(code), form, most)
        with pytest.raises(GradeImpossible, match="look at the assay again"):
            must_be_possible(mineral_of(code), form, over)

    def test_lets_pure_copper_and_gold_pass(self):
        must_be_possible(mineral_of("CU"), "cathode", 1_000_000)
        must_be_possible(mineral_of("AU"), "grain", 1_000_000)
