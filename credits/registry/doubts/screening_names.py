"""How like two names of mine sites are: what writing, order and habit change set aside. Pure.

The same mine stands in different sources as "Carrière D3", "D3", "D-3" or "Mine de D 3"; as "Nyamurhale/Lubona" or
"Lubona"; as "Kachuba" or "Katshouba". A number tells sites apart: "Kamilombe 2" is not "Kamilombe".
"""

import re
import unicodedata
from functools import lru_cache

# They stand in the names of many sites and tell none apart: the ground, the mineral, and the small words between.
_COMMON = """
    carriere carrieres chantier chantiers mine mines miniere minier mining site sites puits quarry pit deposit gisement
    concession exploitation cooperative zone secteur riviere river colline hill
    au aux de des du en et la le les of the and
    or gold dhahabu coltan cassiterite tin etain cobalt cuivre copper wolframite tungsten tantale lithium
"""
COMMON_WORDS = frozenset(_COMMON.split())
ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "x": "10"}
# One sound, several spellings, longest first: French, Swahili and Lingala writers choose differently.
SPELLINGS = (
    ("tch", "c"),
    ("tsh", "c"),
    ("ch", "c"),
    ("sh", "c"),
    ("ph", "f"),
    ("qu", "k"),
    ("ck", "k"),
    ("ou", "u"),
    ("oo", "u"),
    ("gn", "ni"),
    ("dj", "j"),
    ("rh", "r"),
    ("w", "u"),
    ("y", "i"),
    ("z", "s"),
)
OTHER_NUMBER = 0.75  # what is left of the likeness where the numbers differ
PART_OF_IT = 0.93  # "Lubona" against "Nyamurhale/Lubona": one of the names that a site has
MISSPELT = 6  # letters from which on a common word is known with one of them wrong
ROLLED = 0.5  # what it costs to write l for r, which many languages there do not tell apart
MOST_LETTERS = 80  # of a name that is compared: the longest published one has 60


def likeness(one: str, other: str) -> float:
    """How like two names of sites are, from 0 to 1.

    Capitals, accents, marks, the order of words, usual spellings and words such as "carrière" are set aside.
    """
    of_one, of_other = _names(one), _names(other)
    best = 0.0
    for mine, of_mine in of_one:
        for theirs, of_theirs in of_other:
            if of_mine * of_theirs > best:
                best = max(best, of_mine * of_theirs * _like(mine, theirs))
    return best


def writing(one: str, other: str) -> float:
    """How like two names are written, accents and capitals aside: what parts those that sound the same."""
    return _ratio(_written(one), _written(other))


Name = tuple[tuple[str, ...], tuple[str, ...]]  # its words and its numbers


@lru_cache(maxsize=16_384)
def _names(written: str) -> tuple[tuple[Name, float], ...]:
    """The names in what is written and what each counts: the whole, and those that a stroke or brackets set apart."""
    bare = _bare(written)
    parts = [part for part in re.split(r"[/()\[\];,]| ou | alias | dit ", bare) if re.search(r"[^\W_]", part)]
    found = {_telling(bare): 1.0}
    if len(parts) > 1:
        for part in parts:
            name = _telling(part)
            if sum(map(len, name[0])) > 2:
                found.setdefault(name, PART_OF_IT)
    return tuple(found.items())


def _bare(written: str) -> str:
    """Without capitals, accents, and the "d’" and "l’" that French sets before a word."""
    text = written.casefold().replace("œ", "oe").replace("æ", "ae")
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return re.sub(r"\b[dl]['’`´]", " ", plain)[:MOST_LETTERS]


@lru_cache(maxsize=16_384)
def _written(name: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", _bare(name)))


def _telling(text: str) -> Name:
    """The words that tell a site apart, as they sound, and its numbers."""
    signs = [ROMAN.get(sign, sign) for sign in re.findall(r"[0-9]+|[^\W_0-9]+", text)]
    words = [sign for sign in signs if not sign.isdigit()]
    telling = [word for word in words if not _is_common(word)] or words
    return tuple(map(_sound, telling)), tuple(sorted(str(int(sign)) for sign in signs if sign.isdecimal()))


@lru_cache(maxsize=16_384)
def _is_common(word: str) -> bool:
    if word in COMMON_WORDS or len(word) < MISSPELT:
        return word in COMMON_WORDS
    return any(_edits(word, common) <= 1 for common in COMMON_WORDS if abs(len(common) - len(word)) <= 1)


def _sound(word: str) -> str:
    for written, heard in SPELLINGS:
        word = word.replace(written, heard)
    word = re.sub(r"(?<=[^aeiou])h|^h(?=[aeiou])", "", word)
    word = re.sub(r"c(?=[aou])|q", "k", word) if "ch" in word else word
    return re.sub(r"(.)\1+", r"\1", word)


def _like(one: Name, other: Name) -> float:
    if one == other:
        return 1.0
    (words, numbers), (other_words, other_numbers) = one, other
    joined, other_joined = "".join(words), "".join(other_words)
    in_order = "".join(sorted(words)), "".join(sorted(other_words))
    best = max(_ratio(joined, other_joined), _ratio(*in_order), _by_words(words, other_words))
    if not joined and not other_joined:
        best = 1.0
    return best if numbers == other_numbers else best * OTHER_NUMBER


def _by_words(words: tuple[str, ...], other: tuple[str, ...]) -> float:
    """Each word beside its likest of the other name, in any order; a word more or less costs half of its length."""
    if not words or not other or len(words) == len(other) == 1:
        return 0.0
    few, many = sorted((words, other), key=lambda some: (len(some), some))
    left = list(many)
    alike = 0.0
    for word in sorted(few, key=len, reverse=True):
        likest = max(left, key=lambda theirs: (_ratio(word, theirs), theirs))
        alike += _ratio(word, likest) * (len(word) + len(likest)) / 2
        left.remove(likest)
        if not left:
            break
    shared = sum(len(word) for word in words + other) / 2 - sum(map(len, left)) / 2
    return alike / (shared + sum(map(len, left)) / 2) if shared else 0.0


@lru_cache(maxsize=65_536)
def _ratio(one: str, other: str) -> float:
    """1 less the share of letters to add, leave out, change or swap with their neighbour."""
    if one == other:
        return 1.0
    longer = max(len(one), len(other))
    return max(0.0, 1 - _edits(one, other) / longer)


def _edits(one: str, other: str) -> float:
    """How many letters differ; neighbours swapped are one edit, l for r is half of one."""
    before_last: list[float] = []
    last = [float(number) for number in range(len(other) + 1)]
    for row, letter in enumerate(one, 1):
        now = [float(row)]
        for column, theirs in enumerate(other, 1):
            changed = 0.0 if letter == theirs else ROLLED if {letter, theirs} == {"l", "r"} else 1.0
            cost = min(last[column] + 1, now[column - 1] + 1, last[column - 1] + changed)
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == theirs:
                cost = min(cost, before_last[column - 2] + 1)
            now.append(cost)
        before_last, last = last, now
    return last[-1]
