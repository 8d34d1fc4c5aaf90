"""What a checkout is asked to bill, and what is noted beside it, as Stripe reads and refuses it."""

from tests.stripe_standin.params import Refused
from tests.stripe_standin.shelf import Thing

LEAST = {"usd": 50, "eur": 50, "gbp": 30, "chf": 50, "jpy": 50}  # minor units that a charge must reach, as published
MOST = 99_999_999


def bill(lines: list[Thing]) -> tuple[str, int]:
    """Currency and sum of the lines. Raises Refused."""
    if not lines:
        raise Refused(400, "Missing required param: line_items.", code="parameter_missing", param="line_items")
    currencies, total = set(), 0
    for at, line in enumerate(lines):
        price, where = line.get("price_data"), f"line_items[{at}]"
        if price is None or "unit_amount" not in price or "product_data" not in price:
            raise Refused(400, "This stand-in wants price_data with unit_amount and product_data.", param=where)
        if price["unit_amount"] < 0 or line.get("quantity", 1) < 1 or not price["product_data"]["name"].strip():
            raise Refused(400, f"Invalid line: {where}", param=where)
        currencies.add(price["currency"].lower())
        total += price["unit_amount"] * line.get("quantity", 1)
    if len(currencies) != 1 or not currencies <= set(LEAST):
        raise Refused(400, "All prices must have the same currency, one of the account's.", param="line_items")
    currency = currencies.pop()
    if total < LEAST[currency]:
        raise Refused(400, "The Checkout Session's total amount is too small.", code="amount_too_small")
    if total > MOST:
        raise Refused(400, "The Checkout Session's total amount is too large.", code="amount_too_large")
    return currency, total


def metadata(given: dict[str, str]) -> None:
    """Raises Refused."""
    if len(given) > 50 or any(len(name) > 40 or len(text) > 500 for name, text in given.items()):
        raise Refused(400, "Metadata is at most 50 names of 40 characters with 500 each.", param="metadata")
