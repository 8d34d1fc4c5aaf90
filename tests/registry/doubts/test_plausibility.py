import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.journal.models import Event
from credits.participants.models import User
from credits.registry.doubts import plausibility, plausibility_sales
from credits.registry.doubts.plausibility import AboveCeiling
from credits.registry.doubts.plausibility_bounds import BoundName
from credits.registry.doubts.plausibility_chart import chart_of
from credits.registry.doubts.plausibility_figures import default_figures
from credits.registry.doubts.screened import Basis, LimitKind, Per, PlausibilityCheck
from credits.registry.issuance import NotIssuable
from credits.registry.making.revisions import revision_of
from credits.registry.mines.observed import ObservedSite, SiteObservation
from credits.registry.production import Batch, BatchState
from credits.registry.reviews import verification
from tests.batch_stage import FINDING
from tests.registry.doubts.deciding import COLTAN, verify

GOLD = {"mineral_code": "AU", "form": "doré", "moisture": "0", "grade": "900"}


def bound(found, name):
    return next(each for each in found.bounds if each.name == name)


class TestDefaultFigures:
    def test_name_a_source_and_a_day_each(self):
        figures = default_figures()

        assert all(figure.source and figure.dated for figure in figures.productivity.values())

    def test_take_coltan_for_a_bound_and_gold_for_a_warning(self):
        coltan, gold = (default_figures().productivity[code] for code in ("TA", "AU"))

        assert (coltan.milligrams, coltan.basis, coltan.days, coltan.is_bound) == (300_000, Basis.ORE, 1, True)
        assert (gold.milligrams, gold.basis, gold.days, gold.is_bound) == (28_000, Basis.CONTAINED, 365, False)

    def test_leave_out_what_no_source_is_known_for(self):
        assert set(default_figures().productivity) == {"TA", "AU"}


class TestOfBatch:
    def test_knows_no_bound_where_nobody_has_entered_any(self, stage):
        found = plausibility.of_batch(stage.session, stage.draft())

        assert {each.name for each in found.bounds} == set(BoundName)
        assert {each.value for each in found.bounds} == {None}
        assert (found.claimed, found.ceiling, found.exceeded, found.warnings) == (2_500, None, [], [])

    def test_reckons_coltan_by_miners_days_and_productivity(self, stage):
        found = plausibility.of_batch(stage.session, stage.draft(gross_kg="500", **COLTAN))

        labour = bound(found, "labour")  # 100 × 20 × 0.3 kg = 600 kg of ore, 30 % of it Ta2O5
        assert (labour.value, labour.hard) == (180_000, True)
        assert labour.arithmetic == "100 miners × 20 days × 300 g of ore, at the grade of the batch (30 %)"
        assert "300 g of coltan ore a miner and day" in labour.source
        assert (found.claimed, found.ceiling, found.exceeded) == (150_000, 180_000, [])

    def test_warns_of_gold_above_the_world_mean_and_lets_it_pass(self, stage):
        batch = stage.draft(gross_kg="10", miners=100, days_worked=50, **GOLD)
        found = plausibility.of_batch(stage.session, batch)

        labour = bound(found, "labour")  # 100 × 61/365 × 28 g
        assert (labour.value, labour.hard) == (467_945, False)
        assert (found.claimed, found.ceiling) == (9_000_000, None)
        assert [each.name for each in found.warnings] == ["labour"]

    @pytest.mark.parametrize(
        "who, kilograms, value",
        [("lead", "0.2", 120_000), ("lead", "0.45", 180_000), ("issuer", "0.45", 270_000), ("issuer", "0.2", 120_000)],
    )
    def test_lets_a_verifier_lower_a_default_bound_and_only_the_registry_raise_it(
        self, stage, limit, who, kilograms, value
    ):
        site = stage.site()
        measured = {"kind": LimitKind.PRODUCTIVITY, "per": Per.MINER_DAY, "basis": Basis.ORE}
        limit(site, by=getattr(stage, who), mineral_code="TA", kilograms=kilograms, **measured)

        labour = bound(plausibility.of_batch(stage.session, stage.draft(site, gross_kg="500", **COLTAN)), "labour")
        assert (labour.value, labour.hard) == (value, True)

    def test_takes_a_measurement_for_a_bound_where_the_default_only_warns(self, stage, limit):
        site = stage.site()
        measured = {"kind": LimitKind.PRODUCTIVITY, "per": Per.MINER_DAY, "kilograms": "0.002"}
        limit(site, mineral_code="AU", **measured)

        batch = stage.draft(site, gross_kg="10", miners=100, days_worked=50, **GOLD)
        labour = bound(plausibility.of_batch(stage.session, batch), "labour")
        assert (labour.value, labour.hard, labour.dated) == (10_000_000, True, date(2026, 2, 3))
        assert "Inspection of the plant (entered by" in labour.source

    def test_lets_the_registrys_word_count_before_a_newer_one_of_a_verifier(self, stage, limit):
        site = stage.site()
        limit(site, by=stage.issuer, kilograms="2600")
        limit(site, kilograms="9000")

        assert bound(plausibility.of_batch(stage.session, stage.draft(site)), "installed_capacity").value == 2_600

    def test_takes_the_cap_of_a_licence_over_the_whole_calendar_year(self, stage, limit):
        site = stage.site()
        cap = {"kind": LimitKind.LICENCE_CAP, "licence": site.licences[0], "basis": Basis.ORE, "kilograms": "12000"}
        limit(site, **cap)
        stage.verified(site)  # 8,000 kg of dry ore
        batch = stage.draft(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 15))

        found = bound(plausibility.of_batch(stage.session, batch), "licence_cap")
        assert found.value == 1_250  # 4,000 kg of ore are left, 31.25 % of it cobalt
        assert "12000 kg" not in found.arithmetic
        assert "12,000 kg of ore a year × 1 − 8,000 kg of 1 other batch from 2026-01-01" in found.arithmetic

    @pytest.mark.parametrize("per, kilograms, value", [("day", "30", 1_830), ("month", "700", 1_400), ("year", "9", 9)])
    def test_counts_whole_days_months_and_years(self, stage, limit, per, kilograms, value):
        site = stage.site()
        limit(site, per=Per(per), kilograms=kilograms)

        assert bound(plausibility.of_batch(stage.session, stage.draft(site)), "installed_capacity").value == value

    def test_lets_the_newer_limit_count_and_an_independent_one_before_the_producers(self, stage, limit):
        site = stage.site()
        limit(site, by=stage.manager, kilograms="9000")
        limit(site, kilograms="3000")
        limit(site, by=stage.manager, kilograms="9000")
        batch = stage.draft(site)

        assert bound(plausibility.of_batch(stage.session, batch), "installed_capacity").value == 3_000
        limit(site, kilograms="2800")
        assert bound(plausibility.of_batch(stage.session, batch), "installed_capacity").value == 2_800

    def test_warns_above_what_the_site_has_shown_before(self, stage):
        site = stage.site()
        stage.issued(site)  # 2,500 kg in 61 days
        batch = stage.draft(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 10))

        found = plausibility.of_batch(stage.session, batch)
        assert bound(found, "history").value == 819  # 2,500 / 61 × 10 × 2
        assert [each.name for each in found.warnings] == ["history"]
        assert found.exceeded == []

    def test_warns_above_what_the_neighbours_bring_out(self, stage):
        stage.issued(stage.site(latitude="-10.75"))  # 3.7 km away; 2,500 kg by 800 miners in 2 days
        batch = stage.draft(miners=100, days_worked=2)

        found = plausibility.of_batch(stage.session, batch)
        assert bound(found, "neighbours").value == 625  # 1.5625 kg × 200 × 2
        assert [each.name for each in found.warnings] == ["neighbours"]

    def test_takes_no_account_of_sites_far_away_or_of_other_minerals(self, stage):
        stage.issued(stage.site(latitude="-11.2"))

        assert bound(plausibility.of_batch(stage.session, stage.draft()), "neighbours").value is None

    def test_warns_above_what_the_workers_that_others_counted_bring_out(self, stage, session):
        session.add(
            ObservedSite(
                pcode="c1", source="IPIS", name="K", country="COD", province="", territory="", village="",
                latitude=0, longitude=0,
                observations=[SiteObservation(visit=1, visited_on=date(2019, 5, 1), recorded={"workers_numb": "40"})],
            )
        )  # fmt: skip
        site = stage.site()
        site.pcode = "c1"
        session.flush()

        found = plausibility.of_batch(session, stage.draft(site, gross_kg="500", **COLTAN))
        seen = bound(found, "labour_seen")
        assert (seen.value, seen.source, seen.dated, seen.hard) == (72_000, "IPIS", date(2019, 5, 1), False)
        assert [each.name for each in found.warnings] == ["labour_seen"]

    def test_takes_physical_sales_for_a_bound_once_they_are_entered(self, stage, sale):
        batch = stage.draft()
        sale(batch, "4000")
        sale(batch, "1000", number="INV-18")

        found = plausibility.of_batch(stage.session, batch)
        assert bound(found, "physical_sales").value == 1_562  # 5,000 kg × 31.25 %, rounded down
        assert [each.name for each in found.exceeded] == ["physical_sales"]

    def test_counts_what_others_dig_on_the_same_ground(self, stage, limit):
        first, second = stage.site(), stage.site(latitude="-10.7165")  # 11 m away
        limit(second, kilograms="4000")
        stage.verified(first)

        batch = stage.draft(second)
        found = plausibility.of_batch(stage.session, batch)
        assert [site.id for site in found.shared] == [first.id]
        assert bound(found, "installed_capacity").value == 1_500

    def test_does_not_let_a_neighbours_mere_claim_stop_a_batch(self, stage, limit):
        first, second = stage.site(), stage.site(latitude="-10.7165")
        limit(second, kilograms="4000")
        stage.submitted(first)

        assert plausibility.of_batch(stage.session, stage.draft(second)).exceeded == []


class TestOfPeriod:
    def test_sums_every_batch_that_counts(self, stage, limit):
        site = stage.site()
        limit(site, kilograms="4000")
        stage.verified(site)
        stage.submitted(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 10))
        stage.draft(site, produced_from=date(2026, 6, 11), produced_to=date(2026, 6, 12))

        found = plausibility.of_period(stage.session, site, "CO", date(2026, 1, 1), date(2026, 12, 31))
        assert (found.claimed, found.ceiling) == (5_000, 4_000)
        assert [each.name for each in found.exceeded] == ["installed_capacity"]

    def test_knows_no_grade_where_there_is_no_batch(self, stage, limit):
        site = stage.site()
        limit(site, basis=Basis.ORE)

        found = plausibility.of_period(stage.session, site, "CO", date(2026, 1, 1), date(2026, 12, 31))
        assert found.ceiling is None
        assert "nothing tells the grade" in bound(found, "installed_capacity").arithmetic


class TestHoldAgainst:
    def test_writes_down_how_the_quantity_stood(self, stage, limit):
        site = stage.site()
        limit(site, kilograms="3000")
        batch = stage.verified(site)

        check = stage.session.scalars(select(PlausibilityCheck)).one()
        assert (check.batch_id, check.claimed, check.ceiling) == (batch.id, 2_500, 3_000)
        assert [each["name"] for each in check.bounds] == [name.value for name in BoundName]
        assert check.bounds[1]["source"].startswith("Inspection of the plant")

    def test_stops_a_batch_above_its_ceiling(self, stage, limit):
        site = stage.site()
        limit(site)
        batch = stage.in_review(site)

        with pytest.raises(AboveCeiling) as refusal:
            verify(stage, batch)
        assert "2,500 kg are claimed, but at most 2,000 kg are plausible (installed capacity" in refusal.value.message
        assert batch.state is BatchState.IN_REVIEW

    def test_lets_one_of_two_pass_that_are_decided_at_once_under_one_cap(self, stage, engine, limit):
        site = stage.site()
        limit(site, kilograms="3000")
        early = {"produced_from": date(2026, 1, 1), "produced_to": date(2026, 2, 28)}
        batches = [stage.in_review(site), stage.in_review(site, **early)]
        for batch in batches:
            stage.answered(batch)
        lead, at, asked = stage.lead.id, stage.at, [(batch.id, stage.key()) for batch in batches]
        stage.session.commit()
        gate = threading.Barrier(2)

        def decide(batch_id, key):
            with Session(engine) as mine:
                gate.wait()
                begin_writing(mine)
                batch, by = mine.get_one(Batch, batch_id), mine.get_one(User, lead)
                try:
                    verification.verify(
                        mine, batch=batch, seen=revision_of(batch), finding=FINDING, by=by, key=key, at=at
                    )
                    mine.commit()
                except AboveCeiling:
                    return "stopped"
                return "passed"

        with ThreadPoolExecutor(2) as both:
            told = sorted(each.result() for each in [both.submit(decide, *each) for each in asked])

        assert told == ["passed", "stopped"]

    def test_stops_the_issuance_where_a_limit_was_entered_since(self, stage, limit):
        batch = stage.verified()
        limit(batch.site)

        with pytest.raises(NotIssuable, match="at most 2,000 kg are plausible"):
            stage.issue(batch)

    def test_lets_pass_what_is_exactly_at_the_ceiling(self, stage, limit):
        site = stage.site()
        limit(site, kilograms="2500")

        assert stage.issued(site).quantity == 2_500

    def test_deducts_what_was_sold_or_registered_elsewhere_from_what_is_issued(self, stage, limit):
        site = stage.site()
        limit(site, kilograms="2500")

        assert stage.issued(site, sold_with_premium=400, registered_elsewhere=100).quantity == 2_000

    @pytest.mark.parametrize("change", ["UPDATE plausibility_check SET ceiling = 9", "DELETE FROM plausibility_check"])
    def test_stays_as_it_was_written(self, stage, change):
        stage.verified()

        with pytest.raises(IntegrityError):
            stage.session.execute(text(change))

    def test_is_asked_for_by_the_database(self, stage):
        batch = stage.in_review()
        stage.session.flush()

        stage.take_away("batch_verified_after_assessment", "batch")  # another wall in front of this one
        with pytest.raises(IntegrityError, match="held against the ceiling"):
            stage.session.execute(
                text("UPDATE batch SET state = 'verified', verified_by_id = :lead WHERE id = :id"),
                {"lead": stage.lead.id, "id": batch.id},
            )

    def test_is_refused_by_the_database_above_the_ceiling(self, stage):
        batch = stage.in_review()
        check = PlausibilityCheck(
            batch=batch, contained_ng=batch.contained_ng, claimed=2_500, ceiling=2_499, bounds=[], figures="x",
            checked_by_id=stage.lead.id, checked_at=stage.at,
        )  # fmt: skip
        stage.session.add(check)

        with pytest.raises(IntegrityError, match="within_or_let_through"):
            stage.session.flush()


class TestChartOf:
    def test_draws_claim_and_bounds_to_one_scale(self, stage, limit):
        site = stage.site()
        limit(site, kilograms="5000")
        chart = chart_of(plausibility.of_batch(stage.session, stage.draft(site)))

        assert chart.claimed == 500
        capacity = next(bar for bar in chart.bars if bar.bound.name == "installed_capacity")
        assert (capacity.length, capacity.mark, capacity.is_lowest, capacity.is_exceeded) == (1_000, 500, True, False)
        assert [bar.length for bar in chart.bars if bar.bound.value is None] == [None] * 6

    def test_cuts_a_bound_far_above_so_that_the_claim_is_seen(self, stage, limit):
        site = stage.site()
        limit(site, kilograms="9000000")

        assert chart_of(plausibility.of_batch(stage.session, stage.draft(site))).claimed == 250


class TestMineralsAt:
    def test_are_those_of_batches_and_limits(self, stage, limit):
        site = stage.site()
        limit(site, mineral_code="CU")
        stage.submitted(site)

        assert plausibility.minerals_at(stage.session, site) == ["CO", "CU"]
        assert plausibility.minerals_at(stage.session, stage.site()) == []


class TestNothingElse:
    def test_leaves_one_event_for_each_change(self, stage, limit, sale):
        batch = stage.draft()
        limit(batch.site)
        entered = sale(batch, "100")
        plausibility_sales.remove(stage.session, sale=entered, by=stage.clerk, at=stage.at)

        wanted = ("site.limit_entered", "sale.entered", "sale.removed")
        counted = select(Event.kind, func.count(Event.id)).where(Event.kind.in_(wanted)).group_by(Event.kind)
        assert dict(iter(stage.session.execute(counted))) == dict.fromkeys(wanted, 1)
