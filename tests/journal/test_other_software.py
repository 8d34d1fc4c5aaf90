"""The log as it is served, checked by software not written here: golang.org/x/mod/sumdb, which guards Go's modules.

Needs `go` and the sources of x/mod (Debian and Ubuntu: golang-go, golang-golang-x-mod-dev).
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from credits import jobs
from credits.journal.notes import WITNESS, SigningKey
from credits.log_keys import log_keys
from tests.factories import AT
from tests.journal import reference
from tests.journal.publishing import append

SOURCES = Path("/usr/share/gocode")
PROGRAM = Path(__file__).parent / "other_software" / "check.go"
SIZE = 600  # two full tiles and a partial one, on two levels

pytestmark = pytest.mark.skipif(
    shutil.which("go") is None or not (SOURCES / "src/golang.org/x/mod/sumdb/tlog").is_dir(),
    reason="needs golang-go and golang-golang-x-mod-dev",
)


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("go")
    environment = os.environ | {"GO111MODULE": "off", "GOPATH": str(SOURCES), "GOCACHE": str(made / "cache")}
    subprocess.run(["go", "build", "-o", made / "check", PROGRAM], check=True, env=environment)
    return made / "check"


@pytest.fixture
def copy(app, client, session, tmp_path):
    """Everything that the registry serves of its log, as files, and the log's public key."""
    folder = tmp_path / "copy"

    def publish(count: int) -> None:
        for number in range(count):
            append(session, number=number, facts={"name": f"Kisanga – {number}"})
        session.commit()
        with app.app_context():
            made = log_keys()
        jobs.publish_log(session, keys=made, data_dir=app.extensions["settings"].data_dir, at=AT)

    def keep(name: str, address: str) -> None:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        answer = client.get(address)
        assert answer.status_code == 200, address
        file.write_bytes(answer.data)

    publish(259)
    keep("older", "/checkpoint")
    publish(SIZE - 259)
    witness = SigningKey("witness.example/one", WITNESS, bytes(32))
    keep("checkpoint", "/checkpoint")
    checkpoint = (folder / "checkpoint").read_text()
    # A signature of a kind that the other software does not know, which it has to pass over.
    (folder / "checkpoint").write_text(checkpoint + witness.cosign(checkpoint.rpartition("\n\n")[0] + "\n", 1))
    keep("proof", "/log/events/300.tlog-proof")
    for tile in reference.tiles_of(SIZE):
        keep(tile.path, f"/{tile.path}")
        if tile.level == 0:
            entries = tile.path.replace("tile/0/", "tile/entries/")
            keep(entries, f"/{entries}")
    with app.app_context():
        return folder, log_keys().keys[-1].public


def check(program: Path, folder: Path, key: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, folder, key], check=False, capture_output=True, text=True)


def test_notes_tiles_and_proofs_hold(program, copy):
    done = check(program, *copy)

    assert (done.returncode, done.stdout, done.stderr) == (0, "600 entries of 259 hold\n", "")


@pytest.mark.parametrize("file", ["checkpoint", "older", "proof", "tile/0/001", "tile/1/000.p/2", "tile/entries/000"])
def test_one_changed_byte_does_not(program, copy, file):
    folder, key = copy
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)

    assert check(program, folder, key).returncode == 1
