from datetime import date

import pytest

from credits.registry.doubts.screening_facts import Topic, flags_of, minerals_of, seen_at
from credits.registry.mines.observed import ObservedSite, SiteObservation

OLD_BEFORE = date(2017, 1, 1)


def visited(**years):
    """A site with one visit a year: y2019={"presence": "1"}."""
    visits = [
        SiteObservation(visit=number, visited_on=date(int(year[1:]), 5, 1), recorded=cells)
        for number, (year, cells) in enumerate(sorted(years.items()))
    ]
    return ObservedSite(pcode="c1", name="Kamilombe", observations=visits)


def seen(topic, **years):
    return {each.topic: each for each in seen_at(visited(**years), old_before=OLD_BEFORE)}[topic]


def codes(**years):
    return [flag.code for flag in flags_of(visited(**years), old_before=OLD_BEFORE)]


class TestSeenAt:
    def test_takes_an_empty_cell_for_unknown_never_for_no(self):
        assert {each.value for each in seen_at(visited(y2019={}), old_before=OLD_BEFORE)} == {"unknown"}
        assert seen(Topic.FORCED_LABOUR, y2019={"presence": "0"}).value == "unknown"

    def test_takes_the_newest_visit_that_answered(self):
        found = seen(Topic.MERCURY, y2015={"mercury": "0"}, y2018={"mercury": "1"}, y2019={})

        assert (found.value, found.on, found.old) == ("yes", date(2018, 5, 1), False)

    def test_marks_what_is_old(self):
        assert seen(Topic.MERCURY, y2016={"mercury": "0"}, y2019={}).old

    def test_remembers_an_earlier_yes_beside_a_newer_no(self):
        found = seen(Topic.ARMED_PRESENCE, y2015={"presence": "1"}, y2019={"presence": "0"})

        assert (found.value, found.on, found.before) == ("no", date(2019, 5, 1), date(2015, 5, 1))

    @pytest.mark.parametrize(
        "topic, cells, value, detail",
        [
            (Topic.QUALIFICATION, {"qualification": "Vert"}, "green", ""),
            (Topic.QUALIFICATION, {"qualification": "Jaune "}, "yellow", ""),
            (Topic.QUALIFICATION, {"qualification": "Not class"}, "unclassified", ""),
            (Topic.ITSCI, {"itsci": "Suspendu"}, "suspended", ""),
            (Topic.WORKERS, {"workers_numb": "412"}, "412", ""),
            (Topic.WOMEN, {"women": "1", "womenwork": "Laver,  Vendre"}, "yes", "Laver, Vendre"),
            (Topic.CHILDREN, {"childunder15": "1", "childunder15work": "Lavage"}, "yes", "Lavage"),
            (Topic.ARMED_INTERFERENCE, {"taxation_armed_group2": "1", "armed_group2": "FDLR"}, "yes", "FDLR"),
            (Topic.FORCED_LABOUR, {"forced_labour_armed_group1": "0"}, "no", ""),
            (
                Topic.ARMED_PRESENCE,
                {"presence": "1", "armed_group1": "NDC", "type_armed_group1": "Groupe armé local"},
                "yes",
                "NDC (Groupe armé local)",
            ),
            (Topic.ARMED_PRESENCE, {"presence": "0", "type_armed_group1": "0"}, "no", ""),
        ],
    )
    def test_reads_the_published_words(self, topic, cells, value, detail):
        found = seen(topic, y2019=cells)

        assert (found.value, found.detail) == (value, detail)


class TestFlagsOf:
    def test_are_none_where_nothing_is_known(self):
        assert codes(y2019={}) == []
        assert codes() == []

    def test_are_the_answers_that_want_a_question_gravest_first(self):
        cells = {"presence": "1", "interference": "1", "childunder15": "1", "mercury": "1", "qualification": "Rouge"}
        cells |= {"forced_labour_armed_group1": "1", "itsci": "Suspendu"}

        assert codes(y2019=cells) == [
            "armed_interference",
            "forced_labour",
            "children_under_15",
            "armed_presence",
            "mercury",
            "qualification_red",
            "itsci_suspended",
        ]

    def test_keep_what_is_of_zero_tolerance_and_was_seen_earlier(self):
        older = {"childunder15": "1", "mercury": "1", "forced_labour_armed_group2": "1"}
        newer = {"childunder15": "0", "mercury": "0", "forced_labour_armed_group1": "0", "interference": "0"}

        assert codes(y2018=older, y2019=newer) == [
            "armed_interference_earlier",
            "forced_labour_earlier",
            "children_under_15_earlier",
        ]

    def test_say_that_the_last_visit_is_old(self):
        assert codes(y2015={"mercury": "0"}) == ["old_data"]


class TestMineralsOf:
    def test_are_codes_of_the_registry_once_each(self):
        assert minerals_of({"mineral1": "Cassitérite", "mineral2": "Or", "mineral3": "Or "}) == ["SN", "AU"]

    def test_leave_out_what_the_registry_does_not_know(self):
        assert minerals_of({"mineral1": "inconnu", "mineral2": "Diamant"}) == []
