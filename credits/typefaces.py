"""Which letters the registry's documents can show: the coverage of the typefaces that certificates are set in.

A name that could not be printed must be refused when it is given, not when somebody retires credits years later.
"""

from functools import cache
from pathlib import Path
from unicodedata import category

from fontTools.ttLib import TTFont

FONTS = Path(__file__).parent / "certificates" / "fonts"
TEXT_FACES = ("GentiumPlus-Regular.ttf", "GentiumPlus-Bold.ttf")
LINE_BREAKS = "\t\n\r"  # typed into a long text; set as a space
INVISIBLE = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
# Counted among accents or signs, they draw nothing: what joins letters, chooses a variant, or stands for a picture.
BLANK = frozenset("\u034f\ufffc").union(map(chr, range(0xFE00, 0xFE10)))


def undrawable(text: str) -> list[str]:
    """The characters of `text` that a certificate cannot show, each once, in order; empty when all is well.

    Latin, Greek and Cyrillic letters with every accent and tone mark can be shown. Other scripts and emoji cannot, and
    invisible characters (zero width, writing direction) may not: they would let two names look the same.
    """
    drawable = _drawable()
    return [c for c in dict.fromkeys(text) if ord(c) not in drawable and c not in LINE_BREAKS]


def named(sign: str) -> str:
    """A character as people can find it: itself, or its number where nobody could see it."""
    return f"U+{ord(sign):04X}" if _is_unseen(sign) else sign


def _is_unseen(sign: str) -> bool:
    return sign in BLANK or category(sign) in INVISIBLE


@cache
def _drawable() -> frozenset[int]:
    """Code points in both text faces, for a name is set in either; without controls and invisible ones."""
    faces = [set(TTFont(FONTS / face).getBestCmap()) for face in TEXT_FACES]
    return frozenset(c for c in set.intersection(*faces) if not _is_unseen(chr(c)))
