import asyncio
import json
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from credits.certificates import signing

AT = datetime(2026, 7, 1, 12, tzinfo=UTC)
NAME = "ASM Credits Registry"


@pytest.fixture
def seal(tmp_path):
    return signing.make(tmp_path, name=NAME, url="https://registry.example", seed=b"s" * 32, at=AT)


def sound_pdf() -> bytes:
    """The smallest document with a page."""
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Resources << >> >>",
    ]
    body, places = b"%PDF-1.7\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size 4 /Root 1 0 R /ID [<00> <00>] >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    return body + b"xref\n0 4\n0000000000 65535 f \n" + table + trailer


def told(*command) -> str:
    done = subprocess.run(command, capture_output=True, check=False, encoding="utf-8", errors="replace")
    return done.stdout + done.stderr


class TestMake:
    def test_keeps_one_key_that_its_owner_alone_can_read(self, tmp_path, seal):
        again = signing.make(tmp_path, name="Other", url="https://other.example", seed=b"t" * 32, at=AT)

        assert again.fingerprint == seal.fingerprint
        assert isinstance(again.key.curve, ec.SECP256R1)
        assert stat.S_IMODE((tmp_path / signing.FILE).stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / signing.FILE).parent.stat().st_mode) == 0o700
        assert [file.name for file in (tmp_path / "keys").iterdir()] == ["documents.pem"]

    def test_names_the_registry_and_may_only_sign(self, seal):
        said = seal.certificate
        uses = said.extensions.get_extension_for_class(signing.x509.KeyUsage).value

        assert seal.signer == NAME
        assert said.issuer == said.subject
        assert uses.digital_signature
        assert uses.content_commitment
        assert not uses.key_cert_sign
        assert seal.public.startswith(b"-----BEGIN CERTIFICATE-----")

    def test_refuses_a_damaged_file(self, tmp_path, seal):
        (tmp_path / signing.FILE).write_bytes(seal.public)

        with pytest.raises(signing.KeyUnsound):
            signing.load(tmp_path)


class TestSigned:
    def test_works_for_whoever_has_a_loop_running(self, seal):
        async def ask() -> bytes:
            return signing.signed(sound_pdf(), seal, reason="Verification statement", at=AT)

        with ThreadPoolExecutor(1) as aside:  # a browser's loop may run in this thread
            assert b"/ByteRange" in aside.submit(lambda: asyncio.run(ask())).result()

    def test_is_valid_whole_and_closed_to_changes_for_other_peoples_programs(self, tmp_path, seal):
        file = tmp_path / "signed.pdf"
        file.write_bytes(signing.signed(sound_pdf(), seal, reason="Verification statement", at=AT))

        said = told("pdfsig", file)
        assert "Signature is Valid" in said
        assert "Total document signed" in said
        assert NAME in said
        assert "ETSI.CAdES.detached" in said
        assert "SHA-256" in said
        assert "No syntax or stream encoding errors" in told("qpdf", "--check", file)
        dictionary = sealed_by(file)
        assert dictionary["/Reason"] == "u:Verification statement"
        assert dictionary["/M"].startswith("u:D:20260701120000")
        assert '"/P": 1' in json.dumps(dictionary)  # of DocMDP: no change is allowed

    def test_shows_every_later_change(self, tmp_path, seal):
        sound = signing.signed(sound_pdf(), seal, reason="Verification statement", at=AT)
        file = tmp_path / "changed.pdf"
        file.write_bytes(sound.replace(b"/MediaBox [0 0 200 200]", b"/MediaBox [0 0 200 100]"))

        assert "Digest Mismatch" in told("pdfsig", file)


def sealed_by(file) -> dict:
    """The document's signature dictionary."""
    objects = json.loads(told("qpdf", "--json", "--json-key=qpdf", file))["qpdf"][1]
    values = [each.get("value") for each in objects.values()]
    return next(each for each in values if isinstance(each, dict) and each.get("/Type") == "/Sig")
