"""Exact bytes for plain facts: the part of RFC 8785 that needs no floating point. Pure."""

import json
from typing import Any

from credits.errors import Invalid

# Made once: that takes longer than most events take to encode.
ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
EXACT = 2**53 - 1  # the largest whole number that every reader of JSON keeps


class BadText(Invalid):
    """A text with half a character in it (a lone surrogate): no bytes stand for it, neither here nor in a database."""

    code = "bad_text"


def encode(facts: dict[str, Any]) -> bytes:
    """`facts` as canonical JSON: keys sorted, no spaces, UTF-8.

    Values: text, whole numbers below 2⁵³, true, false, null, lists and objects of them; keys are ASCII.
    Raises TypeError where the facts are of another kind, and BadText for what a person may have typed.
    """
    check(facts)
    return ENCODER.encode(facts).encode()


def check(value: Any) -> None:
    """Raise TypeError where canonical JSON of this kind cannot say `value`."""
    if isinstance(value, str):
        if not value.isascii():
            utf8(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise TypeError(f"The key {key!r} is not plain ASCII.")
            check(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            check(inner)
    elif value is not None and not (isinstance(value, int) and -EXACT <= value <= EXACT):
        raise TypeError(f"{value!r:.60} has no exact form here.")


def exact(number: int) -> int | str:
    """A whole number as an event may carry it: as text from 2⁵³ on, where readers of JSON lose its last digits."""
    return number if -EXACT <= number <= EXACT else str(number)


def utf8(text: str) -> bytes:
    """The bytes of `text`. Raises BadText."""
    try:
        return text.encode()
    except UnicodeEncodeError as fault:
        raise BadText("This text holds half a character. Please type it again.", position=fault.start) from fault
