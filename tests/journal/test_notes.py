"""Signed notes, with the examples that Go's sumdb/note is tested with."""

import pytest

from credits.journal.heads import Head, head_of, open_checkpoint
from credits.journal.notes import (
    LOG,
    WITNESS,
    BadKey,
    BadNote,
    SigningKey,
    is_name,
    open_note,
    read,
    signing_key,
    verifying_key,
)

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
BY_PETER = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
BY_ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
SEED = bytes(range(32))


def bent(text: str) -> list[str]:
    """Every part of `text`, and `text` with each sign in turn replaced by the next one."""
    parts = [text[first:last] for first in range(len(text)) for last in range(first, len(text) + 1)]
    changed = [text[:at] + chr(ord(text[at]) + 1) + text[at + 1 :] for at in range(len(text))]
    return [case for case in parts + changed if case != text]


class TestKeys:
    def test_are_the_same_text_again(self):
        assert verifying_key(PETER).text == PETER
        assert signing_key(PETER_SECRET).text == PETER_SECRET
        assert signing_key(PETER_SECRET).verifying.text == PETER

    def test_are_refused_with_anything_changed(self):
        for read_key, text in ((verifying_key, PETER), (signing_key, PETER_SECRET)):
            for case in bent(text):
                with pytest.raises(BadKey):
                    read_key(case)

    @pytest.mark.parametrize(
        "text",
        [
            "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
            "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        ],
    )
    def test_of_another_length_or_kind_are_refused(self, text):
        with pytest.raises(BadKey):
            verifying_key(text)

    def test_do_not_print_their_secret(self):
        assert "\\x01\\x02" not in repr(SigningKey("log", LOG, SEED))

    @pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\n"])
    def test_have_names_that_cannot_be_mistaken(self, name):
        assert not is_name(name)


class TestSign:
    def test_gives_the_known_signature(self):
        assert signing_key(PETER_SECRET).sign(TEXT) == BY_PETER

    def test_of_a_witness_states_the_time(self):
        key = SigningKey("witness.example/w1", WITNESS, SEED)
        note = open_note(f"{TEXT}\n{key.cosign(TEXT, 1_679_315_147)}", [key.verifying])

        assert note.signatures[0].seen_at == 1_679_315_147

    def test_of_a_witness_does_not_hold_for_another_time(self):
        key = SigningKey("witness.example/w1", WITNESS, SEED)
        signature = read(f"{TEXT}\n{key.cosign(TEXT, 1_679_315_147)}").signatures[0].signature

        assert not key.verifying.verifies(TEXT, (5).to_bytes(8, "big") + signature[8:])
        assert not SigningKey("witness.example/w1", LOG, SEED).verifying.verifies(TEXT, signature[8:])


class TestOpenNote:
    def test_counts_the_known_keys_alone(self):
        note = open_note(f"{TEXT}\n{BY_PETER}{BY_ENOCH}", [verifying_key(PETER)])

        assert note.text == TEXT
        assert [key.name for key in note.signed_by] == ["PeterNeumann"]
        assert [each.line for each in note.signatures] == [BY_PETER, BY_ENOCH]

    def test_knows_both(self):
        note = open_note(f"{TEXT}\n{BY_PETER}{BY_ENOCH}", [verifying_key(PETER), verifying_key(ENOCH)])

        assert [key.name for key in note.signed_by] == ["PeterNeumann", "EnochRoot"]

    def test_refuses_a_note_that_nobody_known_has_signed(self):
        with pytest.raises(BadNote, match="none of the keys"):
            open_note(f"{TEXT}\n{BY_ENOCH}", [verifying_key(PETER)])

    def test_refuses_a_wrong_signature_of_a_known_key(self):
        with pytest.raises(BadNote, match="PeterNeumann is wrong"):
            open_note(f"{TEXT}\n{BY_PETER[:60]}ABCD{BY_PETER[60:]}", [verifying_key(PETER)])

    @pytest.mark.parametrize(
        "message",
        [
            TEXT,
            TEXT + "\n",
            TEXT + "\n" + BY_PETER[:-1],
            "\x01" + TEXT + "\n" + BY_PETER,
            b"\xff" + TEXT.encode() + b"\n" + BY_PETER.encode(),
            TEXT + "\n" + BY_PETER.replace("PeterNeumann", "Bad Name"),
            TEXT + "\n" + BY_PETER + "Unexpected line.\n",
            TEXT + "\n" + BY_PETER * 101,
            b"",
        ],
    )
    def test_refuses_what_is_no_note(self, message):
        with pytest.raises(BadNote):
            open_note(message, [verifying_key(PETER)])


class TestCheckpoint:
    key = SigningKey("registry.example/1", LOG, SEED)
    head = Head("registry.example/1", 7, bytes(32))

    def test_reads_what_it_wrote(self):
        head, note = open_checkpoint(self.head.signed([self.key]), [self.key.verifying])

        assert head == self.head
        assert note.text == f"registry.example/1\n7\n{'A' * 43}=\n"

    def test_of_another_log_is_refused_although_the_key_has_signed_it(self):
        with pytest.raises(BadNote, match="does not speak"):
            open_checkpoint(Head("other", 7, bytes(32)).signed([self.key]), [self.key.verifying])

    @pytest.mark.parametrize(
        "text",
        [
            "log\n7\n",
            f"log\n07\n{'A' * 43}=\n",
            f"log\n-1\n{'A' * 43}=\n",
            f"log\n9223372036854775808\n{'A' * 43}=\n",
            f"log\n\n{'A' * 43}=\n",
            f"log\n7\n{'A' * 40}\n",
            f"log\n7\n{'A' * 42}B=\n",
            "log\n7\n?\n",
        ],
    )
    def test_refuses_what_is_no_head(self, text):
        with pytest.raises(BadNote):
            head_of(text)
