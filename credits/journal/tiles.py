"""The log as files that never change (c2sp.org/tlog-tiles): paths, bundles of entries, a tree read from tiles. Pure.

A tile holds up to 256 hashes. Level 0 is the leaves, a hash of level 1 stands for 256 of them, and so on. The last
tile of a level may be partial; as the log grows, wider ones follow under other paths.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from credits.journal.merkle import HASH_SIZE, Node, perfect_root

WIDTH = 256
HEIGHT = 8  # levels of the tree in one tile
ENTRIES = "entries"
PATH = re.compile(r"(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class BadTile(Exception):
    """A tile of another length than its place in the tree says."""


@dataclass(frozen=True)
class Tile:
    """The number-th tile of a level, or of the entries (level None). width: how many hashes or entries."""

    level: int | None
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it is served, such as "tile/0/x001/234.p/17"."""
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{ENTRIES if self.level is None else self.level}/{number_path(self.number)}{partial}"

    @property
    def is_full(self) -> bool:
        return self.width == WIDTH

    def is_within(self, size: int) -> bool:
        """Whether a tree of `size` leaves has all of it."""
        return self.number * WIDTH + self.width <= size >> HEIGHT * (self.level or 0)


def number_path(number: int) -> str:
    """1234067 → x001/x234/067."""
    parts = [f"{number % 1000:03d}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03d}")
    return "/".join(reversed(parts))


def tile_at(path: str) -> Tile | None:
    """The tile of a path behind "tile/", or None where the path is none."""
    match = PATH.fullmatch(path)
    if match is None:
        return None
    level, digits, width = match.groups()
    number = int(digits.replace("x", "").replace("/", ""))
    if number_path(number) != digits or int(width or 1) >= WIDTH or (level != ENTRIES and int(level) > 63):
        return None
    return Tile(None if level == ENTRIES else int(level), number, int(width or WIDTH))


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries of at most 65,535 bytes one after the other, each behind its length in two bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def tree_of(size: int, fetch: Callable[[Tile], bytes]) -> Node:
    """The tree of `size` leaves, read tile by tile, each once. Its nodes raise BadTile for a tile of a wrong length."""

    @cache
    def hashes(level: int, number: int) -> list[bytes]:
        tile = Tile(level, number, min(WIDTH, (size >> HEIGHT * level) - number * WIDTH))
        content = fetch(tile)
        if len(content) != tile.width * HASH_SIZE:
            raise BadTile(f"{tile.path} has {len(content)} bytes instead of {tile.width * HASH_SIZE}.")
        return [content[at : at + HASH_SIZE] for at in range(0, len(content), HASH_SIZE)]

    def node(level: int, index: int) -> bytes:
        row, depth = divmod(level, HEIGHT)
        number, first = divmod(index << depth, WIDTH)
        return perfect_root(hashes(row, number)[first : first + (1 << depth)])

    return node
