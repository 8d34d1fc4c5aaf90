"""A text as words that can be compared: without accents, capitals and invisible signs, each with its place. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cache
from html import unescape

# Letters of other alphabets that look like Latin ones, and figures that stand for letters.
LOOKALIKES = str.maketrans(
    dict(zip("авекмнорстухіѕјԁԛԝӏ", "abekmhopctyxisjdqwl", strict=True))
    | dict(zip("αβειηκνορτυχ", "abeinkvoptux", strict=True))
    | dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True))
    | {"ƒ": "f", "ɛ": "e", "ɑ": "a", "ɡ": "g", "ɩ": "i"}
    | {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "œ": "oe", "æ": "ae"}
)
FIGURES = str.maketrans("013457@$", "oieastas")
INVISIBLE = frozenset(("Cf", "Mn", "Me"))  # zero-width signs, soft hyphens, accents by themselves
HYPHENS = frozenset("-\u2010\u2011\u2012\u2212\u00ad_\u30fb\uff0d")
STOPS = frozenset(".!\u2026\u3002\uff01\u2022|")
BREAKS = frozenset('?\uff1f;:()[]{}\u2013\u2014\u2015\u201c\u201d\u00ab\u00bb"')
BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # letters to a program, which nobody sees
HTML = re.compile(
    r"<!--.{0,500}?-->|</?(?P<name>[a-z][a-z0-9]{0,20})(?:\s[^<>]{0,500})?/?>"
    r"|(?P<entity>&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});)",
    re.IGNORECASE,
)
BLOCKS = frozenset(
    ("p", "div", "li", "ul", "ol", "table", "tr", "td", "th", "h1", "h2", "h3", "h4", "section", "blockquote", "hr")
)
MOST_TORN = 3  # parts of a word between which somebody put spaces
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


@dataclass(frozen=True)
class Sign:
    """A sign as a browser shows it, and where it stands in the text."""

    shown: str
    start: int
    end: int


def signs_in(text: str) -> list[Sign]:
    """What is left of a text once its HTML is read: no tags, and for every entity its sign."""
    found: list[Sign] = []
    place = 0
    for tag in HTML.finditer(text):
        found += [Sign(text[each], each, each + 1) for each in range(place, tag.start())]
        name = (tag["name"] or "").lower()
        shown = unescape(tag[0]) if tag["entity"] else "\n" if name == "br" else "." if name in BLOCKS else ""
        found += [Sign(each, tag.start(), tag.end()) for each in shown]
        place = tag.end()
    return found + [Sign(text[each], each, each + 1) for each in range(place, len(text))]


def split(text: str) -> Iterator[Word]:
    signs = signs_in(text)
    letters: list[str] = []
    first = last = Sign("", 0, 0)
    between, after = "stop", "stop"
    for place, sign in enumerate(signs):
        before = signs[place - 1].shown if place else ""
        behind = signs[place + 1].shown if place + 1 < len(signs) else ""
        inside = before.isalpha() and behind.isalpha() and behind.islower()
        plain = "i" if sign.shown == "!" and inside else plain_form(sign.shown)
        if plain:
            if not letters:
                first, after = sign, between
            letters.append(plain)
            last, between = sign, "hyphen"
        elif plain is None or (sign.shown == "." and inside):
            if plain is not None and letters:  # a full stop without a space ends no sentence
                yield word(letters, first, last, after)
                letters = []
        else:
            if letters:
                yield word(letters, first, last, after)
                letters, between = [], "hyphen"
            between = weaker(between, sign.shown, before)
    if letters:
        yield word(letters, first, last, after)


def word(letters: list[str], first: Sign, last: Sign, after: str) -> Word:
    plain = "".join(letters)
    if not plain.isdigit() and any(sign in "013457@$" for sign in plain):
        plain = plain.translate(FIGURES)
    return Word(plain, first.start, last.end, after, first.shown.isupper())


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
    if unicodedata.category(sign) in INVISIBLE or sign in BLANKS:
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
        if sum(each.plain.isalpha() for each in found[place:last]) >= FEWEST_SPELT:
            first = found[place]
            plain = "".join(each.plain for each in found[place:last])
            together.append(Word(plain, first.start, found[last - 1].end, first.after, first.capital))
            place = last
        else:
            together.append(found[place])
            place += 1
    return together


def rejoined(found: Sequence[Word], whole: Set[str]) -> list[Word]:
    """The same with words of `whole` that were torn, "eth ical", in one again."""
    mended: list[Word] = []
    place = 0
    while place < len(found):
        first, last, plain = found[place], place, found[place].plain
        for more in range(place + 1, min(place + MOST_TORN, len(found))):
            if found[more].after not in ("space", "hyphen"):
                break
            plain += found[more].plain
            if plain in whole:
                last = more
        joined = "".join(each.plain for each in found[place : last + 1])
        mended.append(Word(joined, first.start, found[last].end, first.after, first.capital))
        place = last + 1
    return mended
