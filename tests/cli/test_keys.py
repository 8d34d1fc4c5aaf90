import json

import pytest

from credits import document_jobs, jobs
from credits.certificates import verify
from credits.certificates.issuing import freeze
from credits.drawing import workshop
from credits.extensions import db
from credits.identity import now
from credits.log_keys import log_keys


@pytest.fixture
def run(app, session):
    def keys(*arguments: str):
        session.commit()
        done = app.test_cli_runner().invoke(args=["keys", *arguments])
        session.rollback()
        assert done.exit_code == 0, done.output
        return done.output

    return keys


@pytest.fixture
def certified(app, stage, settings, tmp_path):
    """Retire, publish and issue; the certificate as a file."""
    held = []

    def issue():
        if not held:
            held.append(stage.issued())
            stage.handed_over(held[0], 1_500)
        made = stage.retired(held[0], 100)
        freeze(stage.session, retirement=made, issuer=app.extensions["issuer"])
        stage.session.commit()
        with app.app_context():
            jobs.publish_log(db.session(), keys=log_keys(), data_dir=settings.data_dir, at=now())
            digest = document_jobs.draw_certificate(db.session(), number=made.number, workshop=workshop(), at=now())
            content = app.extensions["certificate_files"].read(digest)
        file = tmp_path / f"{made.number}.pdf"
        file.write_bytes(content)
        return file

    return issue


class TestKeys:
    def test_check_certificates_of_before_and_after_a_rotation(self, run, certified, client, tmp_path, capsys):
        older, before = certified(), tmp_path / "before.json"
        run("export", "--out", str(before))
        said = run("rotate-documents")
        younger, after = certified(), tmp_path / "after.json"
        assert f"--key {after}" in run("export", "--out", str(after))

        def status(file, keys):
            return verify.main([str(file), "--key", str(keys)])

        assert [status(older, before), status(older, after), status(younger, after)] == [0, 0, 0]
        assert status(younger, before) == 1
        capsys.readouterr()
        retired, current = json.loads(after.read_text())["documents"]
        assert current["fingerprint"] in said
        assert retired["valid_to"] == retired["retired_at"]
        # Whoever follows the log sees the key that began.
        entry = client.get(f"/log/events/{current['logged']}.json").json
        assert (entry["kind"], entry["facts"]["replaces"]) == ("documents.key_added", retired["fingerprint"])
        assert json.loads(run("export")) == json.loads(client.get("/keys.json").data)
        assert client.get("/keys").text.count(retired["fingerprint"]) == 1
