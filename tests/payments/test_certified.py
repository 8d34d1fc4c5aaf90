"""What a certificate says of the money, by what its reader finds in it."""

import random
from dataclasses import replace

import pytest

from credits.certificates import issuing
from credits.certificates.issuing import Issuer, facts_in
from credits.ledger.serials import SerialRange, tidied
from credits.payments import receiving
from credits.payments.certified import PublicPrices
from credits.payments.gateway import CheckoutState, Disputed, Seen
from credits.payments.going_back.going_back_models import DisputeState
from credits.payments.models import Means
from credits.payments.offering import offers
from credits.payments.premiums import following, tracing
from credits.payments.receiving import Terms
from tests.market_stage import certify

ISSUER = Issuer("ASM Credits", "https://registry.example", PublicPrices)


class TestPublicPrices:
    @pytest.fixture
    def made(self, stage):
        return stage.issued()

    def premium_of(self, stage, retired):
        return facts_in(issuing.freeze(stage.session, retirement=retired, issuer=ISSUER))["premium"]

    def test_names_what_the_site_and_the_registry_got_for_just_these_units(self, stage, made):
        stage.bought((stage.for_sale(made), 500), open_to_public=True)

        told = self.premium_of(stage, stage.retired(made, 250))

        assert told == {
            "to_site": "USD 1,144.00",
            "verification": "USD 65.00",
            "fee": "USD 91.00",
            "quantity": "250 kg",
        }  # 88 % and 7 % of 1,300

    def test_says_nothing_of_a_price_that_is_not_public(self, stage, made):
        stage.bought((stage.for_sale(made), 500))

        assert self.premium_of(stage, stage.retired(made, 250)) is None

    def test_says_of_units_that_were_handed_over_unsold_only_that_nothing_is_recorded(self, stage, made):
        stage.handed_over(made, 100)
        stage.bought((stage.for_sale(made, 200), 200), open_to_public=True)

        told = self.premium_of(stage, stage.retired(made, 300))

        assert told["quantity"] == "200 kg"

    def test_gives_each_line_its_own_serials_and_price(self, stage, made):
        lines = [(stage.for_sale(made, 100, price=price), 100) for price in (520_000, 900_000)]
        stage.bought(*lines, open_to_public=True)

        said = [self.premium_of(stage, stage.retired(made, 100))["to_site"] for _ in range(2)]

        assert said == ["USD 457.60", "USD 792.00"]

    @pytest.mark.parametrize(
        ("disputed", "said"),
        [
            # All went back: the units were bought by the second order alone.
            (52_000, {"to_site": "USD 457.60", "verification": "USD 26.00", "fee": "USD 36.40", "quantity": "100 kg"}),
            # The lower half went back and was sold again; the upper half is the first order's still.
            (26_000, {"to_site": "USD 457.60", "verification": "USD 26.00", "fee": "USD 36.40", "quantity": "100 kg"}),
        ],
    )
    def test_tells_no_money_that_a_bank_took_back(self, stage, made, disputed, said):
        offer = stage.for_sale(made, 100)
        order = stage.ordered((offer, 100), means=Means.STRIPE, open_to_public=True)
        payment = stage.begun(order)
        seen = Seen(
            reference="cs_1",
            order_number=order.number,
            attempt=1,
            state=CheckoutState.PAID,
            amount=order.total,
            currency="USD",
            payment="pi_1",
            livemode=False,
            account=None,
            created=payment.opened_at,
        )
        lost = Disputed(reference="du_1", amount=disputed, state=DisputeState.LOST)
        for now in (seen, replace(seen, disputes=(lost,))):
            asked = {"terms": Terms(False, stage.policy, certify), "at": stage.at}
            receiving.settle_seen(stage.session, payment=payment, seen=now, **asked)
        assert len(stage.serials(made, stage.buyer.organisation)) == (disputed < 52_000)
        offers.close(stage.session, offer=offer, by=stage.manager, at=stage.at)
        again = 100 * disputed // 52_000
        stage.bought((stage.for_sale(made, again), again), open_to_public=True)

        (trail, *older) = following.trails_of(stage.session, made, [SerialRange(1, again)])
        assert (trail.order.number, trail.units, older) == ("ORDER-000002", again, [])
        assert self.premium_of(stage, stage.retired(made, 100)) == said


class TestTracing:
    def test_reckons_with_ranges_as_with_sets(self):
        dice = random.Random(7)
        for _ in range(200):
            some, others = ({dice.randint(1, 25) for _ in range(dice.randint(0, 15))} for _ in range(2))
            ranged = [tidied(SerialRange(each, each) for each in each_set) for each_set in (some, others)]
            assert numbers(tracing.common(*ranged)) == sorted(some & others)
            assert numbers(tracing.without(*ranged)) == sorted(some - others)


def numbers(ranges: list[SerialRange]) -> list[int]:
    return [number for units in ranges for number in range(units.first, units.last + 1)]
