"""The review on one screen, and the queue that leads to it, by what a verifier sees."""

from datetime import date

import pytest
from sqlalchemy import select

from credits.participants.models import Language
from credits.registry.making import batches
from credits.registry.movements import DecisionKind
from credits.registry.production import Answer, BatchState, EvidenceKind
from credits.registry.reviews import review_threads, verification
from credits.registry.reviews.ready_remarks import sentences
from credits.registry.reviews.review_models import ReviewPoint


@pytest.fixture
def flagged(stage):
    """A batch in review about which the data ask something."""
    bent = {"conflict_affected": Answer.YES, "conflict_source": "Barometer", "conflict_checked_on": stage.at.date()}
    return stage.in_review(stage.site(**bent))


class TestViewer:
    def test_shows_one_paper_after_the_other_beside_the_checklist(self, client, stage, words):
        batch = stage.complete()
        table = b"bag,kg\n" + b"".join(b"%d,40\n" % number for number in range(1, 100))
        last = stage.paper(batch, EvidenceKind.TAG_LOG, content=table)
        stage.session.refresh(batch)
        batches.submit(stage.session, batch=batch, policy=stage.policy, by=stage.clerk, at=stage.at)
        stage.drawn(batch)
        verification.take(stage.session, batch=batch, by=stage.lead, at=stage.at)
        client.sign_in(stage.lead)

        first = words(client.get(f"/admin/batches/{batch.number}").text)
        shown = words(client.get(f"/admin/batches/{batch.number}?paper={last.id}").text)

        assert "Paper 1 of 3 Next" in first
        assert "Paper 3 of 3 Previous" in shown
        assert "60 40" in shown
        assert "61 40" not in shown
        assert "Paper 1 of 3" in words(client.get(f"/admin/batches/{batch.number}?paper=999&page=x").text)


class TestAsk:
    def test_asks_ready_and_own_questions_at_once_and_settles_them(self, client, stage, session, words):
        stage.clerk.language = Language.SW
        batch = stage.in_review()
        client.sign_in(stage.lead)
        assert "The producer reads Kiswahili" in words(client.get(f"/admin/batches/{batch.number}").text)

        sent = {"key": "k", "ready": ["moisture_how"], "text": "Which scale?\n\nWhose bags?\nAll of them?"}
        assert client.post(f"/admin/batches/{batch.number}/request", data=sent).status_code == 303

        texts = [thread.point.remark.text for thread in review_threads.threads_of(session, batch)]
        assert texts == [sentences(Language.SW)["moisture_how"], "Which scale?", "Whose bags?\nAll of them?"]
        for point in session.scalars(select(ReviewPoint)).all():
            address = f"/admin/batches/{batch.number}/points/{point.remark_id}/settle"
            assert [client.post(address).status_code for _ in range(2)] in ([303, 303], [303, 409])
        session.refresh(batch)
        assert batch.state is BatchState.IN_REVIEW

    def test_wants_a_question(self, client, stage):
        batch = stage.in_review()
        answer = client.sign_in(stage.lead).post(
            f"/admin/batches/{batch.number}/request", data={"key": "k", "text": " "}
        )

        assert answer.status_code == 422
        assert "Choose a ready question, or write one." in answer.text


class TestAnswerQuestions:
    def test_keeps_all_that_was_typed_by_one_button(self, client, stage, flagged, words):
        client.sign_in(stage.lead)
        address = f"/admin/batches/{flagged.number}"
        assert "Questions of the data: 1 open of 1" in words(client.get(address).text)

        sent = {"key": "k", "answer-conflict_affected": "Looked into with the authorities."}
        answers = [client.post(f"{address}/questions", data=sent) for _ in range(2)]

        assert [(each.status_code, each.location) for each in answers] == [(303, f"{address}#checklist")] * 2
        page = words(client.get(address).text)
        assert "Looked into with the authorities." in page
        assert "Questions of the data: 0 open of 1" in page
        empty = client.post(f"{address}/questions", data={"key": "k2", "answer-mercury": " "})
        assert "Nothing was typed" in client.get(empty.location).text


class TestPlaces:
    def test_shows_the_map_to_staff_and_the_record_of_the_producer(self, client, stage, words):
        stage.site(name="Musonoi", latitude="-10.72", longitude="25.47")
        issued = stage.issued()
        batch = stage.in_review(issued.batch.site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 20))

        answer = client.sign_in(stage.lead).get(f"/admin/batches/{batch.number}")
        page = words(answer.text)

        assert 'class="country"' in answer.text
        assert "Musonoi" in page[page.index("In the middle") :]
        assert "1 in review, 1 issued" in page
        assert "2,500 kg" in page[page.index("History of the producer") :]


class TestSecondPerson:
    def test_sees_first_what_can_be_decided(self, client, stage, words):
        made = stage.issued()
        decision = stage.proposed(DecisionKind.CANCELLATION, made.number, holder=stage.coop.number, quantity=5)

        theirs = words(client.sign_in(stage.colleague).get("/admin/").text)
        own = words(client.sign_in(stage.issuer).get("/admin/").text)

        assert decision.number in theirs
        assert "You can decide" in theirs
        assert "Yours: another issuer decides" in own
        assert "Waits for a second person" not in words(client.sign_in(stage.lead).get("/admin/").text)
