import pytest

from credits.registry.papers.evidence_numbers import BadRange, TooManyNumbers, loose, numbers_on, shown
from credits.registry.production import EvidenceKind

TAG, ASSAY = EvidenceKind.TAG_LOG, EvidenceKind.ASSAY


def read(typed, kind=TAG, issuer=""):
    return [numbered.number for numbered in numbers_on(kind, typed, issuer, 7)]


class TestNumbersOn:
    @pytest.mark.parametrize(
        "typed, found",
        [
            ("LAB-1", ["LAB-1"]),
            (" inv 1 ", ["inv 1"]),
            ("A1, A2;A3\r\nA4", ["A1", "A2", "A3", "A4"]),
            ("A1,a-1, A 1", ["A1"]),
            ("T-008 .. T-011", ["T-008", "T-009", "T-010", "T-011"]),
            ("T-8..11", ["T-8", "T-9", "T-10", "T-11"]),
            ("998…1001", ["998", "999", "1000", "1001"]),
            ("7 .. 7", ["7"]),
            ("", []),
            (" -, ;\n–", []),
            ("v1.2.3", ["v1.2.3"]),
        ],
    )
    def test_reads_what_a_person_types(self, typed, found):
        assert read(typed) == found

    @pytest.mark.parametrize("typed", ["T-5 .. T-4", "A-1 .. B-9", "T-098 .. T-0101"])
    def test_refuses_a_range_without_sense(self, typed):
        with pytest.raises(BadRange):
            read(typed)

    @pytest.mark.parametrize("typed", ["1 .. 999999999", ",".join(map(str, range(2_500))), "1..1999,5001..6999"])
    def test_refuses_more_than_a_log_has(self, typed):
        with pytest.raises(TooManyNumbers):
            read(typed)

    @pytest.mark.parametrize(
        "kind, issuer, key",
        [(TAG, "", ""), (TAG, "Bivac", "bivac"), (ASSAY, "", "#7"), (ASSAY, "Alex Stewart ", "alexstewart")],
    )
    def test_numbers_tags_once_for_all_and_other_papers_by_who_gave_them(self, kind, issuer, key):
        assert numbers_on(kind, "1", issuer, 7)[0].issuer_key == key


class TestLoose:
    @pytest.mark.parametrize(
        "one, other",
        [("lab00118", "lab118"), ("2o26118", "2026118"), ("a1118", "aiii8"), ("inv.2026/4", "inv2026_4")],
    )
    def test_is_the_same_however_it_is_misread(self, one, other):
        assert loose(one) == loose(other) != ""

    def test_says_nothing_of_a_short_number(self):
        assert loose("017") == ""


class TestShown:
    def test_names_the_first_and_the_last_of_many(self):
        assert shown(numbers_on(TAG, "T-0001 .. T-0070", "", 7)) == "T-0001 … T-0070 (70)"

    def test_is_nothing_without_numbers(self):
        assert shown([]) is None
