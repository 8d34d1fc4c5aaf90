"""The market's own numbers, as `policy.toml` has them in `[market]`. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from credits.participants.countries import country
from credits.registry.minerals import MILLION

# What reaches the site of what a buyer pays before tax, in parts per million.
LEAST_PREMIUM, MOST_PREMIUM = 850_000, 900_000
LEAST_MINUTES, MOST_MINUTES = 30, 24 * 60  # so long providers keep a checkout open


@dataclass(frozen=True)
class Market:
    """verification_ppm, fee_ppm: of what a buyer pays before tax; the rest is the site's premium.

    days_open: until an order that nobody begins to pay ends. unpaid_transfers, unpaid_checkouts: that are awaited of
    one buyer at most.
    tax_ppm: by the buyer's country (ISO 3166 alpha-3), for buyers without a VAT number.
    """

    verification_ppm: int
    fee_ppm: int
    checkout_minutes: int
    standing_minutes: int
    days_open: int
    days_to_pay: int
    unpaid_transfers: int
    unpaid_checkouts: int
    days_to_disburse: int
    tax_ppm: tuple[tuple[str, int], ...]

    @property
    def premium_ppm(self) -> int:
        return MILLION - self.verification_ppm - self.fee_ppm


def market_of(written: Mapping[str, Any]) -> Market:
    """The market as a policy writes it. Raises KeyError, TypeError, ValueError or UnknownCountry where it cannot be."""
    market = Market(
        verification_ppm=written["verification_ppm"],
        fee_ppm=written["fee_ppm"],
        checkout_minutes=written["checkout_minutes"],
        standing_minutes=written["standing_minutes"],
        days_open=written["days_open"],
        days_to_pay=written["days_to_pay"],
        unpaid_transfers=written["unpaid_transfers"],
        unpaid_checkouts=written["unpaid_checkouts"],
        days_to_disburse=written["days_to_disburse"],
        tax_ppm=tuple((country(code), rate) for code, rate in written["tax_ppm"].items()),
    )
    shares = (market.verification_ppm, market.fee_ppm, *dict(market.tax_ppm).values())
    if not all(type(share) is int and 0 <= share < MILLION for share in shares):
        raise ValueError("[market] shares and taxes are whole numbers of parts per million.")
    if not LEAST_PREMIUM <= market.premium_ppm <= MOST_PREMIUM:
        raise ValueError("[market] 85 to 90 % of what a buyer pays before tax reaches the site.")
    spans = (market.checkout_minutes, market.standing_minutes, market.days_to_pay, market.days_to_disburse)
    counted = (*spans, market.days_open, market.unpaid_transfers, market.unpaid_checkouts)
    if not all(type(number) is int and number > 0 for number in counted):
        raise ValueError("[market] minutes, days and how many payments wait are whole and positive numbers.")
    checkouts = (market.checkout_minutes, market.standing_minutes)
    if not all(LEAST_MINUTES <= minutes <= MOST_MINUTES for minutes in checkouts):
        raise ValueError("[market] a checkout stays open for 30 minutes to 24 hours.")
    return market
