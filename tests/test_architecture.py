"""Knowledge flows one way: a module imports from what stands below it, and nothing below the doors knows the web,
the clock, the environment or chance."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "credits"
# From the ground up. Rooms of one floor do not know each other.
FLOORS = [
    {"errors", "db"},
    {"files", "typefaces", "worded"},
    {"ledger"},
    {"journal"},
    {"participants"},
    {"registry"},
    {"payments", "certificates"},
    {"notices"},
    {"one_by_one", "walls"},
    {"document_jobs", "jobs", "market_jobs", "premium_jobs", "standing_jobs"},
    {"market_rounds"},
    {"letters"},
    {"extensions"},
    {"flask_settings", "identity", "passwords", "tries"},
    {"delivered", "story_words"},
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

TREES = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def room_of(module: str) -> str:
    return module.partition("/")[0].removesuffix(".py")


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def asked(tree: ast.AST) -> set[tuple[str, str]]:
    """Each `name.attribute` that is written there."""
    attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return {(node.value.id, node.attr) for node in attributes if isinstance(node.value, ast.Name)}


IMPORTED = {module: imported(tree) for module, tree in TREES.items()}
LIBRARIES = {module: {name.split(".")[0] for name in names} for module, names in IMPORTED.items()}
BELOW_THE_DOORS = [module for module in TREES if room_of(module) != "__init__" and FLOOR_OF[room_of(module)] < DOORS]


class TestModules:
    """One test for all of them, which names every module at fault."""

    def test_are_all_looked_at(self):
        assert len(TREES) > 400
        assert len(BELOW_THE_DOORS) > 200

    def test_import_only_what_stands_below(self):
        known = {
            module: {name.split(".")[1] for name in names if name.startswith("credits.")}
            for module, names in IMPORTED.items()
            if module != "__init__.py"
        }

        assert [
            (module, other)
            for module, others in known.items()
            for other in others - {room_of(module)}
            if FLOOR_OF[other] >= FLOOR_OF[room_of(module)]
        ] == []

    def test_know_no_web_or_chance_below_the_doors(self):
        assert [
            (module, library)
            for module in BELOW_THE_DOORS
            for library in LIBRARIES[module] & (WEB | CHANCE)
            if library not in ALLOWED.get(module, set()) | DRAWN.get(room_of(module), set())
        ] == []

    def test_know_no_clock_or_environment_below_the_doors(self):
        assert [
            (module, found)
            for module in BELOW_THE_DOORS
            for found in asked(TREES[module]) & OUTSIDE - PROGRAMS.get(module, set())
        ] == []

    def test_leave_the_payment_provider_to_one(self):
        knowing = [module for module, libraries in LIBRARIES.items() if "stripe" in libraries]

        assert knowing == ["payments/stripe_gateway.py"]

    def test_never_call_a_variable_credits(self):
        assert [
            (module, node.lineno)
            for module, tree in TREES.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and node.id == "credits"
        ] == []


def test_importing_the_package_brings_nothing_with_it():
    """The offline verifiers import it without Flask."""
    assert (PACKAGE / "__init__.py").read_text() == ""
