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
