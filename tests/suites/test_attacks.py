"""Edits by whoever owns the database, each of which is found."""

import pytest

from tests.suites.attacks import ATTACKS, attack, findings, set_up
from tests.suites.statements import theatre_at


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def registry(request, tmp_path_factory):
    """A registry that has been lived in, put back before each attack."""
    home = tmp_path_factory.mktemp("attacked")
    server = None
    template = f"sqlite:///{request.getfixturevalue('sqlite_template')}" if request.param == "sqlite" else ""
    if not template:
        server, template = (request.getfixturevalue(f"postgresql_{name}") for name in ("server", "template"))
    with theatre_at(home / f"registry-{request.param}", server) as theatre:
        set_up(theatre, template)
        yield theatre


@pytest.mark.parametrize("name", ATTACKS)
def test_is_found(registry, name):
    found = attack(registry, name)

    assert found.keys() >= ATTACKS[name].found_by


def test_nothing_is_found_where_nobody_has_been(registry):
    registry.place.put_back()

    assert findings(registry) == {}
