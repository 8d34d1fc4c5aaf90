import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from credits import jobs
from credits.db import begin_writing
from credits.journal import checkpoints, keys, proving, sequencing, storage
from credits.journal.checkpoints import NoSigningKey, NotACosignature
from credits.journal.heads import open_checkpoint
from credits.journal.merkle import verify_consistency, verify_inclusion
from credits.journal.notes import WITNESS, SigningKey
from credits.journal.tiles import Tile
from tests.factories import AT
from tests.journal import reference
from tests.journal.publishing import append

WITNESSED = 1_790_000_000


class TestPublish:
    def test_signs_the_root_over_the_events_bytes(self, log):
        log.add(300)
        log.publish()
        head, _note = open_checkpoint(log.newest().note, log.keys.public)
        with Session(log.engine) as session:
            entries = reference.entries_in(storage.content(session, Tile(None, 0)))
            entries += reference.entries_in(storage.content(session, Tile(None, 1, 44)))

        assert head.size == 300
        assert head.root == log.newest().root == reference.root(entries)

    def test_grows_the_same_tree_bit_by_bit(self, log):
        for count in (1, 2, 252, 1, 1, 300):
            log.add(count)
            log.publish()

        assert log.checkpoints() == 6
        assert log.audit().findings == []

    def test_adds_nothing_where_nothing_happened(self, log):
        assert log.publish().size == 0
        log.add()
        log.publish()
        log.publish()

        assert log.checkpoints() == 1

    def test_does_not_care_for_a_clock_that_was_set_back(self, log):
        log.add()
        log.publish(at=AT)
        log.add(at=AT - timedelta(days=3))
        done = log.publish(at=AT - timedelta(days=3))

        assert (done.size, log.newest().size) == (2, 2)
        assert log.newest().published_at < AT
        assert log.audit().findings == []

    def test_lets_two_publish_at_once(self, log, monkeypatch):
        monkeypatch.setattr(jobs, "EVENTS_AT_A_TIME", 20)
        log.add(100)
        assert log.keys
        publishers = [threading.Thread(target=log.publish) for _ in range(3)]
        for thread in publishers:
            thread.start()
        for thread in publishers:
            thread.join()

        assert sorted(log.places().values()) == list(range(100))
        assert log.newest().size == 100
        assert log.kept() == log.newest().note
        assert log.audit().findings == []

    def test_lets_the_second_publisher_find_what_the_first_has_signed(self, log):
        log.add(3)
        log.publish()
        log.add(2)
        with Session(log.engine) as session:
            begin_writing(session)
            sequencing.place(session, sequencing.without_place(session).events)
            session.commit()
            begin_writing(session)
            first = checkpoints.publish(session, keys=log.keys, at=AT)
            assert first is not None
            with ThreadPoolExecutor() as pool:
                second = pool.submit(log.publish)
                with pytest.raises(TimeoutError):
                    second.result(timeout=0.5)  # it waits for the first
                session.commit()
                assert second.result(timeout=30).size == 5

        assert log.checkpoints() == 2

    def test_says_so_where_no_key_signs(self, log):
        log.add()
        over = keys.LogKeys(log.keys.origin, ())
        with Session(log.engine) as session, pytest.raises(NoSigningKey):
            jobs.publish_log(session, keys=over, data_dir=log.data_dir, at=AT)

    @pytest.mark.parametrize(
        "attack",
        [
            "UPDATE log_leaf SET position = 9",
            "DELETE FROM log_leaf",
            "DELETE FROM log_checkpoint",
            "UPDATE log_checkpoint SET note = 'x'",
            "UPDATE log_subtree SET hash = hash",
            "DELETE FROM log_subtree",
        ],
    )
    def test_is_for_good(self, log, attack):
        log.add(257)
        log.publish()
        with log.engine.connect() as connection, pytest.raises(DBAPIError, match="never rewritten"):
            connection.exec_driver_sql(attack)


class TestProving:
    def test_proves_every_event_and_every_growth(self, log):
        log.add(5)
        log.publish()
        old = log.newest()
        log.add(6)
        log.publish()
        new = log.newest()
        with Session(log.engine) as session:
            for index in range(11):
                proof = proving.proof_of(session, index)
                leaf = reference.root([bytes(proof.body)])
                verify_inclusion(index, 11, leaf, proof.hashes, new.root)
            verify_consistency(5, 11, old.root, new.root, proving.consistency(session, 5, 11))

    def test_knows_nothing_of_what_is_not_published(self, log):
        log.add()
        log.publish()
        unpublished = log.add()[0]
        with Session(log.engine) as session:
            with pytest.raises(proving.NotInLog):
                proving.place_of(session, unpublished)
            for index in (1, -1, 10**15):
                with pytest.raises(proving.NotInLog):
                    proving.proof_of(session, index)
            with pytest.raises(proving.NotInLog):
                proving.consistency(session, 1, 2)

    def test_prefers_a_checkpoint_that_a_witness_saw(self, log):
        log.add()
        log.publish()
        cosign(log, 1)
        log.add()
        log.publish()
        with Session(log.engine) as session:
            assert "\n1\n" in proving.proof_of(session, 0).checkpoint
            assert "\n2\n" in proving.proof_of(session, 1).checkpoint


witness = SigningKey("witness.example/one", WITNESS, bytes(32))


def cosign(log, size: int, answer: bytes | None = None, known=(witness.verifying,)) -> list[str]:
    with Session(log.engine) as session:
        begin_writing(session)
        if answer is None:
            answer = witness.cosign(log.newest().note.rpartition("\n\n")[0] + "\n", WITNESSED).encode()
        names = checkpoints.cosign(session, answer=answer, size=size, witnesses=known, at=AT)
        session.commit()
        return names


def told(log) -> str:
    with Session(log.engine) as session:
        return checkpoints.told(session, checkpoints.newest(session))


class TestCosign:
    def test_adds_the_line_of_a_known_witness_to_the_checkpoint(self, log):
        log.add()
        log.publish()

        assert cosign(log, 1) == ["witness.example/one"]
        _head, note = open_checkpoint(told(log), [*log.keys.public, witness.verifying])
        assert {key.name for key in note.signed_by} == {log.keys.origin, "witness.example/one"}
        assert log.audit().cosignatures == 1

    def test_takes_the_same_once_and_serves_the_newest(self, log):
        log.add()
        log.publish()
        later = witness.cosign(log.newest().note.rpartition("\n\n")[0] + "\n", WITNESSED + 60)
        cosign(log, 1)
        cosign(log, 1)
        cosign(log, 1, later.encode())

        assert told(log) == log.newest().note + later
        assert log.audit().cosignatures == 2

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"\n",
            b"\xff\xfe",
            b"nonsense\n",
            "— witness.example/one AAAA\n".encode(),
            "— witness.example/one \n".encode(),
            b"x" * 20_000 + b"\n",
            SigningKey("witness.example/one", WITNESS, bytes(32)).cosign("another\n1\n", WITNESSED).encode(),
            SigningKey("witness.example/two", WITNESS, bytes(32)).cosign("another\n1\n", WITNESSED).encode(),
        ],
    )
    def test_changes_nothing_for_nonsense(self, log, answer):
        log.add()
        log.publish()
        with pytest.raises(NotACosignature):
            cosign(log, 1, answer)

        assert told(log) == log.newest().note

    def test_takes_all_or_nothing(self, log):
        log.add()
        log.publish()
        sound = witness.cosign(log.newest().note.rpartition("\n\n")[0] + "\n", WITNESSED)
        with pytest.raises(NotACosignature):
            cosign(log, 1, f"{sound}— witness.example/one AAAAAAAA\n".encode())

        assert told(log) == log.newest().note

    def test_refuses_a_stranger_and_a_checkpoint_that_is_not_there(self, log):
        log.add()
        log.publish()
        with pytest.raises(NotACosignature):
            cosign(log, 1, known=())
        with pytest.raises(NotACosignature):
            cosign(log, 2)


class TestKeyRotation:
    def test_signs_with_both_for_a_while(self, log):
        log.add()
        log.publish()
        first = log.keys.public
        keys.rotate(log.data_dir, seed=bytes(32), at=AT, overlap=timedelta(days=30))
        log.add()
        log.publish(at=AT + timedelta(days=29))
        second = log.keys.public[1:]

        assert open_checkpoint(log.newest().note, first)[0] == open_checkpoint(log.newest().note, second)[0]

        log.add()
        log.publish(at=AT + timedelta(days=31))
        assert [key.key_id for key in open_checkpoint(log.newest().note, log.keys.public)[1].signed_by] == [
            second[0].key_id
        ]
        assert log.audit().findings == []


def test_an_event_is_in_the_log_of_its_own_transaction_alone(log):
    with Session(log.engine) as session:
        begin_writing(session)
        append(session)
        if log.engine.dialect.name == "postgresql":
            assert log.publish().events == 0
        session.rollback()
    assert log.publish().events == 0
