import json

import pytest

from credits.journal import keys, verify
from credits.journal.notes import WITNESS, SigningKey
from credits.journal.proofs import proof_in
from tests.journal.publishing import append
from tests.stage import Stage

WITNESS_KEY = SigningKey("witness.example/one", WITNESS, bytes(32))


@pytest.fixture
def run(app, session):
    """`flask journal …` on what the test has committed; its result."""

    def journal(*arguments: str):
        session.commit()
        try:
            return app.test_cli_runner().invoke(args=["journal", *arguments])
        finally:
            session.rollback()

    return journal


class TestPublishAndVerify:
    def test_publish_counts_and_verify_agrees(self, run, session):
        append(session)
        append(session, number=2)

        assert run("publish").output == "2 events were added. The log has 2.\n"
        done = run("verify", "--json")
        assert done.exit_code == 0
        assert json.loads(done.output)["agrees"] is True
        assert "All agree." in run("verify").output

    def test_verify_ends_with_1_where_something_disagrees(self, app, run, session):
        append(session)
        run("publish")
        (app.extensions["settings"].data_dir / keys.FILE).unlink()
        done = run("verify")

        assert done.exit_code == 1
        assert "DISAGREES  Checkpoints were published" in done.output


class TestProof:
    def test_is_made_for_whatever_has_a_number(self, app, run, stage: Stage, tmp_path):
        issued = stage.issued()
        offer = stage.handed_over(issued, 1_000)
        retired = stage.retired(issued, 400)
        numbers = {
            issued.number: "retirement.retired",  # the newest that happened to it
            retired.number: "retirement.retired",
            offer.number: "transfer.accepted",
            issued.batch.number: "batch.verified",
            "0": "site.registered",
        }
        assert run("publish").exit_code == 0
        file = tmp_path / "proof"
        key = keys.load(app.extensions["settings"].data_dir).keys[0].public
        for number, kind in numbers.items():
            assert run("proof", number, "--out", str(file)).exit_code == 0
            assert verify.main([str(file), "--key", key]) == 0
            assert json.loads(proof_in(file.read_bytes()).body)["kind"] == kind
            assert run("proof", number).output == file.read_text()

    @pytest.mark.parametrize("number", ["NOPE-1", "7", "ASMC-R-000099", "TRANSFER-99999999999999999999", "ASMC-R-x"])
    def test_says_so_where_there_is_nothing(self, run, session, number):
        append(session)
        run("publish")
        done = run("proof", number)

        assert done.exit_code == 1
        assert done.output.startswith("Error: ")

    def test_says_so_before_the_event_is_published(self, run, session):
        append(session, subject="SITE-9")

        assert "Ask again in a minute" in run("proof", "SITE-9").output


class TestKeys:
    def test_rotation_is_an_event_and_signs_with_both(self, app, run, session):
        append(session)
        run("publish")
        done = run("rotate-key", "--overlap-days", "10")
        assert done.exit_code == 0
        assert run("publish").output == "1 events were added. The log has 2.\n"
        shown = run("keys").output.splitlines()

        assert len(shown) == 2
        assert " until " in shown[0]
        assert shown[1].split()[0] in done.output
        assert "PRIVATE" not in run("keys").output
        assert run("verify").exit_code == 0

    def test_a_witness_is_trusted_and_its_cosignature_taken_in(self, app, run, session, tmp_path, client):
        append(session)
        run("publish")
        assert run("trust-witness", "nonsense").exit_code == 1
        assert run("trust-witness", WITNESS_KEY.verifying.text).exit_code == 0
        text = client.get("/checkpoint").text.rpartition("\n\n")[0] + "\n"
        file = tmp_path / "line"
        file.write_text("nonsense\n")
        assert run("cosign", str(file), "--size", "1").exit_code == 1
        file.write_text(WITNESS_KEY.cosign(text, 1_790_000_000))
        assert run("cosign", str(file), "--size", "1").output == "Cosigned by witness.example/one.\n"
        assert "witness.example/one" in client.get("/checkpoint").text
