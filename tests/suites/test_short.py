"""The suites in their short form: a few rounds, a few deaths, judged as the long form is."""

import pytest

from tests.suites import crash, trial
from tests.suites.races import GAMES, Arena, play


@pytest.fixture
def world(database, tmp_path):
    return trial.build(database, tmp_path / "papers")


@pytest.fixture
def arena(world):
    made = Arena(world, at_once=6)
    yield made
    made.engine.dispose()


@pytest.mark.parametrize("game", GAMES)
def test_has_exactly_one_winner(arena, game):
    figures = play(arena, game, rounds=3)

    assert figures.winners == {1: 3}
    assert sum(figures.losers.values()) == 3 * 5
    assert trial.judged(arena.world.url, arena.told) == []


def test_survives_the_death_of_workers(world):
    asked = crash.Trial(world)
    asked.stock()

    crash.kill_workers(asked, kills=6)

    assert asked.counted["deaths"] >= 6
    assert asked.judged() == []
