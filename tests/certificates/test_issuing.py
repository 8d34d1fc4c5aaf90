import json

import pytest
from sqlalchemy.exc import IntegrityError

from credits.certificates import issuing, pdf
from credits.certificates.issuing import Issuer, NoSuchCertificate
from credits.files import Files
from credits.jobs import draw_certificate, draw_waiting

ISSUER = Issuer(name="ASM Credits", url="https://registry.example")


@pytest.fixture
def retired(stage):
    made = stage.issued()
    stage.handed_over(made, 1_500)
    return stage.retired(made, 750)


class TestFreeze:
    def test_keeps_the_facts_as_exact_bytes(self, stage, retired):
        certificate = issuing.freeze(stage.session, retirement=retired, issuer=ISSUER)
        facts = json.loads(certificate.facts)

        assert facts["credits"] == "0.75"
        assert facts["verify_url"] == "https://registry.example/certificates/ASMC-R-000001"
        assert facts["origins"][0]["serials"][0].startswith("ASMC-CO-COD-KAM001-2026-0001-000000001-000000750-")
        assert facts["origins"][0]["producer"]["site_code"] == "COD-KAM001"
        assert "retiring 0.75 credits equal to 750 kg" in facts["claim"]["text"]

    def test_happens_once(self, stage, retired):
        first = issuing.freeze(stage.session, retirement=retired, issuer=ISSUER)

        assert issuing.freeze(stage.session, retirement=retired, issuer=Issuer("Other", "https://x.example")) is first

    def test_refuses_letters_that_would_print_as_boxes(self, stage, retired):
        with pytest.raises(pdf.Undrawable):
            issuing.freeze(stage.session, retirement=retired, issuer=Issuer("登録", "https://registry.example"))

    @pytest.mark.parametrize("name", ["facts", "number"])
    def test_freezes_for_good(self, stage, retired, name):
        certificate = issuing.freeze(stage.session, retirement=retired, issuer=ISSUER)
        setattr(certificate, name, b"{}" if name == "facts" else "ASMC-R-999999")
        with pytest.raises(IntegrityError):
            stage.session.flush()


class TestDrawCertificate:
    def test_keeps_the_first_document_for_ever(self, stage, retired, tmp_path):
        certificate = issuing.freeze(stage.session, retirement=retired, issuer=ISSUER)
        stage.session.commit()
        files = Files(tmp_path / "certificates")
        first = draw_certificate(stage.session, number=certificate.number, files=files, at=stage.at)
        bytes_before = files.read(first)
        issuing.keep_document(stage.session, number=certificate.number, sha256="0" * 64, at=stage.at)
        stage.session.commit()

        assert draw_certificate(stage.session, number=certificate.number, files=files, at=stage.at) == first
        assert files.read(first) == bytes_before
        assert bytes_before.startswith(b"%PDF-")

    def test_knows_no_certificate_that_was_never_frozen(self, stage, tmp_path):
        with pytest.raises(NoSuchCertificate):
            draw_certificate(stage.session, number="ASMC-R-000009", files=Files(tmp_path), at=stage.at)


class TestDrawWaiting:
    def test_draws_what_nobody_asked_for_once(self, stage, retired, tmp_path):
        issuing.freeze(stage.session, retirement=retired, issuer=ISSUER)
        stage.session.commit()
        files = Files(tmp_path / "certificates")

        assert draw_waiting(stage.session, files=files, at=stage.at) == 1
        assert draw_waiting(stage.session, files=files, at=stage.at) == 0
