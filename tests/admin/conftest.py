"""The panel over HTTP, with the people and batches of the rules' own stage behind it, at a fixed time."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape

import pytest

from credits.admin import decisions, issuances, questions, queue, reviews, verifications
from credits.participants.models import Kind, Organisation, RoleName, User
from tests.factories import UserFactory
from tests.stage import Stage

NOW = datetime(2026, 7, 11, 12, tzinfo=UTC)  # ten days after what the stage does


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for door in (decisions, issuances, questions, queue, reviews, verifications):
        monkeypatch.setattr(door, "now", lambda: NOW)


@pytest.fixture
def stage(stage_of_app: Stage) -> Stage:
    return stage_of_app


@pytest.fixture
def colleague() -> Callable[[Organisation, RoleName], User]:
    """Another person of an organisation, with one role."""
    return lambda organisation, role: UserFactory(organisation=organisation, may=[role])


@pytest.fixture
def other_lead() -> User:
    """The lead of another verifier."""
    return UserFactory(kind=Kind.VERIFIER)


@pytest.fixture
def words() -> Callable[[str], str]:
    """What a person reads on a page: its text without marks, spaces folded."""

    def read(html: str) -> str:
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html))).strip()

    return read
