import json
from datetime import date

import pytest

from credits.errors import Invalid, Missing
from credits.journal import events
from credits.journal.events import story
from credits.journal.models import EventSecret
from credits.participants.models import Kind, Kyc
from credits.participants.permissions import NotApproved, WrongRole
from credits.registry.making import batches
from credits.registry.making.batches import ChangedMeanwhile, WrongState
from credits.registry.making.completeness import Incomplete, Overlapping
from credits.registry.making.figures import Production
from credits.registry.minerals import BadMeasure
from credits.registry.production import BatchState, EvidenceKind
from credits.registry.reviews import verification
from tests.batch_stage import COBALT
from tests.factories import UserFactory


class TestDraft:
    def test_computes_the_contained_quantity_exactly(self, stage):
        batch = stage.draft()

        assert (batch.dry_mg, batch.contained_ng) == (8_000 * 10**6, 2_500 * 10**12)
        assert (batch.state, batch.vintage) == (BatchState.DRAFT, 2026)

    def test_takes_gold_by_fineness_and_without_moisture(self, stage):
        batch = stage.draft(mineral_code="AU", form="doré", gross_kg="1.3", moisture="0", grade="915.5")

        assert batch.contained_ng == 1_190_150 * 10**6  # mg of fine gold

    @pytest.mark.parametrize(
        "bent",
        [
            {"grade": "100.5"},
            {"grade": "0"},
            {"grade": "NaN"},
            {"moisture": "100"},
            {"moisture": "-1"},
            {"gross_kg": "0"},
            {"gross_kg": "1e400"},
            {"gross_kg": "١٢"},
            {"form": "doré"},
            {"mineral_code": "XX"},
            {"produced_to": date(2026, 3, 31)},
            {"produced_to": date(2026, 7, 2)},
            {"miners": -1},
            {"days_worked": 62},
            {"sold_with_premium": 2_000, "registered_elsewhere": 501},
            {"sold_with_premium": -1},
            {"registered_elsewhere": 2**63},
            {"sold_to": "x" * 201},
            {"mineral_code": "AU", "form": "doré", "grade": "900"},
        ],
        ids=str,
    )
    def test_refuses_what_cannot_be(self, stage, bent):
        with pytest.raises(Invalid):
            stage.draft(**bent)

    def test_makes_one_batch_of_one_key(self, stage):
        site = stage.site()
        asked = {"site": site, "production": COBALT, "by": stage.clerk, "key": "once", "at": stage.at}

        assert batches.draft(stage.session, **asked).id == batches.draft(stage.session, **asked).id

    def test_is_not_for_strangers(self, stage):
        asked = {"site": stage.site(), "production": COBALT, "key": "x", "at": stage.at}
        with pytest.raises(Missing):
            batches.draft(stage.session, by=UserFactory(kind=Kind.COOPERATIVE), **asked)

    def test_waits_for_the_registry_s_approval(self, stage):
        site = stage.site()
        stage.coop.kyc, stage.coop.kyc_reason, stage.coop.kyc_decided_at = Kyc.SUSPENDED, "Why.", stage.at
        with pytest.raises(NotApproved):
            stage.draft(site)

    def test_may_be_done_by_the_group_manager(self, stage):
        manager = UserFactory(kind=Kind.GROUP_MANAGER)
        stage.coop.group_manager_id = manager.organisation_id
        stage.session.flush()

        batch = batches.draft(stage.session, site=stage.site(), production=COBALT, by=manager, key="group", at=stage.at)
        assert batch.site.producer_id == stage.coop.id


class TestAmend:
    def test_says_in_the_journal_what_changed(self, stage):
        batch = stage.draft()
        better = Production(**vars(COBALT) | {"grade": "30"})
        batches.amend(stage.session, batch=batch, production=better, seen=1, by=stage.clerk, at=stage.at)

        assert batch.contained_ng == 2_400 * 10**12
        amended = story(stage.session, batch.number)[-1]
        secret = stage.session.get_one(EventSecret, (amended.id, "changed"))
        assert b"300000" not in amended.body  # the log is public, a draft is not
        assert '"grade_ppm":[312500,300000]' in secret.value

    def test_keeps_two_tabs_from_overwriting_each_other(self, stage):
        batch = stage.draft()
        better = Production(**vars(COBALT) | {"grade": "30"})
        batches.amend(stage.session, batch=batch, production=better, seen=1, by=stage.clerk, at=stage.at)
        with pytest.raises(ChangedMeanwhile):
            batches.amend(stage.session, batch=batch, production=COBALT, seen=1, by=stage.clerk, at=stage.at)

    def test_is_over_once_submitted(self, stage):
        with pytest.raises(WrongState):
            batches.amend(
                stage.session, batch=stage.submitted(), production=COBALT, seen=1, by=stage.clerk, at=stage.at
            )


class TestSubmit:
    def test_takes_a_batch_whose_nanograms_no_reader_of_json_would_keep(self, stage):
        batch = stage.submitted(gross_kg="40000", grade="31.2501")
        story = {event.kind: event.body for event in events.story(stage.session, batch.number)}
        told = json.loads(story["batch.submitted"])["facts"]

        assert told["contained_ng"] == str(batch.contained_ng) == "10000032000000000"

    def test_hands_the_batch_to_the_verifiers(self, stage):
        batch = stage.submitted()

        assert (batch.state, batch.submitted_by_id) == (BatchState.SUBMITTED, stage.clerk.id)

    def test_names_all_that_is_missing(self, stage):
        batch = stage.draft(stage.site(), produced_from=date(2024, 11, 1), produced_to=date(2025, 5, 1))
        with pytest.raises(Incomplete) as refusal:
            batches.submit(stage.session, batch=batch, policy=stage.policy, by=stage.clerk, at=stage.at)

        assert len(refusal.value.detail["missing"]) == 1 + len(stage.policy.required_evidence)

    @pytest.mark.parametrize(
        "first, last", [(date(2026, 5, 31), date(2026, 6, 15)), (date(2026, 4, 10), date(2026, 4, 11))]
    )
    def test_refuses_days_that_another_batch_covers(self, stage, first, last):
        site = stage.site()
        stage.submitted(site)
        other = stage.complete(site, produced_from=first, produced_to=last)
        with pytest.raises(Overlapping):
            batches.submit(stage.session, batch=other, policy=stage.policy, by=stage.clerk, at=stage.at)

    def test_lets_the_next_days_and_another_mineral_pass(self, stage):
        site = stage.site()
        stage.submitted(site)

        assert stage.submitted(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 15))
        assert stage.submitted(site, mineral_code="CU")

    @pytest.mark.parametrize(
        "bent",
        [
            {"sold_with_premium": 2_500},
            {"gross_kg": "1", "moisture": "0", "grade": "50"},
            {"produced_from": date(2025, 6, 1), "produced_to": date(2025, 6, 30), "days_worked": 20},
        ],
        ids=["all sold", "half a kilogram", "thirteen months ago"],
    )
    def test_refuses_what_could_never_become_credits(self, stage, bent):
        batch = stage.complete(**bent)
        with pytest.raises(Incomplete):
            batches.submit(stage.session, batch=batch, policy=stage.policy, by=stage.clerk, at=stage.at)

    def test_frees_the_days_of_a_withdrawn_batch(self, stage):
        site = stage.site()
        batches.withdraw(stage.session, batch=stage.submitted(site), by=stage.clerk, at=stage.at)

        assert stage.submitted(site).state is BatchState.SUBMITTED


class TestAnswer:
    def test_brings_the_batch_back_into_review(self, stage):
        batch = stage.in_review()
        verification.request_information(
            stage.session, batch=batch, text="The invoice, please.", by=stage.lead, key="ask", at=stage.at
        )
        stage.paper(batch, EvidenceKind.SALES_INVOICE)
        batches.answer(
            stage.session, batch=batch, text="Here.", policy=stage.policy, by=stage.clerk, key="answer", at=stage.at
        )

        assert batch.state is BatchState.IN_REVIEW
        assert [remark.text for remark in batch.remarks] == ["The invoice, please.", "Here."]

    def test_waits_for_a_question(self, stage):
        with pytest.raises(WrongState):
            batches.answer(
                stage.session,
                batch=stage.submitted(),
                text="?",
                policy=stage.policy,
                by=stage.clerk,
                key="a",
                at=stage.at,
            )


class TestWithdraw:
    def test_ends_a_batch_that_is_not_decided(self, stage):
        batch = stage.in_review()
        batches.withdraw(stage.session, batch=batch, by=stage.manager, at=stage.at)

        assert batch.state is BatchState.WITHDRAWN

    def test_leads_out_of_a_verified_batch_that_cannot_be_issued(self, stage):
        batch = stage.verified()
        batches.withdraw(stage.session, batch=batch, by=stage.manager, at=stage.at)

        assert batch.state is BatchState.WITHDRAWN

    def test_comes_too_late_after_the_issuance(self, stage):
        with pytest.raises(WrongState):
            batches.withdraw(stage.session, batch=stage.issued().batch, by=stage.manager, at=stage.at)


class TestFill:
    def test_leaves_a_batch_as_it_was_where_a_figure_is_bad(self, stage):
        batch = stage.draft()
        stage.session.commit()
        with pytest.raises(BadMeasure):
            batches.amend(
                stage.session,
                batch=batch,
                production=Production(**vars(COBALT) | {"gross_kg": "12", "grade": "101"}),
                seen=1,
                by=stage.clerk,
                at=stage.at,
            )
        stage.session.rollback()

        assert batch.gross_mg == 10_000 * 10**6

    def test_is_not_for_a_verifier(self, stage):
        batch = stage.draft()
        with pytest.raises((WrongRole, Missing)):
            batches.amend(stage.session, batch=batch, production=COBALT, seen=1, by=stage.lead, at=stage.at)
