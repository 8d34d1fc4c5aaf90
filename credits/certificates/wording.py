"""What documents say, in five languages: sentences of `words/`, days, numbers and names as each language writes them.

These texts have nothing to do with the languages of the pages: a certificate speaks the language that was chosen at the
retirement, whatever the pages speak.
"""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from credits.participants.countries import name_of

FOLDER = Path(__file__).parent / "words"
LANGUAGES = ("en", "fr", "es", "pt", "sw")


class Words:
    """One language of documents. A sentence that is not there is an error."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = Locale.parse(language)
        self.texts: Mapping[str, Any] = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))

    def say(self, key: str, /, **values: object) -> str:
        """The sentence under a dotted key, its places filled in. Raises KeyError."""
        found: Any = self.texts
        for part in key.split("."):
            found = found[part]
        text: str = found
        return text.format(**values) if values else text

    def count(self, key: str, number: str, /, **values: object) -> str:
        """The sentence for so many, as this language counts. number: a plain decimal text, "2.5"."""
        form = "one" if self.locale.plural_form(Decimal(number)) == "one" else "other"
        return self.say(f"{key}.{form}", number=self.number(number), **values)

    def number(self, plain: str | int) -> str:
        """A plain decimal as people write it here, every digit kept."""
        return format_decimal(Decimal(plain), "#,##0.#########", locale=self.locale)

    def quantity(self, base_units: int, unit: str) -> str:
        return f"{self.number(base_units)} {unit}"

    def mineral(self, code: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.texts["minerals"][code]
        return found

    def amount(self, number: str, mineral: str) -> str:
        """So many credits of a mineral."""
        return self.count("amount", number, of_mineral=self.mineral(mineral)["of"])

    def basis(self, contained: str, per_thousand: bool) -> str:
        """How the contained quantity is found."""
        return self.say("basis.fine") if per_thousand else self.say("basis.weighed", substance=contained)

    def day(self, iso: str) -> str:
        """A day in full: 22 November 2026."""
        day = date.fromisoformat(iso[:10])
        text = format_date(day, "d MMMM y" if self.language == "en" else "long", locale=self.locale)
        return text.replace("1", self.texts["first_of_month"], 1) if day.day == 1 else text

    def short_day(self, iso: str) -> str:
        day = date.fromisoformat(iso[:10])
        text = format_date(day, "d MMM y" if self.language == "en" else "medium", locale=self.locale)
        return text.replace("1", self.texts["first_of_month"], 1) if day.day == 1 else text

    def moment(self, iso: str) -> str:
        """A time, which is given in UTC, to the second."""
        return f"{self.day(iso)}, {datetime.fromisoformat(iso):%H:%M:%S} UTC"

    def period(self, days: Mapping[str, str | None] | None) -> str | None:
        """From one day to another."""
        if days is None:
            return None
        first, last = (self.short_day(day) if day else self.texts["not_recorded"] for day in (days["from"], days["to"]))
        return str(first) if first == last else f"{first} – {last}"

    def country(self, code: str) -> str:
        return name_of(code, self.language)

    def known(self, kind: str, word: str) -> str:
        """A fixed word of the registry in this language; one that nobody has translated stays as it is."""
        return str(self.texts[kind].get(word, word))

    def claim(
        self, *, year: str, company: str, mineral: str, cooperative: str, country: str, number: str, quantity: str
    ) -> str:
        """What a beneficiary may say. year: "2026" or "2025/2026"; number: of credits; quantity: with its unit."""
        named = self.mineral(mineral)
        said = self.say(
            "claim.sentence",
            year=year,
            company=company,
            of_mineral=named["of"],
            cooperative=cooperative,
            country=country,
            credits=self.count("credits", number),
            quantity=quantity,
        )
        untraced = "claim.untraced.other" if named.get("plural") else "claim.untraced.one"
        return f"{said} {self.say(untraced, the_mineral=named['the'])}"


@cache
def words_of(language: str) -> Words:
    """The words of one of LANGUAGES."""
    return Words(language)
