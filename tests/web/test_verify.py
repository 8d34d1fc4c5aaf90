import base64
import hashlib
import json
from dataclasses import replace
from io import BytesIO

import pikepdf
import pytest
from babel.dates import format_date, format_datetime

from credits import document_jobs, jobs
from credits.certificates import verified, verify
from credits.certificates.issuing import freeze
from credits.drawing import document_seal, drawn_statement, workshop
from credits.extensions import db
from credits.identity import now
from credits.journal.proofs import proof_in
from credits.languages import NAMES
from credits.log_keys import log_keys
from credits.participants.models import Language
from credits.registry.movements import DecisionKind
from tests.certificates.genuine import Registry, signed_with
from tests.certificates.told import told_facts
from tests.journal import outsider, reference

PROBLEM = "application/problem+json"


@pytest.fixture
def retirement(app, session, stage):
    issuance = stage.issued()
    stage.handed_over(issuance, 1_500)
    made = stage.retired(issuance, 750)
    freeze(session, retirement=made, issuer=app.extensions["issuer"])
    session.commit()
    return made


@pytest.fixture
def document(app, session, settings, retirement) -> bytes:
    """The finished certificate."""
    number = retirement.number
    session.rollback()  # the next look is fresh
    with app.app_context():
        jobs.publish_log(db.session(), keys=log_keys(), data_dir=settings.data_dir, at=now())
        digest = document_jobs.draw_certificate(db.session(), number=number, workshop=workshop(), at=now())
        return app.extensions["certificate_files"].read(digest)


def handed_in(client, content: bytes, **how):
    head = b'--X\r\nContent-Disposition: form-data; name="file"; filename="certificate.pdf"\r\n\r\n'
    body = head + content + b"\r\n--X--\r\n"
    return client.post("/verify", data=body, content_type="multipart/form-data; boundary=X", **how)


class TestVerify:
    def test_explains_three_ways_without_anything_asked(self, client, words):
        page = words(client.get("/verify").text)

        for told in ("By its number", "By its file", "By its code", "nothing of it is kept", "--key keys.json"):
            assert told in page
        assert "/verify" in client.get("/").text  # from every page

    def test_checks_the_registrys_own_copy_by_its_number(self, client, document, retirement, words):
        page = words(client.get(f"/verify?q={retirement.number.lower()}").text)

        assert "This certificate is genuine: Nordlicht Batteries AB had 0.75 credits (750 kg of cobalt) retired" in page
        assert "Retired, and nothing was said against it since." in page
        assert "the same, byte for byte" in page
        assert page.count("in order") == 12

    @pytest.mark.parametrize("language", [code for code, _name in NAMES])
    def test_writes_days_as_the_reader_does(self, app, client, document, retirement, words, monkeypatch, language):
        monkeypatch.setitem(app.extensions, "languages", NAMES)
        page = words(client.get(f"/verify?q={retirement.number}&lang={language}").text)
        days = [format_date(day, "d MMM y", language) for day in (retirement.claim_from, retirement.claim_to)]
        retired = format_datetime(retirement.retired_at, "d MMM y, HH:mm", locale=language)

        assert " – ".join(days) in page
        assert f"{retired} UTC" in page
        assert str(retirement.claim_from) not in page

    def test_says_so_where_there_is_no_such_number(self, client, words):
        for asked, told in (
            ("ASMC-R-000099", "no such certificate"),
            ("Volta", "not the number of a certificate"),
            ("<b>", "not the number of a certificate"),
        ):
            answer = client.get("/verify", query_string={"q": asked})

            assert answer.status_code == 404
            assert told in words(answer.text)

    def test_asks_for_the_file_of_a_document_whose_number_is_nobody_else_s_affair(
        self, client, stage, retirement, words
    ):
        client.sign_in(stage.buyer)
        days = {"key": "k", "language": "en", "first": "2026-06-01", "last": "2026-07-11"}
        theirs = client.post("/holdings/statement", data=days).location.rpartition("/")[2]
        assert client.get(f"/verify?q={theirs}").location == f"/documents/{theirs}"
        client.delete_cookie("session")
        answers = [client.get(f"/verify?q={number}") for number in (theirs, "ASMC-D-000987")]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].text.replace(theirs, "ASMC-D-000987") == answers[1].text
        assert "private: hand in the file" in words(answers[0].text)

    def test_asks_for_patience_while_it_is_being_issued(self, client, retirement, words):
        assert "is being issued" in words(client.get(f"/verify?q={retirement.number}").text)


class TestCheckDocument:
    def test_says_in_plain_words_what_was_found(self, client, document, retirement, words):
        answer = handed_in(client, document)
        page = words(answer.text)

        assert answer.status_code == 200
        assert "This certificate is genuine" in page
        assert hashlib.sha256(document).hexdigest() in page
        assert "the same, byte for byte" in page
        assert f"/certificates/{retirement.number}" in answer.text

    def test_says_what_became_of_it_since(self, client, document, stage, retirement, words):
        stage.decided(DecisionKind.ANNOTATION, retirement.number)
        annotated = words(handed_in(client, document).text)
        stage.decided(DecisionKind.ANNULMENT, retirement.number)
        page = words(handed_in(client, document).text)
        told = handed_in(client, document, headers={"Accept": "application/json"}).json

        assert "This certificate is genuine" in annotated
        assert "The assay was wrong." in annotated
        assert "This certificate was annulled: do not rely on it. The file itself is genuine." in page
        assert "This certificate is genuine" not in page
        assert (told["verdict"], told["failed"]) == ("not_genuine", ["state"])

    def test_says_the_same_to_programs_and_offline(self, client, document, tmp_path, capsys):
        told = handed_in(client, document, headers={"Accept": "application/json"}).json
        (tmp_path / "certificate.pdf").write_bytes(document)
        (tmp_path / "keys.json").write_bytes(client.get("/keys.json").data)
        status = verify.main([str(tmp_path / "certificate.pdf"), "--key", str(tmp_path / "keys.json"), "--json"])
        offline = json.loads(capsys.readouterr().out)

        assert status == 0
        assert told["verdict"] == offline["verdict"] == "genuine"
        online_alone = ("checks", "state")
        assert {name: each for name, each in told.items() if name not in online_alone} == {
            name: each for name, each in offline.items() if name not in online_alone
        }

    def test_carries_a_proof_that_the_standard_itself_finds_good(self, client, document):
        """RFC 6962 as it reads, over all entries that the log serves: no line of it is the registry's."""
        with pikepdf.open(BytesIO(document)) as pdf:
            proof = proof_in(pdf.attachments["event.tlog-proof"].get_file().read_bytes())
            facts = pdf.attachments["certificate.json"].get_file().read_bytes()
        _origin, size, root = proof.checkpoint.split("\n")[:3]
        tile = "" if int(size) % 256 == 0 else f".p/{int(size) % 256}"
        entries = reference.entries_in(client.get(f"/tile/entries/{(int(size) - 1) // 256:03d}{tile}").data)
        event = json.loads(entries[proof.index])

        assert len(entries) == int(size) < 256
        assert base64.b64decode(root) == reference.root(entries)
        assert list(proof.hashes) == reference.path(proof.index, entries)
        assert event["facts"]["root"] == reference.root([facts]).hex()

    def test_is_proven_to_whoever_shares_no_line_with_the_registry(self, client, document):
        with pikepdf.open(BytesIO(document)) as pdf:
            names = ("certificate.json", "inclusion.json", "event.tlog-proof")
            carried = [pdf.attachments[name].get_file().read_bytes() for name in names]
        (log,) = client.get("/keys.json").json["log"]

        assert outsider.is_proven(*carried, log["vkey"])
        for number, content in enumerate(carried):
            for place in range(0, len(content) - 1, 13):
                bent = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
                told = [*carried[:number], bent, *carried[number + 1 :]]
                assert not outsider.is_proven(*told, log["vkey"]), (names[number], place)

    def test_says_what_is_wrong(self, client, document, words):
        for bent, told in (
            (document.replace(b"/Lang", b"/lang"), "at least one byte of it was changed"),
            (document[:-300], "cut off"),
            (document + document, "were added to the file after it was signed"),
            (b"PK\x03\x04" + bytes(20_000_000), "This is not a PDF file."),
            (Registry.made(seed=2).certificate(), "signed by another key"),
        ):
            answer = handed_in(client, bent)
            page = words(answer.text)

            assert answer.status_code == 200
            assert "not a genuine document" in page
            assert told in page
            assert "This certificate is genuine" not in page

    def test_says_in_one_sentence_that_an_invoice_is_no_certificate(self, client, words):
        paper = BytesIO()
        pikepdf.Pdf.new().save(paper)
        page = words(client.post("/verify", data={"file": (BytesIO(paper.getvalue()), "invoice.pdf")}).text)

        assert "This PDF bears no signature" in page
        assert "credit notes and statements of premium of this registry bear none" in page
        assert "not known" not in page

    def test_asks_for_a_file_and_refuses_a_huge_one(self, client, words):
        nothing = client.post("/verify", data={"file": (BytesIO(), "")})
        assert (nothing.status_code, "Choose the file" in words(nothing.text)) == (422, True)
        assert client.post("/verify").status_code == 422
        assert "of more than 25 MB is none" in words((huge := handed_in(client, bytes(50_000_000))).text)
        assert huge.status_code == 413

    @pytest.mark.parametrize(
        ("content", "kind", "status", "code"),
        [
            (bytes(26_300_000), "multipart/form-data; boundary=X", 413, "too_large"),
            (b"--X--\r\n", "multipart/form-data; boundary=X", 422, "invalid"),
            (b"", "", 422, "invalid"),
            (b"%PDF-1.7", "application/pdf", 415, "wrong_media_type"),
        ],
    )
    def test_tells_programs_why_nothing_was_checked(self, client, content, kind, status, code):
        asked = {"headers": {"Accept": "application/json"}, "data": content, "content_type": kind}
        for address in ("/verify", "/api/v1/verify"):
            answer = client.post(address, **asked)

            assert (answer.status_code, answer.mimetype) == (status if kind else answer.status_code, PROBLEM)
            assert answer.json["code"] == (code if kind else answer.json["code"])
            assert status != 413 or "more than 25 MB" in answer.json["detail"]

    def test_says_of_an_empty_file_what_the_other_doors_say(self, client):
        for address in ("/verify", "/api/v1/verify"):
            told = client.post(
                address, data={"file": (BytesIO(), "a.pdf")}, headers={"Accept": "application/json"}
            ).json

            assert (told["verdict"], told["failed"]) == ("not_genuine", ["file"])

    def test_checks_none_of_several_files_for_all_of_them(self, client, document):
        """Else a program that sends two would take the first one's word for both."""
        for address in ("/verify", "/api/v1/verify"):
            files = [(BytesIO(document), "a.pdf"), (BytesIO(b"%PDF-"), "b.pdf")]
            answer = client.post(address, data={"file": files}, headers={"Accept": "application/json"})

            assert (answer.status_code, answer.mimetype) == (422, PROBLEM)

    def test_names_no_size_where_something_else_was_too_much(self, client, document, words):
        more = {f"more {number}": "x" for number in range(500)}
        answer = client.post("/verify", data={"file": (BytesIO(document), "a.pdf")} | more)

        assert answer.status_code == 413
        assert "Send one file, and nothing beside it." in words(answer.text)

    def test_tells_programs_in_their_way_what_no_view_was_asked(self, client):
        asked = {"Accept": "application/json"}
        for answer, status in (
            (client.put("/verify", headers=asked), 405),
            (client.get("/verifi", headers=asked), 404),
        ):
            assert (answer.status_code, answer.mimetype) == (status, PROBLEM)
        assert client.get("/verifi", headers={"Accept": "text/html, */*;q=0.8"}).mimetype == "text/html"
        assert client.put("/verify", headers={"Accept": "*/*"}).mimetype == "text/html"

    def test_says_which_file_of_a_document_is_the_registrys_own(self, app, client, session, stage, words):
        """Whoever stole the key of documents can sign another one; no other is kept here."""
        batch = stage.verified()
        statement = verified.freeze(session, batch=batch, issuer=app.extensions["issuer"], language=Language.EN)
        number = statement.number
        session.commit()
        with app.app_context():
            own = app.extensions["certificate_files"].read(drawn_statement(number))
            other = signed_with(replace(Registry.made(), seal=document_seal()), told_facts(), at=now())
        kept = handed_in(client, own)
        strange = handed_in(client, other)

        assert "the same, byte for byte" in words(kept.text)
        assert "keeps no such file" not in words(kept.text)
        assert "The registry keeps no such file: ask there before you rely on it." in words(strange.text)

    def test_keeps_nothing_and_waits_for_nobody_who_writes(self, client, document, settings):
        def files() -> set:
            return {each for each in settings.data_dir.rglob("*") if each.is_file()}

        before = files()
        handed_in(client, document)
        handed_in(client, document + b"x")

        assert files() == before


class TestApi:
    """The same for programs, at the machines' door."""

    def test_tells_what_was_found_in_a_file_or_the_registrys_copy(self, client, document, retirement):
        def asked(**form):
            return client.post("/api/v1/verify", data=form, content_type="multipart/form-data")

        sound = asked(file=(BytesIO(document), "certificate.pdf"))
        bent = asked(file=(BytesIO(document.replace(b"/Lang", b"/lang")), "x")).json
        copy = asked(number=retirement.number)

        assert (sound.status_code, sound.json["verdict"], sound.json["kept"]) == (200, "genuine", True)
        assert sound.json["facts"]["beneficiary"]["name"] == "Nordlicht Batteries AB"
        assert copy.json == sound.json
        assert (bent["verdict"], bent["failed"], bent["kept"], bent["facts"]) == (
            "not_genuine",
            ["signature"],
            False,
            None,
        )
        assert asked(number="ASMC-R-000099").status_code == 404
        for form in ({}, {"number": "x", "file": (BytesIO(b"x"), "x")}, {"more": "x"}):
            refused = asked(**form)
            assert (refused.status_code, refused.mimetype) == (422, PROBLEM)

    def test_asks_for_patience_while_it_is_being_issued(self, client, retirement):
        answer = client.post("/api/v1/verify", data={"number": retirement.number}, content_type="multipart/form-data")

        assert (answer.status_code, answer.json["code"]) == (409, "certificate_not_issued_yet")


class TestKeys:
    def test_are_published_for_people_and_programs(self, client, words):
        told = client.get("/keys.json").json
        page = words(client.get("/keys").text)

        assert told["schema"] == "asmc-keys-1"
        assert told["documents"][0]["fingerprint"] in page
        assert told["log"][0]["vkey"] in page
        assert "PRIVATE" not in client.get("/keys.json").text
