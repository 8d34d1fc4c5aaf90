"""Premium booked: what a sale collects for the miners of a site, and what a refund takes back."""

import pytest

from credits.payments.going_back.going_back_models import DisputeState
from credits.payments.premiums import premium
from credits.payments.premiums.committees import NotHeld
from credits.payments.premiums.site_premium import premium_of
from credits.registry.production import Site
from tests.payments.selling import disputed, refunded, sold


class TestBookSale:
    def test_divides_what_was_paid_to_the_last_cent_and_once(self, house):
        order = house.sold(100_001, tax=19_000)

        again = premium.book_sale(house.session, order=order, payment=order.payments[0], at=house.at)

        assert again.order_id == order.id
        assert [(share.kind.value, share.amount) for share in premium.shares_of(house.session, order)] == [
            ("tax", 19_000),
            ("premium_held", 88_001),
            ("verification", 5_000),
            ("registry_fee", 7_000),
        ]
        house.must_be_sound()

    def test_gives_each_line_to_the_site_of_its_own_issuance(self, house):
        other = house.stage.issued(house.stage.site(name="Far hill", latitude="-9.5", longitude="26.5"))

        sold(house.stage, (house.made, 10, 10_000), (other, 10, 20_000))

        site = house.session.get_one(Site, other.site_id)
        assert house.figures == (8_800, 0, 0, 8_800)
        assert [each.held for each in premium_of(house.session, site)] == [17_600]
        house.must_be_sound()


class TestBookRefund:
    def test_takes_every_share_back(self, house):
        order = house.sold(tax=1_000)
        refund = refunded(house.stage, order)

        first = premium.book_refund(house.session, refund=refund, at=house.at)
        again = premium.book_refund(house.session, refund=refund, at=house.at)

        assert first is again
        assert house.figures == (88_000, 88_000, 0, 0)
        assert premium.open_shares(house.session, order) == []
        house.must_be_sound()

    def test_leaves_with_the_miners_what_they_have_and_lets_the_registry_bear_it(self, house):
        order = house.sold()
        house.paid(house.decided(income=50_000), 50_000)

        posting = premium.book_refund(house.session, refund=refunded(house.stage, order), at=house.at)

        assert posting is not None
        assert house.figures == (88_000, 38_000, 50_000, 0)
        house.must_be_sound()

    def test_books_nothing_for_what_was_never_delivered(self, house):
        order = house.sold(booked=False)

        assert premium.book_refund(house.session, refund=refunded(house.stage, order), at=house.at) is None


class TestBookShortfall:
    def test_sends_back_what_is_covered_and_leaves_the_rest_at_the_registry(self, house):
        order = house.sold()

        premium.book_shortfall(house.session, dispute=disputed(house.stage, order, 25_000), at=house.at)

        assert house.figures == (88_000, 66_000, 0, 22_000)
        house.must_be_sound()

    def test_pays_out_nothing_that_a_bank_may_take_back(self, house):
        house.sold()
        order = house.sold()
        minute = house.decided(income=170_000)
        disputed(house.stage, order, 0, state=DisputeState.OPEN, closed_at=None)

        with pytest.raises(NotHeld):
            house.asked(minute, 88_001)
