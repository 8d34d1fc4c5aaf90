import pytest
from hypothesis import given
from hypothesis import strategies as st

from credits.journal import merkle, tiles
from credits.journal.tiles import BadTile, Tile, tile_at
from tests.journal import reference


class TestPath:
    @pytest.mark.parametrize(
        "tile, path",
        [
            (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
            (Tile(0, 0), "tile/0/000"),
            (Tile(1, 999, 17), "tile/1/999.p/17"),
            (Tile(2, 1000, 1), "tile/2/x001/000.p/1"),
            (Tile(None, 5, 255), "tile/entries/005.p/255"),
        ],
    )
    def test_is_written_and_read_the_one_way(self, tile, path):
        assert tile.path == path
        assert tile_at(path.removeprefix("tile/")) == tile

    @given(st.integers(0, 63), st.integers(0, 10**12), st.integers(1, 256))
    def test_leads_back(self, level, number, width):
        assert tile_at(Tile(level, number, width).path.removeprefix("tile/")) == Tile(level, number, width)

    @pytest.mark.parametrize(
        "path",
        [
            "0/0",
            "0/0000",
            "0/x000/001",
            "0/001/002",
            "0/x001",
            "00/001",
            "64/001",
            "-1/001",
            "0/001.p/0",
            "0/001.p/256",
            "0/001.p/01",
            "entry/001",
            "0/١٢٣",
            "0/001/",
            "",
        ],
    )
    def test_in_any_other_form_is_none(self, path):
        assert tile_at(path) is None


class TestWithin:
    def test_holds_of_every_tile_of_a_tree_and_of_no_other(self):
        found = list(reference.tiles_of(70_000))

        assert [tile for tile in found if not tile.is_full] == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
        assert all(tile.is_within(70_000) for tile in found)
        assert not Tile(0, 273, 113).is_within(70_000)


class TestTreeOf:
    def test_reads_the_same_tree_out_of_tiles(self):
        entries = [b"%d" % number for number in range(700)]

        def fetch(tile: Tile) -> bytes:
            wide = 256**tile.level
            first = tile.number * 256
            return b"".join(
                reference.root(entries[at * wide : (at + 1) * wide]) for at in range(first, first + tile.width)
            )

        for size in (1, 255, 256, 257, 512, 513, 700):
            node = tiles.tree_of(size, fetch)
            assert merkle.root(size, node) == reference.root(entries[:size])
            assert merkle.inclusion_proof(size - 1, size, node) == reference.path(size - 1, entries[:size])
            assert merkle.consistency_proof(200, max(size, 200), tiles.tree_of(max(size, 200), fetch)) == (
                reference.proof(200, entries[: max(size, 200)])
            )

    def test_refuses_a_tile_of_another_length(self):
        with pytest.raises(BadTile, match="31 bytes instead of 32"):
            merkle.root(1, tiles.tree_of(1, lambda tile: bytes(31)))


class TestEntries:
    def test_come_out_of_a_bundle_as_they_went_in(self):
        entries = [b"", b"one", bytes(65_535)]

        assert reference.entries_in(tiles.bundle(entries)) == entries
