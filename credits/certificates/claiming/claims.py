"""What a buyer may say after a retirement, and what nobody may. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from credits.certificates.wording import LANGUAGES, words_of
from credits.registry.minerals import mineral_of

LIMITS: Sequence[str] = words_of("en").texts["claim"]["limits"]


@dataclass(frozen=True)
class Sentence:
    """The allowed sentence for one or several retirements of the same beneficiary, mineral, cooperative and years.

    certificates: their numbers and addresses. quantity: base units, all of them.
    """

    language: str
    text: str
    quantity: int
    certificates: tuple[tuple[str, str], ...]

    @property
    def plain(self) -> str:
        """The sentence with the address of its certificates, as a line of text."""
        named = (f"{named_in(self.language, number)}: {address}" for number, address in self.certificates)
        return " ".join([self.text, *named])

    @property
    def html(self) -> str:
        """The same as HTML to put into a page: no picture, no script, nothing that is fetched from here."""
        linked = (
            f'<a href="{escape(address)}">{escape(named_in(self.language, number))}</a>'
            for number, address in self.certificates
        )
        return f'<p lang="{self.language}">' + " ".join([escape(self.text), *linked]) + "</p>"


def sentences(facts: Sequence[Mapping[str, Any]], language: str) -> list[Sentence]:
    """What may be said after these retirements. facts: as their certificates froze them. language: one of LANGUAGES.

    Retirements that differ in nothing but their number are told together, with the exact sum.
    """
    words = words_of(language)
    grouped: dict[tuple[str, str, str, str, str], list[Mapping[str, Any]]] = {}
    for each in facts:
        producer = each["origins"][0]["producer"]
        years = "/".join(sorted({each["claim_period"][end][:4] for end in ("from", "to")}))
        key = (
            each["beneficiary"]["name"],
            each["mineral"]["code"],
            producer["cooperative"],
            producer["country"],
            years,
        )
        grouped.setdefault(key, []).append(each)
    told = []
    for (company, code, cooperative, country, years), same in grouped.items():
        mineral, quantity = mineral_of(code), sum(each["quantity_base_units"] for each in same)
        text = words.claim(
            year=years,
            company=company,
            mineral=code,
            cooperative=cooperative,
            country=words.country(country),
            number=mineral.in_credits(quantity),
            quantity=words.quantity(quantity, mineral.base_unit),
        )
        told.append(Sentence(language, text, quantity, tuple((each["number"], each["verify_url"]) for each in same)))
    return told


def allowed(facts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every sentence that may stand word for word in a text about these retirements, one by one or told together."""
    together = [each.text for language in LANGUAGES for each in sentences(facts, language)]
    alone = [each.text for language in LANGUAGES for one in facts for each in sentences([one], language)]
    # As their documents say it, too: these words stay, and those of `words/` may be put better.
    return [*together, *alone, *(each["claim"]["text"] for each in facts)]


def names_in(facts: Sequence[Mapping[str, Any]]) -> list[str]:
    """What stands in the places for names of the sentences about these retirements."""
    found = []
    for each in facts:
        producer = each["origins"][0]["producer"]
        found.append(each["beneficiary"]["name"])
        found += [f"{producer['cooperative']}, {words_of(code).country(producer['country'])}" for code in LANGUAGES]
    return found


def named_in(language: str, number: str) -> str:
    return words_of(language).say("retirement.named", number=number)
