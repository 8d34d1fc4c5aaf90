import pytest
from sqlalchemy import func, select

from credits.participants.models import Kind
from credits.registry.production import BatchState, Evidence, EvidenceKind
from credits.web import evidence
from tests.factories import UserFactory
from tests.web.producing import NOW, PDF, encoded, upload


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch):
    monkeypatch.setattr(evidence, "now", lambda: NOW)


@pytest.fixture
def batch(stage):
    return stage.draft()


def kept(session):
    return session.scalars(select(func.count()).select_from(Evidence)).one()


class TestAddEvidence:
    def test_puts_the_paper_behind_the_batch(self, client, session, stage, batch):
        answer = client.sign_in(stage.clerk).post(f"/batches/{batch.number}/evidence/new", data=upload())

        assert (answer.status_code, answer.location) == (303, f"/batches/{batch.number}#papers")
        paper = session.scalars(select(Evidence)).one()
        assert (paper.kind, paper.filename, paper.media_type) == (EvidenceKind.ASSAY, "assay.pdf", "application/pdf")
        assert "assay.pdf" in client.get(f"/batches/{batch.number}").text

    def test_counts_once_where_it_is_sent_twice(self, client, session, stage, batch):
        client.sign_in(stage.clerk)

        answers = [client.post(f"/batches/{batch.number}/evidence/new", data=upload()) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert kept(session) == 1

    def test_refuses_the_same_paper_for_another_batch(self, client, session, stage, batch):
        other = stage.draft(batch.site)
        client.sign_in(stage.clerk).post(f"/batches/{batch.number}/evidence/new", data=upload())

        answer = client.post(f"/batches/{other.number}/evidence/new", data=upload(key="k2", reference=""))

        assert answer.status_code == 409
        assert "stands behind another batch already" in answer.text
        assert kept(session) == 1

    def test_refuses_what_is_no_paper_and_says_why(self, client, session, stage, batch):
        client.sign_in(stage.clerk)
        for content, name, said in [
            (b"<html><script>alert(1)</script>", "assay.pdf", "Please send a PDF"),
            (b"<html>,x", "assay.csv", "Please send a PDF"),
            (b"MZ\x90", "assay.exe", "Please send a PDF"),
            (PDF, "assay.jpg", "its name says something else"),
            (PDF, "assay", "its name says something else"),
            (PDF, "assay.pdf.html", "its name says something else"),
            (b"", "assay.pdf", "The file is empty"),
            (PDF, "x" * 300 + ".pdf", "at most 150 characters"),
        ]:
            answer = client.post(
                f"/batches/{batch.number}/evidence/new", data=upload(content, name, key=f"{name[:30]} {len(content)}")
            )

            assert answer.status_code == 422, name
            assert said in answer.text
            assert ">\r\nLAB-1</textarea>" in answer.text
            assert "is here already" not in answer.text  # another file has to be chosen
        assert kept(session) == 0

    @pytest.mark.parametrize(
        "bent",
        [
            {"kind": ""},
            {"kind": "rumour"},
            {"reference": "x" * 81},
            {"reference": "\x00"},
            {"file": ""},
        ],
    )
    def test_refuses_a_form_that_is_not_sound(self, client, session, stage, batch, bent):
        answer = client.sign_in(stage.clerk).post(f"/batches/{batch.number}/evidence/new", data=upload(**bent))

        assert answer.status_code == 422
        assert "Please look at this again" in answer.text
        assert kept(session) == 0

    def test_says_what_to_do_with_a_file_of_30_mb(self, client, session, stage, batch):
        huge = b"\xff\xd8\xff" + bytes(30_000_000)

        answer = client.sign_in(stage.clerk).post(
            f"/batches/{batch.number}/evidence/new", **encoded(upload(huge, "photo.jpg"))
        )

        assert answer.status_code == 413
        assert "Send a smaller scan or photo" in answer.text
        assert kept(session) == 0

    def test_names_the_limit_where_a_file_is_only_somewhat_too_large(self, client, session, stage, batch):
        large = b"\xff\xd8\xff" + bytes(21_000_000)

        answer = client.sign_in(stage.clerk).post(
            f"/batches/{batch.number}/evidence/new", **encoded(upload(large, "photo.jpg"))
        )

        assert answer.status_code == 422
        assert "The file is too large: at most 20 MB" in answer.text
        assert kept(session) == 0

    def test_is_closed_while_the_verifier_reads(self, client, session, stage):
        submitted = stage.submitted()
        before = kept(session)

        answer = client.sign_in(stage.clerk).post(f"/batches/{submitted.number}/evidence/new", data=upload())

        assert answer.status_code == 409
        assert kept(session) == before

    def test_knows_nothing_of_others_batches(self, client, session, stage, batch):
        stranger = UserFactory()

        answer = client.sign_in(stranger).post(f"/batches/{batch.number}/evidence/new", data=upload())

        assert answer.status_code == 404
        assert kept(session) == 0


class TestEvidence:
    def test_is_handed_over_as_a_file_never_as_a_page(self, client, stage, batch):
        content = b'who,what\n"<script>alert(1)</script>",1\n'
        paper = stage.paper(batch, EvidenceKind.OTHER, filename="list <b>; é.csv", content=content)

        answer = client.sign_in(stage.clerk).get(f"/batches/{batch.number}/evidence/{paper.id}")

        assert answer.status_code == 200
        assert answer.data == content
        assert answer.mimetype == "text/csv"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "private, no-store"

    def test_is_read_by_those_who_see_the_batch(self, client, stage):
        reviewed = stage.in_review()
        address = f"/batches/{reviewed.number}/evidence/{reviewed.evidence[0].id}"

        for reader in (stage.clerk, stage.lead, stage.issuer):
            assert client.sign_in(reader).get(address).status_code == 200
        for stranger in (stage.buyer, UserFactory()):
            assert client.sign_in(stranger).get(address).status_code == 404

    def test_is_not_read_by_verifiers_before_it_is_submitted(self, client, stage, batch):
        paper = stage.paper(batch, EvidenceKind.ASSAY)

        assert client.sign_in(stage.lead).get(f"/batches/{batch.number}/evidence/{paper.id}").status_code == 404

    def test_is_found_under_its_own_batch_only(self, client, stage, batch):
        other = stage.draft(batch.site)
        paper = stage.paper(batch, EvidenceKind.ASSAY)
        client.sign_in(stage.clerk)

        assert client.get(f"/batches/{other.number}/evidence/{paper.id}").status_code == 404
        assert client.get(f"/batches/{batch.number}/evidence/{10**30}").status_code == 404


class TestRemoveEvidence:
    def test_takes_it_from_a_draft_once_and_for_all_further_times(self, client, session, stage, batch):
        paper = stage.paper(batch, EvidenceKind.ASSAY)
        address = f"/batches/{batch.number}/evidence/{paper.id}/remove"
        client.sign_in(stage.clerk)

        answers = [client.post(address) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert kept(session) == 0

    def test_leaves_what_was_submitted(self, client, session, stage):
        submitted = stage.submitted()
        before = kept(session)

        answer = client.sign_in(stage.clerk).post(
            f"/batches/{submitted.number}/evidence/{submitted.evidence[0].id}/remove"
        )

        assert answer.status_code == 409
        assert kept(session) == before

    def test_is_not_for_others(self, client, session, stage):
        submitted = stage.submitted()
        address = f"/batches/{submitted.number}/evidence/{submitted.evidence[0].id}/remove"
        before = kept(session)

        for other in (stage.lead, stage.buyer, UserFactory(kind=Kind.GROUP_MANAGER)):
            assert client.sign_in(other).post(address).status_code in (403, 404)
        assert kept(session) == before
        assert submitted.state is BatchState.SUBMITTED
