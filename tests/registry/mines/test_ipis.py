import random
from contextlib import suppress
from datetime import date

import pytest

from credits.registry.mines.ipis import NotTheIpisFile, Reading, Rejection, Visit, place_of, read
from tests.registry.ipis_file import SMALL, SOUND, file_of

TODAY = date(2026, 3, 1)
BAD_CELLS = {
    "no visit number": ({"vid": " "}, "It has no visit number (vid)."),
    "visit number with a fraction": ({"vid": "12.0"}, "The visit number (vid) is “12.0”: it must be a whole number."),
    "visit number in other digits": ({"vid": "١٢"}, "The visit number (vid) is “١٢”: it must be a whole number."),
    "visit number past 64 bits": ({"vid": "9" * 19}, "it must be a whole number."),
    "no site": ({"pcode": ""}, "It names no site (pcode)."),
    "site with a space": ({"pcode": "cod mine"}, "The site (pcode) is “cod mine”: it must be"),
    "site in markup": ({"pcode": "<b>x</b>"}, "it must be up to 40 letters and digits."),
    "no day": ({"visit_date": ""}, "It has no visit_date."),
    "day that no calendar has": ({"visit_date": "2019-02-30"}, "The visit_date is “2019-02-30”: it must be a day"),
    "day the other way round": ({"visit_date": "15/05/2019"}, "it must be a day written as 2019-05-15."),
    "day without dashes": ({"visit_date": "20190515"}, "it must be a day written as 2019-05-15."),
    "day to come": ({"visit_date": "2026-03-02"}, "it must lie between 1981-01-01 and 2026-03-01."),
    "day before the survey": ({"visit_date": "0201-03-02"}, "it must lie between"),
    "latitude not on earth": ({"latitude": "-107.5"}, "The latitude lies between -90 and 90."),
    "longitude not on earth": ({"longitude": "253.9"}, "The longitude lies between -180 and 180."),
    "decimal comma": ({"latitude": "-10,75"}, "The latitude is written in decimal degrees"),
    "words for a coordinate": ({"longitude": "NaN"}, "The longitude is written in decimal degrees"),
    "swapped coordinates": (
        {"latitude": "25.39161", "longitude": "-10.7537"},
        "The position (latitude 25.39161, longitude -10.7537) is outside the DR Congo: the two look swapped.",
    ),
    "another country": ({"latitude": "48.8", "longitude": "2.3"}, "is outside the DR Congo."),
    "nowhere": ({"latitude": "0", "longitude": "0"}, "The position 0, 0 lies in the sea"),
    "negative workers": ({"workers_numb": "-5"}, "The workers_numb is “-5”: it must be a whole number"),
    "workers in words": ({"workers_numb": "beaucoup"}, "it must be a whole number up to 1,000,000."),
    "neither yes nor no": ({"mercury": "oui"}, "The mercury is “oui”: it must be 0, 1 or empty."),
    "neither yes nor no of a group": ({"forced_labour_armed_group2": "2"}, "The forced_labour_armed_group2 is “2”"),
    "very long cell": ({"name": "x" * 4001}, "The name is 4,001 characters long; at most 4,000 are read."),
    "longer than any reader takes": ({"name": "x" * 200_000}, "a cell is far too long."),
    "NUL": ({"name": "Coll\0ine"}, "The name holds characters that cannot be printed."),
    "escape sequence": ({"village": "\x1b[31mrouge"}, "The village holds characters that cannot be printed."),
}


def reading(content: bytes) -> Reading:
    return read(content, today=TODAY)


class TestRead:
    def test_takes_the_published_form(self):
        found = reading(SMALL.read_bytes())

        assert (found.rows, len(found.visits), found.rejected) == (7, 7, [])
        assert found.visits[900003].visited_on == date(2016, 5, 20)
        assert found.visits[900003].recorded["name"] == "Trois Palmiers, rive droite"

    def test_keeps_what_is_filled_in_untouched(self):
        found = reading(file_of({}))

        recorded = {column: value for column, value in SOUND.items() if column != "FID"}
        assert found.visits == {900101: Visit(2, 900101, "codmine90101", date(2019, 5, 15), recorded)}

    def test_takes_empty_cells_for_not_known(self):
        emptied = dict.fromkeys(set(SOUND) - {"vid", "pcode", "visit_date"}, "")

        found = reading(file_of(emptied))

        assert found.rejected == []
        assert found.visits[900101].recorded == {"vid": "900101", "pcode": "codmine90101", "visit_date": "2019-05-15"}

    @pytest.mark.parametrize("cells, reason", BAD_CELLS.values(), ids=BAD_CELLS)
    def test_tells_a_bad_row_by_its_line_and_takes_the_rest(self, cells, reason):
        found = reading(file_of({"vid": "1"}, cells, {"vid": "3"}))

        assert found.rows == 3
        assert list(found.visits) == [1, 3]
        assert [bad.line for bad in found.rejected] == [3]
        assert reason in found.rejected[0].reason

    @pytest.mark.parametrize("wrong, cells", [(b"Cobalt,,", 72), (b"Cobal", 70)])
    def test_refuses_a_row_with_more_or_fewer_cells(self, wrong, cells):
        lines = file_of({"vid": "1"}, {}, {"vid": "3"}).split(b"\n")
        lines[2] = lines[2].replace(b"Cobalt,", wrong)

        found = reading(b"\n".join(lines))

        assert list(found.visits) == [1, 3]
        assert found.rejected == [Rejection(3, f"It has {cells} cells where the first line has 71.")]

    def test_counts_the_lines_of_the_file_not_the_rows(self):
        found = reading(file_of({"vid": "1", "village": "un\ndeux\r\ntrois"}, {"vid": "x"}))

        assert found.visits[1].recorded["village"] == "un\ndeux\r\ntrois"
        assert [bad.line for bad in found.rejected] == [5]

    def test_does_not_let_an_open_quotation_mark_swallow_the_rows_behind_it(self):
        lines = file_of({"vid": "1"}, {"vid": "2", "name": "@"}, *({"vid": str(n)} for n in range(3, 400))).split(b"\n")
        lines[2] = lines[2].replace(b"@", b'"Colline')

        found = reading(b"\n".join(lines))

        assert found.rows == 399
        assert list(found.visits) == [1, *range(3, 400)]
        assert found.rejected == [Rejection(3, "Its quotation marks do not match, or a cell is far too long.")]

    def test_passes_over_a_broken_row_of_several_lines_as_one(self):
        lines = file_of({"vid": "1", "village": "un\ndeux"}, {"vid": "2"}).replace(b"Cobalt", b"Cobalt,", 1)

        found = reading(lines)

        assert (found.rows, list(found.visits), [bad.line for bad in found.rejected]) == (2, [2], [2])

    def test_keeps_the_first_of_two_different_rows_with_one_visit_number(self):
        found = reading(file_of({}, {"workers_numb": "7"}))

        assert found.visits[900101].recorded["workers_numb"] == "100"
        reason = "The visit (vid) 900101 stands on line 2 already, with other values."
        assert found.rejected == [Rejection(3, reason)]

    def test_takes_a_repeated_row_once(self):
        found = reading(file_of({}, {"FID": "another download"}))

        assert (found.rows, len(found.visits), found.rejected) == (2, 1, [])

    def test_passes_over_blank_lines(self):
        found = reading(file_of({"vid": "1"}).replace(b"\n", b"\n\n  \n") + b"\n\n")

        assert (found.rows, list(found.visits), found.visits[1].line) == (1, [1], 4)

    def test_says_of_a_row_of_commas_that_it_is_bad(self):
        found = reading(file_of({"vid": "1"}) + b"," * 70 + b"\n")

        assert found.rejected == [Rejection(3, "It has no visit number (vid).")]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_takes_any_usual_line_end_and_a_byte_order_mark(self, mark, end):
        found = reading(mark + file_of({"vid": "1"}, {"vid": "2"}, end=end))

        assert (list(found.visits), found.rejected) == ([1, 2], [])

    def test_takes_the_columns_in_any_order(self):
        turned = b"\n".join(b",".join(reversed(line.split(b","))) for line in file_of({}).split(b"\n"))

        assert reading(turned).visits == reading(file_of({})).visits

    def test_keeps_a_column_that_is_new(self):
        header, row, _ = file_of({}).split(b"\n")

        found = reading(header + b",cyanide\n" + row + b",1\n")

        assert found.visits[900101].recorded["cyanide"] == "1"

    @pytest.mark.parametrize(
        "content, sentence",
        [
            (b"", "The file is empty."),
            (b"\xef\xbb\xbf\r\n", "The file is empty."),
            (b" \n\n", "The file is empty."),
            (b"a,b\n1,2\n", "lacks the columns vid, cid, id, source, project and 65 more."),
            (file_of({}).replace(b",pcode,", b",code,"), "its first line lacks the columns pcode."),
            (file_of({}).replace(b",", b";"), "not the comma-separated list"),
            (file_of({}).replace(b"FID", b"name"), "The first line names a column twice: name."),
            (file_of({}).split(b"\n")[1], "lacks the columns"),
            (
                file_of({"name": "Gué"}).decode().encode("latin-1", "replace"),
                "not written in UTF-8 (first seen on line 2)",
            ),
            (file_of({}).decode().encode("utf-16"), "not written in UTF-8 (first seen on line 1)"),
            (b"\x89PNG\r\n\x1a\n\0\0", "not written in UTF-8"),
            (b"\0" * 1000, "lacks the columns"),
            (b'"' + file_of({}), "lacks the columns"),
            (b"<!doctype html>\n<title>Sign in</title>", "lacks the columns"),
        ],
    )
    def test_refuses_another_file_as_a_whole(self, content, sentence):
        with pytest.raises(NotTheIpisFile) as refusal:
            reading(content)

        assert sentence in str(refusal.value)

    def test_takes_a_file_without_visits(self):
        assert reading(file_of()).rows == 0

    def test_never_fails_on_a_damaged_file(self):
        whole, chance = SMALL.read_bytes(), random.Random(5)
        for _ in range(300):
            damaged = bytearray(whole)
            for _ in range(chance.randrange(1, 6)):
                start = chance.randrange(1200, len(damaged))  # behind the header
                damaged[start : start + chance.randrange(3)] = chance.choice(
                    [b'"', b",", b"\n", b"\0", b"", b"-9", b"\r"]
                )
            with suppress(NotTheIpisFile):  # cut in the middle of a letter, it is not UTF-8 any more
                found = reading(bytes(damaged))
                assert len(found.visits) + len(found.rejected) <= found.rows

    def test_tells_how_far_it_is(self):
        told = []
        content = file_of(*({"vid": str(number)} for number in range(1, 1002)))

        read(content, today=TODAY, watch=lambda done, total: told.append((done, total)))

        assert told == [(501, 1002), (1001, 1002), (1002, 1002)]


class TestPlaceOf:
    def test_gives_micro_degrees(self):
        assert place_of(SOUND) == {"latitude": -10_753_703, "longitude": 25_391_610}

    @pytest.mark.parametrize("missing", ["latitude", "longitude"])
    def test_is_unknown_with_half_a_position(self, missing):
        assert place_of(SOUND | {missing: ""}) is None
