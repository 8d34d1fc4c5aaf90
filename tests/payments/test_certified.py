"""What a certificate says of the money, by what its reader finds in it."""

import pytest

from credits.certificates import issuing
from credits.certificates.issuing import Issuer, facts_in
from credits.payments.certified import PublicPrices

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

        assert told == {"to_site": "USD 1,144.00", "fee": "USD 91.00", "quantity": "250 kg"}  # 88 % and 7 % of 1,300

    def test_says_nothing_of_a_price_that_is_not_public(self, stage, made):
        stage.bought((stage.for_sale(made), 500))

        assert self.premium_of(stage, stage.retired(made, 250)) is None

    def test_says_of_units_that_were_handed_over_unsold_only_that_nothing_is_recorded(self, stage, made):
        stage.handed_over(made, 100)
        stage.bought((stage.for_sale(made, 200), 200), open_to_public=True)

        told = self.premium_of(stage, stage.retired(made, 300))

        assert told["quantity"] == "200 kg"
