"""Commands, with the people and batches of the rules' own stage behind them."""

import pytest

from tests.stage import Stage


@pytest.fixture
def stage(stage_of_app: Stage) -> Stage:
    return stage_of_app
