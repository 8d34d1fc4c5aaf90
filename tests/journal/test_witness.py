"""A witness of another organisation: cosigns what grows, refuses what shrinks or forks, and hands in by HTTP."""

import fcntl
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO

import pytest

from credits.journal import witness
from credits.journal.heads import Head
from credits.journal.notes import LOG, SigningKey, open_note, signing_key
from tests.journal import reference

KEY = SigningKey("registry.example/1", LOG, bytes(32))
OTHER_KEY = SigningKey("registry.example/1", LOG, b"x" * 32)
ENTRIES = [b"entry %d" % number for number in range(600)]


@pytest.fixture
def folder(tmp_path):
    """What another organisation has: a key, and a copy of the log."""
    witness.main(["--new-key", "witness.example/one", "--key", str(tmp_path / "key")])
    return tmp_path


def write(folder, entries: list[bytes], key: SigningKey = KEY, origin: str = KEY.name) -> Head:
    """Lay a log of these entries out as files."""
    for tile in reference.tiles_of(len(entries)):
        wide, first = 256**tile.level, tile.number * 256
        hashes = [reference.root(entries[at * wide : (at + 1) * wide]) for at in range(first, first + tile.width)]
        file = folder / "log" / tile.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"".join(hashes))
    head = Head(origin, len(entries), reference.root(entries))
    (folder / "log").mkdir(exist_ok=True)
    (folder / "log" / "checkpoint").write_text(head.signed([key]))
    return head


def watch(folder, log: str = "") -> int:
    """The exit status; what was printed is in the file "cosigned"."""
    arguments = ["--log", log or f"file://{folder}/log", "--log-key", KEY.verifying.text, "--key", str(folder / "key")]
    with redirect_stdout(StringIO()) as printed:
        status = witness.main([*arguments, "--seen", str(folder / "seen")])
    (folder / "cosigned").write_text(printed.getvalue())
    return status


def cosigned(folder, head: Head) -> int:
    """When the witness says that it saw this head."""
    key = signing_key((folder / "key").read_text()).verifying
    return open_note(f"{head.text}\n{(folder / 'cosigned').read_text()}", [key]).signatures[0].seen_at


class TestWitness:
    def test_cosigns_a_log_as_it_grows(self, folder):
        for size in (1, 5, 5, 256, 257, 600):
            head = write(folder, ENTRIES[:size])

            assert watch(folder) == 0
            assert cosigned(folder, head) > 1_700_000_000

    @pytest.mark.parametrize(
        "then, said",
        [
            (ENTRIES[:299], "It had 300 entries, and now has 299"),
            ([*ENTRIES[:299], b"another"], "Two different roots for 300 entries"),
            ([b"another", *ENTRIES[1:400]], "The first 300 entries are not those of the older root"),
        ],
    )
    def test_refuses_a_log_that_shrinks_or_forks_and_shows_both(self, folder, capsys, then, said):
        old = write(folder, ENTRIES[:300])
        watch(folder)
        new = write(folder, then)

        for _ in range(2):  # and stays by it
            assert watch(folder) == 1
            told = capsys.readouterr().err
            assert "THE LOG MISBEHAVES" in told
            assert said in told
            assert old.text in told
            assert new.text in told
            assert (folder / "cosigned").read_text() == ""

    def test_goes_on_when_the_log_is_itself_again(self, folder):
        write(folder, ENTRIES[:300])
        watch(folder)
        write(folder, ENTRIES[:200])
        watch(folder)
        write(folder, ENTRIES[:301])

        assert watch(folder) == 0

    @pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff", b"a\n1\nb\n\n", "a\n\n— b AAAAAAAA\n".encode()])
    def test_cosigns_no_nonsense(self, folder, content):
        write(folder, ENTRIES[:3])
        watch(folder)
        before = (folder / "seen").read_bytes()
        (folder / "log" / "checkpoint").write_bytes(content)

        assert watch(folder) == 2
        assert (folder / "seen").read_bytes() == before

    def test_cosigns_no_other_key_and_no_other_log(self, folder):
        write(folder, ENTRIES[:3], OTHER_KEY)
        assert watch(folder) == 2
        write(folder, ENTRIES[:3], origin="registry.example/2")
        assert watch(folder) == 2
        assert not (folder / "seen").exists()

    def test_cosigns_nothing_whose_tiles_are_wrong_or_gone(self, folder):
        write(folder, ENTRIES[:3])
        watch(folder)
        write(folder, ENTRIES[:5])
        tile = folder / "log/tile/0/000.p/5"
        sound = tile.read_bytes()
        for content in (sound[:-1], bytes(5 * 32)):
            tile.write_bytes(content)
            assert watch(folder) == 2
        tile.unlink()
        assert watch(folder) == 2
        tile.write_bytes(sound)
        assert watch(folder) == 0

    def test_does_not_lose_or_replace_its_own_things(self, folder, capsys):
        assert witness.main(["--new-key", "witness.example/two", "--key", str(folder / "key")]) == 2
        assert witness.main(["--new-key", "two words", "--key", str(folder / "key2")]) == 2
        assert (folder / "key").stat().st_mode & 0o777 == 0o600
        write(folder, ENTRIES[:3])
        (folder / "seen").write_text("damaged")
        assert watch(folder) == 2
        for key in ("nonsense", KEY.text):
            (folder / "key").write_text(key)
            assert watch(folder) == 2

    def test_looks_by_one_at_a_time(self, folder):
        """Two at once could each cosign what the other would have refused."""
        write(folder, ENTRIES[:3])
        with (folder / "seen.lock").open("w") as lock, ThreadPoolExecutor() as pool:
            fcntl.flock(lock, fcntl.LOCK_EX)
            second = pool.submit(watch, folder)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.3)
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert second.result(timeout=30) == 0


class TestOverHttp:
    @pytest.fixture
    def served(self, folder):
        """The folder behind a web server that takes cosignatures, or answers what it is told to."""
        taken, answers = [], {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                file = folder / "log" / self.path.lstrip("/")
                self.answer(200 if file.exists() else 404, file.read_bytes() if file.exists() else b"")

            def do_POST(self):
                taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                self.answer(answers.get("status", 201), b"")

            def answer(self, status, content):
                self.send_response(status)
                self.send_header("Content-Length", str(len(answers.get("content", content))))
                self.end_headers()
                self.wfile.write(answers.get("content", content))

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", taken, answers
        server.shutdown()
        thread.join()
        server.server_close()

    def test_hands_its_cosignature_in(self, folder, served):
        url, taken, _answers = served
        head = write(folder, ENTRIES[:7])

        assert watch(folder, url + "/") == 0
        assert taken == [("/log/checkpoints/7/cosignatures", (folder / "cosigned").read_bytes())]
        assert cosigned(folder, head)

    def test_says_so_where_nobody_takes_it_or_answers(self, folder, served, capsys):
        url, _taken, answers = served
        write(folder, ENTRIES[:7])
        answers["status"] = 422
        assert watch(folder, url) == 2
        assert "422" in capsys.readouterr().err
        answers["content"] = b"x" * 1_000_001
        assert watch(folder, url) == 2
        assert watch(folder, "http://127.0.0.1:1") == 2
        assert watch(folder, "nowhere") == 2

    @pytest.mark.parametrize("answer", [b"", b"\x00\xff", b"HTTP/1.1 x y\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nnonsense"])
    def test_calls_nothing_misbehaviour_that_is_only_nonsense(self, folder, answer, capsys):
        with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor() as pool:

            def talk() -> None:
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

            talking = pool.submit(talk)
            assert watch(folder, f"http://127.0.0.1:{server.getsockname()[1]}") == 2
            talking.result(timeout=30)
        assert "COULD NOT LOOK" in capsys.readouterr().err
