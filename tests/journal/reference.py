"""RFC 6962, section 2.1, written down as it reads: slow, and by a way of its own."""

from collections.abc import Iterator
from hashlib import sha256

from credits.journal.tiles import Tile


def root(entries: list[bytes]) -> bytes:
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return sha256(b"\x01" + root(entries[:k]) + root(entries[k:])).digest()


def path(m: int, entries: list[bytes]) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), root(entries[k:])]
    return [*path(m - k, entries[k:]), root(entries[:k])]


def proof(m: int, entries: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b)."""
    if m == len(entries):
        return [] if whole else [root(entries)]
    k = split(len(entries))
    if m <= k:
        return [*proof(m, entries[:k], whole), root(entries[k:])]
    return [*proof(m - k, entries[k:], False), root(entries[:k])]


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile of hashes of a tree of `size` leaves, full and partial."""
    level = 0
    while hashes := size >> 8 * level:
        yield from (Tile(level, number) for number in range(hashes // 256))
        if hashes % 256:
            yield Tile(level, hashes // 256, hashes % 256)
        level += 1


def entries_in(content: bytes) -> list[bytes]:
    """The entries of a bundle, as whoever follows the log reads them."""
    entries = []
    while content:
        size = int.from_bytes(content[:2], "big")
        assert len(content) >= 2 + size
        entries.append(content[2 : 2 + size])
        content = content[2 + size :]
    return entries
