from datetime import timedelta
from os import utime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from credits import jobs
from credits.db import begin_writing
from credits.errors import Invalid
from credits.files import Parts
from credits.registry.papers import evidence_uploads
from credits.registry.papers.evidence import EvidenceClosed
from credits.registry.papers.evidence_looking import UnusableFile
from credits.registry.papers.evidence_models import Upload
from credits.registry.papers.evidence_uploads import GivenUp, NoSuchUpload, NotAtTheEnd, NotWhole, TooMuch
from credits.registry.production import EvidenceKind
from tests import papers
from tests.factories import UserFactory

PDF = papers.pdf()


@pytest.fixture
def parts(tmp_path):
    return Parts(tmp_path / "uploads")


@pytest.fixture
def begin(stage, parts):
    numbers = iter(range(1_000))

    def begun(batch=None, **bent):
        asked = {
            "batch": batch or stage.draft(),
            "filename": "assay.pdf",
            "size": len(PDF),
            "handle": f"{next(numbers):064x}",
            "parts": parts,
            "policy": stage.policy,
            "by": stage.clerk,
            "key": stage.key(),
            "at": stage.at,
        }
        return evidence_uploads.begin(stage.session, **asked | bent)

    return begun


def given_up_elsewhere(stage, upload, engine, parts) -> Upload:
    """An upload that this session has read, and another device has given up since."""
    stage.session.commit()
    stage.session.refresh(upload)
    known = {"id": upload.id, "handle": upload.handle, "size": upload.size, "batch_id": upload.batch_id}
    stage.session.rollback()
    with Session(engine) as elsewhere:
        begin_writing(elsewhere)
        evidence_uploads.drop(elsewhere, elsewhere.get_one(Upload, known["id"]), parts)
        elsewhere.commit()
    begin_writing(stage.session)
    for name, value in known.items():
        set_committed_value(upload, name, value)
    return upload


class TestBegin:
    @pytest.mark.parametrize(
        "bent",
        [
            {"size": 0},
            {"size": -1},
            {"size": 20_000_001},
            {"filename": "film.mp4"},
            {"filename": "paper"},
            {"filename": ""},
            {"filename": "x" * 300 + ".pdf"},
        ],
    )
    def test_refuses_before_anything_is_sent(self, begin, stage, bent):
        with pytest.raises(Invalid):
            begin(**bent)

        assert stage.session.scalar(select(func.count()).select_from(Upload)) == 0

    def test_is_closed_when_papers_are(self, begin, stage):
        with pytest.raises(EvidenceClosed):
            begin(stage.submitted())

    def test_counts_once_a_key(self, begin, stage):
        batch = stage.draft()

        assert begin(batch, key="k").id == begin(batch, key="k").id

    def test_makes_room_by_dropping_the_oldest(self, begin, stage, parts):
        batch = stage.draft()
        oldest = begin(batch).handle
        for _ in range(evidence_uploads.MOST_OPEN):
            begin(batch)

        assert stage.session.scalar(select(func.count()).select_from(Upload)) == evidence_uploads.MOST_OPEN
        assert not parts.path(oldest).exists()


class TestAppend:
    def test_puts_pieces_together(self, begin, parts):
        upload = begin()
        for offset in range(0, len(PDF), 100):
            there = evidence_uploads.append(upload, offset=offset, piece=PDF[offset : offset + 100], parts=parts)

        assert there == evidence_uploads.arrived(upload, parts) == len(PDF)
        assert evidence_uploads.whole(upload, parts) == PDF

    @pytest.mark.parametrize("offset", [0, 50, 150])
    def test_takes_a_piece_at_the_end_alone(self, begin, parts, offset):
        upload = begin()
        evidence_uploads.append(upload, offset=0, piece=PDF[:100], parts=parts)
        with pytest.raises(NotAtTheEnd) as refusal:
            evidence_uploads.append(upload, offset=offset, piece=PDF[:10], parts=parts)

        assert refusal.value.detail == {"offset": 100}

    def test_takes_no_more_than_was_said(self, begin, parts):
        with pytest.raises(TooMuch):
            evidence_uploads.append(begin(), offset=0, piece=PDF + b"x", parts=parts)

    @pytest.mark.parametrize("name, piece", [("a.jpg", b"MZ\x90"), ("a.pdf", papers.png()[:50]), ("a.csv", PDF[:50])])
    def test_refuses_at_the_first_piece_what_could_never_be_taken(self, begin, parts, name, piece):
        with pytest.raises(UnusableFile):
            evidence_uploads.append(begin(filename=name), offset=0, piece=piece, parts=parts)


class TestWhole:
    def test_is_not_given_before_all_is_there(self, begin, parts):
        upload = begin()
        evidence_uploads.append(upload, offset=0, piece=PDF[:100], parts=parts)
        with pytest.raises(NotWhole):
            evidence_uploads.whole(upload, parts)

    def test_says_that_a_lost_file_is_gone(self, begin, parts):
        upload = begin()
        parts.drop(upload.handle)
        for act in (evidence_uploads.whole, evidence_uploads.arrived):
            with pytest.raises(NoSuchUpload):
                act(upload, parts)
        with pytest.raises(NoSuchUpload):
            evidence_uploads.append(upload, offset=0, piece=PDF, parts=parts)


class TestUploadOf:
    def test_is_for_whoever_began_it(self, begin, stage):
        upload = begin()

        assert evidence_uploads.upload_of(stage.session, stage.clerk, upload.handle) is upload
        for stranger in (stage.manager, UserFactory()):
            with pytest.raises(NoSuchUpload):
                evidence_uploads.upload_of(stage.session, stranger, upload.handle)


class TestBecome:
    def test_refuses_where_the_file_was_given_up_meanwhile(self, begin, stage, engine, parts):
        batch = stage.draft()
        upload = given_up_elsewhere(stage, begin(batch), engine, parts)
        paper = stage.paper(batch, EvidenceKind.ASSAY)
        with pytest.raises(GivenUp):
            evidence_uploads.become(stage.session, upload, paper)

    def test_lets_two_give_the_same_file_up(self, begin, stage, engine, parts):
        evidence_uploads.drop(stage.session, given_up_elsewhere(stage, begin(), engine, parts), parts)


class TestDropAbandoned:
    def test_forgets_what_nobody_finished_and_what_no_row_knows(self, begin, stage, parts):
        old, new, used = begin(), begin(at=stage.at + timedelta(hours=47)), begin()
        evidence_uploads.become(stage.session, used, stage.paper(used.batch, EvidenceKind.ASSAY))
        parts.begin("f" * 64)
        utime(parts.path("f" * 64), (0, 0))
        names = [old.handle, new.handle]
        stage.session.commit()
        dropped = jobs.drop_abandoned_uploads(
            stage.session, parts=parts, policy=stage.policy, at=stage.at + timedelta(hours=49)
        )

        assert dropped == 3
        assert [parts.path(name).exists() for name in names] == [False, True]
        assert [left.handle for left in stage.session.scalars(select(Upload))] == [names[1]]
