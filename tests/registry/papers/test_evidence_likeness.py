"""The same sheet scanned again is found, another sheet of the same form is not; and nobody verifies past a question."""

import threading

import pytest
from PIL import Image, ImageEnhance, ImageFilter
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import NotAllowed
from credits.journal import events
from credits.participants.models import Kind
from credits.participants.wording import UnsoundText
from credits.registry.making import batches
from credits.registry.papers import evidence, evidence_questions
from credits.registry.papers.evidence_likeness import OpenQuestions, likenesses_of
from credits.registry.papers.evidence_looking import look
from credits.registry.papers.evidence_models import Ground, Likeness, PagePrint, PaperNumber, PrintBand
from credits.registry.papers.evidence_questions import NoSuchQuestion, QuestionClosed, may_answer, others_seen
from credits.registry.production import Batch, EvidenceKind
from credits.registry.reviews import verification
from credits.registry.reviews.verification import NotTheReviewer
from tests import papers
from tests.batch_stage import FINDING
from tests.factories import UserFactory

PHOTO, ASSAY = EvidenceKind.PHOTO, EvidenceKind.ASSAY
LAB = {"reference": "2026-118", "issuer": "Alex Stewart"}
AGAIN = {
    "saved smaller": lambda page: page.resize((400, 566)),
    "saved worse": lambda page: page.filter(ImageFilter.GaussianBlur(1)),
    "paler": lambda page: ImageEnhance.Contrast(page).enhance(0.6),
    "darker": lambda page: ImageEnhance.Brightness(page).enhance(0.75),
    "without colour": lambda page: page.convert("L"),
    "cut by a hair": lambda page: page.crop((5, 7, 615, 870)),
    "laid crooked": lambda page: page.rotate(0.7, fillcolor="white"),
    "laid on its side": lambda page: page.transpose(Image.Transpose.ROTATE_90),
    "upside down": lambda page: page.transpose(Image.Transpose.ROTATE_180),
}


@pytest.fixture
def site(stage):
    return stage.site()


def photo(stage, batch, picture, **bent):
    return stage.paper(batch, PHOTO, content=papers.jpeg(picture), filename="a.jpg", **bent)


@pytest.fixture
def alike(stage, site):
    """A batch in review with a photo of a page that stands behind another batch of the producer already."""
    other = stage.complete(site, produced_from=FINDING.valid_from, produced_to=FINDING.valid_from)
    photo(stage, other, papers.form(1))
    batch = stage.complete(site)
    photo(stage, batch, AGAIN["saved smaller"](papers.form(1)))
    stage.session.refresh(batch)
    batches.submit(stage.session, batch=batch, policy=stage.policy, by=stage.clerk, at=stage.at)
    verification.take(stage.session, batch=batch, by=stage.lead, at=stage.at)
    return batch


def answer(stage, batch, **bent):
    likeness = likenesses_of(stage.session, batch)[0]
    asked = {
        "likeness": likeness,
        "text": "Two sheets of one pad.",
        "by": stage.lead,
        "key": stage.key(),
        "at": stage.at,
    }
    return evidence_questions.answer(stage.session, **asked | bent)


class TestNoteLikenesses:
    @pytest.mark.parametrize("how", AGAIN)
    def test_finds_the_same_sheet(self, stage, site, how):
        first = photo(stage, stage.draft(site), papers.form(1))
        again = photo(stage, stage.draft(site), AGAIN[how](papers.form(1)))

        found = stage.session.scalars(select(Likeness)).one()
        assert (found.evidence_id, found.other_id, found.ground) == (again.id, first.id, Ground.PICTURE)
        assert found.bits <= stage.policy.bits_alike

    def test_finds_a_page_of_a_scan_among_others(self, stage, site):
        first = stage.paper(
            stage.draft(site), ASSAY, content=papers.scan(*map(papers.form, (1, 2, 3))), filename="a.pdf"
        )
        stage.paper(stage.draft(site), ASSAY, content=papers.scan(papers.form(9), papers.form(3)), filename="b.pdf")

        assert stage.session.scalars(select(Likeness)).one().other_id == first.id

    def test_takes_other_sheets_of_the_same_form_for_others(self, stage, site):
        for number in range(6):
            photo(stage, stage.draft(site), papers.form(number))

        assert stage.session.scalar(select(func.count()).select_from(Likeness)) == 0

    def test_overlooks_empty_pages(self, stage, site):
        for size in (100, 120):
            photo(stage, stage.draft(site), Image.new("RGB", (size, size), "white"))

        assert stage.session.scalar(select(func.count()).select_from(PagePrint)) == 0

    def test_asks_nothing_about_two_photos_of_one_batch(self, stage, site):
        batch = stage.draft(site)
        for how in ("saved smaller", "paler"):
            photo(stage, batch, AGAIN[how](papers.form(1)))

        assert likenesses_of(stage.session, batch) == []

    def test_asks_at_most_three_times_about_one_paper(self, stage, site):
        for quality in range(30, 90, 12):
            stage.paper(
                stage.draft(site), PHOTO, content=papers.jpeg(papers.form(1), quality=quality), filename="a.jpg"
            )

        newest = stage.session.scalars(select(Batch).order_by(Batch.id.desc())).first()
        assert len(likenesses_of(stage.session, newest)) == 3

    @pytest.mark.parametrize(
        "one, other",
        [
            (LAB | {"reference": "2026-0118"}, LAB),
            (LAB, LAB | {"reference": "2O26.118"}),
            (LAB, LAB | {"issuer": "A. Stewart Ltd"}),
            (LAB, LAB | {"issuer": ""}),
        ],
    )
    def test_asks_about_a_number_that_could_be_one_misread(self, stage, site, one, other):
        stage.paper(stage.draft(site), ASSAY, **one)
        stage.paper(stage.draft(site), ASSAY, **other)

        assert stage.session.scalars(select(Likeness)).one().ground is Ground.NUMBER

    def test_writes_only_into_the_open_log_that_there_are_questions(self, stage, alike):
        other = likenesses_of(stage.session, alike)[0].other
        told = [event for event in events.story(stage.session, alike.number) if event.kind == "evidence.added"]

        assert b'"questions":1' in told[-1].body
        assert other.sha256.encode() not in told[-1].body
        assert other.batch.number.encode() not in told[-1].body

    def test_finds_two_that_are_added_at_once(self, stage, site, engine):
        ones = [stage.draft(site).id for _ in range(2)]
        clerk = stage.clerk.id
        stage.session.commit()
        looked = [look("a.jpg", papers.jpeg(papers.form(1), quality=quality), stage.policy) for quality in (60, 90)]
        ready = threading.Barrier(2)

        def add(number: int) -> None:
            with Session(engine) as session:
                ready.wait()
                begin_writing(session)
                evidence.add(
                    session,
                    batch=session.get_one(Batch, ones[number]),
                    kind=PHOTO,
                    reference="",
                    issuer="",
                    looked=looked[number],
                    files=stage.files,
                    policy=stage.policy,
                    by=session.get_one(type(stage.clerk), clerk),
                    key=f"at-once-{number}",
                    at=stage.at,
                )
                session.commit()

        both = [threading.Thread(target=add, args=(number,)) for number in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()

        assert stage.session.scalar(select(func.count()).select_from(Likeness)) == 1


class TestRemove:
    def test_takes_the_question_the_numbers_and_the_prints_along(self, stage, site):
        photo(stage, stage.draft(site), papers.form(1))
        paper = photo(stage, stage.draft(site), AGAIN["paler"](papers.form(1)))
        evidence.remove(stage.session, paper=paper, files=stage.files, by=stage.clerk, at=stage.at)
        stage.session.expire_all()

        for table, left in ((Likeness, 0), (PagePrint, 1), (PrintBand, 16), (PaperNumber, 1)):
            assert stage.session.scalar(select(func.count()).select_from(table)) == left


class TestAnswer:
    def test_opens_the_way_to_verify(self, stage, alike):
        with pytest.raises(OpenQuestions):
            stage.verify(alike)
        answered = answer(stage, alike)

        assert (answered.answer, answered.answered_by_id) == ("Two sheets of one pad.", stage.lead.id)
        assert events.story(stage.session, alike.number)[-1].kind == "evidence.question_answered"

    def test_is_given_once(self, stage, alike):
        assert answer(stage, alike, key="k").id == answer(stage, alike, key="k").id
        with pytest.raises(QuestionClosed):
            answer(stage, alike, text="Another.")

    def test_may_be_the_registry_s(self, stage, alike):
        assert answer(stage, alike, by=stage.issuer).answered_by_id == stage.issuer.id

    def test_is_nobody_else_s(self, stage, alike):
        with pytest.raises(NotTheReviewer):
            answer(stage, alike, by=UserFactory(kind=Kind.VERIFIER))
        for stranger in (stage.clerk, stage.buyer):
            with pytest.raises(NotAllowed):
                answer(stage, alike, by=stranger)
        assert not may_answer(stage.clerk, alike)
        assert may_answer(stage.lead, alike)

    def test_needs_words(self, stage, alike):
        with pytest.raises(UnsoundText):
            answer(stage, alike, text="  ")


class TestQuestionOf:
    def test_is_found_with_its_own_batch_alone(self, stage, alike):
        likeness = likenesses_of(stage.session, alike)[0]

        assert evidence_questions.question_of(stage.session, alike, likeness.id) is likeness
        for batch, number in ((likeness.other.batch, likeness.id), (alike, 999)):
            with pytest.raises(NoSuchQuestion):
                evidence_questions.question_of(stage.session, batch, number)


class TestOthersSeen:
    def test_tells_the_other_batch_to_those_alone_who_may_see_it(self, stage, alike):
        asked = likenesses_of(stage.session, alike)

        assert others_seen(stage.session, stage.clerk, asked) == {asked[0].other_id}
        assert others_seen(stage.session, stage.lead, asked) == set()  # the other one is a draft yet


COLUMNS = "evidence_id, kind, number, issuer_key, number_key, loose_key, counts"
ATTACKS = [
    "UPDATE batch SET state = 'verified', verified_by_id = reviewer_id WHERE state = 'in_review'",
    "DELETE FROM likeness",
    "UPDATE likeness SET bits = 200",
    "UPDATE likeness SET other_id = evidence_id",
    "UPDATE likeness SET answer = 'Fine.'",
    "UPDATE page_print SET print = substr(print, 2) || '0'",
    "DELETE FROM page_print",
    "DELETE FROM print_band",
    "UPDATE print_band SET value = value + 1",
    "DELETE FROM paper_number",
    "UPDATE paper_number SET counts = NOT counts",
    "UPDATE paper_number SET number_key = 'x'",
    "UPDATE evidence SET issuer = 'Another'",
    "UPDATE evidence SET pages = 9",
    f"INSERT INTO paper_number ({COLUMNS}) SELECT {COLUMNS} FROM paper_number",
]


class TestGuards:
    @pytest.mark.parametrize("attack", ATTACKS)
    def test_hold_against_hand_written_sql(self, stage, alike, attack):
        with pytest.raises(IntegrityError):
            stage.session.execute(text(attack))

    def test_keep_an_answer_as_it_was_given(self, stage, alike):
        answer(stage, alike)
        with pytest.raises(IntegrityError, match="answered once"):
            stage.session.execute(text("UPDATE likeness SET answer = 'Another.'"))
