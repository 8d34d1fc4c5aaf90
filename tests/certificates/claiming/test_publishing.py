from dataclasses import replace
from datetime import date
from threading import Thread

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.certificates import issuing
from credits.certificates.claiming import publishing
from credits.certificates.claiming.claim_entries import BadPlacement, Placement, SaysTooMuch
from credits.certificates.claiming.claim_models import PublishedClaim
from credits.certificates.claiming.claims import sentences
from credits.certificates.claiming.published import marks_in
from credits.certificates.claiming.publishing import (
    Annulled,
    ClaimsTooMuch,
    CorrectedSince,
    NotItsRetirement,
    Withdrawn,
)
from credits.certificates.facts import read
from credits.certificates.issuing import Issuer
from credits.certificates.wording import LANGUAGES
from credits.db import begin_writing
from credits.errors import Invalid
from credits.journal.models import Event
from credits.ledger.posting import BadQuantity
from credits.participants.models import Kind, Language, Organisation, RoleName, User
from credits.participants.permissions import WrongRole
from credits.participants.wording import UnsoundText
from credits.registry.models import Retirement
from credits.registry.movements import DecisionKind
from tests.factories import OrganisationFactory, UserFactory
from tests.stage import CLAIM

WAITED = 0.4  # seconds in which the second has come as far as it comes beside the first
SOUND = "We retired credits for our batteries. The cobalt in our products is not physically traced to this site."


@pytest.fixture
def retired(stage):
    made = stage.issued()
    stage.handed_over(made, 1_500)
    retired = stage.retired(made, 750)
    issuing.freeze(stage.session, retirement=retired, issuer=Issuer("Registry", "https://registry.example"))
    return retired


@pytest.fixture
def placement(stage):
    return Placement("Annual report", "https://example.org/report", stage.at.date(), Language.EN, SOUND)


@pytest.fixture
def publish(stage, retired, placement):
    def publish(quantity=750, **bent) -> PublishedClaim:
        asked = {"organisation": stage.buyer.organisation, "parts": [(retired, quantity)], "about": "Cells N1"}
        asked |= {"placement": placement, "by": stage.buyer, "key": stage.key(), "at": stage.at}
        return publishing.publish(stage.session, **asked | bent)

    return publish


def later(stage, **more):
    return {"by": stage.buyer, "key": stage.key(), "at": stage.at} | more


class TestPublish:
    def test_records_where_when_and_how_much_once_a_key(self, stage, publish, retired):
        claim = publish(key="once")

        assert publish(key="once") is claim
        assert [(part.retirement_id, part.quantity) for part in claim.parts] == [(retired.id, 750)]
        (entry,) = claim.standing
        assert (entry.medium, entry.address, entry.text) == ("Annual report", "https://example.org/report", SOUND)
        told = stage.session.scalars(select(Event).where(Event.subject == claim.number)).one()
        assert (told.kind, b"ASMC-R-000001 750" in told.body, b"batteries" in told.body) == (
            "claim.placed",
            True,
            False,
        )

    def test_claims_no_more_than_was_retired(self, stage, publish):
        publish(500)
        with pytest.raises(ClaimsTooMuch) as refusal:
            publish(251)

        assert refusal.value.detail == {"asked": 251, "left": 250, "retirement": "ASMC-R-000001"}

    def test_is_kept_by_the_database(self, stage, publish, retired):
        claim = publish(500)
        stage.session.commit()
        begin_writing(stage.session)
        other = (
            "INSERT INTO published_claim (id, organisation_id, about, made_by_id, made_at)"
            " SELECT 99, organisation_id, 'x', made_by_id, made_at FROM published_claim"
        )
        for hostile in (
            f"INSERT INTO claimed_quantity VALUES (99, {retired.id}, 251)",
            f"INSERT INTO claimed_quantity VALUES ({claim.id}, {retired.id}, 1)",
            "UPDATE claimed_quantity SET quantity = 1",
            "DELETE FROM claimed_quantity",
            "UPDATE claim_entry SET text = 'Ethical.'",
            "DELETE FROM claim_entry",
            "DELETE FROM published_claim",
        ):
            stage.session.execute(text(other))
            with pytest.raises(IntegrityError):
                stage.session.execute(text(hostile))
            stage.session.rollback()
            begin_writing(stage.session)

    def test_of_two_at_once_the_second_sees_the_first(self, stage, engine, retired, placement):
        stage.session.commit()
        ids, at, refused = (retired.id, stage.buyer.id), stage.at, []

        def publishing_in(session: Session, key: str) -> None:
            by = session.get_one(User, ids[1])
            publishing.publish(
                session,
                organisation=session.get_one(Organisation, by.organisation_id),
                parts=[(session.get_one(Retirement, ids[0]), 500)],
                about="Cells",
                placement=placement,
                by=by,
                key=key,
                at=at,
            )

        def after() -> None:
            with Session(engine) as session:
                begin_writing(session)
                try:
                    publishing_in(session, "second")
                    session.commit()
                except ClaimsTooMuch as refusal:
                    refused.append(refusal.detail["left"])

        with Session(engine) as session:
            begin_writing(session)
            publishing_in(session, "first")
            thread = Thread(target=after)
            thread.start()
            thread.join(WAITED)
            session.commit()
        thread.join()

        assert refused == [250]

    def test_refuses_a_text_that_says_too_much_and_takes_the_allowed_sentence(self, stage, publish, retired, placement):
        with pytest.raises(SaysTooMuch) as refusal:
            publish(1, placement=replace(placement, text="Our batteries contain traceable cobalt."))
        assert refusal.value.detail["marks"][0].startswith("contain traceable cobalt: ")

        facts = read(issuing.certificate_numbered(stage.session, retired.number).facts)
        (left,) = sentences([facts | {"quantity_base_units": 749}], "en")
        assert publish(749, placement=replace(placement, text=f"Proud! {left.text}"))

    def test_takes_no_other_figures_than_those_of_the_claim(self, publish, placement):
        with pytest.raises(SaysTooMuch) as refusal:
            publish(50, placement=replace(placement, text="We retired 750 kg of cobalt."))

        assert "0.05 credits, 50 kg" in refusal.value.detail["marks"][0]
        assert publish(500, placement=replace(placement, text="We retired 0.5 credits, equal to 500 kg of cobalt."))

    def test_lets_a_part_be_claimed_in_the_allowed_sentence(self, stage, publish, retired, placement):
        facts = read(issuing.certificate_numbered(stage.session, retired.number).facts)
        for language in LANGUAGES:
            (part,) = sentences([facts | {"quantity_base_units": 100}], language)
            assert publish(100, placement=replace(placement, text=part.plain, language=Language(language)))
        (whole,) = sentences([facts], "en")
        assert [
            mark.kind for mark in marks_in(stage.session, whole.text.replace("750 kg", "751 kg"), [retired.id])
        ] == ["quantity"]
        assert not marks_in(stage.session, whole.plain, [retired.id])

    def test_is_for_who_retired_or_was_retired_for(self, stage, publish, retired, placement):
        reader = UserFactory(organisation=stage.buyer.organisation, may=[RoleName.READER])
        with pytest.raises(WrongRole):
            publish(by=reader)
        with pytest.raises(NotItsRetirement):
            publish(organisation=stage.second.organisation, by=stage.second)
        with pytest.raises(NotItsRetirement):
            publish(organisation=stage.coop, by=stage.manager)

        other = OrganisationFactory(kind=Kind.MANUFACTURER, country="SWE", registration_number="556-X")
        own = stage.retired(retired.issuance, 10, claim=replace(CLAIM, identifier="556 x"))
        by = UserFactory(organisation=other)
        assert publish(parts=[(own, 10)], organisation=other, by=by)

    @pytest.mark.parametrize(
        "bent, refused",
        [
            ({"medium": " "}, UnsoundText),
            ({"text": ""}, UnsoundText),
            ({"address": "javascript:alert(1)"}, BadPlacement),
            ({"address": "https://"}, BadPlacement),
            ({"address": "https://[x"}, BadPlacement),
            ({"published_on": date(2020, 1, 1)}, BadPlacement),
            ({"published_on": date(2031, 1, 1)}, BadPlacement),
        ],
    )
    def test_refuses_a_placement_that_cannot_be(self, publish, placement, bent, refused):
        with pytest.raises(refused):
            publish(placement=replace(placement, **bent))

    def test_refuses_quantities_that_cannot_be(self, publish, retired):
        for quantity in (0, -1, True):
            with pytest.raises(BadQuantity):
                publish(quantity)
        for parts in ([], [(retired, 1), (retired, 1)]):
            with pytest.raises(Invalid):
                publish(parts=parts)


class TestLater:
    def test_a_claim_stands_in_several_places_and_claims_once(self, stage, publish, placement):
        claim = publish()
        there = replace(placement, medium="Advertisement", address="", published_on=stage.at.date())
        publishing.place(stage.session, claim=claim, placement=there, **later(stage))

        assert [entry.medium for entry in claim.standing] == ["Annual report", "Advertisement"]

    def test_a_correction_stands_beside_what_it_corrects(self, stage, publish, placement):
        claim = publish()
        first = claim.standing[0]
        better = replace(placement, text="We retired 0.75 credits.")
        asked = {"claim": claim, "entry": first, "placement": better}
        publishing.correct(stage.session, **asked, **later(stage))

        assert [entry.text for entry in claim.standing] == ["We retired 0.75 credits."]
        assert len(claim.entries) == 2
        with pytest.raises(CorrectedSince):
            publishing.correct(stage.session, **asked, **later(stage))
        worse = asked | {"entry": claim.standing[0], "placement": replace(placement, text="Ethical.")}
        with pytest.raises(SaysTooMuch):
            publishing.correct(stage.session, **worse, **later(stage))

    def test_nothing_more_is_said_on_an_annulled_certificate(self, stage, publish, placement, retired):
        claim = publish(500)
        stage.decided(DecisionKind.ANNULMENT, retired.number)
        for act in (
            lambda: publish(1),
            lambda: publishing.place(stage.session, claim=claim, placement=placement, **later(stage)),
            lambda: publishing.correct(
                stage.session, claim=claim, entry=claim.standing[0], placement=placement, **later(stage)
            ),
        ):
            with pytest.raises(Annulled):
                act()
        publishing.withdraw(stage.session, claim=claim, reason="It was annulled.", **later(stage))

    def test_a_withdrawn_claim_frees_its_quantity_and_stays_in_the_record(self, stage, publish, placement):
        claim = publish()
        publishing.withdraw(stage.session, claim=claim, reason="The report was replaced.", **later(stage, key="w"))
        publishing.withdraw(stage.session, claim=claim, reason="The report was replaced.", **later(stage, key="w"))

        assert claim.withdrawn.reason == "The report was replaced."
        assert publish().number != claim.number
        with pytest.raises(Withdrawn):
            publishing.place(stage.session, claim=claim, placement=placement, **later(stage))
        stage.session.commit()
