"""A part of the JSON API: its routes, who may ask, what they take and what they give, all in one line each."""

from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

import flask_smorest
from flask import Response, current_app
from marshmallow import Schema

from credits.api.reading import MULTIPART, StrictParser
from credits.api.schemas.shared import KeySchema, NothingSchema, PagingSchema, ProblemSchema
from credits.identity import admit_bearer

View = TypeVar("View", bound=Callable[..., Any])

PREFIX = "/api/v1"
PROBLEM = "application/problem+json"
TOTAL = "X-Total-Count"
TOTAL_HEADER = {TOTAL: {"description": "Rows on all pages.", "schema": {"type": "integer", "minimum": 0}}}
LOCATION_HEADER = {"Location": {"description": "Where it is.", "schema": {"type": "string", "format": "uri"}}}


class Documented(flask_smorest.Api):
    """The API as its OpenAPI document describes it: every refusal is a problem (RFC 9457)."""

    DEFAULT_ERROR_RESPONSE_NAME = "Problem"

    def _register_responses(self) -> None:
        problem = {"description": "Why not.", "content": {PROBLEM: {"schema": ProblemSchema}}}
        for name in ["Problem", *(status.name for status in HTTPStatus)]:
            self.spec.components.response(name, deepcopy(problem), lazy=True)


class Area(flask_smorest.Blueprint):
    """Routes about one subject. A stranger is let in only where `public` says so.

    A view is handed, by position: the idempotency key (POST), what was asked, and the paging (lists).
    """

    ARGUMENTS_PARSER = StrictParser()
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING = flask_smorest.Blueprint.DEFAULT_LOCATION_CONTENT_TYPE_MAPPING | {
        MULTIPART: "multipart/form-data"
    }

    def __init__(self, name: str, description: str, url_prefix: str | None = None) -> None:
        super().__init__(name, __name__, description=description, url_prefix=url_prefix)

    def get(
        self,
        rule: str,
        *,
        gives: Schema | type[Schema] | dict[str, str],
        takes: type[Schema] | None = None,
        public: bool = False,
        content_types: tuple[str, ...] = ("application/json",),
    ) -> Callable[[View], View]:
        """Read something. takes: the schema of the query; where that has pages, the total stands in a header."""
        # An instance, here and below: of a class, every request would make one.
        steps = [self.arguments(takes(), location="query")] if takes else []
        headers = TOTAL_HEADER if takes and issubclass(takes, PagingSchema) else None
        steps += [self.response(200, gives, headers=headers, content_type=each) for each in content_types]
        return self.opened(rule, "GET", steps, public=public)

    def post(
        self,
        rule: str,
        *,
        gives: type[Schema],
        takes: type[Schema] = NothingSchema,
        creates: bool = False,
        location: str = "json",
    ) -> Callable[[View], View]:
        """Change something, once for each `Idempotency-Key`. creates: 201, and 200 when asked again."""
        steps = [
            self.arguments(takes(), location=location, required=takes is not NothingSchema),
            self.arguments(KeySchema(), location="headers"),
            self.response(200, gives, description="Done, or done before under this key."),
        ]
        if creates:
            steps[-1] = self.response(201, gives, headers=LOCATION_HEADER)
            steps.append(self.alt_response(200, schema=gives, description="Made before, under this key.", success=True))
        return self.opened(rule, "POST", steps)

    def put(self, rule: str, *, takes: type[Schema], gives: type[Schema]) -> Callable[[View], View]:
        """Set something. Doing so twice changes nothing more, so it needs no key."""
        return self.opened(rule, "PUT", [self.arguments(takes()), self.response(200, gives)])

    def patch(self, rule: str, *, takes: type[Schema], gives: type[Schema]) -> Callable[[View], View]:
        """Change the fields that are sent and leave the others. Needs no key, for the reason of `put`."""
        return self.opened(rule, "PATCH", [self.arguments(takes()), self.response(200, gives)])

    def opened(
        self, rule: str, method: str, steps: list[Callable[[Any], Any]], *, public: bool = False
    ) -> Callable[[View], View]:
        def opening(view: View) -> View:
            reached: Any = view
            for step in steps:
                reached = step(reached)
            reached = self.doc(security=[])(reached) if public else for_bearers(reached)
            self.add_url_rule(rule, view.__name__, reached, methods=[method], tags=[self.name])
            return view

        return opening


def for_bearers(view: View) -> View:
    """Guard a view: for machines with a token in use. What they are told is kept in no cache."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        admit_bearer()
        answer: Response = current_app.make_response(view(*args, **kwargs))
        answer.headers.setdefault("Cache-Control", "private, no-store")
        return answer

    return guarded  # type: ignore[return-value]
