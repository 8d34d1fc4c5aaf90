"""Who is told of what, by every occurrence that the rules know."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from credits.ledger import remember_refusal
from credits.participants import organisations
from credits.participants.models import Kind, Kyc, Language, RoleName
from credits.participants.wording import moment_shown
from credits.registry import bulk, decisions, expiry, guarding, transfer
from credits.registry.bulk_lines import LineRefused, TransferLine
from credits.registry.making import batches
from credits.registry.mines import grievances
from credits.registry.models import Cause
from credits.registry.movements import DecisionKind
from credits.registry.reviews import verification
from tests.factories import AT, OrganisationFactory, UserFactory


def kinds(told: list[tuple[str, str]]) -> list[str]:
    return [kind for kind, _ in told]


@pytest.fixture
def made(telling, session):
    issuance = telling.issued()
    session.commit()
    return issuance


class TestBatches:
    def test_tell_the_producer_and_whose_turn_it_is(self, telling, told):
        batch = telling.in_review()
        verification.request_information(
            telling.session, batch=batch, text="Which scale?", by=telling.lead, key="ask", at=AT
        )
        assert kinds(told(telling.manager)) == ["batch_asked"]
        assert "Which scale?" in told(telling.clerk)[0][1]

        batches.answer(
            telling.session, batch=batch, text="The new one.", policy=telling.policy, by=telling.clerk, key="a", at=AT
        )
        assert kinds(told(telling.lead)) == ["batch_drawn", "batch_answered"]
        assert "The new one." in told(telling.lead)[1][1]

    def test_tell_the_registry_where_nobody_can_verify_one(self, telling, told):
        telling.lead.organisation.kyc, telling.lead.organisation.kyc_reason = Kyc.SUSPENDED, "Why."
        telling.submitted()

        assert kinds(told(telling.issuer)) == ["nobody_drawn"]

    def test_tell_the_group_manager_who_acts_for_the_producer(self, telling, told):
        agent = UserFactory(kind=Kind.GROUP_MANAGER)
        telling.coop.group_manager_id = agent.organisation_id
        telling.issued()

        assert kinds(told(agent)) == kinds(told(telling.manager)) == ["batch_verified", "batch_issued"]
        assert kinds(told(telling.issuer)) == kinds(told(telling.colleague)) == ["batch_to_issue"]

    def test_tell_of_a_rejection_with_its_reasons(self, telling, told):
        verification.reject(
            telling.session, batch=telling.in_review(), text="No scale.", by=telling.lead, key="r", at=AT
        )

        assert "No scale." in told(telling.manager)[0][1]


class TestGrievances:
    def test_tell_the_registry_and_the_verifier_and_never_the_producer(self, telling, told):
        batch = telling.in_review()
        asked = {"words": "It burns.", "contact": "", "key": "a" * 32, "policy": telling.policy, "at": AT}
        before = kinds(told(telling.manager))
        grievances.file(telling.session, site=batch.site, **asked)

        assert kinds(told(telling.issuer))[-1:] == kinds(told(telling.lead))[-1:] == ["grievance_filed"]
        assert "grievance_filed" not in kinds(told(telling.manager))
        assert before == []


class TestTransfers:
    def test_tell_the_other_side(self, telling, made, told):
        offers = [telling.offered(made, 500) for _ in range(4)]
        transfer.accept(telling.session, transfer=offers[0], by=telling.buyer, at=AT)
        transfer.reject(telling.session, transfer=offers[1], reason="Too early.", by=telling.buyer, at=AT)
        transfer.withdraw(telling.session, transfer=offers[2], by=telling.manager, at=AT)
        telling.session.commit()
        telling.unanswered(AT + timedelta(days=15))

        assert kinds(told(telling.buyer)) == ["transfer_offered"] * 4 + ["transfer_withdrawn", "transfer_lapsed"]
        said = told(telling.manager)[2:]
        assert kinds(said) == ["transfer_accepted", "transfer_rejected", "transfer_unanswered"]
        assert "500 kg of cobalt" in said[0][1]
        assert "Too early." in said[1][1]
        assert said[2][1].endswith(f"/transfers/{offers[3].number}")

    def test_tell_each_recipient_of_a_statement_once(self, telling, made, told):
        lines = [TransferLine(made.number, 5, telling.buyer.organisation.number)] * 3
        lines.append(TransferLine(made.number, 5, telling.second.organisation.number))
        bulk.transfer(
            telling.session, sender=telling.coop, lines=lines, policy=telling.policy, by=telling.manager, key="b", at=AT
        )

        assert "in 3 transfers" in told(telling.buyer)[0][1]
        assert kinds(told(telling.second)) == ["transfer_offered"]

    def test_tell_the_second_person_and_the_recipient_only_after_them(self, telling, made, told):
        guarded = replace(telling.policy, guarded=(Cause.FIRST,))
        offer = telling.offered(made, 5, policy=guarded)
        assert kinds(told(telling.issuer))[-1] == "transfer_to_approve"  # the producer has one manager alone
        new = UserFactory(organisation=telling.coop, may=[RoleName.MANAGER], registered_at=AT)
        telling.offered(made, 5, policy=guarded)
        assert (kinds(told(new)), kinds(told(telling.issuer))[-2:]) == ([], ["transfer_to_approve"] * 2)
        second = UserFactory(organisation=telling.coop, may=[RoleName.MANAGER])
        lines = [TransferLine(made.number, 5, telling.buyer.organisation.number)] * 3
        bulk.transfer(
            telling.session, sender=telling.coop, lines=lines, policy=guarded, by=telling.manager, key="b", at=AT
        )
        assert kinds(told(second)) == ["transfers_to_approve"]
        assert told(telling.buyer) == []

        guarding.approve(telling.session, transfer=offer, policy=guarded, by=second, at=AT)
        (kind, words) = told(telling.buyer)[0]
        assert (kind, f"from {moment_shown(AT + timedelta(hours=guarded.hours_to_wait))}" in words) == (
            "transfer_opens",
            True,
        )

    def test_tell_nobody_of_what_was_undone(self, telling, made, told, session):
        nobody = OrganisationFactory(kind=Kind.VERIFIER)
        session.commit()
        telling.offered(made, 5)
        session.rollback()
        lines = [TransferLine(made.number, 5, nobody.number)]
        with pytest.raises(LineRefused) as refusal:
            bulk.transfer(
                session, sender=telling.coop, lines=lines, policy=telling.policy, by=telling.manager, key="b", at=AT
            )
        remember_refusal(session, refusal.value)

        assert told(telling.buyer) == []

    def test_tell_of_what_was_done_instead_of_what_was_undone(self, telling, made, told):
        point = telling.session.begin_nested()
        undone = [telling.offered(made, 5)]
        point.rollback()
        telling.session.commit()
        undone.append(telling.offered(made, 5))
        telling.session.rollback()
        done = telling.offered(made, 5)

        ((kind, words),) = told(telling.buyer)
        assert (kind, words.endswith(f"/transfers/{done.number}"), len(undone)) == ("transfer_offered", True, 2)

    def test_tell_of_an_offer_that_is_no_longer_at_hand(self, telling, made, told):
        number = telling.offered(made, 5).number
        telling.session.expunge_all()

        ((kind, words),) = told(telling.buyer)
        assert (kind, words.endswith(f"/transfers/{number}")) == ("transfer_offered", True)

    def test_tell_nobody_twice_under_one_key(self, telling, made, told):
        for _ in range(2):
            telling.offered(made, 5, key="same")
            telling.session.commit()

        assert kinds(told(telling.buyer)) == ["transfer_offered"]


class TestHolds:
    def test_tell_the_holder_why(self, telling, made, told):
        telling.handed_over(made, 500)
        held = telling.held(made, holder=telling.buyer.organisation)
        (kind, words) = told(telling.buyer)[-1]
        assert (kind, "500 kg of cobalt" in words, "A question about the scale." in words) == ("held", True, True)

        telling.decided(DecisionKind.RELEASE, held.number)
        assert kinds(told(telling.buyer))[-1] == "released"
        assert kinds(told(telling.colleague))[-1] == "decision_waits"
        assert kinds(told(telling.issuer))[-1] == "decision_approved"

    def test_of_zero_tolerance_tell_producer_holders_and_whoever_waited_for_an_offer(self, telling, made, told):
        telling.handed_over(made, 500)
        telling.offered(made, 100, telling.second)
        telling.session.commit()
        telling.frozen(made)

        assert "Children at work." in told(telling.manager)[-1][1]
        (kind, words) = told(telling.buyer)[-1]
        assert (kind, made.number in words, "Children" in words) == ("held_behind_sold", True, False)
        assert kinds(told(telling.second)) == ["transfer_offered", "transfer_stopped"]


class TestSuspension:
    def test_tells_every_holder(self, telling, made, told):
        telling.handed_over(made, 500)
        telling.suspended(made)
        telling.session.commit()
        telling.decided(DecisionKind.LIFT, made.number)

        for person in (telling.manager, telling.buyer):
            assert kinds(told(person))[-2:] == ["suspended", "suspension_lifted"]
        assert told(telling.second) == []


class TestDecisions:
    def test_tell_the_producer_of_a_roll_back(self, telling, made, told):
        telling.decided(DecisionKind.ROLL_BACK, made.number)

        assert "The assay was wrong." in told(telling.manager)[-1][1]
        assert kinds(told(telling.manager))[-1] == "rolled_back"

    def test_tell_the_holder_of_a_cancellation_and_an_export(self, telling, made, told):
        telling.decided(DecisionKind.CANCELLATION, made.number, holder=telling.coop.number, quantity=5)
        telling.session.commit()
        telling.decided(
            DecisionKind.EXPORT,
            made.number,
            telling.manager,
            holder=telling.coop.number,
            quantity=5,
            registry="Other",
            reference="O-1",
        )

        assert kinds(told(telling.manager))[-3:] == ["cancelled", "exported", "decision_approved"]
        assert told(telling.manager)[-1][1].split()[-1].startswith("/exports/DECISION-")

    def test_tell_the_producer_of_a_debit(self, telling, made, told):
        telling.handed_over(made, 500)
        telling.decided(DecisionKind.DEBIT, made.number, quantity=200)

        assert "200 kg of cobalt too much" in told(telling.manager)[-1][1]

    def test_tell_the_proposer_of_a_refusal(self, telling, made, told):
        waiting = telling.proposed(DecisionKind.ROLL_BACK, made.number)
        decisions.decline(telling.session, decision=waiting, by=telling.colleague, key="no", at=AT)

        assert kinds(told(telling.issuer))[-1] == "decision_declined"


class TestExpiry:
    def test_is_told_before_and_when_it_comes(self, telling, made, told):
        telling.handed_over(made, 500)
        midnight = datetime.combine(expiry.last_day(made, telling.policy), time(), UTC)
        for days in (90, 30, 7, 6):
            expiry.warn_due(telling.session, policy=telling.policy, at=midnight - timedelta(days=days))
            telling.session.commit()
        telling.expired(midnight + timedelta(days=1))
        telling.session.commit()

        said = [words for kind, words in told(telling.buyer) if kind == "expiry_near"]
        assert [words.partition("days left: ")[2].split(".")[0] for words in said] == ["90", "30", "7"]
        assert kinds(told(telling.buyer))[-1] == "expired"
        assert "500 kg of cobalt" in told(telling.buyer)[-1][1]
        assert "2,000 kg of cobalt" in told(telling.manager)[-1][1]


class TestOrganisations:
    def test_hear_of_the_decision_on_them(self, telling, told):
        organisation, person = organisations.sign_up(
            telling.session,
            kind=Kind.MANUFACTURER,
            name="Nordlicht",
            legal_form="AB",
            country_code="SWE",
            registration_number=None,
            address="Way 1",
            contact_email="a@example.org",
            person="Nora",
            email="nora@example.org",
            language=Language.FR,
            password="x",
            handle="h",
            at=AT,
        )
        assert kinds(told(telling.issuer)) == ["organisation_waits"]
        organisations.approve(telling.session, organisation, by=telling.issuer, at=AT)
        telling.session.commit()
        organisations.suspend(telling.session, organisation, reason="Unpaid.", by=telling.issuer, at=AT)

        assert kinds(told(person)) == ["organisation_approved", "organisation_suspended"]
        assert "Unpaid." in told(person)[-1][1]

    def test_that_are_refused_read_why(self, telling, told):
        person = UserFactory(organisation=OrganisationFactory(kyc=Kyc.PENDING))
        organisations.refuse(telling.session, person.organisation, reason="Unknown.", by=telling.issuer, at=AT)

        assert "Unknown." in told(person)[0][1]


class TestPeople:
    def test_whose_account_is_closed_are_told_nothing(self, telling, made, told):
        telling.buyer.active = False
        telling.session.flush()
        other = UserFactory(organisation=telling.buyer.organisation)
        telling.offered(made, 5)

        assert (told(telling.buyer), kinds(told(other))) == ([], ["transfer_offered"])
