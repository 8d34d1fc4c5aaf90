"""How a request is read: exactly, or not at all. A number is no text, a name stands once, nothing is guessed."""

import json
from collections.abc import Mapping
from typing import Any

import marshmallow
from flask import Request
from webargs.flaskparser import FlaskParser, abort

LARGEST_JSON = 8 * 1024 * 1024  # bytes: 10,000 lines of a statement; files travel as multipart/form-data
MULTIPART = "multipart"


class RepeatedName(ValueError):
    """An object has a name twice: readers would not agree on which value counts."""


class StrictParser(FlaskParser):
    """Reads JSON bodies, forms with a file, headers and the part of the address behind the question mark."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": marshmallow.RAISE}
    __location_map__ = FlaskParser.__location_map__ | {MULTIPART: "load_multipart"}

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:
        content = req.get_data(cache=True)
        if not content and not schema.fields:
            return {}
        if req.mimetype != "application/json":
            abort(415, message="Send the body as application/json.")
        if len(content) > LARGEST_JSON:
            abort(413, message=f"A JSON body has at most {LARGEST_JSON} bytes.")
        return parsed(content)

    def load_multipart(self, req: Request, schema: marshmallow.Schema) -> Mapping[str, Any]:
        if req.mimetype != "multipart/form-data":
            abort(415, message="Send the file and its fields as multipart/form-data.")
        repeated = [name for part in (req.form, req.files) for name in part if len(part.getlist(name)) > 1]
        if repeated or set(req.form) & set(req.files):
            abort(422, messages={MULTIPART: ["Each field stands once."]})
        return {**req.form.to_dict(), **req.files.to_dict()}


def parsed(content: bytes) -> Any:
    """The value of a JSON text in UTF-8. Ends the request with 400 where it is none, 422 where it is ambiguous."""
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=without_repeats)
    except RepeatedName as repeated:
        abort(422, messages={"json": [f"The name {str(repeated)[:80]!r} stands in one object twice."]})
    except (json.JSONDecodeError, UnicodeDecodeError):
        abort(400, messages={"json": ["This is no JSON text in UTF-8."]})
    except RecursionError:
        abort(400, messages={"json": ["This is nested too deeply."]})
    except ValueError:
        # Python reads whole numbers of some thousand digits at most.
        abort(422, messages={"json": ["A number in it is far too long."]})


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise RepeatedName(next(name for name in names if names.count(name) > 1))
    return found
