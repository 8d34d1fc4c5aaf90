"""Papers over the JSON API: whole, or in pieces as tus clients send them; and what is refused."""

from base64 import b64encode
from io import BytesIO

import pytest

from tests import papers

PDF = papers.pdf()
VERSION = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def drafted(cooperative, site, batch):
    cooperative.post("/sites", site)
    return cooperative.post("/batches", batch).json["number"]


@pytest.fixture
def begun(cooperative, drafted):
    def begin(size: int, name: str = "assay.pdf", **more):
        metadata = f"filename {b64encode(name.encode()).decode()},filetype {b64encode(b'application/pdf').decode()}"
        headers = VERSION | {"Upload-Length": str(size), "Upload-Metadata": metadata}
        return cooperative.post(f"/batches/{drafted}/uploads", headers=headers, **more)

    return begin


def path(location: str) -> str:
    return location.partition("/api/v1")[2]


def patched(machine, where: str, offset: int, piece: bytes):
    headers = VERSION | {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return machine.send("PATCH", where, headers=headers, data=piece)


class TestAddEvidence:
    def test_tells_what_was_seen(self, cooperative, drafted):
        form = {"kind": "assay", "reference": "2026-118", "issuer": "Alex Stewart", "file": (BytesIO(PDF), "a.pdf")}
        made = cooperative.post(f"/batches/{drafted}/evidence", data=form, content_type="multipart/form-data")

        assert made.status_code == 201
        assert (made.json["pages"], made.json["reference"], made.json["issuer"]) == (1, "2026-118", "Alex Stewart")

    def test_counts_once_a_key(self, cooperative, drafted):
        def send():
            form = {"kind": "assay", "file": (BytesIO(b"a,b\n"), "a.csv")}
            kind = "multipart/form-data"
            return cooperative.post(f"/batches/{drafted}/evidence", data=form, content_type=kind, key="k")

        answers = [send(), send()]

        assert [answer.status_code for answer in answers] == [201, 200]
        assert answers[0].json["id"] == answers[1].json["id"]

    @pytest.mark.parametrize(
        "kind", ["100,000 by 100,000 pixels", "a PDF that runs JavaScript", "a JPEG and PHP in one", "a formula"]
    )
    def test_says_why_a_hostile_file_is_not_taken(self, cooperative, drafted, tmp_path, kind):
        name, made = papers.HOSTILE[kind]
        form = {"kind": "photo", "file": (BytesIO(made(tmp_path)), name)}
        answer = cooperative.post(f"/batches/{drafted}/evidence", data=form, content_type="multipart/form-data")

        assert answer.status_code == 422
        assert answer.json["code"] in ("unusable_file", "formula_cell")
        assert cooperative.get(f"/batches/{drafted}").json["evidence"] == []

    def test_refuses_a_number_that_is_used(self, cooperative, drafted):
        cooperative.paper(drafted, "tag_log", b"a,1\n", reference="T-1 .. T-9")
        answer = cooperative.paper(drafted, "tag_log", b"a,2\n", reference="T-9")

        assert (answer.status_code, answer.json["code"], answer.json["context"]) == (
            409,
            "evidence_used",
            {"number": "T-9"},
        )


class TestUploads:
    def test_bring_a_file_in_pieces_and_make_it_a_paper_once(self, cooperative, drafted, begun):
        where = path(begun(len(PDF)).location)
        for offset in range(0, len(PDF), 256):
            assert patched(cooperative, where, offset, PDF[offset : offset + 256]).status_code == 204
        told = cooperative.send("HEAD", where, headers=VERSION)
        assert told.headers["Upload-Offset"] == told.headers["Upload-Length"] == str(len(PDF))
        answers = [
            cooperative.post(f"{where}/evidence", {"kind": "assay", "reference": "LAB-1"}, key=key)
            for key in ("k1", "k1", "k2")
        ]

        assert [answer.status_code for answer in answers] == [201, 200, 200]
        assert {answer.json["id"] for answer in answers} == {answers[0].json["id"]}
        assert answers[0].location == answers[2].location
        assert [paper["filename"] for paper in cooperative.get(f"/batches/{drafted}").json["evidence"]] == ["assay.pdf"]

    def test_begin_once_a_key(self, begun):
        assert begun(9, key="k").location == begun(9, key="k").location

    @pytest.mark.parametrize(
        "size, name, status, code",
        [
            (20_000_001, "a.pdf", 413, "too_large"),
            (0, "a.pdf", 422, "unusable_file"),
            (9, "a.exe", 422, "unusable_file"),
        ],
    )
    def test_refuse_with_a_problem(self, begun, size, name, status, code):
        answer = begun(size, name)

        assert (answer.status_code, answer.json["code"]) == (status, code)

    def test_speak_one_version_and_say_which(self, cooperative, drafted):
        answer = cooperative.post(f"/batches/{drafted}/uploads", headers={"Tus-Resumable": "0.2"})

        assert (answer.status_code, answer.headers["Tus-Version"]) == (412, "1.0.0")

    def test_tell_where_to_go_on(self, cooperative, begun):
        where = path(begun(len(PDF)).location)
        patched(cooperative, where, 0, PDF[:100])
        answer = patched(cooperative, where, 0, PDF[:100])

        assert (answer.status_code, answer.json["code"], answer.json["context"]) == (
            409,
            "wrong_offset",
            {"offset": 100},
        )

    def test_become_no_paper_before_they_are_whole(self, cooperative, begun):
        where = path(begun(len(PDF)).location)
        patched(cooperative, where, 0, PDF[:100])
        answer = cooperative.post(f"{where}/evidence", {"kind": "assay"})

        assert (answer.status_code, answer.json["code"]) == (409, "not_whole")

    def test_become_no_paper_where_the_file_is_none(self, cooperative, begun):
        where = path(begun(300).location)
        patched(cooperative, where, 0, PDF[:300])
        answer = cooperative.post(f"{where}/evidence", {"kind": "assay"})

        assert (answer.status_code, answer.json["context"]) == (422, {"why": "cut_off"})

    def test_are_nobody_else_s(self, cooperative, maker, stranger, begun):
        where = path(begun(len(PDF)).location)
        for other, status in ((maker, 404), (stranger, 401)):
            assert other.send("HEAD", where, headers=VERSION).status_code == status
            assert patched(other, where, 0, PDF).status_code == status
            assert other.send("DELETE", where, headers=VERSION).status_code == status
            assert other.post(f"{where}/evidence", {"kind": "assay"}).status_code == status

    def test_are_given_up(self, cooperative, begun):
        where = path(begun(len(PDF)).location)

        assert cooperative.send("DELETE", where, headers=VERSION).status_code == 204
        assert cooperative.send("HEAD", where, headers=VERSION).status_code == 404
