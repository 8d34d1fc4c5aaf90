"""What credits would cost who is asking, before anything is ordered: the lines of the bill, with its tax."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, request

from credits import languages
from credits.errors import CreditsError
from credits.identity import visitor
from credits.participants import countries
from credits.participants.models import User
from credits.participants.permissions import may_buy
from credits.payments import prices
from credits.payments.models import Currency
from credits.payments.offering import filling
from credits.payments.offering.filling import Line
from credits.payments.prices import Split


@dataclass(frozen=True)
class Quote:
    """Minor units. tax_ppm: the rate of the tax, in parts per million."""

    lines: list[Line]
    split: Split
    tax_ppm: int

    @property
    def currency(self) -> Currency:
        return self.lines[0].offer.currency

    @property
    def premium_ppm(self) -> int:
        """What of the amount before tax reaches the site, to a tenth of a percent."""
        return self.split.premium * 1_000 // self.split.amount * 1_000

    @property
    def typed(self) -> list[str]:
        """The quantities in credits, as one would type them."""
        return [line.offer.mineral.in_credits(line.quantity) for line in self.lines]

    @property
    def tax(self) -> int:
        return prices.tax(self.split.amount, self.tax_ppm)

    @property
    def total(self) -> int:
        return self.split.amount + self.tax


def quoted(lines: list[Line]) -> Quote:
    """What the lines cost, with the tax of the country that was chosen."""
    market = current_app.extensions["policy"].market
    rate = prices.tax_rate(market, billed_to(), "given" if request.args.get("vat") else "")
    return Quote(lines, filling.shares_of(lines, market), rate)


def billed_to() -> str:
    """The country of the bill: the one chosen, else the visitor's own; empty where nobody has said."""
    if "bill" in request.args:
        asked = request.args["bill"]
        return asked if asked in countries.TWO_LETTERS else ""
    person = visitor()
    return person.organisation.country if person is not None else ""


def shown() -> dict[str, Any]:
    """What a page with a quote shows beside it: the form for the tax, and whether who is asking could order."""
    person = visitor()
    return {
        "bill": billed_to(),
        "vat": bool(request.args.get("vat")),
        "bill_countries": [("", "–"), *countries.listed(languages.current())],
        "person": person,
        "buys": person is not None and buys(person),
    }


def buys(person: User) -> bool:
    """Whether the person could place an order for their organisation."""
    try:
        may_buy(person, person.organisation)
    except CreditsError:
        return False
    return True
