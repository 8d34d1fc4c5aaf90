"""What every part of the API has in common."""

from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, fields, post_load

from credits.api.fields import Count, Text
from credits.ledger.claims import LONGEST_KEY

MOST_ROWS = 100
LAST_PAGE = 1_000_000


class Request(Schema):
    """What comes in: unknown fields are refused."""

    class Meta:
        unknown = RAISE


class Answer(Schema):
    """What goes out: every field is always there, if only as null."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        field_obj.required = True


class NothingSchema(Request):
    """No body is needed; an empty object is one."""


class KeySchema(Schema):
    """The header of every request that changes something; it is handed on as plain text."""

    class Meta:
        unknown = EXCLUDE

    key = Text(
        data_key="Idempotency-Key",
        required=True,
        least=1,
        most=LONGEST_KEY,
        metadata={
            "description": "A text of your own, new for each new request (a UUID, say). The same request sent again "
            "with the same key is answered again, not done again. Keys live for ever."
        },
    )

    @post_load
    def plain(self, loaded: dict[str, str], **_: Any) -> str:
        return loaded["key"]


class PagingSchema(Request):
    """Which page of a list."""

    page = Count(load_default=1, least=1, most=LAST_PAGE, metadata={"description": "Counted from 1."})
    page_size = Count(load_default=25, least=1, most=MOST_ROWS, metadata={"description": "Rows on a page."})


class ProblemSchema(Schema):
    """A problem (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "A sentence for people, saying what to do."})
    code = fields.String(required=True, metadata={"description": "Stable; for machines."})
    context = fields.Dict(keys=fields.String(), metadata={"description": "Values of the rule that refused."})
    errors = fields.Dict(keys=fields.String(), metadata={"description": "What is wrong, by place and field."})


class OrganisationBrief(Answer):
    """An organisation, as everybody may know it."""

    number = fields.String()
    name = fields.String()
    kind = fields.String(attribute="kind.value")
    country = fields.String(metadata={"description": "ISO 3166-1 alpha-3."})
