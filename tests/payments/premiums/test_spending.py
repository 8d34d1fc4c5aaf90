"""What was bought with premium paid out."""

import pytest

from credits.payments.premiums import spending
from credits.payments.premiums.premium_models import PaperKind, Theme
from credits.payments.premiums.spending import BadUse, BeyondPayout, NotPaidOut, Shown, TakenBackAlready


class TestUse:
    def test_counts_what_was_bought_and_takes_it_back_whole(self, house):
        house.sold()
        payout = house.paid(house.decided(income=20_000))
        receipt = house.paper()
        wrong = house.used(payout, 5_000, papers=[Shown(PaperKind.RECEIPT, receipt, True)])

        spending.take_back(house.session, wrong=wrong, reason="A nought too few.", **house.by_manager())
        house.used(payout, 20_000, papers=[Shown(PaperKind.RECEIPT, receipt, True)])

        house.session.refresh(payout)
        assert payout.used == 20_000
        with pytest.raises(TakenBackAlready):
            spending.take_back(house.session, wrong=wrong, reason="Again.", **house.by_manager())
        house.must_be_sound()

    def test_refuses_what_was_not_paid_out_for_this(self, house):
        house.sold()
        payout = house.paid(house.decided(income=30_000))

        for bent, refusal in (
            ({"amount": 20_001}, BeyondPayout),
            ({"theme": Theme.OTHER}, BeyondPayout),
            ({"papers": []}, BadUse),
            ({"amount": 0}, BadUse),
        ):
            with pytest.raises(refusal):
                house.used(payout, **bent)

    def test_refuses_what_is_not_paid_yet(self, house):
        house.sold()

        with pytest.raises(NotPaidOut):
            house.used(house.asked(house.decided()))
