"""Proof files, and the program that checks them with nothing but the file and a key."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import ROOT
from credits.journal import merkle, verify
from credits.journal.heads import Head
from credits.journal.merkle import BadProof, leaf_hash
from credits.journal.notes import LOG, WITNESS, SigningKey
from credits.journal.proofs import Proof, check, proof_in
from tests.journal import reference

KEY = SigningKey("registry.example/1", LOG, bytes(32))
WITNESS_KEY = SigningKey("witness.example/one", WITNESS, bytes(range(32)))
BODIES = [
    b'{"actor":"USR-000001","at":"2026-07-01T12:00:00.000000Z","facts":{"n":%d},"kind":"test","subject":"S"}' % number
    for number in range(11)
]


def made(index: int = 6, size: int = 11, key: SigningKey = KEY, body: bytes | None = b"") -> Proof:
    head = Head("registry.example/1", size, reference.root(BODIES[:size]))
    hashes = merkle.inclusion_proof(
        index, size, lambda level, at: reference.root(BODIES[:size][at << level : (at + 1) << level])
    )
    checkpoint = head.signed([key]) + WITNESS_KEY.cosign(head.text, 1_790_000_000)
    return Proof(index, tuple(hashes), checkpoint, BODIES[index] if body == b"" else body)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "event.tlog-proof"
    path.write_text(made().text)
    return path


def verified(file, *arguments: str, key: str = KEY.verifying.text) -> int:
    return verify.main([str(file), "--key", key, *arguments])


class TestProof:
    def test_is_read_as_it_was_written(self):
        for proof in (made(), made(0, 1), made(body=None)):
            assert proof_in(proof.text.encode()) == proof

    def test_has_the_form_of_the_specification(self):
        lines = made(0, 2, body=None).text.split("\n")

        assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 0"]
        assert len(lines[2]) == 44
        assert lines[3:5] == ["", "registry.example/1"]

    def test_proves_the_event_and_what_a_witness_saw(self):
        proven = check(made(), body=BODIES[6], keys=[KEY.verifying], witnesses=[WITNESS_KEY.verifying])

        assert (proven.index, proven.head.size) == (6, 11)
        assert proven.witnesses == (("witness.example/one", 1_790_000_000),)

    @pytest.mark.parametrize(
        "bent, said",
        [
            ({"body": BODIES[5]}, "does not lead to the root"),
            ({"keys": [SigningKey(KEY.name, LOG, b"x" * 32).verifying]}, "none of the keys"),
            ({"witnesses": [SigningKey("other", WITNESS, bytes(32)).verifying]}, "The witness other does not stand by"),
            ({"proof": made(key=SigningKey(KEY.name, LOG, b"x" * 32))}, "none of the keys"),
            ({"proof": made(5)}, "does not lead to the root"),
        ],
    )
    def test_names_what_fails(self, bent, said):
        asked = {"proof": made(), "body": BODIES[6], "keys": [KEY.verifying]} | bent

        with pytest.raises(BadProof, match=said):
            check(asked.pop("proof"), **asked)

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_holds_in_no_other_form(self, data):
        content = bytearray(made().text.encode())
        # Behind it stands a witness whom nobody asks about here.
        at = data.draw(st.integers(0, content.index("— witness".encode()) - 1))
        content[at] ^= 1 << data.draw(st.integers(0, 7))
        try:
            proof = proof_in(bytes(content))
        except BadProof:
            return
        with pytest.raises(BadProof):
            check(proof, body=proof.body or b"", keys=[KEY.verifying])


class TestVerify:
    def test_says_good_and_tells_the_event(self, file, capsys):
        assert verified(file) == 0
        told = capsys.readouterr().out
        assert "GOOD: entry 6 of 11 in the log registry.example/1." in told
        assert "test of S on 2026-07-01" in told

    def test_says_good_with_a_witness(self, file, capsys):
        assert verified(file, "--witness", WITNESS_KEY.verifying.text) == 0
        assert "witness.example/one saw it on 2026-09-21" in capsys.readouterr().out

    @pytest.mark.parametrize(
        "old, new",
        [("index 6", "index 5"), ("\n11\n", "\n12\n"), ("c2sp", "c3sp"), ("index 6", "index 06"), ("index", "inbox")],
    )
    def test_says_bad_of_a_changed_file(self, file, capsys, old, new):
        file.write_text(file.read_text().replace(old, new))

        assert verified(file) == 1
        assert capsys.readouterr().err.startswith("BAD: ")

    def test_says_bad_with_another_key(self, file):
        assert verified(file, key=SigningKey(KEY.name, LOG, b"x" * 32).verifying.text) == 1

    def test_says_bad_of_an_event_that_differs(self, file, tmp_path):
        event = tmp_path / "event.json"
        event.write_bytes(BODIES[6])
        assert verified(file, "--event", str(event)) == 0
        event.write_bytes(BODIES[5])
        assert verified(file, "--event", str(event)) == 1

    def test_cannot_tell_without_file_key_or_event(self, file, tmp_path, capsys):
        assert verified(tmp_path / "none") == 2
        assert verified(tmp_path) == 2
        assert verified(file, key="nonsense") == 2
        file.write_text(made(body=None).text)
        assert verified(file) == 2
        assert capsys.readouterr().err.count("COULD NOT TELL") == 4

    def test_cannot_tell_without_being_asked_properly(self):
        with pytest.raises(SystemExit) as end:
            verify.main([])
        assert end.value.code == 2

    @pytest.mark.parametrize("program", ["verify", "witness"])
    def test_needs_neither_flask_nor_a_database(self, file, program):
        code = (
            f"import sys, credits.journal.{program}\n"
            "print({name.split('.')[0] for name in sys.modules} & {'flask', 'sqlalchemy', 'werkzeug', 'psycopg'})"
        )
        run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

        assert run.stdout == "set()\n"

    def test_is_a_program(self, file):
        command = [sys.executable, "-m", "credits.journal.verify", str(file), "--key", KEY.verifying.text]
        assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_leaf_of_the_proof_is_of_the_exact_bytes():
    assert leaf_hash(BODIES[0]) == reference.root(BODIES[:1])
