from dataclasses import replace
from datetime import date

import pytest

from credits.registry.making.vintages import TwoVintages, divided, must_be_one, years
from credits.registry.minerals import weight_mg
from tests.batch_stage import COBALT

OVER = replace(COBALT, produced_from=date(2025, 12, 1), produced_to=date(2026, 1, 15), days_worked=40)


class TestYears:
    def test_cuts_at_new_year(self):
        assert years(date(2025, 12, 1), date(2026, 1, 15)) == [
            (date(2025, 12, 1), date(2025, 12, 31)),
            (date(2026, 1, 1), date(2026, 1, 15)),
        ]


class TestMustBeOne:
    def test_names_both_parts(self):
        with pytest.raises(TwoVintages, match="2025-12-01 to 2025-12-31 and 2026-01-01 to 2026-01-15"):
            must_be_one(OVER.produced_from, OVER.produced_to)


class TestDivided:
    def test_divides_by_days_and_loses_nothing(self):
        first, second = divided(replace(OVER, gross_kg="1240.000001", sold_with_premium=7))

        assert (first.days_worked, second.days_worked) == (26, 14)
        assert weight_mg(first.gross_kg) + weight_mg(second.gross_kg) == 1_240_000_001
        assert weight_mg(first.gross_kg) == 1_240_000_001 * 31 // 46
        assert first.sold_with_premium + second.sold_with_premium == 7
        assert (first.grade, first.miners) == (second.grade, second.miners) == (OVER.grade, OVER.miners)

    @pytest.mark.parametrize("worked", range(47))
    def test_never_has_more_work_than_days(self, worked):
        first, second = divided(replace(OVER, days_worked=worked))

        assert first.days_worked <= 31
        assert second.days_worked <= 15
