"""That frozen facts stand under an event: a Merkle tree (RFC 6962) over the exact bytes of all frozen with it. Pure.

One event for the certificates of a whole statement keeps it within one entry of the log; a single certificate is a tree
of one. What leads from a certificate's facts to the root in the event travels with the certificate.
"""

from collections.abc import Sequence

from credits.journal.canonical import encode
from credits.journal.merkle import Node, inclusion_proof, leaf_hash, node_hash, root

SCHEMA = "asmc-inclusion-1"


def frozen_together(facts: Sequence[bytes]) -> tuple[str, list[bytes]]:
    """The root over these facts, hexadecimal, and for each of them the exact bytes of its way there."""
    node, size = tree_over([leaf_hash(each) for each in facts]), len(facts)
    return root(size, node).hex(), [way(index, size, inclusion_proof(index, size, node)) for index in range(size)]


def way(index: int, leaves: int, path: Sequence[bytes]) -> bytes:
    """What is attached to a certificate as `inclusion.json`."""
    return encode({"schema": SCHEMA, "index": index, "leaves": leaves, "path": [each.hex() for each in path]})


def tree_over(leaves: Sequence[bytes]) -> Node:
    """The tree of these leaves, with every perfect part of it at hand."""
    levels = [list(leaves)]
    while len(below := levels[-1]) > 1:
        levels.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return lambda level, index: levels[level][index]
