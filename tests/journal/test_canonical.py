"""Canonical JSON: one fact, one row of bytes. Compared with RFC 8785 as far as it needs no floating point."""

import json
from collections import OrderedDict
from datetime import date
from decimal import Decimal
from enum import IntEnum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credits.errors import Invalid
from credits.journal.canonical import EXACT, BadText, encode, exact

ascii_keys = st.text(st.characters(max_codepoint=127), max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-EXACT, EXACT) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ascii_keys, inner, max_size=4),
    max_leaves=20,
)
facts = st.dictionaries(ascii_keys, values, max_size=5)

ESCAPES = {0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0C: "\\f", 0x0D: "\\r", 0x22: '\\"', 0x5C: "\\\\"}


def by_the_standard(value):
    """RFC 8785, sections 3.2.2 and 3.2.3, written down once more."""
    match value:
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case int():
            return f"{value:d}"
        case str():
            escaped = (ESCAPES.get(ord(c)) or (f"\\u{ord(c):04x}" if ord(c) < 0x20 else c) for c in value)
            return '"' + "".join(escaped) + '"'
        case list():
            return "[" + ",".join(map(by_the_standard, value)) + "]"
    ordered = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(f"{by_the_standard(key)}:{by_the_standard(value[key])}" for key in ordered) + "}"


class TestEncode:
    @given(facts)
    def test_writes_what_the_standard_says(self, given_facts):
        assert encode(given_facts) == by_the_standard(given_facts).encode()

    @given(facts)
    def test_is_read_again(self, given_facts):
        assert json.loads(encode(given_facts)) == given_facts

    @given(facts)
    def test_does_not_depend_on_the_order_of_writing(self, given_facts):
        assert encode(OrderedDict(reversed(given_facts.items()))) == encode(given_facts)

    def test_keeps_the_text_of_all_the_world_as_it_is(self):
        assert encode({"b": "電気\u2028\x7f😀", "a": '"\\/\b\x1f'}) == (
            b'{"a":"\\"\\\\/\\b\\u001f","b":"\xe9\x9b\xbb\xe6\xb0\x97\xe2\x80\xa8\x7f\xf0\x9f\x98\x80"}'
        )

    def test_writes_words_and_numbers_of_closed_lists_plainly(self):
        assert encode({"a": StrEnum("W", {"ONE": "one"}).ONE, "b": IntEnum("N", {"TWO": 2}).TWO, "c": (1, 2)}) == (
            b'{"a":"one","b":2,"c":[1,2]}'
        )

    @pytest.mark.parametrize(
        "value",
        [
            1.0,
            0.5,
            float("nan"),
            float("inf"),
            Decimal(1),
            b"x",
            date(2026, 1, 1),
            {1, 2},
            EXACT + 1,
            -EXACT - 1,
            2**64,
        ],
        ids=repr,
    )
    def test_refuses_what_has_no_exact_form(self, value):
        for wrapped in (value, [value], {"inner": [value]}):
            with pytest.raises(TypeError):
                encode({"fact": wrapped})

    @pytest.mark.parametrize("key", ["é", "電", "\ud800", 1, None, True, ("a",)], ids=ascii)
    def test_refuses_keys_that_are_not_plain(self, key):
        for wrapped in ({key: 1}, {"inner": [{key: 1}]}):
            with pytest.raises(TypeError):
                encode(wrapped)

    @pytest.mark.parametrize("half", ["\ud800", "a\udfff", "\ude00\ud83d"], ids=ascii)
    def test_refuses_half_a_character_as_a_person_may_hear(self, half):
        with pytest.raises(BadText) as refusal:
            encode({"purpose": ["fine", half]})

        assert isinstance(refusal.value, Invalid)
        assert refusal.value.message.isascii()


class TestExact:
    @pytest.mark.parametrize("number", [0, EXACT, EXACT + 1, -EXACT - 1, 10**19])
    def test_gives_what_can_be_encoded_and_read_again(self, number):
        assert int(json.loads(encode({"n": exact(number)}))["n"]) == number
