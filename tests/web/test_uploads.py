"""A file in pieces, as the script of the page and any tus client send it."""

from base64 import b64encode
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from credits import receiving
from credits.registry.papers.evidence_models import Upload
from credits.registry.production import Evidence
from credits.web import evidence
from tests import papers
from tests.factories import AT, UserFactory
from tests.web.producing import upload

PDF = papers.pdf()
WHOLE = len(PDF)
PIECE = {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch):
    for door in (evidence, receiving):
        monkeypatch.setattr(door, "now", lambda: AT + timedelta(days=10))


@pytest.fixture
def batch(stage):
    return stage.draft()


@pytest.fixture
def tus(client):
    """Asks in the words of the protocol."""

    def ask(method, address, headers=None, **more):
        return client.open(address, method=method, headers={"Tus-Resumable": "1.0.0"} | (headers or {}), **more)

    return ask


@pytest.fixture
def begun(client, stage, batch, tus):
    """The address of a file that the clerk has begun to send."""
    client.sign_in(stage.clerk)

    def begin(size=WHOLE, name="assay.pdf"):
        headers = {"Upload-Length": str(size), "Upload-Metadata": f"filename {b64encode(name.encode()).decode()}"}
        return tus("POST", f"/batches/{batch.number}/uploads", headers)

    return begin


def kept(session):
    return session.scalar(select(func.count()).select_from(Evidence))


class TestBeginUpload:
    def test_says_where_the_pieces_go_and_until_when(self, begun):
        answer = begun()

        assert answer.status_code == 201
        assert (answer.headers["Tus-Resumable"], answer.headers["Upload-Offset"]) == ("1.0.0", "0")
        assert answer.location.startswith("/uploads/")
        assert answer.headers["Upload-Expires"] == "Mon, 13 Jul 2026 12:00:00 GMT"

    @pytest.mark.parametrize(
        "size, name, status, said",
        [
            (20_000_001, "a.pdf", 413, "at most 20 MB"),
            (0, "a.pdf", 422, "empty"),
            ("", "a.pdf", 400, "Upload-Length"),
            ("-1", "a.pdf", 400, "Upload-Length"),
            ("\u00b2", "a.pdf", 400, "Upload-Length"),
            ("9" * 400, "a.pdf", 400, "Upload-Length"),
            (5, "film.mp4", 422, "PDF"),
            (5, "", 422, "Name of the file"),
        ],
    )
    def test_refuses_in_plain_words(self, begun, session, size, name, status, said):
        answer = begun(size, name)

        assert (answer.status_code, answer.mimetype) == (status, "text/plain")
        assert said in answer.text
        assert session.scalar(select(func.count()).select_from(Upload)) == 0

    def test_refuses_metadata_that_are_none(self, client, stage, batch, tus):
        client.sign_in(stage.clerk)
        for words in ("filename", "filename %%%", "filename /w==", "x"):
            answer = tus("POST", f"/batches/{batch.number}/uploads", {"Upload-Length": "5", "Upload-Metadata": words})

            assert answer.status_code == 422, words

    def test_speaks_one_version(self, client, stage, batch):
        answer = client.sign_in(stage.clerk).post(f"/batches/{batch.number}/uploads")

        assert answer.status_code == 412

    def test_knows_nothing_of_others_batches(self, client, tus, batch):
        client.sign_in(UserFactory())
        answer = tus("POST", f"/batches/{batch.number}/uploads", {"Upload-Length": "5"})

        assert (answer.status_code, answer.text) == (404, "There is no such batch.")


class TestAppendPiece:
    def test_goes_on_from_where_it_was(self, begun, tus):
        where = begun().location
        for offset in (0, 200, 400):
            answer = tus("PATCH", where, PIECE | {"Upload-Offset": str(offset)}, data=PDF[offset : offset + 200])
            assert answer.status_code == 204

            told = tus("HEAD", where)
            assert told.headers["Upload-Offset"] == answer.headers["Upload-Offset"] == str(min(offset + 200, len(PDF)))
            assert told.headers["Upload-Length"] == str(len(PDF))
            assert told.headers["Cache-Control"] == "no-store"

    def test_says_where_it_is_when_a_piece_comes_twice(self, begun, tus):
        where = begun().location
        answers = [tus("PATCH", where, PIECE | {"Upload-Offset": "0"}, data=PDF[:100]) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [204, 409]
        assert tus("HEAD", where).headers["Upload-Offset"] == "100"

    @pytest.mark.parametrize(
        "headers, data, status",
        [
            (PIECE, PDF, 400),
            (PIECE | {"Upload-Offset": "x"}, PDF, 400),
            (PIECE | {"Upload-Offset": "0"}, PDF + b"more", 422),
            (PIECE | {"Upload-Offset": "7"}, PDF[7:], 409),
            (PIECE | {"Upload-Offset": "0"}, b"MZ\x90", 422),
            ({"Content-Type": "application/json", "Upload-Offset": "0"}, b"{}", 415),
        ],
    )
    def test_refuses_a_piece_that_does_not_fit(self, begun, tus, headers, data, status):
        where = begun().location

        assert tus("PATCH", where, headers, data=data).status_code == status
        assert tus("HEAD", where).headers["Upload-Offset"] == "0"

    def test_is_for_whoever_began_it(self, client, begun, tus, stage):
        where = begun().location
        for stranger in (stage.manager, UserFactory(), stage.issuer):
            client.sign_in(stranger)
            assert tus("HEAD", where).status_code == 404
            assert tus("PATCH", where, PIECE | {"Upload-Offset": "0"}, data=PDF).status_code == 404
            assert tus("DELETE", where).status_code == 404


class TestDropUpload:
    def test_forgets_the_file(self, begun, tus, session):
        where = begun().location

        assert tus("DELETE", where).status_code == 204
        assert tus("HEAD", where).status_code == 404
        assert session.scalar(select(func.count()).select_from(Upload)) == 0


class TestAddEvidence:
    @pytest.fixture
    def sent(self, app, begun, tus):
        where = begun().location
        tus("PATCH", where, PIECE | {"Upload-Offset": "0"}, data=PDF)
        return where.rpartition("/")[2]

    def test_takes_what_has_arrived_whole(self, app, client, session, batch, sent):
        form = {"kind": "assay", "key": "k1", "upload": sent, "reference": "LAB-1"}
        answers = [client.post(f"/batches/{batch.number}/evidence/new", data=form) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert session.scalars(select(Evidence)).one().filename == "assay.pdf"
        assert not app.extensions["evidence_parts"].path(sent).exists()

    def test_keeps_it_while_the_form_is_not_right(self, client, session, batch, sent):
        address = f"/batches/{batch.number}/evidence/new"
        answer = client.post(address, data={"kind": "", "key": "k1", "upload": sent})

        assert answer.status_code == 422
        assert "assay.pdf (" in answer.text
        assert f'value="{sent}"' in answer.text
        assert client.post(address, data={"kind": "assay", "key": "k1", "upload": sent}).status_code == 303

    def test_keeps_a_file_that_came_with_a_form_that_is_not_right(self, client, session, stage, batch):
        address = f"/batches/{batch.number}/evidence/new"
        answer = client.sign_in(stage.clerk).post(address, data=upload(PDF, "assay.pdf", kind=""))

        assert "assay.pdf (" in answer.text
        handle = session.scalars(select(Upload)).one().handle
        assert client.post(address, data={"kind": "assay", "key": "k2", "upload": handle}).status_code == 303
        assert kept(session) == 1

    @pytest.mark.parametrize("handle", ["", "x", "0" * 64, "../../credits.db", "\x00"])
    def test_asks_for_a_file_where_there_is_none(self, client, session, stage, batch, handle):
        form = {"kind": "assay", "key": "k1", "upload": handle}
        answer = client.sign_in(stage.clerk).post(f"/batches/{batch.number}/evidence/new", data=form)

        assert answer.status_code == 422
        assert "Choose the file" in answer.text
        assert kept(session) == 0

    def test_takes_no_half_file(self, client, session, batch, begun, tus):
        where = begun().location
        tus("PATCH", where, PIECE | {"Upload-Offset": "0"}, data=PDF[:100])
        form = {"kind": "assay", "key": "k1", "upload": where.rpartition("/")[2]}

        assert client.post(f"/batches/{batch.number}/evidence/new", data=form).status_code == 422
        assert kept(session) == 0

    def test_takes_nobody_else_s_file_and_none_of_another_batch(self, client, session, stage, batch, sent):
        form = {"kind": "assay", "key": "k1", "upload": sent}
        other = stage.draft(batch.site)

        assert client.post(f"/batches/{other.number}/evidence/new", data=form).status_code == 422
        client.sign_in(stage.manager)
        assert client.post(f"/batches/{batch.number}/evidence/new", data=form).status_code == 422
        assert kept(session) == 0
