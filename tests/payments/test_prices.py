from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ROOT
from credits.payments import prices
from credits.payments.models import Currency
from credits.payments.prices import BadAmount, Split, UnknownCurrency, amount_of, parse, split, tax, tax_rate, written
from credits.registry import policy
from credits.registry.minerals import MILLION, BadMeasure

MARKET = policy.read(ROOT / "policy.toml").market
USD, JPY = Currency.USD, Currency.JPY


class TestParse:
    @pytest.mark.parametrize(
        "typed, currency, minor",
        [
            ("4000", USD, 400_000),
            (" 4000.5 ", USD, 400_050),
            ("4000.50", USD, 400_050),
            ("4,000.50", USD, 400_050),
            ("4,000", USD, 400_000),
            ("1,234,567.89", USD, 123_456_789),
            ("4000,50", USD, 400_050),
            ("4 000,5", Currency.EUR, 400_050),
            ("4\u202f000,50", Currency.EUR, 400_050),
            ("0.01", USD, 1),
            ("750,000", JPY, 750_000),
            ("1", JPY, 1),
            ("007", JPY, 7),
        ],
    )
    def test_reads_what_people_write(self, typed, currency, minor):
        assert parse(typed, currency) == minor

    @pytest.mark.parametrize(
        "typed, currency, why",
        [
            ("4.005", USD, "An amount in USD has at most 2 decimals; 4.005 has 3."),
            ("4.000", USD, "at most 2 decimals"),
            ("100.5", JPY, "An amount in JPY has no decimals; 100.5 has 1."),
            ("100.0", JPY, "JPY has no decimals"),
            ("0", USD, "more than 0"),
            ("0.00", USD, "more than 0"),
            ("-4", USD, "plain amount"),
            ("4e3", USD, "plain amount"),
            ("USD 4", USD, "plain amount"),
            ("4.", USD, "plain amount"),
            (".5", USD, "plain amount"),
            ("4.0.0", USD, "plain amount"),
            ("4,00,000", USD, "plain amount"),
            ("٤", USD, "plain amount"),
            ("NaN", USD, "plain amount"),
            ("", USD, "plain amount"),
            ("9" * 18, USD, "more than anybody pays"),
            ("9" * 400, USD, "plain amount"),
        ],
    )
    def test_refuses_what_is_no_exact_amount(self, typed, currency, why):
        with pytest.raises((BadAmount, BadMeasure), match=why):
            parse(typed, currency)

    @given(st.integers(1, prices.LARGEST), st.sampled_from(Currency))
    def test_reads_what_it_has_written(self, minor, currency):
        assert parse(prices.plain(minor, currency), currency) == minor
        assert parse(written(minor, currency).split()[1], currency) == minor


class TestCurrencyOf:
    def test_knows_those_that_are_traded_in(self):
        assert prices.currency_of("CHF") is Currency.CHF
        assert set(prices.DECIMALS) == set(Currency)
        for unknown in ("usd", "XAU", ""):
            with pytest.raises(UnknownCurrency):
                prices.currency_of(unknown)


class TestWritten:
    def test_shows_as_many_decimals_as_the_currency_has(self):
        assert (written(400_050, USD), written(400_050, JPY)) == ("USD 4,000.50", "JPY 400,050")
        assert (prices.plain(5, USD), prices.in_units(1, JPY)) == ("0.05", Decimal(1))


class TestAmountOf:
    def test_costs_fractions_of_a_credit(self):
        assert amount_of(500_000, 2_500, 1_000) == 1_250_000
        assert amount_of(401, 1, 1_000) == 1  # a thousandth of 4.01 costs a whole cent: never less than the price

    def test_refuses_more_than_a_sale_can_be(self):
        with pytest.raises(BadAmount):
            amount_of(prices.LARGEST, 1_001, 1_000)

    @given(st.integers(1, 10**8), st.integers(1, 10**9))
    def test_is_never_below_the_price_and_less_than_one_unit_above(self, price, base_units):
        exact = Fraction(price * base_units, 1_000)

        assert exact <= amount_of(price, base_units, 1_000) < exact + 1


class TestSplit:
    def test_divides_the_first_sale_of_cobalt(self):
        assert split(1_250_000, MARKET) == Split(premium=1_100_000, verification_share=62_500, registry_fee=87_500)

    @given(st.integers(1, prices.LARGEST))
    def test_sums_to_the_amount_and_favours_the_site(self, amount):
        parts = split(amount, MARKET)

        assert parts.amount == amount
        assert min(parts.premium, parts.verification_share, parts.registry_fee) >= 0
        assert Fraction(amount * MARKET.premium_ppm, MILLION) <= parts.premium
        assert parts.premium < Fraction(amount * MARKET.premium_ppm, MILLION) + 2

    @given(st.lists(st.integers(1, 10**9), min_size=1, max_size=20))
    def test_of_an_order_is_the_sum_of_those_of_its_lines(self, amounts):
        whole = sum((split(each, MARKET) for each in amounts), Split(0, 0, 0))

        assert whole.amount == sum(amounts)
        assert whole.premium * MILLION >= sum(amounts) * MARKET.premium_ppm


class TestTax:
    def test_is_rounded_half_up(self):
        assert [tax(subtotal, 190_000) for subtotal in (0, 50, 150, 250, 1_000)] == [0, 10, 29, 48, 190]

    @given(st.integers(0, prices.LARGEST), st.integers(0, MILLION - 1))
    def test_is_within_half_a_unit(self, subtotal, ppm):
        assert abs(tax(subtotal, ppm) - Fraction(subtotal * ppm, MILLION)) <= Fraction(1, 2)


class TestTaxRate:
    def test_is_that_of_the_buyer_s_country_unless_the_buyer_owes_it_there(self):
        assert tax_rate(MARKET, "DEU", "") == 190_000
        assert tax_rate(MARKET, "DEU", "DE123456789") == 0
        assert tax_rate(MARKET, "USA", " ") == 0
