import subprocess

import pytest

from credits import drawing
from credits.certificates import verified
from credits.certificates.issuing import Issuer
from credits.participants.models import Language


@pytest.fixture
def statement(stage):
    issuer = Issuer(name="ASM Credits", url="https://registry.example")
    return verified.freeze(stage.session, batch=stage.verified(), issuer=issuer, language=Language.EN)


class TestVerificationStatement:
    def test_is_for_the_parties_first_and_then_for_everybody_and_for_ever(self, client, stage, statement, tmp_path):
        address = f"/verifications/{statement.number}"
        assert client.get(address).status_code == 404
        assert client.sign_in(stage.buyer).get(address).status_code == 404
        first = client.sign_in(stage.clerk).get(address)
        assert (first.status_code, first.headers["Cache-Control"]) == (200, "private, no-store")

        made = stage.issue(statement.batch)
        client.get("/logout")
        client.post("/logout")
        again = client.get(address)

        assert again.data == first.data
        assert "immutable" in again.headers["Cache-Control"]
        file = tmp_path / "statement.pdf"
        file.write_bytes(again.data)
        assert (
            "Signature is Valid" in subprocess.run(["pdfsig", file], capture_output=True, check=True, text=True).stdout
        )
        assert address in client.get(f"/issuances/{made.number}").text
        assert client.get("/documents/certificate.pem").text.startswith("-----BEGIN CERTIFICATE-----")

    def test_that_there_is_none_of_is_missing(self, client):
        assert client.get("/verifications/ASMC-V-000099").status_code == 404


class TestDrawStatementsWaiting:
    def test_draws_what_nobody_asked_for_once_and_with_one_key(self, app, client, session, statement):
        session.commit()
        with app.app_context():
            assert drawing.draw_statements_waiting() == 1
            assert drawing.draw_statements_waiting() == 0
            assert drawing.document_seal().fingerprint == drawing.document_seal().fingerprint
        session.refresh(statement)
        assert app.extensions["certificate_files"].read(statement.document_sha256).startswith(b"%PDF-")


class TestBatchStory:
    def test_is_one_for_parties_and_staff_each_reading_what_they_may(self, client, stage, words):
        batch = stage.verified()
        client.sign_in(stage.clerk)
        theirs = words(client.get(f"/batches/{batch.number}/story").text)
        client.sign_in(stage.issuer)
        ours = words(client.get(f"/batches/{batch.number}/story").text)

        for said in (theirs, ours):
            story = said[said.index("Drafted") :]
            assert story.index("Submitted") < story.index("Taken into review") < story.index("Verified")
        assert stage.clerk.name in theirs
        assert stage.lead.name not in theirs
        assert stage.lead.organisation.name in theirs
        assert f"{stage.lead.name}, {stage.lead.organisation.name}" in ours
        assert client.sign_in(stage.buyer).get(f"/batches/{batch.number}/story").status_code == 404
