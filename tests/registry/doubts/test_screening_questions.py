from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from credits.journal.models import Event
from credits.participants.wording import UnsoundText
from credits.registry.doubts import screening_questions as questions
from credits.registry.doubts.screening_questions import NoSuchQuestion, Unanswered
from credits.registry.making import batches
from credits.registry.mines.observed import ObservedSite, SiteObservation
from credits.registry.production import Answer, BatchState
from credits.registry.reviews import verification
from tests.batch_stage import COBALT


@pytest.fixture
def seen(session):
    """A visited site where the stage's own one is, with one visit that recorded these cells."""

    def enter(name="Kamilombe", pcode="c1", latitude=-10_716_400, **cells):
        visit = SiteObservation(visit=int(pcode[1:]), visited_on=date(2019, 5, 1), recorded=cells)
        place = {"latitude": latitude, "longitude": 25_466_700}
        words = {"source": "IPIS", "country": "COD", "province": "", "territory": "", "village": ""}
        session.add(ObservedSite(pcode=pcode, name=name, observations=[visit], **place, **words))
        session.flush()
        return pcode

    return enter


def codes(stage, batch):
    return [question.code for question in questions.open_questions(stage.session, batch)]


def answer(stage, batch, code, text="I asked twelve miners alone, on 2 June.", **bent):
    asked = {"batch": batch, "code": code, "text": text, "by": stage.lead, "key": stage.key(), "at": stage.at}
    return questions.answer(stage.session, **asked | bent)


class TestAsk:
    def test_writes_down_what_the_data_raise_when_the_review_begins(self, stage, seen):
        site = stage.site()
        site.pcode = seen(presence="1", childunder15="1", mercury="0")
        batch = stage.in_review(site)

        asked = questions.questions_of(stage.session, batch)
        assert [(each.code, each.seen_on, each.source, each.answer) for each in asked] == [
            ("children_under_15", date(2019, 5, 1), "IPIS", None),
            ("armed_presence", date(2019, 5, 1), "IPIS", None),
        ]
        assert "Children under 15 were seen there" in asked[0].text

    def test_asks_nothing_where_nothing_is_known(self, stage):
        assert codes(stage, stage.in_review()) == []

    def test_asks_about_a_likely_mine_that_the_producer_did_not_name(self, stage, seen):
        seen(name="Mine de Kamilombé", forced_labour_armed_group1="1")

        assert codes(stage, stage.in_review()) == ["match_open"]

    def test_asks_about_a_match_that_is_none(self, stage, seen):
        site = stage.site()
        site.pcode = seen(name="Kasulo", latitude=-10_500_000)

        assert codes(stage, stage.in_review(site)) == ["match_doubtful"]

    def test_asks_about_a_conflict_affected_area(self, stage):
        flagged = {"conflict_source": "CAHRA list", "conflict_checked_on": date(2026, 5, 1)}
        batch = stage.in_review(stage.site(conflict_affected=Answer.YES, **flagged))

        (asked,) = questions.questions_of(stage.session, batch)
        assert (asked.code, asked.source, asked.seen_on) == ("conflict_affected", "CAHRA list", date(2026, 5, 1))

    def test_asks_nothing_about_a_mine_nearby_of_which_nothing_bad_is_known(self, stage, seen):
        seen(name="Mine de Kamilombé", mercury="0")

        assert codes(stage, stage.in_review()) == []

    def test_asks_what_explains_more_than_was_to_be_expected(self, stage):
        site = stage.site()
        stage.issued(site)

        batch = stage.in_review(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 10))

        (asked,) = questions.questions_of(stage.session, batch)
        assert asked.code == "above_history"
        assert "2,500 kg are claimed, where 819 kg would be expected" in asked.text
        assert "What explains it" in asked.text

    def test_asks_whether_lots_of_one_ground_are_disjoint(self, stage):
        stage.verified(stage.site())
        batch = stage.in_review(stage.site(latitude="-10.7165"))

        (asked,) = questions.questions_of(stage.session, batch)
        assert asked.code == "same_ground"
        assert "BATCH-" not in asked.text  # whose it is, the reviewer may not know
        assert "1 Apr 2026 to 31 May 2026" in asked.text

    def test_asks_anew_what_newer_data_raise(self, stage, seen, session):
        site = stage.site()
        site.pcode = seen(mercury="1")
        batch = stage.in_review(site)
        answer(stage, batch, "mercury")
        session.add(SiteObservation(visit=9, pcode="c1", visited_on=date(2020, 5, 1), recorded={"mercury": "1"}))
        session.flush()
        session.expire_all()

        assert codes(stage, batch) == ["mercury"]


class TestAnswer:
    @pytest.fixture
    def batch(self, stage, seen):
        site = stage.site()
        site.pcode = seen(mercury="1")
        return stage.in_review(site)

    def test_keeps_text_person_and_time(self, stage, batch):
        answered = answer(stage, batch, "mercury")

        assert (answered.answer, answered.answered_by, answered.answered_at) == (
            "I asked twelve miners alone, on 2 June.",
            stage.lead,
            stage.at,
        )
        event = stage.session.scalars(select(Event).where(Event.kind == "question.answered")).one()
        assert b"twelve miners" not in event.body

    def test_counts_once_a_key(self, stage, batch):
        first = answer(stage, batch, "mercury", key="once")

        assert answer(stage, batch, "mercury", key="once").id == first.id

    def test_refuses_a_second_answer(self, stage, batch):
        answer(stage, batch, "mercury")

        with pytest.raises(NoSuchQuestion):
            answer(stage, batch, "mercury", "Otherwise.")

    def test_refuses_an_empty_answer(self, stage, batch):
        with pytest.raises(UnsoundText):
            answer(stage, batch, "mercury", " \n ")

    @pytest.mark.parametrize(
        "change",
        [
            "DELETE FROM review_question",
            "UPDATE review_question SET answer = 'Otherwise.'",
            "UPDATE review_question SET text = 'Nothing?'",
        ],
    )
    def test_stays_as_it_was_written(self, stage, batch, change):
        answer(stage, batch, "mercury")

        with pytest.raises(IntegrityError):
            stage.session.execute(text(change))


class TestAmended:
    def test_asks_everything_anew_about_other_figures(self, stage, seen):
        site = stage.site()
        site.pcode = seen(mercury="1", presence="1")
        batch = stage.in_review(site)
        answer(stage, batch, "mercury")  # and leaves the other open
        verification.request_information(stage.session, batch=batch, text="?", by=stage.lead, key="q", at=stage.at)
        less = replace(COBALT, gross_kg="9000")
        batches.amend(stage.session, batch=batch, production=less, seen=batch.revision, by=stage.clerk, at=stage.at)
        batches.answer(
            stage.session, batch=batch, text="So.", policy=stage.policy, by=stage.clerk, key="a", at=stage.at
        )

        for still in (["armed_presence", "mercury"], ["armed_presence"], []):
            wanting = questions.open_questions(stage.session, batch)
            assert sorted(each.code for each in wanting) == still
            if still:
                answer(stage, batch, still[-1])


class TestMustBeAnswered:
    def test_refuses_the_verification_before(self, stage, seen):
        site = stage.site()
        site.pcode = seen(mercury="1", presence="1")
        batch = stage.in_review(site)
        answer(stage, batch, "mercury")

        with pytest.raises(Unanswered) as refusal:
            stage.verify(batch)
        assert refusal.value.detail["questions"] == ["armed_presence"]
        answer(stage, batch, "armed_presence")
        stage.verify(batch)
        assert batch.state is BatchState.VERIFIED

    def test_never_makes_a_flag_a_verdict(self, stage, seen):
        site = stage.site()
        site.pcode = seen(forced_labour_armed_group1="1", qualification="Rouge", childunder15="1")

        assert stage.issued(site).quantity == 2_500

    def test_is_kept_by_the_database_too(self, stage, seen):
        site = stage.site()
        site.pcode = seen(mercury="1")
        batch = stage.in_review(site)

        stage.take_away("batch_verified_after_assessment", "batch")  # another wall in front of this one
        with pytest.raises(IntegrityError, match="questions are answered"):
            stage.session.execute(
                text("UPDATE batch SET state = 'verified', verified_by_id = :lead WHERE id = :id"),
                {"lead": stage.lead.id, "id": batch.id},
            )
