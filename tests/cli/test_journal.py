import json
import os
import re
import subprocess
import sys

import pytest

from config import ROOT, load
from credits.app import create_app
from credits.extensions import db
from credits.identity import now
from credits.journal import keys, outside, verify
from credits.journal.heads import Head
from credits.journal.notes import WITNESS, SigningKey
from credits.journal.proofs import proof_in
from credits.participants.models import Kind
from tests.factories import UserFactory
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

    def test_publish_may_run_in_several_processes_at_once(self, run, session, database, settings):
        for number in range(50):
            append(session, number=number)
        session.commit()
        outer = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment = outer | {"DATABASE_URL": database, "DATA_DIR": str(settings.data_dir)}
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "journal", "publish"]
        running = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)
        ]
        said = [process.communicate(timeout=120)[0] for process in running]

        assert [process.returncode for process in running] == [0, 0, 0]
        assert all("The log has 50." in each for each in said)
        assert "1 checkpoints" in run("verify").output

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


class TestAcceptLoss:
    @pytest.fixture
    def put_back(self, app, run, session, database):
        """A registry whose database lacks what was published, as it starts: open for reading alone."""
        issuer = UserFactory(kind=Kind.REGISTRY)
        clerk = UserFactory(kind=Kind.COOPERATIVE)
        append(session)
        run("publish")
        data_dir = app.extensions["settings"].data_dir
        made = keys.load(data_dir)
        newer = Head(made.origin, 8, bytes(32)).signed(made.signing(now()))
        assert outside.swap(data_dir, expected=outside.kept(data_dir), new=newer)
        emails = issuer.email, clerk.email
        session.commit()
        closed = create_app(load({"DATABASE_URL": database, "DATA_DIR": str(data_dir), "SIGN_IN_LIMITS": "off"}))
        yield closed, *emails
        with closed.app_context():
            db.engine.dispose()

    def test_says_first_what_would_be_given_up_and_then_gives_it_up(self, put_back, client, run):
        closed, issuer, _clerk = put_back
        journal = closed.test_cli_runner().invoke
        assert closed.test_client().post("/sign-up").status_code == 503
        before = journal(args=["journal", "accept-loss"])
        assert before.exit_code == 0, before.output
        assert "with 8 entries" in before.output
        confirmation = re.search(r"--lost (\S+)", before.output)[1]
        given_up = ["journal", "accept-loss", "--lost", confirmation, "--by", issuer]
        assert "What was lost" not in client.get("/log").text

        done = journal(args=[*given_up, "--reason", "The disk burnt."])
        assert done.exit_code == 0, done.output
        page = client.get("/log").text
        key = done.output.split("public key: ")[1].splitlines()[0]
        assert "What was lost" in page
        assert "The disk burnt." in page
        assert key in page.replace("&#43;", "+")
        assert len(client.get("/log/keys").text.splitlines()) == 2
        assert client.get("/checkpoint").text.splitlines()[0].endswith("/2")
        verified = run("verify")
        assert verified.exit_code == 0, verified.output
        assert "LOST  Of the log" in verified.output
        assert json.loads(run("verify", "--json").output)["losses"]
        assert run("publish").exit_code == 0

    def test_is_done_by_an_issuer_with_a_reason_alone(self, put_back):
        closed, issuer, clerk = put_back
        journal = closed.test_cli_runner().invoke
        for by, reason, lost, said in (
            (clerk, "Burnt.", "8-0000000000000000", "issuer"),
            ("nobody@x.example", "Burnt.", "8-0000000000000000", "--by"),
            (issuer, "  ", "8-0000000000000000", "Reason"),
            (issuer, "Burnt.", "9-0000000000000000", "not 9-0000000000000000"),
        ):
            done = journal(args=["journal", "accept-loss", "--lost", lost, "--by", by, "--reason", reason])
            assert done.exit_code == 1
            assert said in done.output
        assert closed.test_client().post("/sign-up").status_code == 503

    def test_says_so_where_nothing_is_lost(self, run, session):
        append(session)
        run("publish")
        done = run("accept-loss")

        assert done.exit_code == 1
        assert "has all 1 entries" in done.output


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
