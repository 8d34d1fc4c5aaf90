"""The OpenAPI document, and a page for people made from it."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue

bp = Blueprint("api_documentation", __name__)

DESCRIPTION = "api_description"  # where the application keeps it


@dataclass(frozen=True)
class Row:
    """A field or parameter, in words."""

    name: str
    place: str
    kind: str
    required: bool
    about: str


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked of the API."""

    method: str
    path: str
    summary: str
    public: bool
    rows: list[Row]
    answers: list[tuple[str, str, str]]

    @property
    def anchor(self) -> str:
        return f"{self.method.lower()}{self.path.replace('/', '-').replace('{', '').replace('}', '')}"


def described() -> dict[str, Any]:
    description: dict[str, Any] = current_app.extensions[DESCRIPTION].to_dict()
    return description


@bp.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """The document by which programs know this API."""
    return jsonify(described())


@bp.get("/docs")
def docs() -> str:
    """The same for people."""
    spec = described()
    areas: dict[str, list[Operation]] = {}
    for path, methods in spec["paths"].items():
        shared = methods.get("parameters", [])
        for method, told in methods.items():
            if method != "parameters":
                areas.setdefault(told["tags"][0], []).append(operation(spec, path, method, told, shared))
    about = {tag["name"]: tag["description"] for tag in spec["tags"]}
    return render_template("api/docs.html", areas=areas, about=about, version=spec["info"]["version"])


def operation(
    spec: dict[str, Any], path: str, method: str, told: dict[str, Any], shared: list[dict[str, Any]]
) -> Operation:
    rows = [
        row(each["name"], each["in"], each["schema"], each.get("required", False), each.get("description", ""))
        for each in [*shared, *told.get("parameters", [])]
    ]
    for media_type, body in told.get("requestBody", {}).get("content", {}).items():
        schema = resolved(spec, body["schema"])
        required = schema.get("required", [])
        rows += [
            row(name, media_type, field, name in required, field.get("description", ""))
            for name, field in schema.get("properties", {}).items()
        ]
    answers = [
        (status, answer["description"], shape(answer))
        for status, answer in told["responses"].items()
        if "$ref" not in answer
    ]
    return Operation(method.upper(), path, told["summary"], told.get("security") == [], rows, answers)


def row(name: str, place: str, schema: dict[str, Any], required: bool, about: str) -> Row:
    """A field in words: its kind, its words if it knows only some, its limits."""
    kind = schema.get("type", "")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    words += f" ({schema['format']})" if "format" in schema else ""
    if "enum" in schema:
        words = " | ".join(str(word) for word in schema["enum"] if word is not None)
    limits = [f"{shown} {schema[name]}" for name, shown in LIMITS.items() if name in schema]
    return Row(name, place, ", ".join([words, *limits]), required, about)


LIMITS = {"minLength": "at least", "maxLength": "at most", "minimum": "from", "maximum": "to"}


def shape(answer: dict[str, Any]) -> str:
    """What an answer is: the name of its schema, or its media type."""
    names = []
    for media_type, content in answer.get("content", {}).items():
        schema = content["schema"]
        reference = schema.get("$ref") or schema.get("items", {}).get("$ref", "")
        name = reference.rpartition("/")[2]
        names.append((f"list of {name}" if "items" in schema else name) or media_type)
    return ", ".join(names)


def resolved(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself where a reference to it was given."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = spec["components"]["schemas"][name] if name else schema
    return found
