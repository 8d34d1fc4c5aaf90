"""The words of a text that an allowed sentence says, and the names in it. Pure."""

import re
from collections.abc import Iterable, Sequence, Set
from functools import cache

from credits.certificates.claiming.claim_phrases import LANGUAGES
from credits.certificates.claiming.claim_words import Word, words_in
from credits.certificates.wording import words_of

LONGEST_NAME = 20  # words
LONGEST_SHORT_FORM = 4  # letters before a full stop that ends no sentence, as in "Inc."


def said_word_for_word(words: Sequence[Word], allowed: Iterable[str]) -> set[int]:
    """The places of the words that an allowed sentence says."""
    there = [each.plain for each in words]
    text = "".join(f" {each}" for each in there) + " "
    starts: dict[int, int] = {}
    letters = 0
    for place, each in enumerate(there):
        starts[letters] = place
        letters += len(each) + 1
    found: set[int] = set()
    for sentence in set(allowed):
        wanted = [each.plain for each in words_in(sentence)]
        told = "".join(f" {each}" for each in wanted) + " "
        at = text.find(told) if wanted else -1
        while at >= 0:
            found.update(range(starts[at], starts[at] + len(wanted)))
            at = text.find(told, at + len(told) - 1)
    return found


def said_in_frames(words: Sequence[Word], known: Set[tuple[str, ...]]) -> tuple[set[int], set[int]]:
    """The words of sentences that are built as the allowed one is, and which of them are names of anybody.

    known: the names that may stand in them; where there are none, any that begin with a capital.
    """
    found: set[int] = set()
    names: set[int] = set()
    for code in LANGUAGES:
        parts = frame(code)
        heads = {part[0] for part, _ in parts[:1] if part}
        for place in range(len(words)):
            if words[place].plain in heads and words[place + 1 : place + 2] and words[place + 1].plain.isdigit():
                sound, written = framed(words, place, parts, known)
                found |= sound
                names |= written
    return found, names


def framed(
    words: Sequence[Word], place: int, parts: Sequence[tuple[tuple[str, ...], bool]], known: Set[tuple[str, ...]]
) -> tuple[set[int], set[int]]:
    """The sound words of one sentence that begins at `place`, and the names in it; none where it is not built so."""
    found: set[int] = set()
    written: set[int] = set()
    for number, (part, names) in enumerate(parts):
        begin = found_from(words, place, part, 0 if number == 0 else LONGEST_NAME)
        if begin is None or any(ends_a_sentence(words, each) for each in range(place + 1, begin + 1)):
            return set(), set()
        if names:
            while place < begin and words[place].plain.isdigit():
                place += 1  # the year
            if known and tuple(each.plain for each in words[place:begin]) not in known:
                return set(), set()
            named = {each for each in range(place, begin) if known or words[each].capital}
            found |= named
            written |= set() if known else named
        found.update(range(begin, begin + len(part)))
        place = begin + len(part)
    return found, written


def ends_a_sentence(words: Sequence[Word], place: int) -> bool:
    """Whether one ends before the word at `place`: a full stop behind a few letters may be that of a short form."""
    return words[place].after == "stop" and len(words[place - 1].plain) > LONGEST_SHORT_FORM


def found_from(words: Sequence[Word], place: int, part: tuple[str, ...], most: int) -> int | None:
    for begin in range(place, min(place + most, len(words) - len(part)) + 1):
        if tuple(each.plain for each in words[begin : begin + len(part)]) == part:
            return begin
    return None


@cache
def frame(code: str) -> tuple[tuple[tuple[str, ...], bool], ...]:
    """What the allowed sentence of a language says between its places, each with whether a name stands before it."""
    template = words_of(code).say("claim.sentence")
    parts: list[tuple[tuple[str, ...], bool]] = []
    names = False
    for text, name in zip(*[iter([*re.split(r"\{(\w+)\}", template), ""])] * 2, strict=True):
        said = tuple(each.plain for each in words_in(text))
        if said:
            parts.append((said, names))
            names = False
        names = names or name in ("company", "cooperative", "country")
    return tuple(parts)
