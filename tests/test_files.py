import pytest

from credits.files import FileMissing, Files, WrongFolder, bind


class TestKeep:
    def test_gives_back_the_same_bytes(self, tmp_path):
        files = Files(tmp_path)
        sha256 = files.keep(b"paper")

        assert files.keep(b"paper") == sha256
        assert files.read(sha256) == b"paper"
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [sha256]


class TestRead:
    def test_notices_a_file_that_was_changed(self, tmp_path):
        files = Files(tmp_path)
        sha256 = files.keep(b"paper")
        files.path(sha256).write_bytes(b"forged")
        with pytest.raises(FileMissing, match="changed"):
            files.read(sha256)

    def test_notices_a_file_that_is_gone(self, tmp_path):
        with pytest.raises(FileMissing):
            Files(tmp_path).read("0" * 64)


class TestBind:
    def test_lets_one_registry_come_back(self, tmp_path):
        bind(tmp_path / "data", "a")
        bind(tmp_path / "data", "a")

    def test_keeps_another_registry_out(self, tmp_path):
        bind(tmp_path / "data", "a")
        with pytest.raises(WrongFolder, match="DATA_DIR"):
            bind(tmp_path / "data", "b")
