"""Decimal numbers as people write them, in English and in French. Pure."""

import re

from credits.registry.minerals import BadMeasure

SPACES = " \u00a0\u202f"  # between the thousands, as French writes them
SPACED = re.compile(rf"[0-9]{{1,3}}([{SPACES}][0-9]{{3}})+([.,][0-9]+)?")
ONE_COMMA = re.compile(r"([0-9]+),([0-9]+)")


class Ambiguous(BadMeasure):
    """A comma that may as well set thousands apart. large, small: what the number can mean."""

    def __init__(self, typed: str, large: str, small: str) -> None:
        super().__init__(f"{typed} can mean {large} or {small}. Please write it without a comma.", asked=typed[:40])
        self.typed, self.large, self.small = typed, large, small


def with_point(typed: str) -> str:
    """`typed` with a decimal point and no spaces. What is no number stays as it is. Raises Ambiguous.

    1240,5 and 1 240,5 can only be French; 1,240 is 1240 to one reader and 1.24 to another, so it is asked back.
    """
    tidy = typed.strip()
    spaced = SPACED.fullmatch(tidy) is not None
    if spaced:
        tidy = re.sub(rf"[{SPACES}]", "", tidy)
    found = ONE_COMMA.fullmatch(tidy)
    if found is None:
        return tidy
    whole, fraction = found.groups()
    if not spaced and len(fraction) == 3 and len(whole) <= 3 and not whole.startswith("0"):
        raise Ambiguous(tidy, whole + fraction, f"{whole}.{fraction}")
    return f"{whole}.{fraction}"
