"""Twelve ways to tamper with the database, and some with what stands outside of it: all are found."""

import pytest

from credits.journal import keys, outside
from credits.journal.heads import Head, head_of
from credits.journal.notes import LOG, SigningKey, read
from tests.factories import AT

SWAP_BODIES = (
    "UPDATE event SET body = (SELECT other.body FROM event other WHERE other.id = 5 - event.id),"
    " subject = 'SITE-000099' WHERE id IN (2, 3)"
)
FLIPPED = "UPDATE event SET body = (SELECT other.body FROM event other WHERE other.id = 9) WHERE id = 2"


@pytest.fixture
def published(log):
    """300 events under two checkpoints."""
    log.add(280)
    log.publish()
    log.add(20)
    log.publish()
    return log


def forge(log, seed: bytes, size: int, root: bytes) -> str:
    """A checkpoint of the log's name that another key has signed."""
    origin = log.keys.origin
    return Head(origin, size, root).signed([SigningKey(origin, LOG, seed)])


class TestAudit:
    def test_agrees_with_an_honest_log(self, published):
        published.add()
        found = published.audit()

        assert (found.findings, found.events, found.waiting, found.checkpoints) == ([], 300, 1, 2)

    @pytest.mark.parametrize(
        "statements, said",
        [
            ([FLIPPED], "Event 2 is not what was entered"),
            (["DELETE FROM event WHERE id = 7"], "Event 7, at place 6 of the log, was deleted"),
            (
                ["DELETE FROM log_leaf WHERE event_id = 7", "DELETE FROM event WHERE id = 7"],
                "Place 6 of the log is empty",
            ),
            ([SWAP_BODIES], "Event 2 is not what was entered"),
            (
                [
                    "DELETE FROM log_leaf WHERE position IN (3, 4)",
                    "INSERT INTO log_leaf SELECT 3, 5, hash FROM log_leaf WHERE position = 10",
                    "INSERT INTO log_leaf SELECT 4, 4, hash FROM log_leaf WHERE position = 11",
                ],
                "not what was entered at place 3",
            ),
            (
                ["UPDATE log_leaf SET hash = (SELECT root FROM log_checkpoint WHERE size = 280) WHERE position = 5"],
                "place 5",
            ),
            (
                ["UPDATE log_subtree SET hash = (SELECT root FROM log_checkpoint WHERE size = 280)"],
                "The subtree 0 of level 1",
            ),
            (["DELETE FROM log_subtree"], "The subtree 0 of level 1"),
            (["INSERT INTO log_subtree SELECT 1, 1, hash FROM log_subtree"], "The subtree 1 of level 1 has no events"),
            (
                [
                    (
                        "UPDATE log_checkpoint SET root = (SELECT root FROM log_checkpoint WHERE size = 280)"
                        " WHERE size = 300"
                    ),
                ],
                "The checkpoint of 300 events has another root",
            ),
            (["DELETE FROM log_checkpoint WHERE size = 300"], "the newest checkpoint of the database has 280"),
            (
                ["DELETE FROM log_leaf WHERE position >= 290"],
                "A checkpoint of 300 events was published, and the log has 290",
            ),
            (["UPDATE event SET actor = 'USR-000666' WHERE id = 9"], "Event 9 is listed with another actor"),
            (["UPDATE event SET subject = 'SITE-000000' WHERE id = 9"], "Event 9 is listed with another subject"),
        ],
    )
    def test_finds_a_changed_database(self, published, statements, said):
        published.tamper(*statements)

        assert any(said in finding for finding in published.audit().findings)

    def test_finds_a_checkpoint_that_another_key_signed(self, published):
        root = published.newest().root
        published.tamper(
            "UPDATE log_checkpoint SET note = :note WHERE size = 300", note=forge(published, b"x" * 32, 300, root)
        )

        assert any("300 events is not signed by the log" in finding for finding in published.audit().findings)

    def test_finds_a_history_that_was_computed_anew_by_who_has_the_key(self, published):
        # Everything in the database agrees with itself: only what stands outside does not.
        published.tamper(
            "DELETE FROM log_checkpoint",
            "DELETE FROM log_subtree",
            "DELETE FROM log_leaf",
            "UPDATE event SET kind = 'site.registered' WHERE id < 0",
            "DELETE FROM event WHERE id = 300",
        )
        kept = published.kept()
        (published.data_dir / outside.FILE).unlink()
        published.publish()
        published.add()
        published.publish()
        (published.data_dir / outside.FILE).write_text(kept)

        findings = published.audit().findings
        assert len(findings) == 1
        assert "or another history" in findings[0]

    def test_finds_other_keys(self, published):
        origin = published.keys.origin
        (published.data_dir / keys.FILE).unlink()
        other = keys.make(published.data_dir, origin=origin, seed=bytes(32), at=AT)

        findings = published.audit().findings
        assert other.keys
        assert any("not signed by the log" in finding for finding in findings)

    def test_finds_missing_keys(self, published):
        (published.data_dir / keys.FILE).unlink()

        assert any("no keys of the log" in finding for finding in published.audit().findings)

    def test_finds_that_nothing_is_kept_outside(self, published):
        (published.data_dir / outside.FILE).unlink()

        assert any("No checkpoint is kept" in finding for finding in published.audit().findings)

    def test_finds_a_forged_checkpoint_outside(self, published):
        forged = forge(published, b"x" * 32, 300, published.newest().root)
        (published.data_dir / outside.FILE).write_text(forged)

        assert any("is not the log's" in finding for finding in published.audit().findings)

    def test_finds_a_changed_private_field(self, log):
        log.add(private={"name": "Amina"})
        log.publish()
        assert log.audit().findings == []
        log.tamper("UPDATE event_secret SET value = 'Somebody'")

        assert log.audit().findings == ["The private field 'name' of event 1 is not what was entered."]

    def test_finds_a_cosignature_that_belongs_elsewhere(self, published):
        text = head_of(read(published.newest().note).text).text
        published.tamper(
            "INSERT INTO log_cosignature (size, witness, seen_at, line, received_at) VALUES (300, 'w', 1, :line, :at)",
            line=SigningKey("w", LOG, bytes(32)).sign(text),
            at="2026-07-01T12:00:00.000000Z",
        )

        assert any("A cosignature under the checkpoint of 300" in finding for finding in published.audit().findings)
