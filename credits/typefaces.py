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
INVISIBLE = ("Cc", "Cf", "Co", "Cs", "Cn")


def undrawable(text: str) -> list[str]:
    """The characters of `text` that a certificate cannot show, each once, in order; empty when all is well.

    Latin, Greek and Cyrillic letters with every accent and tone mark can be shown. Other scripts and emoji cannot, and
    invisible characters (zero width, writing direction) may not: they would let two names look the same.
    """
    drawable = _drawable()
    return [c for c in dict.fromkeys(text) if ord(c) not in drawable and c not in LINE_BREAKS]


@cache
def _drawable() -> frozenset[int]:
    """Code points in both text faces, for a name is set in either; without controls and invisible ones."""
    faces = [set(TTFont(FONTS / face).getBestCmap()) for face in TEXT_FACES]
    return frozenset(c for c in set.intersection(*faces) if category(chr(c)) not in INVISIBLE)
