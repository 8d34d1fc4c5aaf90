"""Serial numbers: arithmetic of ranges, the written form, and what the check character sees."""

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from credits.ledger.serials import (
    ALPHABET,
    LARGEST,
    BadSerial,
    SerialRange,
    check_character,
    lowest,
    parse,
    tidied,
    written,
)

EXAMPLE = "ASMC-CO-COD-KAM001-2026-0042-000000001-000002500"

small = st.integers(1, 400)
ranges = st.tuples(st.integers(1, LARGEST), st.integers(1, LARGEST)).map(lambda ends: SerialRange(*sorted(ends)))
nine_digits = st.tuples(st.integers(1, 999_999_999), st.integers(1, 999_999_999)).map(
    lambda ends: SerialRange(*sorted(ends))
)
issuance_numbers = st.from_regex(r"ASMC-(AU|CO|REE)-(COD|RWA|PER)-[A-Z]{3}[0-9]{3}-20[0-9]{2}-[0-9]{4}", fullmatch=True)


def serials_of(held: list[SerialRange]) -> list[int]:
    return [serial for units in held for serial in range(units.first, units.last + 1)]


def satisfies_the_standard(text: str) -> bool:
    """ISO 7064, hybrid system MOD 37,36, read forwards over text and check character: the sum is congruent to 1."""
    values = [int(character, 36) for character in text if character != "-"]
    product = 36
    for value in values[:-1]:
        total = (product + value) % 36
        product = (2 * (total if total else 36)) % 37
    return (product + values[-1]) % 36 == 1


class TestSerialRange:
    @pytest.mark.parametrize("ends", [(0, 1), (-1, 5), (2, 1), (1, LARGEST + 1), (1, 2**63)])
    def test_refuses_what_is_no_range(self, ends):
        with pytest.raises(BadSerial):
            SerialRange(*ends)

    @given(ranges)
    def test_counts_both_ends(self, units):
        assert units.quantity == units.last - units.first + 1 >= 1


class TestCheckCharacter:
    def test_is_that_of_a_published_number(self):
        """The example of the Global Release Identifier, A1-2425G-ABC1234002-M, uses the same standard."""
        assert check_character("A1-2425G-ABC1234002") == "M"

    @given(st.text(ALPHABET + "-", min_size=1, max_size=60).filter(lambda text: text.strip("-")))
    def test_is_the_only_one_that_satisfies_the_standard(self, text):
        assert [c for c in ALPHABET if satisfies_the_standard(text + c)] == [check_character(text)]

    @given(st.text(ALPHABET, min_size=1, max_size=50), st.data())
    def test_changes_with_any_single_character(self, text, data):
        place = data.draw(st.integers(0, len(text) - 1))
        other = data.draw(st.sampled_from(ALPHABET.replace(text[place], "")))

        assert check_character(text[:place] + other + text[place + 1 :]) != check_character(text)

    def test_misses_1_in_630_swaps_of_neighbours(self):
        """In each of its 36 states the standard takes exactly one of the 630 pairs of characters either way."""
        missed = []
        for state in range(1, 37):
            step = [((state + a) % 36 or 36) * 2 % 37 for a in range(36)]
            for a in range(36):
                for b in range(a):
                    if ((step[a] + b) % 36 or 36) == ((step[b] + a) % 36 or 36):
                        missed.append(state)

        assert sorted(missed) == list(range(1, 37))


class TestWritten:
    @given(issuance_numbers, ranges)
    def test_is_read_again(self, number, units):
        assert parse(written(number, units)) == (number, units)

    @given(issuance_numbers, ranges)
    def test_is_read_in_small_letters_and_with_spaces(self, number, units):
        spaced = " " + written(number, units).lower().replace("-", " - \n")

        assert parse(spaced) == (number, units)

    def test_has_nine_digits_and_more_where_needed(self):
        assert written("ASMC-CO-COD-KAM001-2026-0042", SerialRange(1, 2_500)).startswith(EXAMPLE + "-")
        assert "-000000001-12000000000-" in written("ASMC-CO-COD-KAM001-2026-0042", SerialRange(1, 12_000_000_000))


class TestParse:
    @given(issuance_numbers, nine_digits, st.data())
    def test_refuses_any_single_mistyped_character(self, number, units, data):
        text = written(number, units)
        place = data.draw(st.integers(0, len(text) - 1))
        other = data.draw(st.sampled_from(ALPHABET + "-_./") | st.characters(exclude_characters="\x00"))
        assume(other.upper() != text[place] and not other.isspace())

        with pytest.raises(BadSerial):
            parse(text[:place] + other + text[place + 1 :])

    @given(issuance_numbers, nine_digits, st.data())
    def test_refuses_a_swap_of_neighbours(self, number, units, data):
        """All but those few that the standard itself cannot see; nine digits, so that a hyphen cannot wander."""
        text = written(number, units)
        place = data.draw(st.integers(0, len(text) - 2))
        swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        assume(swapped != text and ("-" in swapped[place : place + 2] or not satisfies_the_standard(swapped)))

        with pytest.raises(BadSerial):
            parse(swapped)

    def test_forgives_no_wandering_hyphen_unless_both_readings_are_sound(self):
        """The check character does not count hyphens: beyond nine digits one may stand elsewhere in a sound number."""
        text = written("ASMC-CO-COD-KAM001-2026-0042", SerialRange(1_000_000_001, 2_000_000_000))

        number, units = parse(text.replace("-1000000001-2", "-100000000-12"))

        assert units == SerialRange(100_000_000, 12_000_000_000)
        assert text != written(number, units)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "-",
            "1e400",
            EXAMPLE,
            EXAMPLE + "-",
            EXAMPLE + "-?",
            written("ASMC-CO-COD-KAM001-2026-0042", SerialRange(1, 2_500)) + "X",
            written("ASMC-CO-COD-KAM001-2026-0042", SerialRange(1, 2_500)).replace("0042", "００４２"),
            written("ASMC-CO-COD-KAM001-2026-0042", SerialRange(1, 2_500)).replace("0042", "٠٠٤٢"),
            written("ASMC-CO-COD-KAM001-2026-0042", SerialRange(1, 2_500)).replace("ASMC", "AſMC"),
            written("ASMC-CO-COD-KAM001-2026-0042", SerialRange(1, 2_500)).replace("-", "–"),
            written("ASMC-CO-COD-KAM001-2026-0042", SerialRange(1, 2_500)).replace("-000000001", "--00000001"),
            written("ASMC-CO-COD-KAM001-2026-0042", SerialRange(1, 2_500)).replace("-000000001", "-0000000001"),
            "A" * 1_000_000,
            "9" * 1_000_000,
            "\x00",
            "\ud800",
        ],
        ids=lambda text: ascii(text[-30:]),
    )
    def test_refuses_bad_text(self, text):
        with pytest.raises(BadSerial) as refusal:
            parse(text)

        assert len(str(refusal.value.detail)) < 2_000

    @pytest.mark.parametrize(
        "ends",
        [
            "000000000-000002500",
            "000000002-000000001",
            "000000001-9007199254740992",
            "000000001-9999999999999999999",
        ],
    )
    def test_refuses_impossible_ranges_with_a_fitting_check(self, ends):
        body = f"ASMC-CO-COD-KAM001-2026-0042-{ends}"

        with pytest.raises(BadSerial):
            parse(f"{body}-{check_character(body)}")


class TestTidied:
    @given(st.sets(small))
    def test_joins_what_touches_and_keeps_every_serial(self, serials):
        joined = tidied(SerialRange(serial, serial) for serial in serials)

        assert serials_of(joined) == sorted(serials)
        assert all(left.last + 1 < right.first for left, right in itertools.pairwise(joined))

    @given(st.lists(st.tuples(small, small).map(lambda ends: SerialRange(*sorted(ends))), min_size=2, max_size=6))
    def test_refuses_overlap_and_only_that(self, held):
        serials = serials_of(held)
        if len(set(serials)) == len(serials):
            assert serials_of(tidied(held)) == sorted(serials)
        else:
            with pytest.raises(BadSerial):
                tidied(held)


class TestLowest:
    @given(st.sets(small), st.integers(-3, 420))
    def test_takes_the_lowest_serials(self, serials, quantity):
        held = tidied(SerialRange(serial, serial) for serial in serials)

        assert serials_of(lowest(reversed(held), quantity)) == sorted(serials)[: max(quantity, 0)]
