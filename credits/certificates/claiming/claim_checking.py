"""Reading a text for what nobody may say of a product because of retired credits. Pure.

Found is what the phrases of five languages say (`data/claims/`), however it is spelt. Not marked is what is denied ("is
not physically traced") and what an allowed sentence says. Where the retirement is known its own names alone may stand
in such a sentence; where it is not, a name may say nothing by itself that is refused.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from credits.certificates.claiming.claim_denials import asked_in, denied_in, goes_on, hollow_in, is_negated
from credits.certificates.claiming.claim_frames import said_in_frames, said_word_for_word
from credits.certificates.claiming.claim_phrases import LANGUAGES, Rule, Tongue, tongue
from credits.certificates.claiming.claim_words import Word, rejoined, words_in
from credits.errors import Invalid

LONGEST_TEXT = 20_000  # letters


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
    tongues = [tongue(code) for code in LANGUAGES]
    words = rejoined(words_in(text), frozenset[str]().union(*(spoken.whole for spoken in tongues)))
    known = {tuple(word.plain for word in words_in(each)) for each in names}
    framed, written = said_in_frames(words, known)
    exact = said_word_for_word(words, allowed)
    sound = Sound(frozenset(exact | framed), frozenset(written - exact))
    firm = asked_in(text, words).union(*(hollow_in(words, spoken) for spoken in tongues))
    read = [(spoken, *matches(words, spoken, sound, firm)) for spoken in tongues]
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


def matches(words: Sequence[Word], spoken: Tongue, sound: Sound, firm: Set[int]) -> tuple[list[Match], list[Match]]:
    """What is refused in one language: what stands, and what is denied. firm: words over which nothing is denied."""
    safe, denied = covered(words, spoken), denied_in(words, spoken)
    found: list[Match] = []
    lifted: list[Match] = []
    negated: Match | None = None  # the last one that "not" stood before
    for place in range(len(words)):
        for end, rule in spoken.refused.at(words, place):
            if sound.lifts(range(place, end)):
                continue
            match = Match(place, end, spoken.code, rule)
            stands = not firm.isdisjoint(range(place, end))
            if any(end <= last for _, last in safe.get(place, ())) or (end - 1 in denied and not stands):
                lifted.append(match)
            elif (
                not stands
                and rule.negatable
                and (
                    any(is_negated(words, each, place if each < end - 1 else end, spoken) for each in range(place, end))
                    or (negated and goes_on(words, negated.last, place, spoken))
                )
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
