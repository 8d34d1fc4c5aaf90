from credits.journal.canonical import encode
from credits.journal.events import LARGEST
from credits.ledger import Move
from credits.ledger.serials import SerialRange
from credits.registry.telling import listed, serials_told

NUMBER = "ASMC-CO-COD-KAM001-2026-0001"


def moves(count: int, step: int = 2) -> list[Move]:
    """So many moves of one serial each, every second one."""
    return [Move(1, SerialRange(1 + step * n, 1 + step * n), 2, 3) for n in range(count)]


class TestSerialsTold:
    def test_joins_what_touches(self):
        [serial] = serials_told({1: NUMBER}, moves(900, step=1))["serials"]

        assert serial.startswith(f"{NUMBER}-000000001-000000900-")

    def test_lists_so_many_ranges_and_a_digest_of_them_all(self):
        whole, cut = serials_told({1: NUMBER}, moves(500)), serials_told({1: NUMBER}, moves(501))

        assert (len(whole["serials"]), sorted(whole)) == (500, ["serials"])
        assert (len(cut["serials"]), cut["ranges"], len(cut["serials_sha256"])) == (500, 501, 64)


class TestListed:
    def test_says_how_many_there_are_beyond_the_list(self):
        assert listed("holders", ["ORG-1"]) == {"holders": ["ORG-1"]}
        assert listed("holders", ["ORG-1"] * 501) == {"holders": ["ORG-1"] * 500, "holders_in_all": 501}


class TestTogether:
    def test_leave_room_in_an_entry_of_the_log_even_at_their_longest(self):
        longest = "ASMC-REE-COD-KAM00001-2026-99999"
        far = [Move(1, SerialRange(9 * 10**15 - 2 * n, 9 * 10**15 - 2 * n), 2, 3) for n in range(10_000)]
        told = serials_told({1: longest}, far) | listed("transfers", [f"TRANSFER-{10**9 + n}" for n in range(10_000)])

        assert len(encode(told)) < LARGEST - 8_000  # the texts and numbers of an event are far below that
