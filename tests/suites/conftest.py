"""A database that a suite may copy and pull about: one of its own on PostgreSQL too, to which nobody else connects."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        file = tmp_path / "credits.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    server = request.getfixturevalue("postgresql_server")
    url = server.fresh_database(request.getfixturevalue("postgresql_template"))
    yield url
    server.drop_database(url)
