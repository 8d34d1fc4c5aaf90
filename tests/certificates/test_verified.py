import json
import subprocess

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from credits.certificates import pdf, signing, verified
from credits.certificates.issuing import Issuer
from credits.document_jobs import draw_statement
from credits.files import Files
from credits.journal.merkle import leaf_hash
from credits.participants.models import Language

ISSUER = Issuer(name="ASM Credits", url="https://registry.example")


@pytest.fixture
def frozen(stage):
    batch = stage.verified()
    return verified.freeze(stage.session, batch=batch, issuer=ISSUER, language=Language.EN)


class TestFreeze:
    def test_keeps_what_was_confirmed_and_no_exact_position(self, stage, frozen):
        facts = json.loads(frozen.facts)

        assert frozen.number == f"ASMC-V-{frozen.batch_id:06d}"
        assert facts["arithmetic"]["dry"] == "8,000"
        assert facts["arithmetic"]["at_most"] == "2,500 kg"
        assert facts["verifier"]["lead"] == stage.lead.name
        assert facts["opinion"] == "Weights and assay agree with the visit."
        assert facts["independence"] == frozen.batch.independence
        assert facts["proof"]["leaf"] == leaf_hash(verified.event_of(stage.session, frozen.batch).body).hex()
        assert "10.7164" not in frozen.facts.decode()
        assert "25.4667" not in frozen.facts.decode()

    @pytest.mark.parametrize("change", ["facts = facts || facts", "number = 'ASMC-V-999999'", "language = 'fr'"])
    def test_freezes_for_good(self, stage, frozen, change):
        with pytest.raises(IntegrityError):
            stage.session.execute(text(f"UPDATE verification_statement SET {change}"))

    def test_is_of_a_verified_batch_alone(self, stage):
        batch = stage.in_review()
        with pytest.raises(IntegrityError):
            stage.session.execute(
                text(
                    "INSERT INTO verification_statement (batch_id, number, language, facts)"
                    f" VALUES ({batch.id}, 'ASMC-V-000001', 'en', :facts)"
                ),
                {"facts": b"{}"},
            )


class TestDrawStatement:
    def test_draws_and_signs_once_and_keeps_the_bytes(self, stage, frozen, tmp_path):
        stage.session.commit()
        seal = signing.new_seal("ASM Credits", "https://registry.example", b"s" * 32, stage.at)
        files = Files(tmp_path / "certificates")
        asked = {"number": frozen.number, "files": files, "seal": seal, "translate": str, "at": stage.at}
        first = draw_statement(stage.session, **asked)

        assert draw_statement(stage.session, **asked) == first
        file = tmp_path / "statement.pdf"
        file.write_bytes(files.read(first))
        said = subprocess.run(["pdfsig", file], capture_output=True, check=True, text=True).stdout
        shown = subprocess.run(["pdftotext", file, "-"], capture_output=True, check=True, text=True).stdout
        words = " ".join(shown.split())
        assert "Signature is Valid" in said
        assert "Total document signed" in said
        assert "Contained: 8,000 kg × 31.25 % Co" in words
        assert f"{frozen.batch.site.producer.name}" in words
        assert "CRAFT Code 2.0" in words
        with pytest.raises(IntegrityError):
            stage.session.execute(text("UPDATE verification_statement SET document_sha256 = 'x'"))


class TestStatementFor:
    def test_is_for_the_parties_until_credits_are_issued(self, stage, frozen):
        assert verified.statement_for(stage.session, stage.clerk, frozen.number) is frozen
        for stranger in (None, stage.buyer):
            with pytest.raises(verified.NoSuchStatement):
                verified.statement_for(stage.session, stranger, frozen.number)

        stage.issue(frozen.batch)
        assert verified.statement_for(stage.session, None, frozen.number) is frozen


def test_a_template_text_that_no_letter_shows_is_refused():
    with pytest.raises(pdf.Undrawable):
        pdf.draw({"opinion": "登録"}, document="verification")
