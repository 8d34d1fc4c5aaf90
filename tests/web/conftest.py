"""Holders' and public pages over HTTP, at a fixed time."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape

import pytest

from credits.web import ordering, orders, retirements, transfers
from tests.stage import Stage

NOW = datetime(2026, 7, 11, 12, tzinfo=UTC)  # ten days after what the stage does


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for door in (ordering, orders, retirements, transfers):
        monkeypatch.setattr(door, "now", lambda: NOW)


@pytest.fixture
def stage(stage_of_app: Stage) -> Stage:
    return stage_of_app


@pytest.fixture
def words() -> Callable[[str], str]:
    """What a person reads on a page: its text without marks, spaces folded."""

    def read(html: str) -> str:
        return re.sub(r"\s+", " ", unescape(re.sub(r"<(?!br)[^>]+>", "", html))).strip()

    return read
