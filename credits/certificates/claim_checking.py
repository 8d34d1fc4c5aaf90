"""Reading a text for what nobody may say of a product because of retired credits. Pure.

Found is what the phrases of five languages say (`data/claims/`), however it is spelt. Not marked is what is denied ("is
not physically traced") and what an allowed sentence says. Where the retirement is known its own names alone may stand
in such a sentence; where it is not, a name may say nothing by itself that is refused.
"""

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from functools import cache

from credits.certificates.claim_phrases import LANGUAGES, Rule, Tongue, tongue
from credits.certificates.claim_words import Word, words_in
from credits.certificates.wording import words_of
from credits.errors import Invalid

LONGEST_TEXT = 20_000  # letters
MOST_FILLERS = 4  # words between "not" and what it denies
FAR = 60  # words over which a denial reaches
LONGEST_NAME = 20  # words
LONGEST_SHORT_FORM = 4  # letters before a full stop that ends no sentence, as in "Inc."


class TextTooLong(Invalid):
    code = "text_too_long"


@dataclass(frozen=True)
class Mark:
    """Something that may not be said. start, end: where it stands in the text."""

    start: int
    end: int
    found: str
    language: str
    kind: str
    reason: str
    instead: str


@dataclass(frozen=True)
class Match:
    """Words `first` to before `last` that a rule refuses."""

    first: int
    last: int
    language: str
    rule: Rule


@dataclass(frozen=True)
class Sound:
    """Places of words that allowed sentences say. names: those of them that anybody may have written there."""

    words: frozenset[int]
    names: frozenset[int]

    def lifts(self, places: range) -> bool:
        return self.words.issuperset(places) and not self.names.issuperset(places)


def check(text: str, *, allowed: Iterable[str] = (), names: Iterable[str] = ()) -> list[Mark]:
    """What in `text` may not be said, in its order; of marks in one place the longest.

    allowed: sentences that may stand in it word for word. names: those of the retirements, where they are known: such
    a sentence with another figure names nobody else. Raises TextTooLong.
    """
    if len(text) > LONGEST_TEXT:
        raise TextTooLong(f"At most {LONGEST_TEXT:,} letters at a time: these are {len(text):,}.", letters=len(text))
    words = words_in(text)
    known = {tuple(word.plain for word in words_in(each)) for each in names}
    framed, written = said_in_frames(words, known)
    exact = said_word_for_word(words, allowed)
    sound = Sound(frozenset(exact | framed), frozenset(written - exact))
    read = [(spoken, *matches(words, spoken, sound)) for spoken in (tongue(code) for code in LANGUAGES)]
    # Of marks in the same place the one in the text's own language counts: who reads it understands the reason.
    read.sort(key=lambda each: -likely(words, each[0]) - len(each[1]) - len(each[2]))
    found = [match for _, said, _ in read for match in said]
    lifted = [match for _, _, denied in read for match in denied]
    # "tracé" looks English without its accent: what one language denies, another one does not bring back.
    clear = {(each.first, each.last) for each in lifted}
    found = [each for each in found if (each.first, each.last) not in clear]
    return [
        Mark(
            start=words[each.first].start,
            end=words[each.last - 1].end,
            found=text[words[each.first].start : words[each.last - 1].end],
            language=each.language,
            kind=each.rule.kind,
            reason=each.rule.reason,
            instead=each.rule.instead,
        )
        for each in outermost(found)
    ]


def likely(words: Sequence[Word], spoken: Tongue) -> int:
    """How many of the small words are there that a text in this language is full of."""
    return sum(each.plain in spoken.small_words for each in words)


def matches(words: Sequence[Word], spoken: Tongue, sound: Sound) -> tuple[list[Match], list[Match]]:
    """What is refused in one language: what stands, and what is denied."""
    safe, denied = covered(words, spoken), denied_in(words, spoken)
    found: list[Match] = []
    lifted: list[Match] = []
    negated: Match | None = None  # the last one that "not" stood before
    for place in range(len(words)):
        for end, rule in spoken.refused.at(words, place):
            if sound.lifts(range(place, end)):
                continue
            match = Match(place, end, spoken.code, rule)
            if end - 1 in denied or any(end <= last for _, last in safe.get(place, ())):
                lifted.append(match)
            elif rule.negatable and (
                any(is_negated(words, each, place if each < end - 1 else end, spoken) for each in range(place, end))
                or (negated and goes_on(words, negated.last, place, spoken))
            ):
                negated = match
                lifted.append(match)
            else:
                found.append(match)
    return found, lifted


def covered(words: Sequence[Word], spoken: Tongue) -> dict[int, list[tuple[int, int]]]:
    """For each word the harmless phrases that it stands in."""
    found: dict[int, list[tuple[int, int]]] = {}
    for place in range(len(words)):
        for end, _ in spoken.safe.at(words, place):
            for each in range(place, end):
                found.setdefault(each, []).append((place, end))
    return found


def denied_in(words: Sequence[Word], spoken: Tongue) -> set[int]:
    """The words over which a denial reaches, such as "this does not mean that …"."""
    found: set[int] = set()
    for place in range(len(words)):
        for end, _ in spoken.denials.at(words, place):
            found.update(range(end, reach(words, end, spoken)))
    return found


def reach(words: Sequence[Word], place: int, spoken: Tongue) -> int:
    """How far a denial that ends at `place` reaches: to the end of its sentence, or until it turns."""
    for each in range(place, min(place + FAR, len(words))):
        word = words[each]
        if word.after in ("stop", "break") or word.plain in spoken.turns:
            return each
        if word.after == "comma" and word.plain in spoken.starters:
            return each
    return min(place + FAR, len(words))


def is_negated(words: Sequence[Word], place: int, first: int, spoken: Tongue) -> bool:
    """Whether "not" or its like stands before, with nothing but small words between, or around as in "ne contient pas".

    first: where the match begins that the word at `place` is of. A "not" inside of it, as in "our products do not
    contain", has no comma before it, unless it denies the last word of the match.
    """
    if words[place].after in ("stop", "break"):
        return False
    for begin in range(place - 1, max(place - 2 - MOST_FILLERS, -1), -1):
        for stop, _ in spoken.negators.at(words, begin):
            if (
                stop <= place
                and small(words[stop:place], spoken)
                and not (begin > first and words[begin].after == "comma")
            ):
                return words[stop].plain not in spoken.emphatic  # "not only" denies nothing
        if words[begin].plain in spoken.openers and small(words[begin + 1 : place], spoken):
            return is_closed(words, place, spoken)
        if words[begin].after in ("stop", "break"):
            break
    return False


def small(between: Sequence[Word], spoken: Tongue) -> bool:
    return all(each.plain in spoken.fillers and each.after not in ("stop", "break") for each in between)


def is_closed(words: Sequence[Word], place: int, spoken: Tongue) -> bool:
    """Whether the second half of a negation follows, with nothing emphatic behind it."""
    for begin in range(place + 1, min(place + 4, len(words))):
        for stop, _ in spoken.closers.at(words, begin):
            return stop >= len(words) or words[stop].plain not in spoken.emphatic
    return False


def goes_on(words: Sequence[Word], place: int, begin: int, spoken: Tongue) -> bool:
    """Whether a negation that ended at `place` still holds at `begin`: "not traceable, ethical or neutral"."""
    if begin < place:
        return True
    near = begin - place <= MOST_FILLERS and words[begin].after not in ("stop", "break")
    return near and small(words[place:begin], spoken)


def outermost(found: Iterable[Match]) -> list[Match]:
    """Of matches that overlap the longest, in the order of the text."""
    kept: list[Match] = []
    for each in sorted(found, key=lambda match: (match.first, -match.last)):
        if kept and each.first < kept[-1].last:
            if each.last - each.first > kept[-1].last - kept[-1].first:
                kept[-1] = each
            continue
        kept.append(each)
    return kept


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
