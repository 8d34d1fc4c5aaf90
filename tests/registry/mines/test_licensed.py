from datetime import date

import pytest

from credits.registry.mines.licensed import uncovered
from credits.registry.production import Licence

FIRST, LAST = date(2026, 4, 1), date(2026, 5, 31)


def licence(number, first, last):
    return Licence(number=number, authority="Ministry", valid_from=first, valid_to=last)


class TestUncovered:
    def test_is_content_where_one_licence_covers_every_day(self):
        assert uncovered([licence("A", FIRST, LAST)], FIRST, LAST) is None

    @pytest.mark.parametrize(
        ("licences", "said"),
        [
            ([], "has no licence yet"),
            ([licence("A", date(2025, 1, 1), date(2026, 5, 30))], "A ends on 30 May 2026, one day before the last"),
            ([licence("A", date(2026, 4, 2), date(2027, 1, 1))], "A begins on 2 Apr 2026, one day after the first"),
            ([licence("A", date(2026, 4, 11), date(2027, 1, 1))], "10 days after the first production day, 1 Apr 2026"),
            ([licence("A", date(2024, 1, 1), date(2024, 12, 31))], "No licence of the site is valid on any"),
            (
                [licence("A", date(2026, 1, 1), date(2026, 5, 20)), licence("B", date(2026, 5, 21), date(2027, 1, 1))],
                "A ends on 20 May 2026, and licence B takes over",
            ),
        ],
    )
    def test_names_the_licence_the_day_and_what_to_do(self, licences, said):
        assert said in uncovered(licences, FIRST, LAST)
