import hashlib
import io
import json

import pytest

from credits import document_jobs, drawing, jobs, verifying
from credits.certificates import asking, verify
from credits.certificates.models import Record
from credits.identity import now
from credits.log_keys import log_keys
from credits.registry.movements import DecisionKind
from credits.web import documents
from tests.web.conftest import NOW
from tests.web.test_bulk import HEADING, line


@pytest.fixture(autouse=True)
def fixed(monkeypatch):
    monkeypatch.setattr(documents, "now", lambda: NOW)


@pytest.fixture
def stock(stage):
    made = stage.issued()
    stage.handed_over(made, 1_000)
    return made


def issue(app, session) -> None:
    """What the worker does within a minute."""
    session.commit()
    with app.app_context():
        data_dir = app.extensions["settings"].data_dir
        jobs.publish_log(session, keys=log_keys(), data_dir=data_dir, at=now())
        assert document_jobs.draw_records(session, workshop=drawing.workshop(), at=now()) == 1


class TestDocumentOfIssuance:
    def test_is_asked_for_once_and_then_everybodys(self, app, client, session, stage, stock, words):
        client.sign_in(stage.buyer)
        assert "Certificate of issuance (PDF)" in words(client.get(f"/issuances/{stock.number}").text)
        asked = [client.post(f"/issuances/{stock.number}/document", data={"language": "sw"}) for _ in range(2)]
        assert [answer.location for answer in asked] == ["/documents/ASMC-D-000001"] * 2
        client = app.test_client()

        waiting = client.get("/documents/ASMC-D-000001.pdf")
        assert (waiting.status_code, waiting.headers["Retry-After"]) == (503, "20")
        assert "being issued" in words(waiting.text)
        issue(app, session)
        file = client.get("/documents/ASMC-D-000001.pdf")
        assert file.data.startswith(b"%PDF-")
        assert "immutable" in file.headers["Cache-Control"]
        assert client.get("/documents/ASMC-D-000001.pdf").data == file.data
        page = words(client.get("/documents/ASMC-D-000001").text)
        assert hashlib.sha256(file.data).hexdigest() in page
        assert "Kiswahili" in page
        assert client.get("/search?q=asmc-d-1").location == "/documents/ASMC-D-000001"
        assert client.get("/documents/ASMC-D-000001.json").json["issuance"] == stock.number
        assert "ASMC-D-000001" in client.get(f"/issuances/{stock.number}").text

        checked = words(client.post("/verify", data={"file": (io.BytesIO(file.data), "x.pdf")}).text)
        assert "This document is genuine: Certificate of issuance ASMC-D-000001" in checked
        assert "the same, byte for byte" in checked
        bent = file.data.replace(b"/Type", b"/Tipe", 1)
        assert "not a genuine document" in words(client.post("/verify", data={"file": (io.BytesIO(bent), "x")}).text)

    def test_says_that_the_registry_lost_it(self, app, client, session, stage, stock, monkeypatch):
        client.sign_in(stage.buyer).post(f"/issuances/{stock.number}/document", data={"language": "en"})
        issue(app, session)
        file = client.get("/documents/ASMC-D-000001.pdf")
        monkeypatch.setattr(verifying, "record_of", lambda verdict: None)
        told = client.post("/api/v1/verify", data={"file": (io.BytesIO(file.data), "x.pdf")}).json

        assert (told["verdict"], told["kept"]) == ("genuine", False)
        assert "no such document any more" in told["state"]

    def test_says_that_the_issuance_is_suspended(self, app, client, session, stage, stock, words):
        made = client.sign_in(stage.buyer).post(f"/issuances/{stock.number}/document", data={"language": "en"})
        issue(app, session)
        file = client.get(f"{made.location}.pdf").data
        stage.suspended(stock)

        assert "This issuance is suspended" in words(client.get(made.location).text)
        checked = client.post("/verify", data={"file": (io.BytesIO(file), "x.pdf")})
        assert "Genuine, but the issuance is suspended since." in words(checked.text)

    def test_knows_no_other(self, client):
        for number in ("ASMC-D-000009", "ASMC-D-1", f"ASMC-D-{'9' * 18}", "ASMC-R-000001", "<b>", "%00"):
            assert [client.get(f"/documents/{number}{end}").status_code for end in ("", ".pdf", ".json")] == [404] * 3


class TestDocumentOfStatement:
    def test_is_for_its_own_people_alone(
        self, app, client, session, stage, stock, words, monkeypatch, tmp_path, capsys
    ):
        client.sign_in(stage.buyer)
        text = "\n".join([HEADING, line(stock, name="<b>Åsa</b>"), line(stock, '"0,02"', name="B")])
        client.post("/retirements/bulk", data={"key": "k", "confirmed": "yes", "text": text})
        assert "/statements/BULK-000001/document" in client.get("/statements/BULK-000001").text
        assert client.post("/statements/BULK-000001/document", data={"language": "xx"}).status_code == 422
        made = client.post("/statements/BULK-000001/document", data={"language": "fr"})
        issue(app, session)

        assert f"{stage.buyer.organisation.name} and the registry" in words(client.get(made.location).text)
        file = client.get(f"{made.location}.pdf")
        assert file.headers["Cache-Control"] == "private, no-store"
        assert [each["beneficiary"]["name"] for each in client.get(f"{made.location}.json").json["certificates"]] == [
            "<b>Åsa</b>",
            "B",
        ]
        for stranger in (app.test_client(), app.test_client().sign_in(stage.second)):
            assert [stranger.get(f"{made.location}{end}").status_code for end in ("", ".pdf", ".json")] == [404] * 3
        # Whoever is given the file can check it all the same.
        checked = app.test_client().post("/verify", data={"file": (io.BytesIO(file.data), "x.pdf")})
        assert "This document is genuine: Statement of retirements ASMC-D-000001" in words(checked.text)
        assert "Open its page" not in checked.text
        stage.decided(DecisionKind.ANNULMENT, "ASMC-R-000002")
        assert "Some of its certificates were annulled since ASMC-R-000002" in words(client.get(made.location).text)
        assert "ASMC-R-000002 Annulled" in words(client.get("/statements/BULK-000001").text)
        checked = app.test_client().post("/verify", data={"file": (io.BytesIO(file.data), "x.pdf")})
        assert "annulled since of what it lists: ASMC-R-000002." in words(checked.text)

        # Their own check asks too, and whoever has no more than the number learns nothing.
        digest = hashlib.sha256(client.get(f"{made.location}.json").data).hexdigest()
        stranger, there = app.test_client(), f"{made.location}/status.json"
        assert [stranger.get(f"{there}{end}").status_code for end in ("", f"?facts_sha256={digest[:-1]}0x")] == [
            404
        ] * 2
        told = stranger.get(f"{there}?facts_sha256={digest}").json
        assert (told["status"], told["annulled"]) == ("annulled_in_part", ["ASMC-R-000002"])
        monkeypatch.setattr(asking, "urlopen", lambda at, timeout: io.BytesIO(stranger.get(at).data))
        (tmp_path / "keys.json").write_bytes(stranger.get("/keys.json").data)
        (tmp_path / "statement.pdf").write_bytes(file.data)
        assert verify.main([str(tmp_path / "statement.pdf"), "--key", str(tmp_path / "keys.json"), "--online"]) == 0
        assert "annulled_in_part. Annulled since of what it lists: ASMC-R-000002." in capsys.readouterr().out


class TestDocumentOfAccount:
    def test_is_drawn_for_a_period(self, client, session, stage, stock, words):
        client.sign_in(stage.buyer)
        assert "/holdings/statement" in client.get("/holdings").text
        assert "2026-06-01" in client.get("/holdings/statement").text
        days = {"key": "k", "language": "pt", "first": "2026-06-01", "last": "2026-07-11"}
        answers = [client.post("/holdings/statement", data=days) for _ in range(2)]

        (made,) = session.query(Record).all()
        assert [answer.location for answer in answers] == [f"/documents/{made.number}"] * 2
        assert json.loads(made.facts)["balances"][0]["closing"] == 1_000
        assert "2026-06-01 – 2026-07-11" in words(client.get(answers[0].location).text)
        assert made.number in client.get("/holdings/statement").text

    @pytest.mark.parametrize(
        ("bent", "said"),
        [
            ({"first": "2026-07-12"}, "The first day comes after the last one."),
            ({"last": "2026-07-12"}, "The last day is still to come."),
            ({"first": "yesterday"}, "Write a day as year-month-day"),
            ({"first": ""}, "Please look at this again"),
            ({"language": "de"}, "Please look at this again"),
        ],
    )
    def test_explains_what_is_wrong(self, client, session, stage, words, bent, said):
        days = {"key": "k", "language": "pt", "first": "2026-06-01", "last": "2026-07-11"} | bent
        answer = client.sign_in(stage.buyer).post("/holdings/statement", data=days)

        assert answer.status_code == 422
        assert said in words(answer.text)
        assert session.query(Record).all() == []
