import hashlib
import json
import subprocess

import flask_migrate
import pytest

from credits.certificates.issuing import certificate_numbered, freeze
from credits.extensions import db
from credits.registry.movements import DecisionKind
from tests.documents import worked


@pytest.fixture
def retirement(app, session, stage):
    issuance = stage.issued()
    stage.handed_over(issuance, 1_500)
    made = stage.retired(issuance, 750)
    freeze(session, retirement=made, issuer=app.extensions["issuer"])
    return made


class TestCertificate:
    @pytest.mark.parametrize("kind", ["certificates", "retirements"])
    def test_shows_anybody_what_the_document_says(self, client, retirement, words, kind):
        sent = client.get(f"/{kind}/{retirement.number}").text
        assert f'og:title" content="Certificate of retirement {retirement.number}"' in sent
        page = words(sent)

        for fact in (
            retirement.number,
            "0.75 credits – 750 kg cobalt",
            "Nordlicht Batteries AB",
            "Sweden",
            "SE 556000-0001",
            "Cells of model N1",
            "2026-01-01 – 2026-12-31",
            "-000000001-000000750-",
            "Kamilombe",
            "Kolwezi, Lualaba",
            "CRAFT Code, 2.0",
            "by retiring 0.75 credits equal to 750 kg",
            "cannot be transferred",
        ):
            assert fact in page

    @pytest.mark.parametrize(
        "number",
        [
            "ASMC-R-000099",
            "ASMC-R-1",
            f"ASMC-R-{2**63}",
            f"ASMC-R-{'9' * 40}",
            "ASMC-R-",
            "asmc-r-000001",
            "<b>",
            "%00",
        ],
    )
    @pytest.mark.parametrize(
        "page", ["/certificates/{}", "/retirements/{}", "/certificates/{}.pdf", "/certificates/{}.json"]
    )
    def test_is_missing_where_there_is_none(self, client, retirement, page, number):
        assert client.get(page.format(number)).status_code == 404


class TestDocument:
    def test_is_announced_while_it_is_being_issued(self, client, retirement):
        page = client.get(f"/certificates/{retirement.number}")
        early = client.get(f"/certificates/{retirement.number}.pdf")

        assert "The document is being issued" in page.text
        assert "Download the certificate" not in page.text
        assert (early.status_code, early.headers["Retry-After"]) == (503, "20")
        assert "is being issued" in early.text

    def test_is_there_within_a_minute_and_stays_the_same(self, app, client, session, retirement):
        assert worked(app, session) == 1

        first = client.get(f"/certificates/{retirement.number}.pdf")
        again = client.get(f"/certificates/{retirement.number}.pdf")

        kept = certificate_numbered(session, retirement.number).document_sha256
        assert first.mimetype == "application/pdf"
        assert first.data == again.data
        assert hashlib.sha256(first.data).hexdigest() == kept
        assert first.headers["ETag"] == f'"{kept}"'
        assert "immutable" in first.headers["Cache-Control"]

    def test_is_not_sent_again_to_who_has_it(self, app, client, session, retirement):
        worked(app, session)
        first = client.get(f"/certificates/{retirement.number}.pdf")

        again = client.get(f"/certificates/{retirement.number}.pdf", headers={"If-None-Match": first.headers["ETag"]})

        assert (again.status_code, again.data) == (304, b"")

    def test_is_read_by_other_tools(self, app, client, session, retirement, tmp_path):
        worked(app, session)
        file = tmp_path / "certificate.pdf"
        file.write_bytes(client.get(f"/certificates/{retirement.number}.pdf").data)

        text = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True).stdout
        subprocess.run(["pdftoppm", "-r", "150", "-png", file, tmp_path / "page"], check=True)
        code = subprocess.run(
            ["zbarimg", "-q", "--raw", *tmp_path.glob("page*.png")], capture_output=True, text=True, check=True
        ).stdout.strip()

        assert "Nordlicht Batteries AB" in text
        assert "000000001-000000750-" in text
        path = code.removeprefix("http://localhost:8000")
        assert client.get(path).status_code == 200
        assert path == f"/certificates/{retirement.number}"

    def test_is_issued_of_what_was_frozen_before_certificates_had_events(self, app, client, session, retirement):
        number = retirement.number
        session.commit()
        session.close()
        with app.app_context():
            flask_migrate.downgrade(revision="0022_declared_use")
            flask_migrate.upgrade()
            db.session.remove()
        earliest = certificate_numbered(session, number)
        assert (earliest.event_id, earliest.language, earliest.inclusion) == (None, None, None)

        assert worked(app, session) == 1
        assert client.get(f"/certificates/{number}.pdf").data.startswith(b"%PDF-")
        assert "Download the certificate" in client.get(f"/certificates/{number}").text


class TestFacts:
    def test_are_the_exact_bytes_that_were_frozen(self, client, session, retirement):
        answer = client.get(f"/certificates/{retirement.number}.json")

        assert answer.mimetype == "application/json"
        assert answer.data == certificate_numbered(session, retirement.number).facts
        assert json.loads(answer.data)["number"] == retirement.number


class TestStatus:
    def test_says_at_once_what_was_said_later(self, app, client, session, stage, retirement, words):
        worked(app, session)
        address = f"/certificates/{retirement.number}"
        before = client.get(f"{address}.pdf").data
        assert client.get(f"{address}/status.json").json["status"] == "retired"
        stage.decided(DecisionKind.ANNULMENT, retirement.number)

        page = words(client.get(address).text)
        assert "This certificate is annulled" in page
        assert "The assay was wrong." in page
        assert "The credits stay retired" in page
        told = client.get(f"{address}/status.json")
        assert (told.json["status"], told.json["annotations"][0]["text"]) == ("annulled", "The assay was wrong.")
        assert told.json["document_sha256"] == hashlib.sha256(before).hexdigest()
        assert client.get(f"/api/v1{address}/status").json == told.json
        assert client.get(f"{address}.pdf").data == before
