"""The Merkle tree of RFC 6962 (section 2.1) over SHA-256: roots, proofs and their verification. Pure.

A tree is given as its size and a `Node`: the hash of the index-th perfect subtree of 2**level leaves. Nothing else
is ever asked of it, so that a tree of any size is read from a few stored hashes.
"""

import hashlib
from collections.abc import Callable, Sequence

Node = Callable[[int, int], bytes]
"""(level, index) → hash of the leaves index·2**level up to (index + 1)·2**level."""

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class BadProof(Exception):
    """The proof does not prove it. The sentence says what differs."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over as many neighbouring hashes as a power of two."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def root(size: int, node: Node) -> bytes:
    """The root of the first `size` leaves."""
    return _over(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root of the first `size` leaves, nearest first."""
    if not 0 <= index < size:
        raise ValueError(f"There is no leaf {index} in a tree of {size}.")
    first, last, path = 0, size, []
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            path.append((middle, last))
            last = middle
        else:
            path.append((first, middle))
            first = middle
    return [_over(left, right, node) for left, right in reversed(path)]


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """The hashes that show that the first `old` leaves of a tree of `new` are those of the tree of `old`."""
    if not 0 <= old <= new:
        raise ValueError(f"A tree of {new} leaves does not continue one of {old}.")
    if old in (0, new):
        return []
    first, last, whole = 0, new, True  # whole: what is left is still all of the old tree
    path = []
    while old != last:
        middle = first + _split(last - first)
        if old <= middle:
            path.append((middle, last))
            last = middle
        else:
            path.append((first, middle))
            first, whole = middle, False
    if not whole:
        path.append((first, last))
    return [_over(left, right, node) for left, right in reversed(path)]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected: bytes) -> None:
    """Raise BadProof unless the hash `leaf` is leaf `index` of the tree of `size` with the root `expected`."""
    if not 0 <= index < size:
        raise BadProof(f"The tree has {size} entries: there is no entry {index}.")
    # Below, the path turns left or right as the index says; above it, everything hangs to the left (RFC 9162, 2.1.3).
    inner = (index ^ (size - 1)).bit_length()
    border = (index >> inner).bit_count()
    if len(proof) != inner + border:
        raise BadProof(f"The way to the root has {inner + border} hashes, and the proof has {len(proof)}.")
    found = leaf
    for level, other in enumerate(proof[:inner]):
        found = node_hash(other, found) if index >> level & 1 else node_hash(found, other)
    for other in proof[inner:]:
        found = node_hash(other, found)
    if found != expected:
        raise BadProof("The entry does not lead to the root that was signed.")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise BadProof unless the tree of `new` leaves with `new_root` begins with that of `old` with `old_root`."""
    if not 0 <= old <= new:
        raise BadProof(f"A tree of {new} entries does not continue one of {old}.")
    if old in (0, new):
        if proof:
            raise BadProof("The proof has hashes where none is needed.")
        if old_root != (new_root if old == new else EMPTY_ROOT):
            raise BadProof(f"Two different roots for {old} entries.")
        return
    before, after = _two_roots(old, new, old_root, proof)
    if before != old_root:
        raise BadProof(f"The first {old} entries are not those of the older root.")
    if after != new_root:
        raise BadProof(f"The {new} entries are not those of the newer root.")


def _two_roots(old: int, new: int, old_root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Where a consistency proof leads for each of two sizes, 0 < old < new. Raises BadProof."""
    shift = (old & -old).bit_length() - 1  # the old tree ends with a perfect subtree of 2**shift leaves
    inner = ((old - 1) ^ (new - 1)).bit_length() - shift
    border = ((old - 1) >> shift >> inner).bit_count()
    # Where the old tree is one perfect subtree, its root begins the proof and is left out.
    seed, path = (old_root, proof) if old == 1 << shift else (proof[0] if proof else b"", proof[1:])
    if len(path) != inner + border:
        raise BadProof("The proof has another number of hashes than these two sizes need.")
    before = after = seed
    for level, other in enumerate(path[:inner]):
        if (old - 1) >> shift >> level & 1:
            before, after = node_hash(other, before), node_hash(other, after)
        else:
            after = node_hash(after, other)
    for other in path[inner:]:
        before, after = node_hash(other, before), node_hash(other, after)
    return before, after


def _split(size: int) -> int:
    """The largest power of two below `size` (at least 2)."""
    return 1 << (size - 1).bit_length() - 1


def _over(first: int, last: int, node: Node) -> bytes:
    """The hash of the leaves `first` up to `last`; a power of two that is at least their number divides `first`."""
    parts = []
    while first < last:
        level = (last - first).bit_length() - 1
        parts.append(node(level, first >> level))
        first += 1 << level
    found = parts.pop()
    while parts:
        found = node_hash(parts.pop(), found)
    return found
