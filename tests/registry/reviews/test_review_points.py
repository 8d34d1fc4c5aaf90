import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from credits.errors import Invalid
from credits.journal import events
from credits.participants.models import Language
from credits.registry.making import batches
from credits.registry.making.figures import Production
from credits.registry.production import BatchState, EvidenceKind
from credits.registry.reviews import review_changes, review_points, review_threads, verification
from credits.registry.reviews.ready_remarks import sentences
from credits.registry.reviews.review_points import Asked, NoSuchPoint
from tests.batch_stage import COBALT


@pytest.fixture
def asked(stage):
    """A batch about which two things were asked at once, one of them ready-made."""
    stage.clerk.language = Language.FR
    batch = stage.in_review()
    points = [Asked(ready="moisture_how"), Asked("Who owns the scale?")]
    review_points.ask(stage.session, batch=batch, points=points, by=stage.lead, key="ask", at=stage.at)
    return batch


def answer(stage, batch, answers, key="answer"):
    return review_points.answer(
        stage.session, batch=batch, answers=answers, policy=stage.policy, by=stage.clerk, key=key, at=stage.at
    )


class TestAsk:
    def test_speaks_to_the_producer_in_its_language(self, stage, asked):
        ready, own = review_threads.threads_of(stage.session, asked)

        assert ready.point.remark.text == sentences(Language.FR)["moisture_how"]
        assert own.point.remark.text == "Who owns the scale?"
        assert asked.state is BatchState.INFORMATION_REQUESTED
        (told,) = [e for e in events.story(stage.session, asked.number) if e.kind == "batch.information_requested"]
        assert b'"questions":2' in told.body
        assert b"scale" not in told.body  # what people write to each other is private

    def test_sent_twice_asks_once(self, stage, asked):
        again = [Asked(ready="moisture_how"), Asked("Who owns the scale?")]
        review_points.ask(stage.session, batch=asked, points=again, by=stage.lead, key="ask", at=stage.at)

        assert len(review_threads.threads_of(stage.session, asked)) == 2

    def test_refuses_nothing_at_all_and_what_is_not_ready(self, stage):
        batch = stage.in_review()
        for points in ([], [Asked(ready="made_up")]):
            with pytest.raises(Invalid):
                review_points.ask(
                    stage.session, batch=batch, points=points, by=stage.lead, key=stage.key(), at=stage.at
                )


class TestAnswer:
    def test_goes_back_into_review_with_the_last_answer_alone(self, stage, asked):
        first, second = review_threads.waiting(stage.session, asked)

        assert answer(stage, asked, {first.remark_id: "With the oven."}) == 1
        assert asked.state is BatchState.INFORMATION_REQUESTED
        assert answer(stage, asked, {second.remark_id: "The depot."}, key="b") == 0
        assert asked.state is BatchState.IN_REVIEW
        threads = review_threads.threads_of(stage.session, asked)
        assert [[said.text for said in thread.answers] for thread in threads] == [["With the oven."], ["The depot."]]

    def test_answers_no_question_twice_and_none_of_another_batch(self, stage, asked):
        (first, _second) = review_threads.waiting(stage.session, asked)
        answer(stage, asked, {first.remark_id: "With the oven."})
        for wrong in (first.remark_id, 999):
            with pytest.raises(NoSuchPoint):
                answer(stage, asked, {wrong: "Again."}, key=stage.key())

    def test_by_one_text_answers_all_that_waits(self, stage, asked):
        batches.answer(
            stage.session, batch=asked, text="All of it.", policy=stage.policy, by=stage.clerk, key="all", at=stage.at
        )

        assert [len(thread.answers) for thread in review_threads.threads_of(stage.session, asked)] == [1, 1]
        assert review_threads.waiting(stage.session, asked) == []


class TestMarkSettled:
    def test_lets_the_producer_off_and_takes_the_batch_back(self, stage, asked):
        for point in review_threads.waiting(stage.session, asked):
            assert asked.state is BatchState.INFORMATION_REQUESTED
            settled = {"batch": asked, "point_id": point.remark_id, "by": stage.lead, "at": stage.at}
            review_points.mark_settled(stage.session, **settled)
            review_points.mark_settled(stage.session, **settled)

        assert asked.state is BatchState.IN_REVIEW
        settled = [
            event for event in events.story(stage.session, asked.number) if event.kind == "batch.question_settled"
        ]
        assert len(settled) == 2

    def test_is_the_reviewers_to_say(self, stage, asked):
        (first, *_rest) = review_threads.waiting(stage.session, asked)
        with pytest.raises(verification.WrongRole):
            review_points.mark_settled(
                stage.session, batch=asked, point_id=first.remark_id, by=stage.clerk, at=stage.at
            )

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM review_point",
            "UPDATE review_point SET language = 'en'",
            "INSERT INTO review_reply (remark_id, point_id) SELECT remark_id, remark_id FROM review_point",
            "INSERT INTO review_point (remark_id, language) SELECT max(id) + 1, 'en' FROM remark",
        ],
    )
    def test_is_kept_by_the_database_too(self, stage, asked, statement):
        with pytest.raises(IntegrityError):
            stage.session.execute(text(statement))


class TestSinceLastRequest:
    def test_tells_old_and_new_figures_and_papers(self, stage, asked):
        bent = vars(COBALT) | {"gross_kg": "9000"}
        batches.amend(
            stage.session,
            batch=asked,
            production=Production(**bent),
            seen=asked.revision,
            by=stage.clerk,
            at=stage.at,
        )
        stage.paper(asked, EvidenceKind.SALES_INVOICE)

        found = review_changes.since_last_request(stage.session, asked)

        assert found.figures["gross_mg"] == (10_000_000_000, 9_000_000_000)
        assert [(what, facts["evidence"]) for what, facts in found.papers] == [("added", "sales_invoice")]
        batches.amend(stage.session, batch=asked, production=COBALT, seen=asked.revision, by=stage.clerk, at=stage.at)
        assert review_changes.since_last_request(stage.session, asked).figures == {}

    def test_says_nothing_before_anybody_has_asked(self, stage):
        assert review_changes.since_last_request(stage.session, stage.in_review()) is None
