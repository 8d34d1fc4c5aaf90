"""A database that was put back to an earlier day opens for reading alone."""

import shutil
import threading
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from config import load
from credits.app import create_app
from credits.db import begin_writing
from credits.extensions import db
from credits.journal import outside
from credits.journal.heads import Head, head_of
from credits.journal.models import Event, RegistryIdentity
from credits.journal.notes import read
from credits.journal.outside import ReadOnly
from tests.journal.publishing import append


@pytest.fixture
def put_back(log) -> Path:
    """The checkpoint outside says that five more events were published than the database has."""
    log.add(3)
    log.publish()
    newer = Head(log.keys.origin, 8, bytes(32)).signed(log.keys.signing(log.newest().published_at))
    assert outside.swap(log.data_dir, expected=log.kept(), new=newer)
    return log.data_dir


@pytest.fixture
def closed_app(put_back, database):
    app = create_app(load({"DATABASE_URL": database, "DATA_DIR": str(put_back), "SIGN_IN_LIMITS": "off"}))
    app.config.update(WTF_CSRF_ENABLED=False)
    yield app
    with app.app_context():
        db.engine.dispose()


class TestSwap:
    def test_replaces_what_was_expected_alone(self, tmp_path):
        assert outside.swap(tmp_path, expected=None, new="one")
        assert not outside.swap(tmp_path, expected=None, new="two")
        assert not outside.swap(tmp_path, expected="two", new="three")
        assert outside.swap(tmp_path, expected="one", new="two")
        assert outside.kept(tmp_path) == "two"

    def test_lets_one_of_many_win(self, tmp_path):
        won = []
        threads = [
            threading.Thread(
                target=lambda name=str(n): outside.swap(tmp_path, expected=None, new=name) and won.append(name)
            )
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(won) == 1
        assert outside.kept(tmp_path) == won[0]


class TestWhyReadOnly:
    def test_is_silent_about_the_newest_database(self, log):
        log.add()
        log.publish()
        log.add()
        with Session(log.engine) as session:
            assert outside.why_read_only(session, log.data_dir, log.kept()) == ""
            assert outside.why_read_only(session, log.data_dir, None) == ""

    def test_is_silent_about_a_checkpoint_that_was_not_kept_in_time(self, log):
        log.add()
        log.publish()
        kept = log.kept()
        log.add()
        log.publish()
        (log.data_dir / outside.FILE).write_text(kept)  # as after a crash between the two
        with Session(log.engine) as session:
            assert outside.why_read_only(session, log.data_dir, kept) == ""
        log.publish()

        assert log.kept() == log.newest().note

    @pytest.mark.parametrize(
        "content, said", [("", "damaged"), ("x", "damaged"), ("a\n1\nb\n\n— a AAAAAAAA\n", "damaged")]
    )
    def test_trusts_no_damaged_checkpoint(self, log, content, said):
        with Session(log.engine) as session:
            assert said in outside.why_read_only(session, log.data_dir, content)

    def test_names_another_registry(self, log):
        log.add()
        log.publish()
        other = Head("registry.example/another", 1, bytes(32)).signed(log.keys.signing(log.newest().published_at))
        with Session(log.engine) as session:
            assert "of another registry" in outside.why_read_only(session, log.data_dir, other)

    def test_notices_another_history_of_the_same_length(self, log):
        log.add()
        log.publish()
        other = Head(log.keys.origin, 1, bytes(32)).signed(log.keys.signing(log.newest().published_at))
        with Session(log.engine) as session:
            assert "another history" in outside.why_read_only(session, log.data_dir, other)


class TestReadOnly:
    def test_publishes_nothing(self, log, put_back):
        log.add()
        with pytest.raises(ReadOnly, match="had 8 events"):
            log.publish()

        assert log.newest().size == 3

    def test_app_reads_on_and_refuses_to_write(self, closed_app):
        visitor = closed_app.test_client()

        assert visitor.get("/").status_code == 200
        assert visitor.get("/checkpoint").status_code == 200
        refused = visitor.post("/sign-up", data={"name": "x"})
        assert refused.status_code == 503
        assert b"open for reading alone" in refused.data
        refused = visitor.post("/api/v1/batches", json={})
        assert refused.status_code == 503
        assert refused.json["code"] == "read_only"

    def test_app_says_why_when_it_starts(self, put_back, database, caplog):
        app = create_app(load({"DATABASE_URL": database, "DATA_DIR": str(put_back)}))

        assert "says that the log had 8 events" in caplog.text
        with app.app_context():
            db.engine.dispose()

    def test_commands_are_refused_too(self, closed_app):
        run = closed_app.test_cli_runner().invoke(args=["demo", "--out", "/nowhere"])

        assert run.exit_code != 0
        assert isinstance(run.exception, ReadOnly) or "reading alone" in run.output

    def test_database_stops_what_does_not_say_that_it_writes(self, closed_app):
        with closed_app.app_context():
            with pytest.raises(ReadOnly):
                begin_writing(db.session())
            db.session.rollback()
            with pytest.raises(DBAPIError, match=r"read-?only"):
                append(db.session())
            db.session.rollback()
            assert len(db.session.scalars(select(Event)).all()) == 3

    def test_database_may_still_be_brought_up_to_date(self, closed_app):
        run = closed_app.test_cli_runner().invoke(args=["db", "downgrade", "0003_registry"])
        assert run.exit_code == 0, run.output
        run = closed_app.test_cli_runner().invoke(args=["db", "upgrade"])
        assert run.exit_code == 0, run.output

    def test_is_what_a_restored_copy_meets(self, log, database):
        if not database.startswith("sqlite"):
            pytest.skip("a copied file")
        file = Path(database.removeprefix("sqlite:///"))
        log.add(2)
        log.publish()
        with log.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        backup = shutil.copyfile(file, file.with_suffix(".backup"))
        log.add()  # a retirement, say
        log.publish()
        log.engine.dispose()
        for beside in file.parent.glob("credits.db-*"):
            beside.unlink()
        shutil.copyfile(backup, file)

        app = create_app(load({"DATABASE_URL": database, "DATA_DIR": str(log.data_dir)}))
        assert app.test_client().post("/sign-up").status_code == 503
        with app.app_context():
            db.engine.dispose()
        assert head_of(read(log.kept()).text).size == 3


def test_identity_is_in_the_name_of_the_log(log):
    with Session(log.engine) as session:
        assert log.keys.origin.endswith(session.scalars(select(RegistryIdentity.registry_id)).one())
        session.execute(text("SELECT 1"))
