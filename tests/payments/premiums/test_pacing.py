"""How fast premium reaches a site, as the database counts it, beside each payment followed by itself."""

import random
from collections import Counter
from datetime import timedelta
from fractions import Fraction

from credits.payments.models import Currency
from credits.payments.premiums import following, pacing, premium
from credits.payments.premiums.site_premium import premium_of, totals_of
from tests.payments.selling import refunded


class TestPace:
    def test_counts_days_to_the_last_payout_and_what_waits_by_age(self, house):
        house.sold(at=house.at - timedelta(days=40))
        house.sold(at=house.at - timedelta(days=35))
        house.paid(house.decided(income=100_000), 88_000)
        found = pacing.pace(house.session, house.site, goal=30, today=house.at.date())

        assert (found.paid_out, found.in_time, found.median_days, found.late) == (1, 0, 40, 1)
        assert [each.payments for each in found.waiting] == [0, 1, 0, 0]
        (late,) = pacing.overdue(house.session, goal=30, today=house.at.date())
        assert (late.amount, late.payments) == (88_000, 1)

    def test_is_what_each_payment_by_itself_comes_to(self, house):
        chance, today = random.Random(7), house.at.date()
        for _ in range(4):
            sales = [
                house.sold(chance.choice([1, 700, 9_000, 9_000]), 1, at=self.earlier(house, chance)) for _ in "1234"
            ]
            premium.book_refund(house.session, refund=refunded(house.stage, sales[0]), at=house.at)
            held = house.figures[3]
            for part in (held // 3, chance.randrange(held // 3)):
                house.paid(house.decided(income=part + 1), part + 1)
            self.must_be_the_same(pacing.pace(house.session, goal=30, today=today), house, today)
        house.paid(house.decided(income=house.figures[3]), house.figures[3])  # to the last cent
        self.must_be_the_same(pacing.pace(house.session, house.site, goal=30, today=today), house, today)
        [[moved]] = totals_of(house.session, [house.site]).values()
        [whole] = premium_of(house.session, house.site)
        assert (moved.collected, moved.refunded, moved.disbursed) == (whole.collected, whole.refunded, whole.disbursed)

    def earlier(self, house, chance):
        return house.at - timedelta(days=chance.choice([3, 20, 31, 31, 64, 100]))

    def must_be_the_same(self, found, house, today):
        followed = following.follow(house.session, house.site.id, Currency.USD)
        full = [each.days for each in followed if each.days is not None]
        parts = [
            (
                max(0, (piece.payout.paid_on - each.collected.paid_on).days),
                Fraction(piece.amount, each.collected.amount),
            )
            for each in followed
            for piece in each.pieces
        ]
        held = [((today - each.collected.paid_on).days, each) for each in followed if each.held]
        late = [each for age, each in held if age > 30]
        amounts = sum((Counter(each.amounts) for each in found.waiting), Counter())

        assert (found.paid_out, found.in_time) == (len(full), sum(1 for days in full if days <= 30))
        assert found.in_part == sum(1 for _, each in held if each.pieces)
        assert found.longest_days == max(full, default=None)
        assert found.median_days == pacing.weighted_median(parts)
        assert (found.late, sum(each.payments for each in found.waiting)) == (len(late), len(held))
        assert amounts == Counter({Currency.USD: sum(each.held for _, each in held)})
        overdue = pacing.overdue(house.session, goal=30, today=today)
        assert sum(each.amount for each in overdue) == sum(each.held for each in late)
        assert sum(each.payments for each in overdue) == len(late)
