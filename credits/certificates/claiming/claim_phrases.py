"""What nobody may say, as data: the phrases of `data/claims/`, one file a language, and how they are matched. Pure.

A pattern is a row of words. `trace*` begins so, `made|built` is one of them, `the?` may be left out, `~3` lets up to
three other words stand between, `!mining` wants no such word next, `<mineral>` stands for the list of that name in the
file. Words next to each other match in one word too, and with hyphens. Each step looks at a bounded number of words: a
long text takes time in proportion to its length.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import product
from pathlib import Path
from typing import Any

from credits.certificates.claiming.claim_words import Word, words_in

FOLDER = Path(__file__).parents[1] / "data" / "claims"
LANGUAGES = ("en", "fr", "es", "pt", "sw")
LEAST_STEM = 3  # letters of a stem, by which patterns are found
MOST_JOINED = 24  # ways of writing a phrase in one word


class PhrasesUnsound(ValueError):
    """A file of phrases cannot be read: the sentence names the pattern."""


@dataclass(frozen=True)
class Step:
    """One place of a pattern. gap: words that may be passed over before it; never: it must not stand there."""

    words: frozenset[str]
    stems: tuple[str, ...]
    gap: int = 0
    optional: bool = False
    never: bool = False

    def fits(self, plain: str) -> bool:
        return plain in self.words or plain.startswith(self.stems)


@dataclass(frozen=True)
class Rule:
    """Phrases that are refused for one reason. negatable: whether "not" before them makes them sound."""

    kind: str
    reason: str
    instead: str
    negatable: bool


@dataclass
class Phrases:
    """Patterns with what each stands for, found by their first word."""

    by_word: dict[str, list[tuple[tuple[Step, ...], Any]]] = field(default_factory=dict)
    by_stem: dict[str, list[tuple[tuple[Step, ...], Any]]] = field(default_factory=dict)

    def add(self, steps: tuple[Step, ...], meaning: Any) -> None:
        for each in steps[0].words:
            self.by_word.setdefault(each, []).append((steps, meaning))
        for stem in steps[0].stems:
            self.by_stem.setdefault(stem[:LEAST_STEM], []).append((steps, meaning))

    def at(self, words: Sequence[Word], place: int) -> Iterator[tuple[int, Any]]:
        """The matches that begin at `place`: where each ends, and what it stands for."""
        for length, plain in forms(words, place):
            known = [*self.by_word.get(plain, ()), *self.by_stem.get(plain[:LEAST_STEM], ())]
            for steps, meaning in known:
                if steps[0].fits(plain) and (end := rest(words, place + length, steps[1:])) is not None:
                    yield end, meaning


@dataclass(frozen=True)
class Tongue:
    """One language: what is refused, and how it says no."""

    code: str
    whole: frozenset[str]  # words that are read even where they are torn
    refused: Phrases
    safe: Phrases
    negators: Phrases
    denials: Phrases
    hollow: Phrases  # after them nothing is denied: "nothing but"
    openers: frozenset[str]  # the first half of a negation that has two, such as the French "ne … pas"
    closers: Phrases
    fillers: frozenset[str]
    turns: frozenset[str]
    starters: frozenset[str]
    emphatic: frozenset[str]

    @cached_property
    def small_words(self) -> frozenset[str]:
        """Words that a text in this language is full of."""
        return self.fillers | self.starters


def forms(words: Sequence[Word], place: int) -> Iterator[tuple[int, str]]:
    """The word at `place`, alone and with those that hyphens tie to it."""
    if place >= len(words):
        return
    plain = words[place].plain
    yield 1, plain
    for more in (1, 2):
        if place + more >= len(words) or words[place + more].after != "hyphen":
            return
        plain += words[place + more].plain
        yield more + 1, plain


def rest(words: Sequence[Word], place: int, steps: Sequence[Step]) -> int | None:
    """Where the remaining steps end if they fit from `place` on, within the sentence; None where they do not."""
    if not steps:
        return place
    step = steps[0]
    for begin in range(place, min(place + step.gap, len(words)) + 1):
        if any(words[each].after == "stop" for each in range(place, min(begin + 1, len(words)))):
            break
        if step.never:
            if begin < len(words) and step.fits(words[begin].plain):
                return None
            return rest(words, place, steps[1:])
        for length, plain in forms(words, begin):
            if step.fits(plain) and (end := rest(words, begin + length, steps[1:])) is not None:
                return end
    if step.never or step.optional:
        return rest(words, place, steps[1:])
    return None


def plain(text: str) -> str:
    return "".join(each.plain for each in words_in(text))


def pattern(text: str, lists: dict[str, str]) -> tuple[Step, ...]:
    """The steps of a pattern. Raises PhrasesUnsound."""
    steps: list[Step] = []
    gap = 0
    for part in text.split():
        if part.startswith("~"):
            gap = int(part[1:])
            continue
        never, optional = part.startswith("!"), part.endswith("?")
        for name, listed in lists.items():
            part = part.replace(f"<{name}>", listed)
        choices = part.strip("!?").split("|")
        stems = tuple(plain(each) for each in choices if each.endswith("*"))
        words = frozenset(plain(each) for each in choices if not each.endswith("*"))
        if not all(words) or any(len(stem) < LEAST_STEM for stem in stems) or "<" in part:
            raise PhrasesUnsound(f"No pattern: {text}")
        steps.append(Step(words, stems, gap, optional, never))
        gap = 0
    if not steps or steps[0].never or steps[0].optional:
        raise PhrasesUnsound(f"A pattern begins with a word: {text}")
    return tuple(steps)


def in_one_word(steps: tuple[Step, ...]) -> Step | None:
    """The same phrase written as one word, where that has few enough forms."""
    told = [step for step in steps if not step.never]
    if len(told) < 2 or any(step.gap > 1 or step.optional for step in told) or any(step.stems for step in told[:-1]):
        return None
    heads = [sorted(step.words) for step in told[:-1]]
    last = [(each, False) for each in told[-1].words] + [(each, True) for each in told[-1].stems]
    ways = ["".join(way) for way in product(*heads)]
    if not 0 < len(ways) * len(last) <= MOST_JOINED:
        return None
    joined = [(way + end, stem) for way in ways for end, stem in last if len(way) >= LEAST_STEM]
    return Step(frozenset(each for each, stem in joined if not stem), tuple(each for each, stem in joined if stem))


def phrases_of(patterns: Sequence[str], lists: dict[str, str], meaning: Any = True) -> Phrases:
    found = Phrases()
    for each in patterns:
        enter(found, pattern(each, lists), meaning)
    return found


def enter(found: Phrases, steps: tuple[Step, ...], meaning: Any) -> None:
    found.add(steps, meaning)
    if joined := in_one_word(steps):
        found.add((joined,), meaning)


@cache
def tongue(code: str) -> Tongue:
    """The phrases of a language. Raises PhrasesUnsound, KeyError."""
    told = tomllib.loads((FOLDER / f"{code}.toml").read_text("utf-8"))
    lists: dict[str, str] = told["lists"]
    refused = Phrases()
    for rule in told["rule"]:
        meaning = Rule(rule["kind"], rule["reason"], rule["instead"], rule.get("negatable", True))
        for each in rule["patterns"]:
            enter(refused, pattern(each, lists), meaning)
    says_no = told["negation"]
    return Tongue(
        code=code,
        whole=frozenset(told["whole"].split()),
        refused=refused,
        safe=phrases_of(told["safe"], lists),
        negators=phrases_of(says_no["before"], lists),
        denials=phrases_of(says_no["denials"], lists),
        hollow=phrases_of(says_no["hollow"], lists),
        openers=frozenset(plain(each) for each in says_no.get("open", [])),
        closers=phrases_of(says_no.get("close", []), lists),
        fillers=frozenset(plain(each) for each in says_no["fillers"]),
        turns=frozenset(plain(each) for each in says_no["turns"]),
        starters=frozenset(plain(each) for each in says_no["starters"]),
        emphatic=frozenset(plain(each) for each in says_no["emphatic"]),
    )
