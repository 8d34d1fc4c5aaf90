"""What a text denies, and what only looks like a denial. Pure.

"Not traceable" says nothing wrong. A question, two negations that cancel each other, "nothing but" and their like deny
nothing: what stands in them is read as if no "not" were there.
"""

from collections.abc import Sequence

from credits.certificates.claiming.claim_phrases import Tongue
from credits.certificates.claiming.claim_words import Word, signs_in

MOST_FILLERS = 4  # words between "not" and what it denies
FAR = 60  # words over which a denial reaches
QUESTIONS = frozenset("?\uff1f\u061f")


def asked_in(text: str, words: Sequence[Word]) -> set[int]:
    """The words of questions."""
    found: set[int] = set()
    marks = [sign.start for sign in signs_in(text) if sign.shown in QUESTIONS]
    last = first = 0
    for mark in marks:
        while last < len(words) and words[last].end <= mark:
            last += 1
            first = last - 1 if words[last - 1].after == "stop" else first
        found.update(range(first, last))
        first = last
    return found


def hollow_in(words: Sequence[Word], spoken: Tongue) -> set[int]:
    """The words over which nothing is denied, from a phrase such as "nothing but" to the end of its sentence."""
    found: set[int] = set()
    for place in range(len(words)):
        for end, _ in spoken.hollow.at(words, place):
            found.update(range(place, reach(words, end, spoken)))
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
