"""Parameters as Stripe reads them: form fields such as `line_items[0][quantity]=1`, each known and of its type."""

import re
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin
from urllib.parse import parse_qsl

from stripe import _request_options
from typing_extensions import get_type_hints, is_typeddict

KEY = re.compile(r"^([A-Za-z0-9_]+)((?:\[[A-Za-z0-9_-]*\])*)$")
NOT_SENT = frozenset(_request_options.RequestOptions.__annotations__)  # what the library itself does not pass on
# Names in the annotations of the library that the module at hand lacks, or that type checkers alone know.
ELSEWHERE = vars(_request_options) | {"StripeContext": object}


class Refused(Exception):
    """An error as Stripe answers it."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request_error", **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": kind, "message": message} | more


def read(text: str) -> dict[str, Any]:
    """The nested parameters of a form or of an address."""
    found: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        matched = KEY.match(key)
        if matched is None:
            raise Refused(400, f"Invalid parameter name: {key}", param=key)
        steps = [matched[1], *re.findall(r"\[([^\]]*)\]", matched[2])]
        room = found
        for step in steps[:-1]:
            room = room.setdefault(step, {})
            if not isinstance(room, dict):
                raise Refused(400, f"Invalid object at {key}", param=key)
        room[steps[-1] or str(len(room))] = value
    return found


@cache
def hints_of(kind: type) -> dict[str, Any]:
    return {name: hint for name, hint in get_type_hints(kind, localns=ELSEWHERE).items() if name not in NOT_SENT}


def check(given: dict[str, Any], kind: type) -> dict[str, Any]:
    """`given` in the types of the library's parameter class `kind`. Raises Refused."""
    return sound(given, kind, "")


def sound(value: Any, hint: Any, path: str) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        return sound_object(value, hint, path)
    if origin in {Union, UnionType}:
        return sound_choice(value, inner, path)
    if origin is Literal:
        if value in inner:
            return value
        raise Refused(400, f"Invalid {path}: must be one of {', '.join(map(str, inner))}", param=path)
    if origin is list:
        if not isinstance(value, dict):
            raise Refused(400, f"Invalid array: {path}", param=path)
        return [sound(value[at], inner[0], f"{path}[{at}]") for at in sorted(value, key=int)]
    if origin is dict:
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise Refused(400, f"Invalid hash: {path}", param=path)
        return value
    return sound_plain(value, hint, path)


def sound_object(value: Any, hint: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused(400, f"Invalid object: {path}", param=path)
    hints = hints_of(hint)
    for name in value:
        if name not in hints:
            where = f"{path}[{name}]" if path else name
            raise Refused(400, f"Received unknown parameter: {where}", code="parameter_unknown", param=where)
    for name in sorted(hint.__required_keys__ - NOT_SENT):
        if name not in value:
            where = f"{path}[{name}]" if path else name
            raise Refused(400, f"Missing required param: {where}.", code="parameter_missing", param=where)
    return {name: sound(value[name], hints[name], f"{path}[{name}]" if path else name) for name in value}


def sound_choice(value: Any, inner: tuple[Any, ...], path: str) -> Any:
    # The library lets any text pass beside the words it knows, for words to come; the API does not.
    words = [hint for hint in inner if get_origin(hint) is Literal]
    tried = [hint for hint in inner if not (words and hint is str)]
    refusal = Refused(400, f"Invalid {path}", param=path)
    for hint in tried:
        try:
            return sound(value, hint, path)
        except Refused as error:
            refusal = error
    raise refusal


def sound_plain(value: Any, hint: Any, path: str) -> Any:
    if not isinstance(value, str):
        raise Refused(400, f"Invalid {path}: not a single value", param=path)
    if hint is int:
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise Refused(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=path)
        return int(value)
    if hint is bool:
        if value not in {"true", "false"}:
            raise Refused(400, f"Invalid boolean: {value}", param=path)
        return value == "true"
    if hint is Decimal:
        return Decimal(value)
    if hint is str:
        return value
    raise Refused(400, f"Invalid {path}", param=path)
