from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image

from credits.participants.models import Kind
from credits.registry.making import batches
from credits.registry.papers.evidence_likeness import likenesses_of
from credits.registry.production import EvidenceKind
from credits.registry.reviews import verification
from credits.web import evidence_viewing
from tests import papers
from tests.factories import AT, UserFactory

PHOTO = EvidenceKind.PHOTO


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch):
    monkeypatch.setattr(evidence_viewing, "now", lambda: AT + timedelta(days=10))


@pytest.fixture
def batch(stage):
    return stage.draft()


@pytest.fixture
def alike(stage):
    """A batch in review whose photo is nearly one behind a batch of another producer."""
    manager, clerk, coop = stage.manager, stage.clerk, stage.coop
    stranger = UserFactory()
    stage.coop, stage.manager, stage.clerk = stranger.organisation, stranger, stranger
    stage.paper(stage.draft(), PHOTO, content=papers.jpeg(), filename="theirs.jpg")
    stage.coop, stage.manager, stage.clerk = coop, manager, clerk
    batch = stage.complete(stage.site(name="Mutoshi"))
    stage.paper(batch, PHOTO, content=papers.jpeg(papers.form().convert("L"), quality=50), filename="mine.jpg")
    stage.session.refresh(batch)
    batches.submit(stage.session, batch=batch, policy=stage.policy, by=stage.clerk, at=stage.at)
    verification.take(stage.session, batch=batch, by=stage.lead, at=stage.at)
    return batch


def address(batch, paper, end="look"):
    return f"/batches/{batch.number}/evidence/{paper.id}/{end}"


class TestEvidencePage:
    def test_is_a_picture_without_position_or_device(self, client, stage, batch):
        paper = stage.paper(batch, PHOTO, content=papers.photo_with_position(), filename="a.jpg")
        client.sign_in(stage.clerk)
        answers = [client.get(address(batch, paper, "pages/1.jpg")) for _ in range(2)]  # the second one is kept

        assert answers[0].data == answers[1].data
        assert answers[0].mimetype == "image/jpeg"
        for secret in (b"TinyPhone", b"Mwamba", b"Exif"):
            assert secret not in answers[0].data
        assert answers[0].headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answers[0].headers["Content-Security-Policy"]
        assert answers[0].headers["Cache-Control"] == "private, no-store"

    def test_is_drawn_of_each_page_of_a_pdf(self, client, stage, batch):
        scan = papers.scan(papers.form(1), papers.form(2))
        paper = stage.paper(batch, PHOTO, content=scan, filename="a.pdf")
        client.sign_in(stage.clerk)
        shown = [client.get(address(batch, paper, f"pages/{number}.jpg")) for number in (1, 2)]

        assert shown[0].data != shown[1].data
        assert [Image.open(BytesIO(each.data)).format for each in shown] == ["JPEG", "JPEG"]
        for number in (0, 3, 10**12):
            assert client.get(address(batch, paper, f"pages/{number}.jpg")).status_code == 404

    def test_is_not_made_of_a_table(self, client, stage, batch):
        paper = stage.paper(batch, PHOTO)

        assert client.sign_in(stage.clerk).get(address(batch, paper, "pages/1.jpg")).status_code == 404

    def test_is_for_those_who_see_the_batch(self, client, stage):
        batch = stage.complete()
        paper = stage.paper(batch, PHOTO, content=papers.jpeg(), filename="a.jpg")
        for end in ("look", "pages/1.jpg"):
            for stranger in (UserFactory(), stage.buyer, stage.lead, stage.issuer):  # no reviewer sees a draft
                assert client.sign_in(stranger).get(address(batch, paper, end)).status_code == 404
        batches.submit(stage.session, batch=batch, policy=stage.policy, by=stage.clerk, at=stage.at)
        assert client.sign_in(stage.lead).get(address(batch, paper)).status_code == 404  # nothing is declared yet
        verification.take(stage.session, batch=batch, by=stage.lead, at=stage.at)
        for end in ("look", "pages/1.jpg"):
            for reader in (stage.clerk, stage.lead, stage.issuer):
                assert client.sign_in(reader).get(address(batch, paper, end)).status_code == 200


class TestLookAtEvidence:
    def test_shows_the_cells_of_a_table_as_text(self, client, stage, batch):
        content = b'who,what,kg\n"<script>alert(1)</script>",one\nx,two,3,4\n'
        paper = stage.paper(batch, PHOTO, content=content, filename="a.csv")
        page = client.sign_in(stage.clerk).get(address(batch, paper)).text

        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page

    def test_shows_a_table_of_one_line(self, client, stage, batch):
        paper = stage.paper(batch, PHOTO, content=b"who,what\n", filename="a.csv")

        assert "a first line and no other" in client.sign_in(stage.clerk).get(address(batch, paper)).text

    def test_goes_from_page_to_page(self, client, stage, batch):
        scan = papers.scan(papers.form(1), papers.form(2))
        paper = stage.paper(batch, PHOTO, content=scan, filename="a.pdf", reference="T-1", issuer="Bivac")
        client.sign_in(stage.clerk)

        assert "Page 1 of 2" in client.get(address(batch, paper)).text
        assert "pages/2.jpg" in client.get(address(batch, paper) + "?page=2").text
        for wrong in ("0", "9", "x"):
            assert "pages/1.jpg" in client.get(address(batch, paper) + f"?page={wrong}").text
        assert "Bivac" in client.get(address(batch, paper)).text


class TestAnswerQuestion:
    @pytest.fixture
    def asked(self, stage, alike):
        likeness = likenesses_of(stage.session, alike)[0]
        return address(alike, likeness.paper), address(alike, likeness.paper, f"questions/{likeness.id}"), likeness

    def test_names_the_other_batch_to_those_alone_who_may_know_it(self, client, stage, alike, asked):
        page, _, likeness = asked
        theirs = likeness.other.batch
        seen = client.sign_in(stage.lead).get(page).text
        assert "Nearly the same paper stands behind another batch" in seen
        assert theirs.number not in seen
        assert "theirs.jpg" not in seen

        assert "Nearly the same" not in client.sign_in(stage.clerk).get(page).text
        assert "To be answered" in client.sign_in(stage.lead).get(f"/admin/batches/{alike.number}").text

    def test_names_it_to_the_registry_once_it_is_submitted(self, client, stage, session, alike, asked):
        page, _, likeness = asked
        theirs = likeness.other.batch
        stranger = UserFactory(organisation=theirs.site.producer)
        for kind in stage.policy.required_evidence:
            stage.paper(theirs, kind, by=stranger)
        session.refresh(theirs)
        batches.submit(session, batch=theirs, policy=stage.policy, by=stranger, at=stage.at)

        assert theirs.number in client.sign_in(stage.issuer).get(page).text

    def test_writes_the_answer_down_once(self, client, stage, session, alike, asked):
        page, question, likeness = asked
        client.sign_in(stage.lead)
        assert "What did you find out?" in client.get(page).text
        answers = [client.post(question, data={"key": "k1", "text": "One pad, two sheets."}) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert "One pad, two sheets." in client.get(page).text
        session.refresh(likeness)
        assert likeness.answered_by_id == stage.lead.id

    @pytest.mark.parametrize(
        "text, said", [("", "required"), ("  ", "required"), ("x" * 2001, "2000"), ("\x00", "printed")]
    )
    def test_shows_a_form_that_is_not_right_again(self, client, stage, asked, text, said):
        answer = client.sign_in(stage.lead).post(asked[1], data={"key": "k1", "text": text})

        assert answer.status_code == 422
        assert said in answer.text

    def test_is_not_for_others(self, client, stage, asked):
        form = {"key": "k1", "text": "Fine."}
        assert client.sign_in(stage.clerk).post(asked[1], data=form).status_code == 403
        for stranger in (UserFactory(), UserFactory(kind=Kind.VERIFIER)):
            assert client.sign_in(stranger).post(asked[1], data=form).status_code == 404
        assert client.sign_in(stage.lead).post(asked[1] + "9", data=form).status_code == 404
