"""Serial numbers: ranges of base units, how they are written and how they are checked. Pure.

A serial range is written `ASMC-CO-COD-KAM001-2026-0042-000000001-000002500-P`: registry, mineral, ISO 3166
alpha-3 country, site code, vintage, issuance number, first and last base unit (nine digits, more where
needed) and a check character over everything before it (ISO 7064, MOD 37,36).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from credits.errors import Invalid

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PLACES = {character: place for place, character in enumerate(ALPHABET)}
LARGEST = 2**53 - 1  # what every reader of JSON keeps exactly, and what SQLite can still add up

ISSUANCE = re.compile(r"[A-Z]{4}-[A-Z]{1,3}-[A-Z]{3}-[A-Z0-9]{3,12}-[0-9]{4}-[0-9]{4,9}")
RANGE = re.compile(rf"({ISSUANCE.pattern})-([0-9]{{9,19}})-([0-9]{{9,19}})-([0-9A-Z])")


class BadSerial(Invalid):
    """The text is no serial number, or was mistyped."""

    code = "bad_serial"


@dataclass(frozen=True, order=True)
class SerialRange:
    """A contiguous range of base units of one issuance, both ends included, counted from 1."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last <= LARGEST:
            raise BadSerial(
                f"{self.first} to {self.last} is no range of serials.",
                first=self.first,
                last=self.last,
            )

    @property
    def quantity(self) -> int:
        return self.last - self.first + 1


def check_character(text: str) -> str:
    """The ISO 7064 MOD 37,36 check character of the letters and digits of `text`; hyphens do not count.

    It tells every single mistyped character, and all but 1 in 630 swaps of neighbouring letters or digits.
    """
    return ALPHABET[(1 - check_product(text)) % 36]


def check_product(text: str) -> int:
    """What the check character's reckoning has come to at the end of `text`, 1 to 36: it can go on from there."""
    product = 36
    for character in text.replace("-", ""):
        product = (product + PLACES[character]) % 36 or 36
        product = product * 2 % 37
    return product


def written(issuance_number: str, units: SerialRange) -> str:
    """The range as people write it, with its check character."""
    body = f"{issuance_number}-{units.first:09d}-{units.last:09d}"
    return f"{body}-{check_character(body)}"


def parse(text: str) -> tuple[str, SerialRange]:
    """Issuance number and range of a written serial. Spaces and small letters are forgiven, a wrong check is not.

    Raises BadSerial.
    """
    tidy = re.sub(r"\s+", "", text)
    match = RANGE.fullmatch(tidy := tidy.upper()) if tidy.isascii() else None
    if match is None:
        raise BadSerial(
            "This is no serial number. It looks like ASMC-CO-COD-KAM001-2026-0042-000000001-000002500-P.",
            text=text[:200],
        )
    number, first, last, check = match.groups()
    units = SerialRange(int(first), int(last))
    if check != check_character(tidy[:-2]) or tidy != written(number, units):
        raise BadSerial(
            "The check character does not fit: please compare the serial number with its source.",
            text=tidy,
        )
    return number, units


def tidied(ranges: Iterable[SerialRange]) -> list[SerialRange]:
    """The same serials in as few ranges as possible, lowest first. Raises BadSerial where two overlap."""
    joined: list[SerialRange] = []
    for units in sorted(ranges):
        if joined and units.first <= joined[-1].last:
            raise BadSerial("Two ranges share a serial.", first=units.first, last=joined[-1].last)
        if joined and units.first == joined[-1].last + 1:
            joined[-1] = SerialRange(joined[-1].first, units.last)
        else:
            joined.append(units)
    return joined


def lowest(ranges: Iterable[SerialRange], quantity: int) -> list[SerialRange]:
    """The lowest `quantity` serials of `ranges`, not joined; fewer where they do not hold so many."""
    taken: list[SerialRange] = []
    for units in sorted(ranges):
        if quantity <= 0:
            break
        part = SerialRange(units.first, min(units.last, units.first + quantity - 1))
        taken.append(part)
        quantity -= part.quantity
    return taken
