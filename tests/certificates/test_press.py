"""The finished document, as other people's programs see it."""

import hashlib
import json
import re
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pikepdf
import pytest
from asn1crypto import cms, keys, tsp, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import CertificateBuilder, Name, NameAttribute
from cryptography.x509.oid import NameOID
from pikepdf.pdfa import check as pdfa_check
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from credits.certificates import inclusion, press, signing
from credits.certificates.pades import stamps_from
from credits.certificates.wording import LANGUAGES, words_of
from credits.journal.canonical import encode
from credits.journal.merkle import leaf_hash, verify_inclusion
from credits.journal.proofs import Proof
from tests.certificates.test_signing import sealed_by, told
from tests.certificates.told import FACTS, told_facts
from tests.documents import SEAL
from tests.factories import AT

PROOF = Proof(1234, (b"x" * 32,) * 11, "registry.example/log\n2000\nAAAA\n\n— x y\n", b"{}")


def in_language(language: str) -> dict:
    """The facts of a certificate as they are frozen in this language."""
    words, facts = words_of(language), told_facts(language=language)
    said = {"year": "2026", "company": "Volta Batteries GmbH", "mineral": "CO", "cooperative": "Coopérative Kilima"}
    claim = words.claim(**said, country=words.country("COD"), number="0.75", quantity=words.quantity(750, "kg"))
    facts["claim"] = {"text": claim, "limits": list(words.texts["claim"]["limits"])}
    return facts


def pressed(facts: dict, **bent) -> bytes:
    frozen = encode(facts)
    _root, (way,) = inclusion.frozen_together([frozen])
    return press.pressed(frozen, **{"inclusion": way, "proof": PROOF, "seal": SEAL, "at": AT} | bent)


@pytest.fixture(scope="module")
def document(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("press") / "certificate.pdf"
    file.write_bytes(pressed(in_language("en")))
    return file


class TestPressed:
    def test_is_signed_whole_and_closed_to_changes(self, document):
        said = told("pdfsig", document)

        assert "Signature is Valid" in said
        assert "Total document signed" in said
        assert "ETSI.CAdES.detached" in said
        assert sealed_by(document)["/Reason"] == "u:Certificate of retirement ASMC-R-000017"
        assert "No syntax or stream encoding errors" in told("qpdf", "--check", document)

    def test_breaks_no_rule_of_pdf_a(self, document):
        with pikepdf.open(document) as pdf:
            found = pdfa_check(pdf, "3b").findings
            about = bytes(pdf.Root.Metadata.read_bytes()).decode()
        # The checker knows neither attachments nor signatures, and says so of them alone.
        unknown = {re.sub(r"obj \d+ 0", "", each.where).strip() for each in found if each.kind != "violation"}

        assert [each for each in found if each.kind == "violation"] == []
        assert unknown <= {"", "(Catalog) /AcroForm", "(Catalog) /Perms"}
        assert 'pdfaid:part="3"' in about
        assert 'pdfaid:conformance="B"' in about

    def test_is_pdf_a_through_and_through_before_it_is_signed(self, tmp_path):
        from credits.certificates import pdf as drawing

        file = tmp_path / "drawn.pdf"
        file.write_bytes(drawing.draw(in_language("fr")))
        with pikepdf.open(file) as drawn:
            assert pdfa_check(drawn, "3b").findings == []

    def test_says_what_it_is_in_its_own_words(self, document):
        about = told("pdfinfo", "-isodates", document)

        assert "Certificate of retirement ASMC-R-000017" in about
        assert "ASMC-R-000017, CO, 750 kg" in about
        assert "0.75 cobalt credits (750 kg) retired for Volta Batteries GmbH" in about
        assert re.search(r"^ModDate: +2026-11-22T06:00:00Z$", about, re.M)
        assert re.search(r"^Tagged: +yes$", about, re.M)

    def test_encloses_the_facts_and_the_proof_and_nothing_else(self, document):
        with pikepdf.open(document) as pdf:
            files = {name: pdf.attachments[name] for name in pdf.attachments}
            content = {name: each.get_file().read_bytes() for name, each in files.items()}
            relations = {name: str(each.obj.AFRelationship) for name, each in files.items()}
            kinds = {name: each.get_file().mime_type for name, each in files.items()}
            assert len(pdf.Root.AF) == 3

        assert relations == {"certificate.json": "/Source", "inclusion.json": "/Data", "event.tlog-proof": "/Data"}
        assert kinds["certificate.json"] == "application/json"
        assert content["certificate.json"] == encode(in_language("en"))
        assert content["event.tlog-proof"] == PROOF.text.encode()
        way = json.loads(content["inclusion.json"])
        assert (way["index"], way["leaves"], way["path"]) == (0, 1, [])

    def test_prints_whose_signature_it_is_and_where_it_stands_in_the_log(self, document):
        words = " ".join(told("pdftotext", document, "-").split())

        assert SEAL.fingerprint in words.replace(" ", "")
        assert "Entry 1,234 of the log registry.example/log" in words

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_speaks_the_language_on_one_sheet(self, language, tmp_path):
        file = tmp_path / "certificate.pdf"
        file.write_bytes(pressed(in_language(language)))
        words, shown = words_of(language), " ".join(told("pdftotext", file, "-").split())

        assert re.search(r"^Pages: +1$", told("pdfinfo", file), re.M)
        with pikepdf.open(file) as pdf:
            assert str(pdf.Root.Lang) == language
        for said in (
            words.say("retirement.title"),
            words.amount("0.75", "CO"),
            words.country("COD").split()[0],
            words.day(FACTS["retired_at"]),
            words.say("retirement.verify"),
        ):
            # Small capitals read as they were written.
            assert said in shown

    def test_shows_what_was_beyond_the_declared_use(self, tmp_path):
        file = tmp_path / "certificate.pdf"
        file.write_bytes(pressed(in_language("pt") | {"surplus": 120}))

        assert "120 kg acima do uso declarado" in " ".join(told("pdftotext", file, "-").split())

    def test_lists_every_range_in_an_annex(self, tmp_path):
        facts, file = in_language("en"), tmp_path / "certificate.pdf"
        serials = [f"ASMC-CO-COD-KAM001-2026-0001-{n * 10:09d}-{n * 10 + 4:09d}-K" for n in range(1, 31)]
        facts["origins"][0]["serials"] = serials
        file.write_bytes(pressed(facts))
        first, rest = (told("pdftotext", "-f", str(page), "-l", str(page), file, "-") for page in (1, 2))

        assert "30 ranges of serial numbers" in " ".join(first.split())
        assert [each for each in serials if each in first] == [serials[0], serials[-1]]
        assert [each for each in serials if each not in rest] == []
        assert "page 2 of 2" in rest

    def test_still_draws_what_the_first_schema_froze(self, tmp_path):
        facts = in_language("en") | {"schema": "asmc-retirement-certificate-1"}
        del facts["language"], facts["statement"]
        facts["mineral"] = {name: facts["mineral"][name] for name in ("code", "name", "credit", "base_unit")}
        file = tmp_path / "certificate.pdf"
        file.write_bytes(pressed(facts, inclusion=None, proof=None))

        assert "0.75 cobalt credits" in told("pdftotext", file, "-")
        with pikepdf.open(file) as pdf:
            assert list(pdf.attachments) == ["certificate.json"]


class TestInclusion:
    @pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100])
    def test_leads_from_every_certificate_to_the_root(self, size):
        facts = [hashlib.sha256(bytes([n])).digest() for n in range(size)]
        root, ways = inclusion.frozen_together(facts)

        for each, way in zip(facts, map(json.loads, ways), strict=True):
            path = [bytes.fromhex(step) for step in way["path"]]
            verify_inclusion(way["index"], way["leaves"], leaf_hash(each), path, bytes.fromhex(root))


@pytest.fixture
def stamp_server():
    """A time stamp server on loopback: real HTTP, real RFC 3161."""
    key = rsa.generate_private_key(65537, 2048)
    name = Name([NameAttribute(NameOID.COMMON_NAME, "Time Stamps")])
    made = CertificateBuilder(name, name, key.public_key(), 1, AT, AT + timedelta(days=900))
    certificate = x509.Certificate.load(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
    secret = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    dummy = DummyTimeStamper(certificate, keys.PrivateKeyInfo.load(secret), fixed_dt=AT, override_md="sha256")
    answers = {"status": 200, "bytes": None}

    class Stamps(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = tsp.TimeStampReq.load(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(answers["status"])
            self.send_header("Content-Type", "application/timestamp-reply" if answers["status"] == 200 else "text/html")
            self.end_headers()
            stamped = dummy.request_tsa_response(asked).dump()
            self.wfile.write(stamped[: answers["bytes"]] if answers["status"] == 200 else b"Sorry")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Stamps) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", answers
        server.shutdown()


class TestTimeStamp:
    def test_is_in_the_signature(self, stamp_server, tmp_path):
        url, _ = stamp_server
        file = tmp_path / "stamped.pdf"
        file.write_bytes(pressed(in_language("en"), stamper=stamps_from(url)))

        assert "Signature is Valid" in told("pdfsig", file)
        with pikepdf.open(file) as pdf:
            (field,) = pdf.Root.AcroForm.Fields
            signed = cms.ContentInfo.load(bytes(field.V.Contents), strict=False)["content"]
        (attribute,) = signed["signer_infos"][0]["unsigned_attrs"]
        stamp = attribute["values"][0]["content"]["encap_content_info"]["content"].parsed
        assert attribute["type"].native == "signature_time_stamp_token"
        assert stamp["gen_time"].native == AT

    @pytest.mark.parametrize("failing", ["answers with a page", "breaks off", "says nothing", "is not there"])
    def test_that_does_not_come_makes_the_document_wait(self, stamp_server, failing):
        url, answers = stamp_server
        answers |= {"status": 500 if failing == "answers with a page" else 200}
        answers |= {"bytes": {"breaks off": 200, "says nothing": 0}.get(failing)}
        asked = stamps_from("http://127.0.0.1:1/" if failing == "is not there" else url)

        with pytest.raises(signing.NoTimeStamp):
            pressed(in_language("en"), stamper=asked)
