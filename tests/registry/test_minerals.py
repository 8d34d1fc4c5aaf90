from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credits.registry.minerals import (
    LARGEST_WEIGHT_MG,
    MILLION,
    MINERALS,
    BadMeasure,
    UnknownMineral,
    contained_ng,
    dried_mg,
    in_base_units,
    mineral_of,
    share_ppm,
    weight_mg,
)

NOT_NUMBERS = [
    "",
    " ",
    "-1",
    "+1",
    "1e400",
    "NaN",
    "Infinity",
    "١٢",
    "１２",
    "1,5",
    "1 000",
    "1..5",
    ".",
    "0x10",
    "True",
    "9" * 31,
]


class TestMinerals:
    @pytest.mark.parametrize(
        "code, base_unit, units_per_credit, milligrams",
        [
            ("AU", "mg", 1_000, 1),
            ("CO", "kg", 1_000, 1_000_000),
            ("CU", "kg", 1_000, 1_000_000),
            ("LI", "kg", 1_000, 1_000_000),
            ("SN", "g", 1_000, 1_000),
            ("TA", "g", 1_000, 1_000),
            ("W", "g", 1_000, 1_000),
            ("REE", "g", 1_000, 1_000),
        ],
    )
    def test_have_the_units_of_the_domain(self, code, base_unit, units_per_credit, milligrams):
        mineral = MINERALS[code]

        assert (mineral.base_unit, mineral.units_per_credit, mineral.base_unit_mg) == (
            base_unit,
            units_per_credit,
            milligrams,
        )

    def test_refuses_another_code(self):
        with pytest.raises(UnknownMineral):
            mineral_of("XX")


class TestBaseUnits:
    def test_reads_two_and_a_half_tonnes(self):
        assert MINERALS["CO"].base_units("2.5") == 2_500

    @pytest.mark.parametrize(
        "wanted",
        ["0", "0.0", "0.0005", "2.5005", "99999999999999999999", *NOT_NUMBERS, "1.0000000000000000000000000001"],
    )
    def test_refuses_what_is_no_whole_number_of_base_units(self, wanted):
        with pytest.raises(BadMeasure):
            MINERALS["CO"].base_units(wanted)

    @given(st.integers(1, 2**63 - 1), st.sampled_from(sorted(MINERALS)))
    def test_undoes_in_credits(self, base_units, code):
        mineral = MINERALS[code]

        assert mineral.base_units(mineral.in_credits(base_units)) == base_units


class TestWeight:
    def test_is_exact_to_the_milligram(self):
        assert weight_mg("1240.500001") == 1_240_500_001

    @pytest.mark.parametrize("kilograms", ["0", "0.0000001", "9000000.1", *NOT_NUMBERS])
    def test_refuses(self, kilograms):
        with pytest.raises(BadMeasure):
            weight_mg(kilograms)


class TestShare:
    def test_reads_per_cent_and_fineness(self):
        assert (share_ppm("31.25", per=100), share_ppm("916.7", per=1000)) == (312_500, 916_700)

    @pytest.mark.parametrize("share", ["100.0001", "0.00001", *NOT_NUMBERS])
    def test_refuses(self, share):
        with pytest.raises(BadMeasure):
            share_ppm(share, per=100)


class TestContained:
    @given(st.integers(1, LARGEST_WEIGHT_MG), st.integers(1, MILLION), st.sampled_from(sorted(MINERALS)))
    def test_loses_nothing_and_rounds_down(self, weight, grade, code):
        mineral = MINERALS[code]
        fine = contained_ng(weight, grade)
        outcome = in_base_units(mineral, fine)
        exact = Decimal(weight) * grade / MILLION / mineral.base_unit_mg

        assert fine < 2**63
        assert outcome.base_units == int(exact)
        assert outcome.base_units * mineral.base_unit_mg * MILLION + outcome.remainder_ng == fine

    def test_is_the_published_example(self):
        weight = weight_mg("1240")

        assert in_base_units(MINERALS["CO"], contained_ng(weight, share_ppm("31.2", per=100))).base_units == 386

    @given(st.integers(1, LARGEST_WEIGHT_MG), st.integers(0, MILLION))
    def test_never_dries_to_more(self, gross, moisture):
        assert 0 <= dried_mg(gross, moisture) <= gross
