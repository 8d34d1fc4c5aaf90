import hashlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import psycopg
import pytest
from flask import Flask

from config import ROOT, Settings, load
from credits.app import create_app, keep_parts
from credits.certificates import verify
from credits.extensions import db
from setup.backup import BackupError, restore, save
from tests.servers import free_port

AT = datetime(2026, 3, 31, 12, tzinfo=UTC)
TABLE = "CREATE TABLE kept (id INTEGER PRIMARY KEY, word TEXT NOT NULL)"
LOCKED = re.compile(r"^([a-z0-9_.\[\]-]+==\S+)", re.MULTILINE)


@pytest.fixture(params=["sqlite", "postgresql"])
def registry(request, tmp_path):
    """Gives the settings of a new registry without a table or a file, by its name."""

    def settings_of(name: str) -> Settings:
        environ = {"DATA_DIR": str(tmp_path / name)}
        if request.param == "postgresql":
            environ["DATABASE_URL"] = request.getfixturevalue("postgresql_server").fresh_database()
        return load(environ)

    return settings_of


@pytest.fixture
def full(registry):
    """Settings of a registry with two rows and two files."""
    settings = registry("full")
    files = settings.data_dir / "evidence" / "ab"
    files.mkdir(parents=True)
    (files / "abcd").write_bytes(b"\x00scale log" * 1000)
    (settings.data_dir / "signing.key").write_text("a key")
    write(settings, TABLE)
    write(settings, "INSERT INTO kept (id, word) VALUES (1, 'Kamilombe'), (2, 'é')")
    return settings


def connect(settings: Settings):
    if settings.database_file:
        return closing(sqlite3.connect(settings.database_file))
    return psycopg.connect(settings.database_url)


def write(settings: Settings, statement: str) -> None:
    with connect(settings) as connection:
        connection.execute(statement)
        connection.commit()


def words(settings: Settings) -> list[str]:
    with connect(settings) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM kept ORDER BY id").fetchall()]


def rewrite(whole: Path, to: Path, name: str) -> None:
    """Copy a backup, with another key in it, under `name`."""
    with tarfile.open(whole) as archive, tarfile.open(to, "w:gz") as changed:
        for member in archive:
            body = archive.extractfile(member)
            if member.name == "data/signing.key":
                member.name = name
                body = BytesIO(b"b key")
            changed.addfile(member, body)


class TestBackup:
    def test_brings_back_database_and_files(self, full, registry, tmp_path):
        other = registry("other")

        assert save(full, tmp_path / "backup.tar.gz", AT) == 2
        assert restore(other, tmp_path / "backup.tar.gz") == 2

        assert words(other) == ["Kamilombe", "é"]
        assert (other.data_dir / "evidence/ab/abcd").read_bytes() == b"\x00scale log" * 1000
        assert (other.data_dir / "signing.key").read_text() == "a key"
        assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []

    def test_saves_what_is_committed_while_others_write(self, full, registry, tmp_path):
        with connect(full) as writing:
            writing.execute("INSERT INTO kept (id, word) VALUES (3, 'not yet committed')")
            save(full, tmp_path / "backup.tar.gz", AT)
            writing.commit()

        restore(registry("other"), tmp_path / "backup.tar.gz")
        assert words(full)[2:] == ["not yet committed"]

    def test_is_for_its_owner_alone(self, full, tmp_path):
        save(full, tmp_path / "backup.tar.gz", AT)

        assert (tmp_path / "backup.tar.gz").stat().st_mode & 0o777 == 0o600

    def test_leaves_the_queue_out(self, full, tmp_path):
        (full.data_dir / "queue.db").write_bytes(b"waiting")
        save(full, tmp_path / "backup.tar.gz", AT)

        with tarfile.open(tmp_path / "backup.tar.gz") as archive:
            assert ("data/queue.db" in archive.getnames()) is not full.is_embedded

    def test_never_replaces_a_file(self, full, tmp_path):
        (tmp_path / "backup.tar.gz").write_text("an older one")

        with pytest.raises(BackupError, match="already there"):
            save(full, tmp_path / "backup.tar.gz", AT)

        assert (tmp_path / "backup.tar.gz").read_text() == "an older one"

    def test_does_not_go_into_what_it_copies(self, full):
        with pytest.raises(BackupError, match="inside DATA_DIR"):
            save(full, full.data_dir / "backup.tar.gz", AT)


@pytest.mark.slow
def test_a_whole_registry_comes_back(app, settings, tmp_path, postgresql_server):
    url = f"sqlite:///{tmp_path}/other.db" if settings.is_embedded else postgresql_server.fresh_database()
    other = replace(settings, database_url=url, data_dir=tmp_path / "other")
    keep_parts(app, settings)  # with the policy of who tries a registry out, as the demo world needs it
    told = json.loads(invoke(app, "demo", "--json", "--out", str(tmp_path / "out")))

    save(settings, tmp_path / "backup.tar.gz", AT)
    restore(other, tmp_path / "backup.tar.gz")

    brought_back = create_app(other)
    invoke(brought_back, "ledger", "check")
    document = Path(told["certificate_pdf"]).read_bytes()
    assert brought_back.extensions["certificate_files"].read(hashlib.sha256(document).hexdigest()) == document
    assert verify.main([told["certificate_pdf"], "--key", told["keys"]]) == 0
    assert invoke(brought_back, "keys", "export") == Path(told["keys"]).read_text(encoding="utf-8")
    with brought_back.app_context():
        db.engine.dispose()


def invoke(app: Flask, *command: str) -> str:
    done = app.test_cli_runner().invoke(args=command)
    assert done.exit_code == 0, done.output
    return done.stdout


class TestRestore:
    def test_refuses_a_database_with_a_table(self, full, registry, tmp_path):
        other = registry("other")
        other.data_dir.mkdir()
        write(other, TABLE)
        save(full, tmp_path / "backup.tar.gz", AT)

        with pytest.raises(BackupError, match="database is not empty"):
            restore(other, tmp_path / "backup.tar.gz")

        assert words(other) == []
        assert not (other.data_dir / "signing.key").exists()

    def test_refuses_a_data_directory_with_a_file(self, full, registry, tmp_path):
        other = registry("other")
        other.data_dir.mkdir()
        (other.data_dir / "signing.key").write_text("another key")
        save(full, tmp_path / "backup.tar.gz", AT)

        with pytest.raises(BackupError, match="is not empty"):
            restore(other, tmp_path / "backup.tar.gz")

        assert (other.data_dir / "signing.key").read_text() == "another key"

    def test_refuses_a_file_cut_short(self, full, registry, tmp_path):
        save(full, tmp_path / "backup.tar.gz", AT)
        whole = (tmp_path / "backup.tar.gz").read_bytes()
        (tmp_path / "backup.tar.gz").write_bytes(whole[: len(whole) // 2])
        other = registry("other")

        with pytest.raises(BackupError, match="not a whole backup"):
            restore(other, tmp_path / "backup.tar.gz")

        assert not other.data_dir.exists()

    @pytest.mark.parametrize("changed", ["data/signing.key", "data/../../outside", "/outside"])
    def test_refuses_a_file_that_was_changed(self, full, registry, tmp_path, changed):
        save(full, tmp_path / "backup.tar.gz", AT)
        rewrite(tmp_path / "backup.tar.gz", tmp_path / "changed.tar.gz", changed)
        other = registry("other")

        with pytest.raises(BackupError, match="not a whole backup"):
            restore(other, tmp_path / "changed.tar.gz")

        assert not other.data_dir.exists()
        assert not (tmp_path / "outside").exists()

    def test_refuses_the_other_kind_of_database(self, tmp_path, postgresql_server):
        embedded = load({"DATA_DIR": str(tmp_path / "embedded")})
        embedded.data_dir.mkdir()
        write(embedded, TABLE)
        save(embedded, tmp_path / "backup.tar.gz", AT)
        other = replace(embedded, database_url=postgresql_server.fresh_database(), data_dir=tmp_path / "other")

        with pytest.raises(BackupError, match="of a sqlite database"):
            restore(other, tmp_path / "backup.tar.gz")


class TestCommands:
    def test_makes_help_of_every_command(self):
        makefile = (ROOT / "Makefile").read_text()
        commands = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE).group(1).split()

        told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

        for command in commands:
            assert (f"make {command} " in told) is not command.startswith("ready-to-")

    def test_says_what_to_type_where_it_may_not_install(self, tmp_path):
        for tool in ("sh", "id", "grep", "ls", "cat"):
            (tmp_path / tool).symlink_to(shutil.which(tool))
        (tmp_path / "python3").symlink_to(sys.executable)

        asked = subprocess.run(
            ["sh", "setup/system-packages.sh", "test"],
            cwd=ROOT,
            env={"PATH": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

        assert asked.returncode == 1
        assert re.search(r"apt-get install --no-install-recommends .*\bfontconfig\b.*\bqpdf\b", asked.stderr)

    def test_backs_up_by_command(self, full, tmp_path):
        environ = os.environ | {"DATA_DIR": str(full.data_dir), "DATABASE_URL": full.database_url}
        command = [sys.executable, "-m", "setup.backup", "save", str(tmp_path / "backup.tar.gz")]

        told = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout

        assert told == f"Saved the database and 2 files of {full.data_dir} in {tmp_path / 'backup.tar.gz'}.\n"


class TestRequirements:
    @pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "setup/uv.txt"])
    def test_are_locked_with_hashes_and_without_an_address(self, name):
        text = (ROOT / name).read_text()

        assert "http" not in re.sub(r"^[a-z0-9]*http[a-z0-9-]*==|via .*|^ +# .*", "", text, flags=re.MULTILINE)
        for entry in LOCKED.split(text)[2::2]:
            assert "--hash=sha256:" in entry

    def test_are_tested_as_they_run(self):
        running = LOCKED.findall((ROOT / "requirements.txt").read_text())
        tested = LOCKED.findall((ROOT / "requirements-dev.txt").read_text())

        assert set(running) <= set(tested)


@pytest.mark.slow
class TestRun:
    def test_refuses_a_port_that_is_taken(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            environ = os.environ | {"DATA_DIR": str(tmp_path / "var"), "PORT": str(taken.getsockname()[1])}
            asked = run(environ)
            _, said = asked.communicate(timeout=60)

        assert asked.returncode == 1
        assert "Choose another: make run PORT=" in said
        assert not (tmp_path / "var").exists()

    @pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
    def test_serves_until_it_is_stopped(self, tmp_path, ending):
        port = free_port()
        running = run(os.environ | {"DATA_DIR": str(tmp_path / "var"), "PORT": str(port)})
        told = ""
        for line in running.stdout:
            told += line
            if "Ctrl-C" in line:
                break
        beside = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        running.send_signal(ending)
        running.communicate(timeout=60)

        assert f"http://localhost:{port}" in told
        assert running.returncode == 0
        assert len(beside) == 3
        assert not any(Path("/proc", process).exists() for process in beside)


def run(environ: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "setup.run"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=pipe, stderr=pipe, text=True)
