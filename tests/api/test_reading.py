import json
from io import BytesIO

import pytest

from credits.api.reading import LARGEST_JSON

JSON = "application/json"


@pytest.fixture
def offer():
    """A request of a sound shape, to be bent in one way."""
    return {"issuance": "ASMC-CO-COD-KAM001-2026-0001", "recipient": "ORG-000001", "quantity": 1000}


@pytest.fixture
def drafted(cooperative, site, batch) -> str:
    cooperative.post("/sites", site)
    return cooperative.post("/batches", batch).json["number"]


class TestBody:
    def test_refuses_what_is_no_whole_number_of_base_units(self, cooperative, offer):
        no_numbers = ["true", "false", "null", '"1000"', '"١٢"', "[1000]", "{}"]
        no_whole_ones = ["1000.0", "0.5", "1e3", "1e400", "-1e400", "NaN", "Infinity", "-Infinity"]
        out_of_reach = ["0", "-1", "-0", str(2**53), str(2**63), str(2**64), "9" * 4000, "9" * 5000]
        for quantity in no_numbers + no_whole_ones + out_of_reach:
            text = json.dumps(offer | {"quantity": 7}).replace("7", quantity)

            answer = cooperative.post("/transfers", data=text, content_type=JSON)

            assert (answer.status_code, answer.json["code"]) == (422, "invalid"), quantity
            assert answer.mimetype == "application/problem+json"

    def test_refuses_what_is_no_json(self, cooperative):
        no_text = [b"\xff\xfe{\x00}\x00", b'{"note": "\xff"}', "\ufeff{}"]
        no_syntax = ["", "{", "{'note': 1}", '{"note": 1,}', '{"note": ١}', '{"note": 01}', '{"note": "a\nb"}']
        too_deep = ["[" * 100_000, '{"a":' * 100_000]
        for text in no_text + no_syntax + too_deep:
            answer = cooperative.post("/transfers", data=text, content_type=JSON)

            assert (answer.status_code, answer.json["code"]) == (400, "malformed"), text[:20]

    def test_refuses_what_is_no_object(self, cooperative):
        for text in ("[]", '"text"', "1", "null", "true", "[{}]"):
            assert cooperative.post("/transfers", data=text, content_type=JSON).status_code == 422, text

    def test_refuses_an_unknown_field(self, cooperative, offer):
        answer = cooperative.post("/transfers", offer | {"free": True})

        assert answer.status_code == 422
        assert answer.json["errors"] == {"json": {"free": ["Unknown field."]}}

    def test_refuses_a_name_that_stands_twice(self, cooperative, offer):
        text = json.dumps(offer)[:-1] + ', "quantity": 1}'

        answer = cooperative.post("/transfers", data=text, content_type=JSON)

        assert answer.status_code == 422
        assert "'quantity'" in answer.json["errors"]["json"][0]

    def test_refuses_what_is_no_text(self, cooperative, offer):
        for note in ("\ud800", "a\udfffb", "nul\0", "x" * 501, 5, ["a"], {"a": "b"}, None):
            answer = cooperative.post("/transfers", offer | {"note": note})

            assert (answer.status_code, list(answer.json["errors"]["json"])) == (422, ["note"]), note

    def test_refuses_another_media_type(self, cooperative, offer):
        for content_type in (None, "text/plain", "application/x-www-form-urlencoded", "text/json"):
            answer = cooperative.post("/transfers", data=json.dumps(offer), content_type=content_type)

            assert (answer.status_code, answer.json["code"]) == (415, "wrong_media_type")

    def test_refuses_a_huge_one(self, cooperative, offer):
        for size in (LARGEST_JSON, 30_000_000):
            answer = cooperative.post("/transfers", offer | {"note": "x" * size})

            assert (answer.status_code, answer.json["code"]) == (413, "too_large")

    def test_is_not_needed_where_nothing_is_asked(self, cooperative, drafted):
        assert cooperative.post(f"/batches/{drafted}/withdraw", {"why": "no"}).status_code == 422
        assert cooperative.post(f"/batches/{drafted}/withdraw").status_code == 200

    def test_refuses_a_day_in_any_other_writing(self, cooperative, licence):
        for written in ("2026-W01-1", "20260101", "2026-1-1", "2026-02-30", "٢٠٢٦-٠١-٠١", "", 20260101, "2026-01-01T0"):
            answer = cooperative.post("/sites/COD-KAM001/licences", licence | {"valid_from": written})

            assert (answer.status_code, list(answer.json["errors"]["json"])) == (422, ["valid_from"]), written


class TestQuery:
    def test_refuses_what_is_not_sound(self, cooperative):
        pages = ["page=0", "page=-1", "page=1.0", "page=١", "page=%201", "page=" + "9" * 30, "page_size=101"]
        for query in [*pages, "page_size=0", "stat=draft", "state=eaten", "site=a%00b"]:
            assert cooperative.get(f"/batches?{query}").status_code == 422, query

    def test_cuts_a_list_into_pages(self, cooperative, drafted, batch):
        more = [cooperative.post("/batches", batch).json["number"] for _ in range(2)]

        second = cooperative.get("/batches", page=2, page_size=2)

        assert [row["number"] for row in second.json] == [drafted]
        assert second.headers["X-Total-Count"] == "3"
        assert [row["number"] for row in cooperative.get("/batches", page_size=2).json] == more[::-1]
        assert cooperative.get("/batches", page=9).json == []


class TestFile:
    def test_is_refused_as_json(self, cooperative, drafted):
        answer = cooperative.post(f"/batches/{drafted}/evidence", {"kind": "photo", "file": "aGk="})

        assert answer.status_code == 415

    def test_is_refused_above_the_largest_request(self, cooperative):
        body = b"--part\r\n" + b"x" * 30_000_000
        path, kind = "/batches/BATCH-000001/evidence", "multipart/form-data; boundary=part"

        answer = cooperative.post(path, data=body, content_type=kind)

        assert (answer.status_code, answer.json["code"]) == (413, "too_large")

    def test_is_refused_with_other_fields(self, cooperative, drafted):
        def file(name: str = "a.csv", content: bytes = b"a,b\n1,2\n") -> tuple[BytesIO, str]:
            return BytesIO(content), name

        for form in (
            {},
            {"kind": "photo"},
            {"kind": "photo", "file": "text"},
            {"kind": "meal", "file": file()},
            {"kind": "photo", "file": file(), "more": "x"},
            {"kind": "photo", "file": [file(), file("c.csv", b"c,d")]},
            {"kind": ["photo", "assay"], "file": file()},
            {"kind": "photo", "file": file("a.png", b"%PDF-1.7")},
            {"kind": "photo", "file": file("a.csv", b"")},
            {"kind": "photo", "file": file("")},
        ):
            answer = cooperative.post(f"/batches/{drafted}/evidence", data=form, content_type="multipart/form-data")

            assert answer.status_code == 422, form
        assert cooperative.get(f"/batches/{drafted}").json["evidence"] == []

    def test_comes_back_as_it_was_sent(self, cooperative, drafted):
        sent = cooperative.paper(drafted, "assay", b"lab,1\r\n\xc3\xa9,2\n", reference="A-17")

        found = cooperative.client.get(sent.location, headers={"Authorization": f"Bearer {cooperative.secret}"})

        assert found.data == b"lab,1\r\n\xc3\xa9,2\n"
        assert (found.mimetype, sent.json["reference"]) == ("text/csv", "A-17")
        assert found.headers["Content-Disposition"] == "attachment; filename=assay.csv"
