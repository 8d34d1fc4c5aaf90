"""The suites in their short form: a few rounds, a few deaths, judged as the long form is."""

import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests import servers
from tests.conftest import migrate
from tests.suites import crash, disk, network, power, recorder, statements, trial, workers
from tests.suites.mortal import mortal
from tests.suites.races import GAMES, Arena, play
from tests.suites.steps import STEPS


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


class TestDyingAtEveryStatement:
    @pytest.fixture
    def home(self):
        """In memory: whoever is killed leaves behind what it has written, on a disk or not."""
        with tempfile.TemporaryDirectory(dir=servers.in_memory()) as home:
            yield Path(home)

    def deaths(self, *arguments):
        """In another process: one that has threads, as the tests have, must not be forked."""
        with ProcessPoolExecutor(1, workers.processes) as alone:
            told = alone.submit(statements.all_deaths, *arguments).result()
        assert [each.broken for each in told if each.broken] == []
        return sum(each.deaths for each in told)

    def test_leaves_all_or_nothing_on_sqlite(self, home, sqlite_template):
        assert self.deaths(home / "theatre", None, f"sqlite:///{sqlite_template}", 40) >= len(STEPS)

    def test_leaves_all_or_nothing_on_postgresql(self, home, postgresql_template, postgresql_server):
        names = ("issue", "accept", "retire in bulk", "publish again")

        assert self.deaths(home / "theatre", postgresql_server, postgresql_template, 20, names) > len(names)


def test_survives_the_death_of_postgresql(tmp_path):
    with mortal() as server:
        url = server.fresh_database("killed")
        migrate(url)
        asked = crash.Trial(trial.build(url, tmp_path / "papers"))
        asked.stock()

        crash.kill_server(asked, server, kills=2)

        assert asked.counted["kills of PostgreSQL"] == 2
        assert asked.counted["acknowledged"] > 1
        assert asked.judged() == []


def test_survives_a_faulty_network(tmp_path, postgresql_server, postgresql_template):
    url = postgresql_server.fresh_database(postgresql_template)
    world = trial.build(url, tmp_path / "papers")

    proxy, told = network.trouble(world, postgresql_server.port, faults=20)

    assert proxy.faults.total() >= 20
    assert told.counted["acknowledged"] > 0
    assert trial.judged(url, told.lines) == []


class TestPowerCut:
    @pytest.fixture
    def cut(self, tmp_path, sqlite_template):
        """Cuts the power while somebody works with this care."""

        def cut_with(synchronous, cuts):
            file = tmp_path / "credits.db"
            shutil.copyfile(sqlite_template, file)
            world = power.rested(trial.build(f"sqlite:///{file}", tmp_path / "papers"), file)
            before = file.read_bytes()
            try:
                return power.cut(file, before, power.work(world, synchronous, requests=60), cuts)
            except recorder.NoLayer as reason:
                pytest.skip(str(reason))

        return cut_with

    def test_loses_nothing_that_was_acknowledged(self, cut):
        assert cut("FULL", 25).sentences == []

    def test_finds_out_a_database_that_waits_for_no_disk(self, cut):
        assert any("was acknowledged and is not there" in sentence for sentence in cut("NORMAL", 25).sentences)


def test_survives_a_full_disk():
    if reason := disk.why_not():
        pytest.skip(reason)

    ended = disk.apart("--rounds", "2", "--databases", "SQLite")

    assert ended.stdout.count("every promise holds") == 1
    assert ended.returncode == 0
