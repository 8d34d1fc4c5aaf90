from datetime import date, timedelta

import pytest

from credits.ledger.posting import BadQuantity, InsufficientBalance
from credits.registry import choosing
from credits.registry.choosing import BadRange, Choice
from credits.registry.minerals import UnknownMineral


@pytest.fixture
def stock(stage):
    """Three issuances of two sites, issued in another order than they were produced."""
    one, two = stage.site(), stage.site(name="Mutoshi")
    may = stage.issued(one)
    january = stage.issued(two, produced_from=date(2026, 1, 1), produced_to=date(2026, 1, 31))
    june = stage.issued(one, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 15))
    return january, may, june


def chosen(stage, at_least, at_most, **bent):
    asked = {"holder": stage.coop, "policy": stage.policy, "at": stage.at}
    asked |= {name: bent.pop(name) for name in list(bent) if name in asked}
    choice = Choice(**{"mineral_code": "CO", "at_least": at_least, "at_most": at_most} | bent)
    return choosing.choose(stage.session, choice=choice, **asked)


class TestChoose:
    def test_takes_the_oldest_production_first(self, stage, stock):
        january, may, _ = stock

        assert chosen(stage, 3_000, 3_000) == [(january, 2_500), (may, 500)]

    def test_takes_as_much_as_there_is(self, stage, stock):
        assert [quantity for _, quantity in chosen(stage, 1, 10_000)] == [2_500] * 3

    def test_keeps_to_an_issuance_a_vintage_or_a_site(self, stage, stock):
        january, may, june = stock

        assert chosen(stage, 1, 10, issuance=june) == [(june, 10)]
        assert chosen(stage, 1, 9_000, site=may.batch.site) == [(may, 2_500), (june, 2_500)]
        assert chosen(stage, 1, 10, vintage=2026) == [(january, 10)]
        with pytest.raises(InsufficientBalance):
            chosen(stage, 1, 10, vintage=2025)

    def test_passes_over_what_cannot_be_used(self, stage, stock):
        january, may, june = stock
        stage.suspended(january)
        stage.held(may, 2_000)

        assert chosen(stage, 1, 9_000) == [(may, 500), (june, 2_500)]
        assert chosen(stage, 1, 9_000, at=stage.at.replace(year=2029, month=6)) == [(june, 2_500)]

    def test_says_how_much_fits_where_it_is_too_little(self, stage, stock):
        with pytest.raises(InsufficientBalance) as refusal:
            chosen(stage, 7_501, 8_000)

        assert refusal.value.detail == {"asked": 7_501, "available": 7_500}

    def test_is_of_one_mineral_and_holder(self, stage, stock):
        for bent in ({"mineral_code": "SN"}, {"holder": stage.buyer.organisation}):
            with pytest.raises(InsufficientBalance):
                chosen(stage, 1, 1, **bent)
        with pytest.raises(UnknownMineral):
            chosen(stage, 1, 1, mineral_code="XX")

    @pytest.mark.parametrize("least, most", [(0, 1), (1, 2**63), (True, 2), (1, "2")])
    def test_refuses_what_is_no_quantity(self, stage, least, most):
        with pytest.raises(BadQuantity):
            chosen(stage, least, most)

    def test_refuses_a_range_upside_down(self, stage):
        with pytest.raises(BadRange):
            chosen(stage, 2, 1, at=stage.at + timedelta(days=1))
