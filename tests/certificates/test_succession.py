import stat
from datetime import timedelta

import pytest
from sqlalchemy import select

from credits.certificates import signing, succession
from credits.certificates.signing import KeyUnsound
from credits.journal.models import Event
from tests.certificates.genuine import BEGUN

NAMED = {"name": "ASM Credits Registry", "url": "https://registry.example"}


@pytest.fixture
def first(tmp_path) -> signing.Seal:
    return signing.make(tmp_path, **NAMED, seed=b"1" * 32, at=BEGUN)


@pytest.fixture
def rotate(session, tmp_path, first):
    def rotated(seed: bytes, days: int) -> signing.Seal:
        at = BEGUN + timedelta(days=days)
        return succession.rotate(session, data_dir=tmp_path, **NAMED, seed=seed * 32, at=at)

    return rotated


class TestRotate:
    def test_lets_a_new_key_sign_and_keeps_the_older_certificates_alone(self, tmp_path, first, rotate):
        second, third = rotate(b"2", 10), rotate(b"3", 20)

        assert signing.load(tmp_path).fingerprint == third.fingerprint
        told = succession.of_all_times(tmp_path)
        assert [key.fingerprint for key in told] == [first.fingerprint, second.fingerprint, third.fingerprint]
        assert [key.retired_at for key in told] == [BEGUN + timedelta(days=10), BEGUN + timedelta(days=20), None]
        assert b"PRIVATE" not in (tmp_path / succession.FILE).read_bytes()
        assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "keys").iterdir()} == {0o600}

    def test_tells_the_log_which_key_replaces_which(self, session, first, rotate):
        second = rotate(b"2", 10)
        (event,) = session.scalars(select(Event).where(Event.kind == succession.KIND))

        assert event.subject == f"DOCUMENT-KEY-{second.fingerprint.replace(':', '')[:16]}"
        assert first.fingerprint.encode() in event.body
        assert second.fingerprint.encode() in event.body

    def test_counts_a_key_as_signing_where_it_was_broken_off_in_the_middle(self, tmp_path, first, rotate, monkeypatch):
        before = (tmp_path / signing.FILE).read_bytes()
        rotate(b"2", 10)
        (tmp_path / signing.FILE).write_bytes(before)  # the second file was not replaced yet

        (key,) = succession.of_all_times(tmp_path)
        assert (key.fingerprint, key.retired_at) == (first.fingerprint, None)
        assert [key.fingerprint for key in succession.of_all_times(tmp_path)][:-1] == []

    def test_needs_a_key_and_a_sound_file(self, session, tmp_path, rotate):
        rotate(b"2", 10)
        (tmp_path / succession.FILE).write_text("[{}]")

        with pytest.raises(KeyUnsound):
            succession.of_all_times(tmp_path)
        with pytest.raises(KeyUnsound):
            succession.rotate(session, data_dir=tmp_path / "none", **NAMED, seed=b"3" * 32, at=BEGUN)


class TestAnnounce:
    def test_tells_the_log_of_the_first_key_once(self, session, first):
        assert succession.announce(session, first, at=BEGUN)
        assert not succession.announce(session, first, at=BEGUN)
        assert len(session.scalars(select(Event).where(Event.kind == succession.KIND)).all()) == 1
