"""A batch handed in, taken back, and answered for, on its producer's pages."""

import pytest
from sqlalchemy import func, select

from credits.registry.making.completeness import missing
from credits.registry.production import BatchState, Remark
from credits.registry.reviews import review_points, review_threads, verification
from credits.registry.reviews.review_points import Asked
from credits.web import batch_forms, batches
from tests.web.producing import FIGURES, NOW


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch):
    for door in (batch_forms, batches):
        monkeypatch.setattr(door, "now", lambda: NOW)


@pytest.fixture
def asked_about(stage):
    """A batch about which the verifier has asked."""
    batch = stage.in_review()
    verification.request_information(
        stage.session, batch=batch, text="Where is the\nroyalty receipt?", by=stage.lead, key="ask", at=stage.at
    )
    return batch


def count(session, model):
    return session.scalars(select(func.count()).select_from(model)).one()


class TestSubmitBatch:
    def test_shows_what_will_be_submitted_first(self, client, session, stage, words):
        batch = stage.complete()

        page = words(client.sign_in(stage.clerk).get(f"/batches/{batch.number}/submit").text)

        assert "8,000 kg dry × 31.25 % Co = 2,500 kg" in page
        assert batch.evidence[0].filename in page

    def test_hands_it_to_the_verifiers_however_often_it_is_sent(self, client, session, stage):
        batch = stage.complete()
        client.sign_in(stage.clerk)

        answers = [client.post(f"/batches/{batch.number}/submit") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        session.refresh(batch)
        assert (batch.state, batch.submitted_by_id) == (BatchState.SUBMITTED, stage.clerk.id)
        assert client.get(f"/batches/{batch.number}").text.count("Submitted</p>") == 1

    def test_refuses_while_something_is_missing(self, client, session, stage):
        batch = stage.draft()

        answer = client.sign_in(stage.clerk).post(f"/batches/{batch.number}/submit")

        assert answer.status_code == 409
        assert "The scale log." in answer.text
        session.refresh(batch)
        assert batch.state is BatchState.DRAFT

    def test_refuses_days_that_another_batch_covers(self, client, session, stage):
        first = stage.submitted()
        second = stage.complete(first.site)

        answer = client.sign_in(stage.clerk).post(f"/batches/{second.number}/submit")

        assert answer.status_code == 409
        assert f"{first.number} of this site already covers" in answer.text
        session.refresh(second)
        assert second.state is BatchState.DRAFT


class TestWithdrawBatch:
    def test_says_that_it_is_for_good(self, client, stage):
        batch = stage.submitted()

        page = client.sign_in(stage.clerk).get(f"/batches/{batch.number}/withdraw")

        assert page.status_code == 200
        assert "cannot be taken up again" in page.text

    def test_takes_it_back_however_often_it_is_sent(self, client, session, stage):
        batch = stage.submitted()
        client.sign_in(stage.clerk)

        answers = [client.post(f"/batches/{batch.number}/withdraw") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        session.refresh(batch)
        assert batch.state is BatchState.WITHDRAWN

    def test_comes_too_late_once_its_credits_are_issued(self, client, session, stage):
        batch = stage.issued().batch

        client.sign_in(stage.clerk).post(f"/batches/{batch.number}/withdraw")

        session.refresh(batch)
        assert batch.state is BatchState.ISSUED


class TestAnswerBatch:
    def test_shows_the_question(self, client, stage, asked_about):
        client.sign_in(stage.clerk)

        for address in (f"/batches/{asked_about.number}", f"/batches/{asked_about.number}/answer"):
            assert "royalty receipt?" in client.get(address).text

    def test_sends_it_back_to_the_verifier_once(self, client, session, stage, asked_about):
        client.sign_in(stage.clerk)
        (question,) = review_threads.waiting(session, asked_about)
        said = {"key": "k1", f"answer-{question.remark_id}": "It is added.\nSorry for the delay <b>!</b>"}

        answers = [client.post(f"/batches/{asked_about.number}/answer", data=said) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        session.refresh(asked_about)
        assert asked_about.state is BatchState.IN_REVIEW
        assert count(session, Remark) == 2
        assert "delay &lt;b&gt;!&lt;/b&gt;" in client.get(f"/batches/{asked_about.number}").text

    def test_refuses_an_answer_that_says_nothing_or_too_much(self, client, session, stage, asked_about):
        client.sign_in(stage.clerk)

        (question,) = review_threads.waiting(session, asked_about)
        field = f"answer-{question.remark_id}"
        for text in ("", "  \n ", "x" * 4001, "\x00"):
            answer = client.post(f"/batches/{asked_about.number}/answer", data={"key": "k1", field: text})
            assert answer.status_code == 422
        assert count(session, Remark) == 1

    def test_keeps_what_was_typed_where_the_question_was_settled_meanwhile(self, client, session, stage, asked_about):
        (question,) = review_threads.waiting(session, asked_about)
        settled = {"point_id": question.remark_id, "by": stage.lead, "at": stage.at}
        review_points.mark_settled(session, batch=asked_about, **settled)

        answer = client.sign_in(stage.clerk).post(
            f"/batches/{asked_about.number}/answer", data={"key": "k1", f"answer-{question.remark_id}": "By the way"}
        )

        assert answer.status_code == 409
        assert "By the way" in answer.text

    def test_answers_some_questions_now_and_the_others_later(self, client, session, stage, asked_about, words):
        points = [Asked("Which scale?"), Asked("Whose bags?")]
        review_points.ask(session, batch=asked_about, points=points, by=stage.lead, key=stage.key(), at=stage.at)
        first, second, third = [f"answer-{point.remark_id}" for point in review_threads.waiting(session, asked_about)]
        client.sign_in(stage.clerk)
        address = f"/batches/{asked_about.number}/answer"

        some = client.post(address, data={"key": "k1", first: "Added.", third: "Ours."})

        page = client.get(some.location)
        assert "Saved. 1 question waits." in words(page.text)
        assert "Whose bags?" not in page.text
        assert client.post(address, data={"key": "k2", second: "The new one."}).location.endswith(asked_about.number)
        session.refresh(asked_about)
        assert asked_about.state is BatchState.IN_REVIEW

    def test_lets_papers_and_figures_be_added_before(self, client, session, stage, asked_about):
        client.sign_in(stage.clerk)

        answer = client.post(f"/batches/{asked_about.number}/edit", data=FIGURES | {"miners": "790"})

        assert answer.status_code == 303
        assert client.get(f"/batches/{asked_about.number}/evidence/new").status_code == 200
        session.refresh(asked_about)
        assert asked_about.miners == 790
        assert missing(asked_about, stage.policy) == []
