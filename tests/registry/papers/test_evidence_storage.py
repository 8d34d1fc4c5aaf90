"""Papers take room: what is taken away is deleted in the end, and nobody fills the disk in a day."""

from dataclasses import replace
from datetime import timedelta
from os import utime

import pytest

from credits import jobs
from credits.registry.papers import evidence, evidence_uploads
from credits.registry.papers.evidence_storage import TooMuchToday
from credits.registry.production import EvidenceKind


def swept(stage, **after) -> int:
    stage.session.commit()
    return jobs.drop_unreferred_files(
        stage.session, files=stage.files, policy=stage.policy, at=stage.at + timedelta(**after)
    )


def aged(stage) -> None:
    """Let every file count as stored now, on the stage's clock."""
    for file in stage.files.root.glob("??/*"):
        utime(file, (stage.at.timestamp(), stage.at.timestamp()))


class TestDropUnreferredFiles:
    def test_deletes_what_was_taken_away_some_hours_ago(self, stage):
        batch = stage.draft()
        gone, kept = stage.paper(batch, EvidenceKind.ASSAY), stage.paper(batch, EvidenceKind.SCALE_LOG)
        names = [gone.sha256, kept.sha256]
        evidence.remove(stage.session, paper=gone, files=stage.files, by=stage.clerk, at=stage.at)
        aged(stage)

        assert swept(stage, hours=47) == 0
        assert swept(stage, hours=49) == 1
        assert [stage.files.path(name).exists() for name in names] == [False, True]

    def test_counts_the_hours_from_when_it_was_taken_away(self, stage):
        paper = stage.paper(stage.draft(), EvidenceKind.ASSAY)
        sha256 = paper.sha256
        utime(stage.files.path(sha256), (0, 0))
        evidence.remove(stage.session, paper=paper, files=stage.files, by=stage.clerk, at=stage.at)

        assert swept(stage, hours=1) == 0
        assert stage.files.path(sha256).exists()

    def test_leaves_what_came_back_meanwhile(self, stage):
        batch = stage.draft()
        paper = stage.paper(batch, EvidenceKind.ASSAY, content=b"a,b\n")
        evidence.remove(stage.session, paper=paper, files=stage.files, by=stage.clerk, at=stage.at)
        again = stage.paper(batch, EvidenceKind.ASSAY, content=b"a,b\n")
        aged(stage)

        assert swept(stage, days=9) == 0
        assert stage.files.read(again.sha256) == b"a,b\n"


class TestTooMuchToday:
    def test_refuses_more_than_a_day_s_bytes_removed_ones_too(self, stage):
        stage.policy = replace(stage.policy, evidence_bytes_a_day=10)
        batch = stage.draft()
        paper = stage.paper(batch, EvidenceKind.ASSAY, content=b"a,b\n12")
        evidence.remove(stage.session, paper=paper, files=stage.files, by=stage.clerk, at=stage.at)
        with pytest.raises(TooMuchToday) as refusal:
            stage.paper(batch, EvidenceKind.ASSAY, content=b"a,b\n3")

        assert refusal.value.detail == {"sent": 6, "most": 10}
        stage.paper(batch, EvidenceKind.ASSAY, content=b"a,b\n")
        stage.paper(batch, EvidenceKind.SCALE_LOG, content=b"a,b\n45", at=stage.at + timedelta(days=1))

    def test_says_so_before_anything_is_sent_in_pieces(self, stage):
        few = replace(stage.policy, evidence_bytes_a_day=10)
        with pytest.raises(TooMuchToday):
            evidence_uploads.begin(
                stage.session,
                batch=stage.draft(),
                filename="a.csv",
                size=11,
                handle="a" * 64,
                parts=None,
                policy=few,
                by=stage.clerk,
                key="k",
                at=stage.at,
            )
