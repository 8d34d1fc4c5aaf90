"""Drawing lots so that anybody can draw them again. Pure.

The seed of a draw is SHA-256 over four lines: the registry's id, what the draw is about, its round, and the leaf hash
of the event that came before it. That event has a time to the microsecond and salted hashes in it: who submits a batch
cannot know its hash beforehand. The registry itself could try times out; that would take many events, which its log
shows to everybody.

Each candidate then has a ticket, SHA-256 over the seed and the candidate's number, a line each. The lowest tickets win.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Ticket:
    """What a candidate drew, as lower-case hexadecimal."""

    candidate: str
    ticket: str


def seed_of(*, registry: str, about: str, round: int, leaf: str) -> str:  # noqa: A002  what it is
    """The seed of a draw, as lower-case hexadecimal. leaf: hash of the event before it, in hexadecimal."""
    return _hashed(registry, about, str(round), leaf)


def tickets(seed: str, candidates: Collection[str]) -> list[Ticket]:
    """Every candidate with its ticket, the lowest first."""
    drawn = [Ticket(candidate, _hashed(seed, candidate)) for candidate in set(candidates)]
    return sorted(drawn, key=lambda each: (each.ticket, each.candidate))


def draw(seed: str, candidates: Collection[str], take: int) -> list[str]:
    """The `take` candidates with the lowest tickets, or all where there are no more."""
    return [each.candidate for each in tickets(seed, candidates)[:take]]


def _hashed(*lines: str) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
