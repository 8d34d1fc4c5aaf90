"""To whom an order is billed, as its documents print it."""

import re
from dataclasses import dataclass
from typing import Any

from credits.errors import Invalid
from credits.participants.countries import country
from credits.participants.wording import email_address, printed, printed_paragraphs

# The shape of a number by country, where it decides on tax or is known well. Elsewhere: letters and four digits.
SHAPES = {
    "AUT": r"ATU[0-9]{8}",
    "BEL": r"BE[01][0-9]{9}",
    "CHE": r"CHE[0-9]{9}(MWST|TVA|IVA)?",
    "DEU": r"DE[0-9]{9}",
    "ESP": r"ES[A-Z0-9][0-9]{7}[A-Z0-9]",
    "FRA": r"FR[A-Z0-9]{2}[0-9]{9}",
    "GBR": r"GB([0-9]{9}|[0-9]{12})",
    "ITA": r"IT[0-9]{11}",
    "JPN": r"T[0-9]{13}",
    "NLD": r"NL[0-9]{9}B[0-9]{2}",
    "SWE": r"SE[0-9]{12}",
}
ELSEWHERE = r"(?=(.*[0-9]){4})[A-Z0-9]{4,20}"


class BadVatNumber(Invalid):
    """What was given as a VAT number does not look like one of that country."""

    code = "bad_vat_number"


@dataclass(frozen=True)
class Billing:
    """country: ISO 3166 alpha-3. vat_number: "" where the buyer has none."""

    name: str
    address: str
    country: str
    vat_number: str
    email: str

    @property
    def told(self) -> dict[str, Any]:
        return dict(vars(self))


def tidied(billing: Billing) -> Billing:
    """The same in sound texts. Raises UnsoundText, UnknownCountry, BadVatNumber."""
    code = country(billing.country)
    return Billing(
        name=printed(billing.name, "Name on the invoice", 200),
        address=printed_paragraphs(billing.address, "Address", 500),
        country=code,
        vat_number=vat_number(billing.vat_number, code),
        email=email_address(billing.email),
    )


def vat_number(typed: str, country_code: str) -> str:
    """The number without spaces, points and hyphens, in capitals. Its shape is checked, nobody is asked about it."""
    tidy = re.sub(r"[\s.\-/]", "", typed).upper()
    if tidy and not re.fullmatch(SHAPES.get(country_code, ELSEWHERE), tidy):
        raise BadVatNumber(
            f"{typed.strip()[:40]} does not look like a VAT number of this country. Write it whole, "
            "such as DE123456789, or leave it empty.",
            asked=typed[:40],
        )
    return tidy
