"""Which parts of a text are in none of the languages that the check of claims reads. Pure.

A language is known by its small words (`data/tongues.toml`): a rule of thumb, which says rather once too often that a
part was not read. The words of the phrases themselves count where a short text has no small word at all.
"""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from credits.certificates.claiming.claim_checking import Mark
from credits.certificates.claiming.claim_phrases import LANGUAGES, tongue
from credits.certificates.claiming.claim_words import words_in

SMALL_WORDS = Path(__file__).parents[1] / "data" / "tongues.toml"
PART = re.compile(r"[^.!?;\n\u2026\u3002\uff01\uff1f]+")


def unread(text: str, marks: Sequence[Mark]) -> list[str]:
    """The parts of `text` that seem to be in another language, as they stand; the whole of it where none is known.

    marks: what the check has found: a part with a mark was read.
    """
    foreign: list[str] = []
    known = False
    for found in PART.finditer(text):
        if any(mark.start < found.end() and found.start() < mark.end for mark in marks):
            known = True
            continue
        part = found.group().strip()
        seems = is_read(part)
        known = known or seems is True
        if seems is False:
            foreign.append(part)
    if known or not any(sign.isalpha() for sign in text):
        return foreign
    return [text.strip()]


def is_read(part: str) -> bool | None:
    """Whether a part is in a language that the check reads. None where nothing in it tells."""
    letters = [sign for sign in part if sign.isalpha()]
    if not letters:
        return None
    if 2 * sum(unicodedata.name(sign, "").startswith("LATIN") for sign in letters) < len(letters):
        return False
    words = Counter(word.plain for word in words_in(part))
    ours, others = most(words, "read"), most(words, "others")
    told = ours or sum(count for word, count in words.items() if word in known_words())
    if ours < others and (ours or told <= others):
        return False
    return True if told else None


def most(words: Counter[str], which: str) -> int:
    """How many of `words` are small words of the likeliest of these languages."""
    return max(sum(count for word, count in words.items() if word in small) for small in small_words()[which])


@cache
def small_words() -> dict[str, list[frozenset[str]]]:
    told = tomllib.loads(SMALL_WORDS.read_text("utf-8"))
    return {which: [frozenset(words.split()) for words in by_code.values()] for which, by_code in told.items()}


@cache
def known_words() -> frozenset[str]:
    """Whole words that phrases of the five languages begin with."""
    return frozenset(word for code in LANGUAGES for word in tongue(code).refused.by_word)
