import json

import pytest
from sqlalchemy.exc import IntegrityError

from credits import document_jobs
from credits.certificates import issuing, pdf, press
from credits.certificates.issuing import Issuer, NoSuchCertificate
from credits.certificates.press import NotIssuedYet
from credits.document_jobs import draw_certificate, draw_waiting
from tests.documents import published, workshop_in

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

    @pytest.mark.parametrize(
        ("name", "value"),
        [("facts", b"{}"), ("number", "ASMC-R-999999"), ("language", "sw"), ("event_id", 1), ("inclusion", b"{}")],
    )
    def test_freezes_for_good(self, stage, retired, name, value):
        certificate = issuing.freeze(stage.session, retirement=retired, issuer=ISSUER)
        setattr(certificate, name, value)
        with pytest.raises(IntegrityError):
            stage.session.flush()


class TestDrawCertificate:
    def test_keeps_the_first_document_for_ever(self, stage, retired, tmp_path):
        number = issuing.freeze(stage.session, retirement=retired, issuer=ISSUER).number
        published(stage.session, tmp_path)
        workshop = workshop_in(tmp_path)
        first = draw_certificate(stage.session, number=number, workshop=workshop, at=stage.at)
        bytes_before = workshop.files.read(first)
        issuing.keep_document(stage.session, number=number, sha256="0" * 64, at=stage.at)
        stage.session.commit()

        assert draw_certificate(stage.session, number=number, workshop=workshop, at=stage.at) == first
        assert workshop.files.read(first) == bytes_before
        assert bytes_before.startswith(b"%PDF-")

    def test_knows_no_certificate_that_was_never_frozen(self, stage, tmp_path):
        with pytest.raises(NoSuchCertificate):
            draw_certificate(stage.session, number="ASMC-R-000009", workshop=workshop_in(tmp_path), at=stage.at)

    def test_waits_for_the_log(self, stage, retired, tmp_path):
        certificate = issuing.freeze(stage.session, retirement=retired, issuer=ISSUER)
        stage.session.commit()

        with pytest.raises(NotIssuedYet):
            draw_certificate(stage.session, number=certificate.number, workshop=workshop_in(tmp_path), at=stage.at)
        certificate.document_sha256, certificate.drawn_at = "0" * 64, stage.at
        with pytest.raises(IntegrityError):  # nor does the database take a document before
            stage.session.flush()


class TestDrawWaiting:
    def test_draws_what_nobody_asked_for_once(self, stage, retired, tmp_path):
        issuing.freeze(stage.session, retirement=retired, issuer=ISSUER)
        stage.session.commit()
        workshop = workshop_in(tmp_path)

        assert draw_waiting(stage.session, workshop=workshop, at=stage.at) == 0
        published(stage.session, tmp_path)
        assert draw_waiting(stage.session, workshop=workshop, at=stage.at) == 1
        assert draw_waiting(stage.session, workshop=workshop, at=stage.at) == 0

    def test_goes_on_behind_those_that_cannot_be_drawn(self, stage, retired, tmp_path, monkeypatch):
        """However many there are: the oldest of them would come up first in every round."""
        made = [retired, stage.retired(retired.issuance, 10), stage.retired(retired.issuance, 20)]
        numbers = [issuing.freeze(stage.session, retirement=each, issuer=ISSUER).number for each in made]
        published(stage.session, tmp_path)
        pressed = press.pressed

        def stumbling(frozen: bytes, **how) -> bytes:
            if numbers[2].encode() not in frozen:
                raise ValueError("no press takes this")
            return pressed(frozen, **how)

        monkeypatch.setattr(press, "pressed", stumbling)
        monkeypatch.setattr(document_jobs, "AT_A_TIME", 1)
        assert draw_waiting(stage.session, workshop=workshop_in(tmp_path), at=stage.at) == 1
        assert issuing.undrawn(stage.session, 9) == numbers[:2]
        assert draw_waiting(stage.session, workshop=workshop_in(tmp_path), at=stage.at) == 0
