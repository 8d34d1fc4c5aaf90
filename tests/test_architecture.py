"""Knowledge flows one way: a module imports from what stands below it, and nothing below the doors knows the web,
the clock, the environment or chance."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "credits"
# From the ground up. Rooms of one floor do not know each other.
FLOORS = [
    {"errors", "db"},
    {"files", "typefaces"},
    {"ledger"},
    {"journal"},
    {"participants"},
    {"registry"},
    {"payments", "certificates"},
    {"notices"},
    {"one_by_one"},
    {"document_jobs", "jobs", "market_jobs", "premium_jobs", "standing_jobs"},
    {"market_rounds"},
    {"letters"},
    {"extensions"},
    {"flask_settings", "identity", "passwords", "tries"},
    {"delivered"},
    {"country_maps", "drawing", "log_keys", "premium_words", "progress", "provider", "receiving", "states", "stories"},
    {"problems", "languages", "published"},
    {"form_fields", "verifying"},
    {"web", "admin", "api", "cli"},
    {"app"},
    {"worker"},
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
DOORS = FLOOR_OF["letters"]  # Flask begins here
WEB = {"flask", "flask_security", "flask_sqlalchemy", "flask_babel", "flask_wtf", "wtforms", "werkzeug", "jinja2"}
CHANCE = {"random", "secrets", "uuid"}
OUTSIDE = {
    ("os", "environ"),
    ("os", "getenv"),
    ("os", "urandom"),
    ("time", "time"),
    ("time", "monotonic"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
}
# The sign-in library brings behaviour to the models of people, and no columns.
ALLOWED = {"participants/models.py": {"flask_security"}}
# Programs of their own, which other organisations run: a witness says when it looked, and makes its own key.
PROGRAMS = {"journal/witness.py": {("time", "time"), ("os", "urandom")}}
# Templates of certificates are drawn by a library that the web uses as well.
DRAWN = {"certificates": {"jinja2"}}

MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
class TestModule:
    def test_imports_only_what_stands_below(self, path):
        room = room_of(path)
        if room == "__init__":
            return

        known = {name.split(".")[1] for name in imported(ast.parse(path.read_text())) if name.startswith("credits.")}

        assert {other for other in known - {room} if FLOOR_OF[other] >= FLOOR_OF[room]} == set()

    def test_knows_no_web_clock_environment_or_chance_below_the_doors(self, path):
        room = room_of(path)
        if room == "__init__" or FLOOR_OF[room] >= DOORS:
            return
        tree = ast.parse(path.read_text())
        allowed = ALLOWED.get(str(path.relative_to(PACKAGE)), set()) | DRAWN.get(room, set())

        libraries = {name.split(".")[0] for name in imported(tree)}
        asked = {
            (node.value.id, node.attr)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        }

        assert libraries & (WEB | CHANCE) - allowed == set()
        assert asked & OUTSIDE - PROGRAMS.get(str(path.relative_to(PACKAGE)), set()) == set()

    def test_leaves_the_payment_provider_to_one_module(self, path):
        libraries = {name.split(".")[0] for name in imported(ast.parse(path.read_text()))}

        assert "stripe" not in libraries or path.relative_to(PACKAGE) == Path("payments/stripe_gateway.py")

    def test_never_calls_a_variable_credits(self, path):
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}

        assert "credits" not in names


def test_importing_the_package_brings_nothing_with_it():
    """The offline verifiers import it without Flask."""
    assert (PACKAGE / "__init__.py").read_text() == ""
