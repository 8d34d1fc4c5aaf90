"""Lots, held against the arithmetic that the registry publishes and that this test does by itself."""

import hashlib

from credits.registry.reviews import draws


def sha256(*lines: str) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


SEED = sha256("registry", "BATCH-000001", "1", "00" * 32)
TEN = [f"ORG-{number:06d}" for number in range(10)]


class TestSeedOf:
    def test_is_the_hash_of_four_lines(self):
        assert draws.seed_of(registry="registry", about="BATCH-000001", round=1, leaf="00" * 32) == SEED


class TestDraw:
    def test_takes_the_lowest_tickets(self):
        lowest = sorted(TEN, key=lambda number: sha256(SEED, number))[:4]

        assert draws.draw(SEED, TEN, 4) == lowest

    def test_does_not_depend_on_the_order_or_on_a_name_said_twice(self):
        assert draws.draw(SEED, [*reversed(TEN), TEN[3]], 4) == draws.draw(SEED, TEN, 4)

    def test_of_nobody_is_nobody(self):
        assert draws.draw(SEED, [], 1) == []

    def test_is_fair_enough(self):
        drawn = [draws.draw(sha256(str(turn)), TEN, 1)[0] for turn in range(2_000)]

        assert {number: 140 < drawn.count(number) < 260 for number in TEN} == dict.fromkeys(TEN, True)
