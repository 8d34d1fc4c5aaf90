import json
import stat
import threading
from datetime import timedelta

import pytest

from credits.journal import keys
from credits.journal.keys import KeysUnsound
from credits.journal.notes import WITNESS, SigningKey
from tests.factories import AT

MONTH = timedelta(days=30)


def make(folder, seed: bytes = bytes(32)):
    return keys.make(folder, origin="registry.example/1", seed=seed, at=AT)


class TestMake:
    def test_makes_a_key_once(self, tmp_path):
        first = make(tmp_path)

        assert make(tmp_path, b"x" * 32) == first == keys.load(tmp_path)
        assert first.public[0].name == "registry.example/1"

    def test_lets_its_owner_alone_read_it(self, tmp_path):
        make(tmp_path)

        assert stat.S_IMODE((tmp_path / keys.FILE).stat().st_mode) == 0o600
        assert [path.name for path in (tmp_path / "keys").iterdir()] == ["log.json"]

    def test_gives_all_who_ask_at_once_the_same(self, tmp_path):
        made = []
        threads = [
            threading.Thread(target=lambda seed=bytes([n] * 32): made.append(make(tmp_path, seed))) for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len({each.keys for each in made}) == 1

    def test_wants_a_name_that_cannot_be_mistaken(self, tmp_path):
        with pytest.raises(ValueError, match="cannot name a log"):
            keys.make(tmp_path, origin="two words", seed=bytes(32), at=AT)


class TestRotate:
    def test_adds_a_key_and_keeps_the_older_public(self, tmp_path):
        old = make(tmp_path)
        new = keys.rotate(tmp_path, seed=b"x" * 32, at=AT, overlap=MONTH)

        assert new == keys.load(tmp_path)
        assert new.public[0] == old.public[0]
        assert [key.verifying for key in new.signing(AT)] == new.public[::-1]
        assert [key.verifying for key in new.signing(AT + MONTH)] == new.public[1:]

    def test_forgets_a_secret_whose_time_is_over(self, tmp_path):
        make(tmp_path)
        keys.rotate(tmp_path, seed=b"x" * 32, at=AT, overlap=MONTH)
        third = keys.rotate(tmp_path, seed=b"y" * 32, at=AT + 2 * MONTH, overlap=MONTH)

        assert [bool(key.secret) for key in third.keys] == [False, True, True]
        assert len(third.public) == 3

    def test_needs_a_key_to_rotate(self, tmp_path):
        with pytest.raises(KeysUnsound):
            keys.rotate(tmp_path, seed=bytes(32), at=AT, overlap=MONTH)


class TestLoad:
    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"origin": "x", "keys": [{}]}', "\x00"])
    def test_refuses_a_damaged_file(self, tmp_path, content):
        make(tmp_path)
        (tmp_path / keys.FILE).write_text(content)
        with pytest.raises(KeysUnsound, match="damaged"):
            keys.load(tmp_path)

    def test_refuses_a_key_that_does_not_belong_there(self, tmp_path):
        make(tmp_path)
        kept = json.loads((tmp_path / keys.FILE).read_text())
        kept["keys"][0]["secret"] = SigningKey("registry.example/1", 1, b"z" * 32).text
        (tmp_path / keys.FILE).write_text(json.dumps(kept))
        with pytest.raises(KeysUnsound):
            keys.load(tmp_path)


class TestTrust:
    def test_adds_each_witness_once(self, tmp_path):
        one, two = (SigningKey(f"witness.example/{name}", WITNESS, bytes(32)).verifying for name in ("one", "two"))
        assert keys.witnesses(tmp_path) == []
        keys.trust(tmp_path, [one])
        keys.trust(tmp_path, [two, one])

        assert keys.witnesses(tmp_path) == [one, two]

    def test_refuses_a_damaged_list(self, tmp_path):
        keys.trust(tmp_path, [])
        (tmp_path / keys.WITNESSES).write_text("nonsense\n")
        with pytest.raises(KeysUnsound):
            keys.witnesses(tmp_path)
