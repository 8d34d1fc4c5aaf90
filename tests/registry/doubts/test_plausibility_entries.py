"""Limits of a site and sales of a batch: who enters them, and what is refused."""

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from credits.participants.models import Kind
from credits.participants.permissions import NoSuchOrganisation, OwnAffair
from credits.registry.doubts import plausibility_limits, plausibility_sales
from credits.registry.doubts.plausibility_limits import BadLimit, LimitFacts
from credits.registry.doubts.plausibility_sales import BadSale, NoSuchSale, SaleFacts, SaleKnown, SalesClosed
from credits.registry.doubts.screened import Basis, LimitKind, Per
from credits.registry.making import batches
from credits.registry.minerals import BadMeasure
from tests.factories import UserFactory

CAPACITY = {
    "kind": LimitKind.INSTALLED_CAPACITY,
    "mineral_code": "CO",
    "kilograms": "2000",
    "basis": Basis.CONTAINED,
    "per": Per.YEAR,
    "counts_from": date(2026, 1, 1),
    "source": "Inspection of the plant",
    "source_date": date(2026, 2, 3),
}
INVOICE = {"number": "INV-0017", "buyer": "Depot", "sold_on": date(2026, 6, 2), "kilograms": "4000", "grade": "31.25"}
MEASURED = {"kind": LimitKind.PRODUCTIVITY, "per": Per.MINER_DAY}


@pytest.fixture
def limit(stage):
    def enter(site, by=None, **bent):
        facts = LimitFacts(**CAPACITY | bent)
        return plausibility_limits.enter(
            stage.session, site=site, facts=facts, by=by or stage.manager, key=stage.key(), at=stage.at
        )

    return enter


@pytest.fixture
def sale(stage):
    def enter(batch, by=None, **bent):
        facts = SaleFacts(**INVOICE | bent)
        return plausibility_sales.enter(
            stage.session, batch=batch, facts=facts, by=by or stage.clerk, key=stage.key(), at=stage.at
        )

    return enter


class TestEnterLimit:
    def test_lets_the_producer_the_verifier_and_the_registry_enter_a_capacity(self, stage, limit):
        site = stage.site()

        entered = [limit(site, by=person) for person in (stage.manager, stage.lead, stage.issuer)]
        assert [plausibility_limits.is_independent(each) for each in entered] == [False, True, True]

    def test_leaves_measuring_the_miners_to_others_than_the_producer(self, stage, limit):
        site = stage.site()

        with pytest.raises(OwnAffair):
            limit(site, **MEASURED)
        assert limit(site, by=stage.lead, **MEASURED).per is Per.MINER_DAY

    def test_is_not_for_strangers(self, stage, limit):
        with pytest.raises(NoSuchOrganisation):
            limit(stage.site(), by=UserFactory(kind=Kind.COOPERATIVE))

    @pytest.mark.parametrize(
        "bent, error",
        [
            ({"per": Per.MINER_DAY}, BadLimit),
            ({"kind": LimitKind.LICENCE_CAP}, BadLimit),
            ({"source_date": date(2026, 7, 2)}, BadLimit),
            ({"kilograms": "0"}, BadMeasure),
            ({"kilograms": "-5"}, BadMeasure),
            ({"kilograms": "2e3"}, BadMeasure),
        ],
    )
    def test_refuses_what_cannot_be(self, stage, limit, bent, error):
        with pytest.raises(error):
            limit(stage.site(), **bent)

    def test_refuses_the_licence_of_another_site(self, stage, limit):
        other = stage.site().licences[0]

        with pytest.raises(BadLimit, match="another site"):
            limit(stage.site(), kind=LimitKind.LICENCE_CAP, licence=other)

    @pytest.mark.parametrize("change", ["UPDATE site_limit SET milligrams = 1", "DELETE FROM site_limit"])
    def test_stays_as_it_was_written(self, stage, limit, change):
        limit(stage.site())

        with pytest.raises(IntegrityError):
            stage.session.execute(text(change))


class TestEnterSale:
    def test_reckons_what_was_contained(self, stage, sale):
        assert sale(stage.draft()).contained_ng == 4_000_000_000 * 312_500

    def test_counts_once_a_key(self, stage):
        batch = stage.draft()
        asked = {"batch": batch, "facts": SaleFacts(**INVOICE), "by": stage.clerk, "key": "once", "at": stage.at}

        first = plausibility_sales.enter(stage.session, **asked)
        assert plausibility_sales.enter(stage.session, **asked).id == first.id
        assert len(plausibility_sales.sales_of(stage.session, batch)) == 1

    @pytest.mark.parametrize("number", ["INV-0017", "inv 17", "INV/00017", "ＩＮＶ－１７"])
    def test_lets_an_invoice_support_one_batch(self, stage, sale, number):
        site = stage.site()
        first = stage.draft(site)
        second = stage.draft(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 2))
        sale(first)

        with pytest.raises(SaleKnown) as refusal:
            sale(second, number=number)
        assert refusal.value.detail.get("batch", first.number) == first.number
        with pytest.raises(SaleKnown):
            sale(first, number=number)

    def test_frees_the_invoices_of_a_withdrawn_batch(self, stage, sale):
        first = stage.draft()
        sale(first)
        batches.withdraw(stage.session, batch=first, by=stage.manager, at=stage.at)

        assert sale(stage.draft()).number == "INV-0017"

    def test_is_refused_by_the_database_for_two_batches(self, stage, sale):
        first, second = stage.draft(), stage.draft()
        made = sale(first)
        copy = (
            "INSERT INTO sale (batch_id, number, number_key, buyer, sold_on, weight_mg, grade_ppm, contained_ng,"
            " entered_by_id, entered_at) SELECT :batch, number, number_key, buyer, sold_on, weight_mg, grade_ppm,"
            " contained_ng, entered_by_id, entered_at FROM sale WHERE id = :id"
        )

        with pytest.raises(IntegrityError, match="one batch"):
            stage.session.execute(text(copy), {"batch": second.id, "id": made.id})

    @pytest.mark.parametrize(
        "bent, error",
        [
            ({"sold_on": date(2026, 3, 31)}, BadSale),
            ({"sold_on": date(2026, 7, 2)}, BadSale),
            ({"grade": "0"}, BadSale),
            ({"grade": "101"}, BadMeasure),
            ({"kilograms": "0"}, BadMeasure),
        ],
    )
    def test_refuses_what_cannot_be(self, stage, sale, bent, error):
        with pytest.raises(error):
            sale(stage.draft(), **bent)

    def test_is_over_once_the_batch_is_submitted(self, stage, sale):
        batch = stage.complete()
        made = sale(batch)
        batches.submit(stage.session, batch=batch, policy=stage.policy, by=stage.clerk, at=stage.at)

        with pytest.raises(SalesClosed):
            sale(batch, number="INV-18")
        with pytest.raises(SalesClosed):
            plausibility_sales.remove(stage.session, sale=made, by=stage.clerk, at=stage.at)

    def test_is_for_the_producer_alone(self, stage, sale):
        with pytest.raises(NoSuchOrganisation):
            sale(stage.draft(), by=stage.lead)


class TestSaleOf:
    def test_finds_no_sale_of_another_batch(self, stage, sale):
        made = sale(stage.draft())

        with pytest.raises(NoSuchSale):
            plausibility_sales.sale_of(stage.session, stage.draft(), made.id)
