from datetime import UTC, date, datetime

import pytest
from sqlalchemy.exc import IntegrityError

from credits.ledger import balances
from credits.ledger.models import AccountKind
from credits.participants.models import Kind, Kyc, RoleName
from credits.participants.permissions import WrongRole
from credits.registry import issuance
from credits.registry.accounts import account_of
from credits.registry.debits import lock_carry
from credits.registry.issuance import NothingToIssue, NotIssuable, NotThreePeople
from credits.registry.issuance_counts import CarriedRemainder
from credits.registry.making.batches import WrongState
from credits.registry.mines import site_records, site_states
from credits.registry.production import Answer, BatchState
from tests.factories import UserFactory


class TestIssue:
    def test_gives_the_producer_the_whole_contained_quantity(self, stage):
        made = stage.issued()
        account = account_of(stage.session, stage.coop, AccountKind.AVAILABLE)

        assert (made.quantity, made.number) == (2_500, "ASMC-CO-COD-KAM001-2026-0001")
        assert balances.balance(stage.session, accounts=[account], issuance_id=made.id) == 2_500
        assert made.batch.state is BatchState.ISSUED

    def test_counts_issuances_by_site_and_vintage(self, stage):
        site = stage.site()
        stage.issued(site)
        second = stage.issued(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 15))

        assert second.number.endswith("-2026-0002")

    def test_deducts_what_was_sold_or_registered_elsewhere(self, stage):
        assert stage.issued(sold_with_premium=400, registered_elsewhere=100).quantity == 2_000

    def test_issues_nothing_where_nothing_is_left(self, stage):
        carried = lock_carry(stage.session, stage.coop.id, "CO")
        with pytest.raises(NothingToIssue):
            issuance.taken_from_carry(stage.session, stage.draft(sold_with_premium=2_500), carried, owing=0)

    def test_carries_the_remainder_to_the_next_batch(self, stage):
        site = stage.site()
        first = stage.issued(site, gross_kg="1240", moisture="0", grade="31.2")  # 386.88 kg
        carried = stage.session.get_one(CarriedRemainder, (stage.coop.id, "CO"))
        assert (first.quantity, carried.nanograms) == (386, 880_000_000_000)

        second = stage.issued(
            site,
            gross_kg="1",
            moisture="0",
            grade="12",  # 0.12 kg: with what was carried a whole one
            produced_from=date(2026, 6, 1),
            produced_to=date(2026, 6, 15),
        )
        assert (second.quantity, carried.nanograms) == (1, 0)

    def test_happens_once_a_batch(self, stage):
        batch = stage.verified()
        first = stage.issue(batch, key="once")

        assert stage.issue(batch, key="once").id == first.id
        with pytest.raises(WrongState):
            stage.issue(batch, key="again")

    def test_is_for_issuers(self, stage):
        with pytest.raises(WrongRole):
            stage.issue(
                stage.verified(), by=UserFactory(organisation=stage.issuer.organisation, may=[RoleName.AUDITOR])
            )

    def test_says_of_mercury_what_was_verified_whatever_is_recorded_later(self, stage):
        site = stage.site(mercury=Answer.YES)
        batch = stage.verified(site)
        site_records.enter(
            stage.session,
            site=site,
            kind="mercury",
            day=date(2026, 6, 30),
            figures={"used": Answer.NO, "note": ""},
            by=stage.clerk,
            key="m",
            at=stage.at,
        )
        june = {"produced_from": date(2026, 6, 1), "produced_to": date(2026, 6, 30)}

        assert stage.issue(batch).facts["producer"]["mercury"] == "yes"
        assert stage.issued(site, **june).facts["producer"]["mercury"] == "no"

    def test_keeps_the_facts_as_they_were(self, stage):
        made = stage.issued()
        made.batch.site.name = "Another name"
        stage.coop.name = "Another cooperative"
        stage.session.commit()

        assert made.facts["producer"]["site_name"] == "Kamilombe"

    @pytest.mark.parametrize("change", [{"quantity": 9_999}, {"vintage": 2027}, {"number": "ASMC-X"}])
    def test_makes_attributes_that_never_change(self, stage, change):
        made = stage.issued()
        for name, value in change.items():
            setattr(made, name, value)
        with pytest.raises(IntegrityError):
            stage.session.flush()


class TestMustBeThird:
    def test_refuses_an_issuer_of_the_verifier_s_organisation(self, stage):
        batch = stage.verified()
        with pytest.raises(NotThreePeople):
            issuance.must_be_third(UserFactory(organisation=stage.lead.organisation), batch)

    def test_refuses_a_submission_of_a_group_manager_who_acts_for_the_producer_no_longer(self, stage):
        agent = UserFactory(kind=Kind.GROUP_MANAGER)
        stage.coop.group_manager_id = agent.organisation_id
        stage.clerk = agent
        batch = stage.verified()
        stage.coop.group_manager_id = UserFactory(kind=Kind.GROUP_MANAGER).organisation_id
        with pytest.raises(NotThreePeople, match="as the group has changed"):
            stage.issue(batch)

    def test_is_kept_by_the_database_too(self, stage):
        batch = stage.verified()
        with pytest.raises(IntegrityError, match=r"three_organisations|three_people|a person of their own"):
            issuance.enter(stage.session, batch, 1, stage.lead, stage.at)


class TestObstacles:
    def test_names_none_for_a_sound_batch(self, stage):
        assert issuance.obstacles(stage.verified(), stage.policy, stage.at) == []

    def test_names_a_licence_that_ends_a_day_early(self, stage):
        batch = stage.verified()
        batch.site.licences[0].valid_to = date(2026, 5, 30)
        with pytest.raises(NotIssuable) as refusal:
            stage.issue(batch)

        (said,) = refusal.value.detail["obstacles"]
        assert "ends on 30 May 2026, one day before the last production day, 31 May 2026" in said

    def test_names_an_assurance_that_begins_a_day_late(self, stage):
        batch = stage.verified()
        with stage.session.no_autoflush:  # the database would refuse it too
            batch.assurance.valid_from = date(2026, 4, 2)
            found = issuance.obstacles(batch, stage.policy, stage.at)
        stage.session.expire(batch.assurance)

        assert found == ["The assurance does not cover the whole production period: 2026-04-01 lies outside it."]

    def test_names_a_suspended_site(self, stage):
        batch = stage.verified()
        asked = {"site": batch.site, "reason": "Red.", "policy": stage.policy, "by": stage.issuer, "at": stage.at}
        site_states.suspend(stage.session, key="red", **asked)
        with pytest.raises(NotIssuable, match="suspended"):
            stage.issue(batch)

    def test_names_a_producer_past_approval_no_more(self, stage):
        batch = stage.verified()
        stage.coop.kyc, stage.coop.kyc_reason, stage.coop.kyc_decided_at = Kyc.SUSPENDED, "Why.", stage.at
        with pytest.raises(NotIssuable, match="approved"):
            stage.issue(batch)

    @pytest.mark.parametrize(
        "at, late",
        [(datetime(2027, 5, 31, 12, tzinfo=UTC), False), (datetime(2027, 6, 1, 12, tzinfo=UTC), True)],
    )
    def test_names_a_production_of_more_than_twelve_months_ago(self, stage, at, late):
        found = issuance.obstacles(stage.verified(), stage.policy, at)

        assert any("months ago" in sentence for sentence in found) is late


class TestExpected:
    def test_is_what_is_then_issued(self, stage):
        batch = stage.verified(sold_with_premium=100)

        assert issuance.expected(stage.session, batch).base_units == stage.issue(batch).quantity

    def test_is_no_business_of_a_producer(self, stage):
        with pytest.raises(WrongRole):
            stage.issue(stage.verified(), by=UserFactory(kind=Kind.COOPERATIVE))
