import json
import os
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from config import ROOT
from credits.certificates import asking, verify
from credits.certificates.checks.checking import LARGEST
from credits.certificates.checks.published_keys import KeysUnreadable, keys_in
from credits.journal.canonical import encode
from tests.certificates.genuine import Registry
from tests.certificates.told import told_facts


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """A certificate and the keys to check it with, as files."""
    folder, registry = tmp_path_factory.mktemp("papers"), Registry.made()
    (folder / "certificate.pdf").write_bytes(registry.certificate())
    (folder / "keys.json").write_text(json.dumps(registry.keys()))
    (folder / "others.json").write_text(json.dumps(Registry.made(seed=2).keys()))
    return folder


def ended(capsys, *arguments) -> tuple[int, str]:
    """Exit status and all that was printed."""
    status = verify.main([str(each) for each in arguments])
    said = capsys.readouterr()
    return status, said.out + said.err


WORD = {"kind": "annotation", "text": "The year is of the claim.", "at": "2026-12-01T00:00:00Z"}


@contextmanager
def answering(path: str, told: object):
    """A registry that says this at one address over HTTP, and nothing where there is nothing to say."""

    class Told(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == path and told is not None else 404)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Told) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class TestMain:
    def test_says_that_a_certificate_is_genuine_and_what_was_looked_at(self, papers, capsys):
        status, said = ended(capsys, papers / "certificate.pdf", "--key", papers / "keys.json")

        assert status == 0
        assert said.startswith("GENUINE: ASMC-R-000017 certifies 0.75 credits (750 kg cobalt) retired in the name of")
        assert "not known" in said
        assert "Not asked, this was done offline" in said

    def test_tells_programs_the_same(self, papers, capsys):
        status, said = ended(capsys, papers / "certificate.pdf", "--key", papers / "keys.json", "--json")
        told = json.loads(said)

        assert (status, told["verdict"], told["number"], told["failed"]) == (0, "genuine", "ASMC-R-000017", [])
        assert told["facts"]["quantity_base_units"] == 750
        assert {each["name"]: each["result"] for each in told["checks"]}["inclusion"] == "ok"

    def test_names_what_failed(self, papers, capsys, tmp_path):
        bent = tmp_path / "bent.pdf"
        bent.write_bytes((papers / "certificate.pdf").read_bytes().replace(b"/Lang", b"/lang"))

        assert ended(capsys, bent, "--key", papers / "keys.json")[0] == 1
        status, said = ended(capsys, bent, "--key", papers / "keys.json", "--json")
        assert (status, json.loads(said)["failed"]) == (1, ["signature"])
        status, said = ended(capsys, papers / "certificate.pdf", "--key", papers / "others.json")
        assert status == 1
        assert "get the newest" in said
        assert "signed by another key than the published ones" in said

    def test_could_not_tell_without_keys_or_file(self, papers, capsys, tmp_path):
        genuine, keys = papers / "certificate.pdf", papers / "keys.json"
        (tmp_path / "half.json").write_text(keys.read_text()[:-9])
        (tmp_path / "none.json").write_text(json.dumps(json.loads(keys.read_text()) | {"documents": []}))
        (tmp_path / "list.json").write_text("[]")
        (tmp_path / "deep.json").write_text("[" * 200_000)
        with (tmp_path / "large.pdf").open("wb") as file:
            file.truncate(LARGEST + 1)
        (tmp_path / "round.pdf").symlink_to(tmp_path / "round.pdf")
        asked = [
            [genuine],
            [genuine, "--json"],
            [tmp_path / "none.pdf", "--key", keys],
            [tmp_path, "--key", keys],
            [tmp_path / "round.pdf", "--key", keys],
            ["", "--key", keys],
            ["/dev/zero", "--key", keys],
            [tmp_path / "large.pdf", "--key", keys],
            *([genuine, "--key", file] for file in sorted(tmp_path.glob("*.json"))),
            [genuine, "--key", tmp_path / "no.json"],
            [genuine, "--key", genuine],
        ]
        answers = [ended(capsys, *each) for each in asked]

        assert [status for status, _said in answers] == [2] * len(asked)
        assert all("COULD NOT TELL" in said for _status, said in answers)

    def test_says_of_a_file_of_50_megabytes_that_it_is_not_genuine(self, papers, capsys, tmp_path):
        (tmp_path / "zeros.pdf").write_bytes(bytes(50_000_000))
        (tmp_path / "longer.pdf").write_bytes((papers / "certificate.pdf").read_bytes() + b"\n" * 50_000_000)
        (tmp_path / "empty.pdf").touch()

        for name, said in (("zeros", "not a PDF"), ("longer", "were added to the file"), ("empty", "is empty")):
            status, told = ended(capsys, tmp_path / f"{name}.pdf", "--key", papers / "keys.json")
            assert (status, said in told) == (1, True), told

    @pytest.mark.parametrize(
        ("told", "status", "said"),
        [
            ({"status": "retired", "annotations": []}, 0, "GENUINE"),
            ({"status": "annotated", "annotations": [WORD]}, 0, "The year is of the claim."),
            (
                {"status": "annulled", "annotations": [WORD | {"kind": "annulment"}]},
                1,
                "ANNULLED: It was annulled since.",
            ),
            ({"status": "retired", "annotations": [], "number": "ASMC-R-000018"}, 2, "another certificate"),
            ({"status": "retired", "annotations": [], "facts_sha256": "00"}, 2, "another certificate"),
            ([], 2, "did not say"),
            (None, 2, "did not say"),
        ],
    )
    def test_asks_the_registry_what_became_of_it_where_it_may(self, capsys, tmp_path, told, status, said):
        registry, facts = Registry.made(), told_facts()
        (tmp_path / "certificate.pdf").write_bytes(registry.certificate(facts))
        if isinstance(told, dict):
            told = {"number": facts["number"], "facts_sha256": sha256(encode(facts)).hexdigest()} | told
        with answering(f"/certificates/{facts['number']}/status.json", told) as url:
            (tmp_path / "keys.json").write_text(json.dumps(registry.keys(url=url)))
            found = ended(capsys, tmp_path / "certificate.pdf", "--key", tmp_path / "keys.json", "--online")

        assert found[0] == status
        assert said in found[1]

    def test_waits_for_no_registry_that_answers_byte_by_byte(self, papers, capsys, tmp_path, monkeypatch):
        asked, ends = Event(), Event()

        def dripping(listening: socket.socket) -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
                asked.set()
                while not ends.wait(0.02):
                    connection.sendall(b" ")

        monkeypatch.setattr(asking, "SECONDS", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = Thread(target=dripping, args=(listening,), daemon=True)
            server.start()
            told = Registry.made().keys(url=f"http://127.0.0.1:{listening.getsockname()[1]}")
            (tmp_path / "keys.json").write_text(json.dumps(told))
            found = ended(capsys, papers / "certificate.pdf", "--key", tmp_path / "keys.json", "--online")
            ends.set()
            server.join()

        assert asked.is_set()
        assert (found[0], "its answer took too long" in found[1]) == (2, True)

    @pytest.mark.parametrize("bend", ["valid_from", "fingerprint", "certificate"])
    def test_believes_no_damaged_keys(self, papers, capsys, tmp_path, bend):
        told = json.loads((papers / "keys.json").read_text())
        told["documents"][0][bend] = told["documents"][0][bend][:-3]
        (tmp_path / "keys.json").write_text(json.dumps(told))

        assert ended(capsys, papers / "certificate.pdf", "--key", tmp_path / "keys.json")[0] == 2

    @pytest.mark.parametrize("value", [5, None, True, [], {"a": 1}, "\ud800", "x"])
    def test_believes_no_keys_of_another_shape(self, papers, capsys, tmp_path, value):
        told = json.loads((papers / "keys.json").read_text())
        places = [(told, "log"), (told, "documents"), (told, "registry"), (told["log"], 0), (told["documents"], 0)]
        places += [(told["log"][0], "vkey"), (told["log"][0], "valid_from"), (told["documents"][0], "certificate")]
        for at, name in reversed(places):
            kept, at[name] = at[name], value
            (tmp_path / "keys.json").write_text(json.dumps(told))
            at[name] = kept

            status, said = ended(capsys, papers / "certificate.pdf", "--key", tmp_path / "keys.json")
            assert (status, "COULD NOT TELL" in said) == (2, True), name

    @pytest.mark.parametrize("value", ["", " ", [], {}, 0, False])
    def test_takes_nothing_but_null_for_a_key_that_is_in_use(self, papers, value):
        """An end that was lost would let a key that has ended prove for ever."""
        told = json.loads((papers / "keys.json").read_text())
        (log,), (document,), registry = told["log"], told["documents"], told["registry"]
        for at, name in ((log, "valid_to"), (document, "retired_at"), (document, "logged"), (registry, "code")):
            kept, at[name] = at[name], value
            if (name, value, type(value)) != ("logged", 0, int):
                with pytest.raises(KeysUnreadable):
                    keys_in(json.dumps(told).encode())
            at[name] = kept

    def test_reads_no_certificate_that_it_does_not_know(self, papers):
        told = json.loads((papers / "keys.json").read_text())
        whole = ssl.PEM_cert_to_DER_cert(told["documents"][0]["certificate"])
        for place in range(len(whole)):
            bent = whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
            told["documents"][0]["certificate"] = ssl.DER_cert_to_PEM_cert(bent)
            told["documents"][0]["fingerprint"] = sha256(bent).digest().hex(":").upper()
            with suppress(KeysUnreadable):
                keys_in(json.dumps(told).encode())


def test_ends_quietly_where_nothing_can_be_written(papers):
    asked = ["-m", "credits.certificates.verify", papers / "certificate.pdf", "--key", papers / "keys.json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, *asked], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False)

    assert (done.returncode, done.stderr) == (2, b"")


@pytest.mark.parametrize("named", ["-", "/dev/stdin"])
def test_takes_what_is_piped_in(papers, named):
    genuine = (papers / "certificate.pdf").read_bytes()
    asked = [sys.executable, "-m", "credits.certificates.verify", named, "--key", papers / "keys.json"]
    done = subprocess.run(asked, cwd=ROOT, input=genuine, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"GENUINE: ASMC-R-000017")


def test_needs_no_web_server_no_database_and_no_network(papers):
    """As an auditor runs it, years later."""
    asked = [papers / "certificate.pdf", "--key", papers / "keys.json"]
    shut = "import runpy, socket, sys; socket.socket.connect = None; sys.argv[0] = 'verify'\n"
    shut += "try: runpy.run_module('credits.certificates.verify', run_name='__main__')\n"
    shut += (
        "finally: print(sorted({name.partition('.')[0] for name in sys.modules} & {'flask', 'sqlalchemy', 'jinja2'}))"
    )
    environ = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", shut, *asked], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.startswith("GENUINE")
    assert done.stdout.rstrip().endswith("[]")
