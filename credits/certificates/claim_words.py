"""A text as words that can be compared: without accents, capitals and invisible signs, each with its place. Pure."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

# Letters of other alphabets that look like Latin ones, and figures that stand for letters.
LOOKALIKES = str.maketrans(
    dict(zip("авекмнорстухіѕјԁԛԝӏ", "abekmhopctyxisjdqwl", strict=True))
    | dict(zip("αβειηκνορτυχ", "abeinkvoptux", strict=True))
    | {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "œ": "oe", "æ": "ae"}
)
FIGURES = str.maketrans("013457@$", "oieastas")
INVISIBLE = frozenset(("Cf", "Mn", "Me"))  # zero-width signs, soft hyphens, accents by themselves
HYPHENS = frozenset("-\u2010\u2011\u2012\u2212\u00ad_\u30fb\uff0d")
STOPS = frozenset(".!?\u2026\u3002\uff01\uff1f\u2022|")
BREAKS = frozenset(';:()[]{}\u2013\u2014\u2015\u201c\u201d\u00ab\u00bb"')
FEWEST_SPELT = 4  # single letters in a row are a word that was spelt out


@dataclass(frozen=True)
class Word:
    """A word. start, end: where it stands in the text.

    after: what parts it from the word before: "hyphen", "space", "comma", "break" or "stop". capital: how it begins.
    """

    plain: str
    start: int
    end: int
    after: str
    capital: bool


def words_in(text: str) -> list[Word]:
    """The words of a text, in one pass over it."""
    return spelt_together(list(split(text)))


def split(text: str) -> Iterator[Word]:
    letters: list[str] = []
    start = end = 0
    between, after = "stop", "stop"
    for place, sign in enumerate(text):
        plain = plain_form(sign)
        if plain:
            if not letters:
                start, after = place, between
            letters.append(plain)
            end, between = place + 1, "hyphen"
        elif plain is None:
            continue
        else:
            if letters:
                yield word(letters, text, start, end, after)
                letters, between = [], "hyphen"
            between = weaker(between, sign, text[place - 1 : place])
    if letters:
        yield word(letters, text, start, end, after)


def word(letters: list[str], text: str, start: int, end: int, after: str) -> Word:
    plain = "".join(letters)
    if not plain.isdigit() and any(sign in "013457@$" for sign in plain):
        plain = plain.translate(FIGURES)
    return Word(plain, start, end, after, text[start].isupper())


def weaker(between: str, sign: str, before: str) -> str:
    """What parts two words, once `sign` stands between them too."""
    if between == "stop" or sign in STOPS or (sign == "\n" and before == "\n"):
        return "stop"
    if between == "break" or sign in BREAKS:
        return "break"
    if between == "comma" or sign in ",\u060c\uff0c/":
        return "comma"
    return between if sign in HYPHENS or (sign == "\n" and before in HYPHENS) else "space"


@cache
def plain_form(sign: str) -> str | None:
    """How a letter or figure is compared: "" where the sign parts words, None where nobody sees it."""
    if sign in "@$":
        return sign
    if unicodedata.category(sign) in INVISIBLE:
        return None
    form = "".join(
        part for part in unicodedata.normalize("NFKD", sign).casefold() if unicodedata.category(part) not in INVISIBLE
    )
    kept = "".join(part for part in form if part.isalnum())
    return kept.translate(LOOKALIKES)


def spelt_together(found: list[Word]) -> list[Word]:
    """The same with words that were spelt out, l i k e this, in one."""
    together: list[Word] = []
    place = 0
    while place < len(found):
        last = place
        while last < len(found) and len(found[last].plain) == 1:
            last += 1
        if last - place >= FEWEST_SPELT:
            first = found[place]
            plain = "".join(each.plain for each in found[place:last])
            together.append(Word(plain, first.start, found[last - 1].end, first.after, first.capital))
            place = last
        else:
            together.append(found[place])
            place += 1
    return together
