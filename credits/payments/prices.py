"""Money as whole minor units of its currency: written, read, multiplied, divided. Pure.

A minor unit is a cent, a penny, a rappen; a yen has none smaller. Nothing here is ever a float.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_decimal

from credits.errors import Invalid
from credits.payments.models import Currency
from credits.registry.decimals import with_point
from credits.registry.market import Market
from credits.registry.minerals import MILLION

DECIMALS = {Currency.USD: 2, Currency.EUR: 2, Currency.GBP: 2, Currency.CHF: 2, Currency.JPY: 0}
LARGEST = 10**15  # minor units: far above any sale, and sums of thousands of them stay below 2⁶³
WITH_COMMAS = re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?")
PLAIN = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,20}))?")


class UnknownCurrency(Invalid):
    code = "unknown_currency"


class BadAmount(Invalid):
    """What was typed is no amount of money in this currency."""

    code = "bad_amount"


class BadPrice(Invalid):
    code = "bad_price"


@dataclass(frozen=True)
class Split:
    """Who gets what of an amount before tax, in minor units. The three parts are the whole."""

    premium: int  # to the site
    verification_share: int
    registry_fee: int

    @property
    def amount(self) -> int:
        return self.premium + self.verification_share + self.registry_fee

    def __add__(self, other: "Split") -> "Split":
        return Split(
            self.premium + other.premium,
            self.verification_share + other.verification_share,
            self.registry_fee + other.registry_fee,
        )


def currency_of(code: str) -> Currency:
    """The currency with this ISO 4217 code. Raises UnknownCurrency."""
    try:
        return Currency(code)
    except ValueError:
        raise UnknownCurrency(
            f"There is no trade in {code[:20]!r} here. Choose one of {', '.join(Currency)}.", asked=code[:20]
        ) from None


def parse(typed: str, currency: Currency) -> int:
    """Minor units in an amount as people write it: 4000.50, 4,000.50, 4 000,50. Exact or refused, and above 0.

    A comma before three digits sets thousands apart: no currency here has three decimals. Raises BadAmount.
    """
    tidy = typed.strip()
    tidy = tidy.replace(",", "") if WITH_COMMAS.fullmatch(tidy) else with_point(tidy)
    found = PLAIN.fullmatch(tidy)
    if found is None:
        raise BadAmount("Please write a plain amount such as 4000 or 4000.50, without a sign.", asked=typed[:40])
    whole, fraction = found[1], found[2] or ""
    digits = DECIMALS[currency]
    if len(fraction) > digits:
        most = f"has at most {digits} decimals" if digits else "has no decimals"
        raise BadAmount(f"An amount in {currency} {most}; {tidy[:40]} has {len(fraction)}.", asked=typed[:40])
    minor = int(whole + fraction.ljust(digits, "0"))
    if minor == 0:
        raise BadAmount("An amount is more than 0.", asked=typed[:40])
    if minor > LARGEST:
        raise BadAmount(f"{tidy[:40]} {currency} is more than anybody pays here.", asked=typed[:40])
    return minor


def checked_price(price: object) -> int:
    """`price` if it is a sound number of minor units per credit. Raises BadPrice."""
    if type(price) is not int or not 0 < price <= LARGEST:
        raise BadPrice(
            "A price is a whole number of the currency's smallest units, more than 0.", price=str(price)[:40]
        )
    return price


def in_units(minor: int, currency: Currency) -> Decimal:
    """The amount as a decimal number of the currency: 400050 cents are 4000.50."""
    return Decimal(minor).scaleb(-DECIMALS[currency])


def plain(minor: int, currency: Currency) -> str:
    """The amount in digits for machines and forms: 4000.50."""
    return f"{in_units(minor, currency):f}"


def written(minor: int, currency: Currency) -> str:
    """The amount for people, the same in every language: USD 4,000.50."""
    return f"{currency} {in_units(minor, currency):,f}"


def written_in(minor: int, currency: Currency, language: str) -> str:
    """The amount in a document of this language: 4 000,50 USD in French. Swahili's practice is that of English."""
    if language in ("en", "sw"):
        return written(minor, currency).replace(" ", "\u00a0")
    pattern = "#,##0." + "0" * DECIMALS[currency]
    number = format_decimal(in_units(minor, currency), pattern.rstrip("."), locale=language)
    return f"{number}\u00a0{currency}"


def amount_of(price: int, base_units: int, units_per_credit: int) -> int:
    """What `base_units` cost at `price` a credit, in minor units: rounded up, so that it never is below the price.

    Raises BadAmount where it is more than a sale can be.
    """
    amount = -(-price * base_units // units_per_credit)
    if amount > LARGEST:
        raise BadAmount("This is more than one sale can be. Choose less.", amount=str(amount))
    return amount


def split(amount: int, market: Market) -> Split:
    """Divide an amount before tax. Fee and verification share are rounded down: what is left over is the site's."""
    verification = amount * market.verification_ppm // MILLION
    fee = amount * market.fee_ppm // MILLION
    return Split(amount - verification - fee, verification, fee)


def tax_rate(market: Market, country: str, vat_number: str) -> int:
    """Parts per million of tax for a buyer in `country` (ISO 3166 alpha-3).

    None for one who gives a VAT number, who owes the tax at home (reverse charge), and where the policy names none.
    """
    return 0 if vat_number.strip() else dict(market.tax_ppm).get(country, 0)


def tax(subtotal: int, ppm: int) -> int:
    """Tax on an amount, in minor units, rounded half up."""
    return (subtotal * ppm * 2 + MILLION) // (2 * MILLION)
