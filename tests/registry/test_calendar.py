from datetime import date

import pytest

from credits.registry.calendar import BadPeriod, checked_period, covers, months_before


class TestMonthsBefore:
    @pytest.mark.parametrize(
        "day, months, earlier",
        [
            (date(2026, 7, 1), 12, date(2025, 7, 1)),
            (date(2026, 1, 31), 11, date(2025, 2, 28)),
            (date(2024, 2, 29), 12, date(2023, 2, 28)),
            (date(2026, 1, 15), 1, date(2025, 12, 15)),
            (date(2026, 12, 31), 24, date(2024, 12, 31)),
        ],
    )
    def test_counts_months_as_people_do(self, day, months, earlier):
        assert months_before(day, months) == earlier


class TestCheckedPeriod:
    def test_lets_one_day_pass(self):
        checked_period(date(2026, 1, 1), date(2026, 1, 1), "Period")

    @pytest.mark.parametrize(
        "first, last",
        [
            (date(2026, 1, 2), date(2026, 1, 1)),
            (date(1999, 12, 31), date(2026, 1, 1)),
            (date(2026, 1, 1), date(2200, 1, 1)),
        ],
    )
    def test_refuses(self, first, last):
        with pytest.raises(BadPeriod):
            checked_period(first, last, "Period")


class TestCovers:
    def test_counts_both_ends(self):
        year = (date(2026, 1, 1), date(2026, 12, 31))

        assert covers(year, year)
        assert not covers((year[0], date(2026, 12, 30)), year)
