"""What the tests of premium share."""

from typing import Any

import pytest

from tests.payments.house import House


@pytest.fixture
def house(stage: Any) -> House:
    return House(stage)
