"""Exact bytes for plain facts: the part of RFC 8785 that needs no floating point. Pure."""

import json
from typing import Any


def encode(facts: dict[str, Any]) -> bytes:
    """`facts` as canonical JSON: keys sorted, no spaces, UTF-8.

    Values: text, whole numbers, true, false, null, lists and objects of them; keys are ASCII. Raises TypeError.
    """
    check(facts)
    return json.dumps(
        facts,
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
        allow_nan=False,
    ).encode()


def check(value: Any) -> None:
    """Raise TypeError where canonical JSON of this kind cannot say `value`."""
    match value:
        case None | bool() | int() | str():
            return
        case dict():
            for key, inner in value.items():
                if not isinstance(key, str) or not key.isascii():
                    raise TypeError(f"The key {key!r} is not plain ASCII.")
                check(inner)
        case list() | tuple():
            for inner in value:
                check(inner)
        case _:
            raise TypeError(f"{type(value).__name__} has no exact form here.")
