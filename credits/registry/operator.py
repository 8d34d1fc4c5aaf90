"""Who runs the registry and issues its invoices, as `policy.toml` says in `[operator]`. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from credits.participants.countries import country
from credits.participants.wording import printed, printed_paragraphs


@dataclass(frozen=True)
class Operator:
    """country: ISO 3166 alpha-3. Each is "" where nothing is said, or where there is no such number."""

    name: str = ""
    address: str = ""
    country: str = ""
    registration_number: str = ""
    vat_number: str = ""

    @property
    def missing(self) -> list[str]:
        """What an invoice cannot do without and nobody has said: a number of the register or for tax is enough."""
        needed = {"name": self.name, "address": self.address, "country": self.country}
        needed["registration_number or vat_number"] = self.registration_number or self.vat_number
        return [name for name, said in needed.items() if not said]


def operator_of(written: Mapping[str, Any]) -> Operator:
    """The operator as a policy writes it; nothing is needed. Raises UnsoundText, UnknownCountry or ValueError."""
    if unknown := set(written) - set(Operator.__dataclass_fields__):
        raise ValueError(f"[operator] knows nothing of {', '.join(sorted(unknown))}.")
    given = {name: said for name, said in written.items() if said}
    if "country" in given:
        given["country"] = country(given["country"])
    if "address" in given:
        given["address"] = printed_paragraphs(given["address"], "Address", 500)
    one_line = {name: printed(said, name, 200) for name, said in given.items() if name != "address"}
    return Operator(**given | one_line)
