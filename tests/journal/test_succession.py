"""The newest database is gone for good: giving up what was lost, in public, and going on under another name."""

import json
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.journal import checkpoints, events, keys, outside, proving, succession, witness
from credits.journal.heads import Head, head_of, open_checkpoint
from credits.journal.losses import KIND, AnotherLog, losses
from credits.journal.merkle import verify_consistency
from credits.journal.notes import LOG, WITNESS, SigningKey, read
from credits.journal.outside import ReadOnly
from credits.journal.succession import NothingLost, NotTheLogs, OtherLoss
from tests.factories import AT
from tests.journal.publishing import append

LATER = AT + timedelta(days=1)
SEED = b"s" * 32


def checkpoint_of(log, size: int) -> str:
    """What the log would have signed for a history that this database does not have."""
    return Head(log.keys.origin, size, bytes([size]) * 32).signed(log.keys.signing(AT))


@pytest.fixture
def put_back(log):
    """A log of three entries, beside a checkpoint that says it had eight."""
    log.add(3)
    log.publish()
    assert outside.swap(log.data_dir, expected=log.kept(), new=checkpoint_of(log, 8))
    return log


def foreseen(log, given=None):
    with Session(log.engine) as session:
        return succession.foreseen(session, data_dir=log.data_dir, given=given)


def accept(log, **bent):
    given = bent.get("given")
    asked = {"confirmed": bent.pop("confirmed", None) or foreseen(log, given).confirmation, "given": given}
    asked |= {"seed": SEED, "reason": "The disk burnt.", "by": "USR-000001", "at": LATER}
    with Session(log.engine) as session:
        return succession.accept(session, data_dir=log.data_dir, **asked | bent)


def accepted(log) -> list:
    with Session(log.engine) as session:
        return losses(session)


class TestAccept:
    def test_says_in_public_what_was_lost_and_goes_on_under_another_name(self, put_back):
        older, lost = put_back.keys, put_back.kept()
        loss = accept(put_back)
        newest = put_back.newest()
        with Session(put_back.engine) as session:
            body = json.loads(proving.event_at(session, 3).body)

        assert body["kind"] == KIND
        assert body["actor"] == "USR-000001"
        assert body["facts"]["lost"] == {"origin": older.origin, "size": 8, "root": "08" * 32}
        assert body["facts"]["left"]["size"] == 3
        assert body["facts"]["checkpoint"] == loss.checkpoint == lost
        assert body["facts"]["reason"] == "The disk burnt."
        assert loss.origin == f"{older.origin}/2"
        assert body["facts"]["goes_on_as"] == {"origin": loss.origin, "key": put_back.keys.keys[0].public}
        assert open_checkpoint(newest.note, put_back.keys.public)[0] == Head(loss.origin, 4, newest.root)
        assert put_back.kept() == newest.note

    def test_lets_the_registry_write_and_publish_again(self, put_back):
        with pytest.raises(ReadOnly):
            put_back.publish()
        accept(put_back)
        put_back.add()

        assert put_back.publish(at=LATER).size == 5
        assert put_back.kept() == put_back.newest().note

    def test_keeps_the_beginning_that_both_logs_have(self, put_back):
        old = put_back.newest()
        accept(put_back)
        with Session(put_back.engine) as session:
            proof = proving.consistency(session, 3, 4)

        verify_consistency(3, 4, old.root, put_back.newest().root, proof)

    def test_signs_nothing_with_the_older_key_and_keeps_it_public(self, put_back):
        older = put_back.keys
        accept(put_back)
        kept = keys.load(put_back.data_dir)

        assert [(log.origin, [key.secret for key in log.keys]) for log in kept.earlier] == [(older.origin, [""])]
        assert kept.of_all_times == [*older.public, *kept.public]
        assert older.keys[0].secret not in (put_back.data_dir / keys.FILE).read_text()
        with Session(put_back.engine) as session:
            begin_writing(session)
            with pytest.raises(AnotherLog):
                checkpoints.publish(session, keys=older, at=LATER)

    def test_is_told_by_the_audit_which_agrees_otherwise(self, put_back):
        assert put_back.audit().findings
        accept(put_back)
        found = put_back.audit()

        assert found.findings == []
        assert [("had 8 entries" in said, "had published 3" in said) for said in found.losses] == [(True, True)]

    def test_proves_everything_under_the_new_name(self, put_back):
        cosigner = SigningKey("witness.example/one", WITNESS, bytes(32))
        with Session(put_back.engine) as session:
            begin_writing(session)
            line = cosigner.cosign(put_back.newest().note.rpartition("\n\n")[0] + "\n", 1_790_000_000)
            checkpoints.cosign(session, answer=line.encode(), size=3, witnesses=[cosigner.verifying], at=AT)
            session.commit()
        accept(put_back)
        with Session(put_back.engine) as session:
            proof = proving.proof_of(session, 0)

        assert head_of(read(proof.checkpoint).text).origin == put_back.keys.origin  # though a witness saw the older

    def test_can_happen_again(self, put_back):
        accept(put_back)
        put_back.add(2)
        put_back.publish()
        assert outside.swap(put_back.data_dir, expected=put_back.kept(), new=checkpoint_of(put_back, 90))
        loss = accept(put_back, seed=b"t" * 32)

        assert loss.origin.endswith("/3")
        assert [each.left.size for each in accepted(put_back)] == [3, 6]
        assert put_back.audit().findings == []
        assert len(put_back.audit().losses) == 2

    def test_takes_a_checkpoint_that_somebody_else_has_kept(self, log):
        """DATA_DIR was lost with the database, and brought back with it: nothing here knows of anything newer."""
        log.add(3)
        log.publish()
        lost = checkpoint_of(log, 8)
        with pytest.raises(NothingLost):
            foreseen(log)
        log.add()
        log.publish()  # the registry went on for a while, and its witnesses did not
        stranger = SigningKey("witness.example/one", WITNESS, bytes(32))
        given = lost + stranger.cosign(lost.rpartition("\n\n")[0] + "\n", 1_790_000_000)
        loss = accept(log, given=given)

        assert (loss.lost.size, loss.left.size, loss.checkpoint) == (8, 4, lost)
        assert log.audit().findings == []

    def test_takes_it_in_the_place_of_a_damaged_one(self, log):
        log.add(3)
        log.publish()
        lost = checkpoint_of(log, 8)
        (log.data_dir / outside.FILE).write_text("damaged")
        with pytest.raises(NotTheLogs):
            foreseen(log)
        accept(log, given=lost)
        log.add()

        assert log.publish(at=LATER).size == 5

    def test_gives_up_nothing_else_than_what_was_confirmed(self, put_back):
        with pytest.raises(OtherLoss):
            accept(put_back, confirmed="8-0000000000000000")

        assert accepted(put_back) == []
        assert not put_back.keys.earlier
        assert put_back.newest().size == 3

    def test_gives_up_nothing_where_nothing_is_lost(self, log):
        log.add()
        log.publish()
        with pytest.raises(NothingLost):
            foreseen(log)
        with pytest.raises(NothingLost):
            foreseen(log, log.newest().note)

    def test_gives_up_nothing_twice(self, put_back):
        lost = put_back.kept()
        accept(put_back)

        with pytest.raises(NothingLost):
            foreseen(put_back, lost)

    @pytest.mark.parametrize("given", ["", "nonsense", "a\n1\nb\n\n— a AAAAAAAA\n"])
    def test_believes_nobody_who_is_not_the_log(self, put_back, given):
        with pytest.raises(NotTheLogs):
            foreseen(put_back, given)
        forged = Head(put_back.keys.origin, 9, bytes(32)).signed([SigningKey(put_back.keys.origin, LOG, b"f" * 32)])
        with pytest.raises(NotTheLogs):
            foreseen(put_back, forged)

    @pytest.mark.parametrize("broken", ["append", "place", "publish", "swap"])
    def test_can_be_repeated_where_it_was_broken_off(self, put_back, monkeypatch, broken):
        where = {"append": events, "place": succession.sequencing, "publish": checkpoints, "swap": outside}[broken]

        def die(*_: object, **__: object) -> None:
            raise RuntimeError("power cut")

        with monkeypatch.context() as patched:
            patched.setattr(where, broken, die)
            with pytest.raises(RuntimeError):
                accept(put_back)
        if broken == "swap":  # committed: only the checkpoint outside is behind, and no more counts as missing
            put_back.publish(at=LATER)
        else:
            assert accepted(put_back) == []
            with pytest.raises(ReadOnly):
                put_back.publish()
            accept(put_back, seed=b"u" * 32)

        assert len(accepted(put_back)) == 1
        assert put_back.kept() == put_back.newest().note
        assert put_back.audit().findings == []


class TestPublish:
    def test_signs_nothing_for_a_database_from_before_the_loss(self, put_back):
        """Keys of the log that goes on, beside a database that knows nothing of it: two histories under one name."""
        keys.succeed(put_back.data_dir, seed=SEED, at=LATER)
        (put_back.data_dir / outside.FILE).unlink()
        append_to = put_back.add()
        with pytest.raises(AnotherLog):
            put_back.publish()

        assert append_to
        assert put_back.newest().size == 3


class TestWitness:
    def test_is_not_asked_to_sign_a_fork(self, put_back, tmp_path, capsys):
        folder, key = tmp_path / "copy", tmp_path / "key"
        folder.mkdir()
        witness.main(["--new-key", "witness.example/one", "--key", str(key)])
        older = put_back.keys
        (folder / "checkpoint").write_text(checkpoint_of(put_back, 8))
        asked = ["--log", f"file://{folder}", "--key", str(key), "--seen", str(tmp_path / "seen")]
        assert witness.main([*asked, "--log-key", older.public[0].text]) == 0
        accept(put_back)
        (folder / "checkpoint").write_text(put_back.newest().note)

        assert witness.main([*asked, "--log-key", older.public[0].text]) == 2  # another log, of which it knows nothing
        assert witness.main([*asked, "--log-key", put_back.keys.public[0].text]) == 2
        assert "remember each in a file of its own" in capsys.readouterr().err


def test_an_event_of_the_same_subject_is_no_loss(log):
    with Session(log.engine) as session:
        begin_writing(session)
        append(session, kind="log.key_added", subject="LOG")
        assert losses(session) == []
