"""What is said of a certificate later: by two people, in public, for ever; and no credit comes back by it."""

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from credits.certificates import issuing
from credits.certificates.issuing import Issuer
from credits.document_jobs import draw_certificate
from credits.ledger.models import AccountKind
from credits.registry import annotating
from credits.registry.annotating import AnnulledAlready, Standing
from credits.registry.movements import DecisionKind
from credits.registry.retirement import NoSuchRetirement
from credits.registry.second_person import SamePerson
from tests.documents import published, workshop_in

ISSUER = Issuer("ASM Credits", "https://registry.example")


@pytest.fixture
def retired(stage):
    made = stage.issued()
    stage.handed_over(made, 1_500)
    done = stage.retired(made, 750)
    issuing.freeze(stage.session, retirement=done, issuer=ISSUER)
    return done


class TestSay:
    def test_annotates_then_annuls_and_leaves_the_document_as_it_was(self, stage, retired, tmp_path):
        published(stage.session, tmp_path)
        workshop = workshop_in(tmp_path)
        before = draw_certificate(stage.session, number=retired.number, workshop=workshop, at=stage.at)
        stage.decided(DecisionKind.ANNOTATION, retired.number)
        assert annotating.standing_of(annotating.annotations_of(stage.session, retired)) is Standing.ANNOTATED
        stage.decided(DecisionKind.ANNULMENT, retired.number)
        stage.must_be_sound()

        certificate = issuing.certificate_numbered(stage.session, retired.number)
        told = issuing.status_told(stage.session, certificate)
        assert (told["status"], told["document_sha256"]) == ("annulled", before)
        assert [each["kind"] for each in told["annotations"]] == ["annotation", "annulment"]
        assert stage.balance(retired.issuance, stage.buyer.organisation).get(AccountKind.AVAILABLE) == 750
        story = issuing.events.story(stage.session, retired.number)
        assert [each.kind for each in story] == ["certificate.frozen", "certificate.annotated", "certificate.annulled"]
        assert json.loads(story[-1].body)["facts"]["text"] == "The assay was wrong."

    def test_takes_two_people(self, stage, retired):
        decision = stage.proposed(DecisionKind.ANNULMENT, retired.number)

        with pytest.raises(SamePerson):
            stage.approve(decision, by=stage.issuer)
        assert annotating.annotations_of(stage.session, retired) == []

    def test_annuls_once(self, stage, retired):
        first, second = (stage.proposed(DecisionKind.ANNULMENT, retired.number) for _ in range(2))
        stage.approve(first)

        with pytest.raises(AnnulledAlready):
            stage.approve(second)
        with pytest.raises(AnnulledAlready):
            stage.proposed(DecisionKind.ANNULMENT, retired.number)

    def test_is_of_a_certificate_that_there_is(self, stage):
        with pytest.raises(NoSuchRetirement):
            stage.proposed(DecisionKind.ANNOTATION, "ASMC-R-000099")

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE certificate_annotation SET text = 'x'",
            "DELETE FROM certificate_annotation",
            "INSERT INTO certificate_annotation SELECT 9, id, 'annulment', 'x', 99, retired_at FROM retirement",
        ],
    )
    def test_stays_said(self, stage, retired, statement):
        stage.decided(DecisionKind.ANNOTATION, retired.number)

        with pytest.raises(IntegrityError):
            stage.session.execute(text(statement))
