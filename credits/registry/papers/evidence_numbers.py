"""The numbers on papers: read from what a person typed, and compared across the whole registry (invariant 6)."""

import re
import unicodedata
from dataclasses import dataclass

from credits.errors import Invalid
from credits.participants.wording import line
from credits.registry.production import EvidenceKind

MOST_NUMBERS = 2_000  # on one paper: a log of tags of a season
LONGEST_NUMBER, LONGEST_ISSUER = 80, 120
SHORTEST_TELLING = 4  # signs: a shorter number stands on papers of many, and alike says nothing
RANGE = re.compile(r"(.*?)([0-9]+)\s*(?:\.\.+|…)\s*(.*?)([0-9]+)")
BETWEEN = re.compile(r"[\n,;]+")
# Letters that a hand or a phone writes as digits.
MISREAD = str.maketrans({"o": "0", "i": "1", "l": "1"})


class TooManyNumbers(Invalid):
    code = "too_many_numbers"


class BadRange(Invalid):
    """The first and the last number of a range do not belong together."""

    code = "bad_range"


@dataclass(frozen=True)
class Numbered:
    """One number on a paper. issuer_key, number_key: as compared; loose_key: as it could be misread."""

    number: str
    issuer_key: str
    number_key: str
    loose_key: str


def numbers_on(kind: EvidenceKind, typed: str, issuer: str, producer_id: int) -> list[Numbered]:
    """The numbers in `typed`, each once: parted by commas, semicolons or new lines; T-001 .. T-050 is fifty of them.

    issuer: who gave them. Left empty, tags and seals are numbered once for all, other papers by their producer.
    Raises TooManyNumbers, BadRange, UnsoundText.
    """
    issuer_key = folded(issuer) or ("" if kind is EvidenceKind.TAG_LOG else f"#{producer_id}")
    found: dict[str, Numbered] = {}
    for part in BETWEEN.split(typed):
        if not part.strip():
            continue
        for number in spread(line(part, "Number of the paper", LONGEST_NUMBER)):
            number_key = folded(number)
            if number_key and number_key not in found:  # marks alone are no number
                found[number_key] = Numbered(number, issuer_key, number_key, loose(number))
        if len(found) > MOST_NUMBERS:
            raise TooManyNumbers(f"At most {MOST_NUMBERS:,} numbers stand on one paper. Send the rest as another one.")
    return list(found.values())


def spread(written: str) -> list[str]:
    """The numbers of a range, or the one that is no range. Raises BadRange, TooManyNumbers."""
    match = RANGE.fullmatch(written)
    if match is None:
        return [written]
    start, first, start_again, last = match.groups()
    uneven = len(last) != len(first) and first.startswith("0")
    if folded(start_again) not in ("", folded(start)) or uneven or int(last) < int(first):
        raise BadRange(f"{written}: write a range from its lower to its higher number, such as T-001 .. T-050.")
    if int(last) - int(first) >= MOST_NUMBERS:
        raise TooManyNumbers(f"At most {MOST_NUMBERS:,} numbers stand on one paper. Send the rest as another one.")
    return [f"{start}{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]


def shown(numbers: list[Numbered]) -> str | None:
    """The numbers as a person reads them beside the paper; of many the first and the last."""
    if not numbers:
        return None
    listed = ", ".join(numbered.number for numbered in numbers)
    if len(listed) <= LONGEST_NUMBER:
        return listed
    return f"{numbers[0].number} … {numbers[-1].number} ({len(numbers):,})"


def folded(text: str) -> str:
    """A number or a name as it is compared: "inv 1" is "INV-1"."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in plain if not sign.isspace() and unicodedata.category(sign) != "Pd")


def loose(number: str) -> str:
    """What is left of a number without dots, leading noughts and letters like digits; "" where that is little."""
    plain = unicodedata.normalize("NFKC", number).casefold().translate(MISREAD)
    plain = re.sub(r"(?<![0-9])0+(?=[0-9])", "", plain)
    plain = "".join(sign for sign in plain if sign.isalnum())
    return plain if len(plain) >= SHORTEST_TELLING else ""
