"""Batches, the papers behind them, and what was said about them."""

from typing import Any

from marshmallow import fields

from credits.api.fields import Day, File, InCredits, Moment, OneOf, Text, Whole
from credits.api.schemas.shared import Answer, PagingSchema, Request
from credits.registry.making.figures import MOST_WORK
from credits.registry.minerals import MINERALS
from credits.registry.production import BatchState, EvidenceKind

KILOGRAMS = {"description": "Kilograms, a decimal number as text, exact to the milligram."}
MINERAL = {"description": "One of " + ", ".join(MINERALS) + "."}
SHARE = {"description": "A decimal number as text."}
REVISION = "Another one after each change of figures, papers or the site's answers. A verification names it."
UNITS = {"description": "Base units of the mineral."}


def production_fields(*, required: bool) -> dict[str, fields.Field[Any]]:
    """What a producer says of a batch: all of it when a batch is begun, any of it when it is changed."""
    must: dict[str, Any] = {"required": True} if required else {}
    none: dict[str, Any] = {"load_default": 0} if required else {}
    nobody: dict[str, Any] = {"load_default": ""} if required else {}
    return {
        "mineral": Text(most=3, attribute="mineral_code", metadata=MINERAL, **must),
        "form": Text(most=40, metadata={"description": "As it is delivered: hydroxide, say."}, **must),
        "produced_from": Day(**must),
        "produced_to": Day(**must),
        "gross_kg": Text(most=30, metadata=KILOGRAMS, **must),
        "moisture": Text(most=30, metadata={"description": "Per cent, as text; 0 for gold."}, **must),
        "grade": Text(most=30, metadata={"description": "Per cent, for gold per thousand; as text."}, **must),
        "grade_confirmed": fields.Boolean(metadata={"description": "True where a very low grade was looked at again."}),
        "miners": Whole(most=MOST_WORK - 1, metadata={"description": "Who worked there."}, **must),
        "days_worked": Whole(most=MOST_WORK - 1, metadata={"description": "In the period."}, **must),
        "sold_to": Text(most=200, metadata={"description": "Buyer of the mineral."}, **nobody),
        "sold_with_premium": Whole(metadata=UNITS, **none),
        "registered_elsewhere": Whole(metadata=UNITS, **none),
    }


class BatchRequest(Request.from_dict(production_fields(required=True))):  # type: ignore[misc]
    """A batch to begin."""

    site = Text(required=True, most=40, metadata={"description": "Number of the site: COD-KAM001."})


class BatchChange(Request.from_dict(production_fields(required=False))):  # type: ignore[misc]
    """What is to be changed; what is not sent stays."""


LONGEST_LIST = 40_000  # characters
NUMBERS = "Numbers of the assay, invoice, tags or tickets, parted by commas; `T-001 .. T-050` is fifty."
ISSUER = "Who gave the numbers: laboratory, buyer, authority. Empty for tags numbered once for all, and for one's own."


class EvidenceRequest(Request):
    """A paper or picture, as multipart/form-data."""

    file = File(required=True, metadata={"description": "PDF, JPEG, PNG or CSV; its name must agree."})
    kind = OneOf(EvidenceKind, required=True)
    reference = Text(load_default="", most=LONGEST_LIST, metadata={"description": NUMBERS})
    issuer = Text(load_default="", most=120, metadata={"description": ISSUER})


class UploadedRequest(Request):
    """What a file that has arrived in pieces is."""

    kind = OneOf(EvidenceKind, required=True)
    reference = Text(load_default="", most=LONGEST_LIST, metadata={"description": NUMBERS})
    issuer = Text(load_default="", most=120, metadata={"description": ISSUER})


class TextRequest(Request):
    """Something said about a batch."""

    text = Text(required=True, least=1, most=4000)


class FindingRequest(Request):
    """What the verifier found. Standard and level of the assurance come from the assessment of the site."""

    visited_from = Day(load_default=None, allow_none=True)
    visited_to = Day(load_default=None, allow_none=True)
    remote_reason = Text(load_default="", most=500, metadata={"description": "Needed where nobody visited."})
    valid_from = Day(required=True)
    valid_to = Day(required=True)
    opinion = Text(required=True, least=1, most=4000)
    revision = Text(required=True, least=1, most=40, metadata={"description": "Of the batch, as you looked at it."})


class BatchesQuery(PagingSchema):
    state = OneOf(BatchState, load_default=None)
    site = Text(load_default=None, most=40, metadata={"description": "Number of a site."})


class Evidence(Answer):
    id = fields.Integer()
    kind = fields.String(attribute="kind.value")
    reference = fields.String(allow_none=True, metadata={"description": "Its numbers; of many the first and last."})
    issuer = fields.String(allow_none=True)
    pages = fields.Integer(allow_none=True, metadata={"description": "Of a PDF; null for a table."})
    filename = fields.String()
    media_type = fields.String()
    size = fields.Integer(metadata={"description": "Bytes."})
    sha256 = fields.String()
    added_at = Moment()


class Remark(Answer):
    kind = fields.String(attribute="kind.value", metadata={"description": "request, answer or decision."})
    text = fields.String()
    organisation = fields.String(attribute="author.organisation.name")
    made_at = Moment()


class Assurance(Answer):
    standard = fields.String()
    version = fields.String()
    level = fields.String()
    verifier = fields.String(attribute="verifier.organisation.name")
    visited_from = fields.Date(allow_none=True)
    visited_to = fields.Date(allow_none=True)
    remote_reason = fields.String()
    valid_from = fields.Date()
    valid_to = fields.Date()
    state = fields.String(attribute="state.value")


class BatchSummary(Answer):
    """A batch in a list."""

    number = fields.String()
    site = fields.String(attribute="site.number")
    producer = fields.String(attribute="site.producer.number")
    state = fields.String(attribute="state.value")
    mineral = fields.String(attribute="mineral_code")
    form = fields.String()
    produced_from = fields.Date()
    produced_to = fields.Date()
    vintage = fields.Integer()
    contained = fields.Integer(metadata={"description": "Base units of the fine substance, rounded down."})
    contained_credits = InCredits(attribute="contained")
    submitted_at = Moment(allow_none=True)


class Batch(BatchSummary):
    """A batch in full."""

    gross_kg = fields.String(metadata=KILOGRAMS)
    moisture = fields.String(metadata=SHARE)
    dry_kg = fields.String(metadata=KILOGRAMS)
    grade = fields.String(metadata=SHARE)
    miners = fields.Integer()
    days_worked = fields.Integer()
    sold_to = fields.String()
    sold_with_premium = fields.Integer(metadata=UNITS)
    registered_elsewhere = fields.Integer(metadata=UNITS)
    missing = fields.List(fields.String(), metadata={"description": "What a draft still needs to be submitted."})
    evidence = fields.List(fields.Nested(Evidence))
    remarks = fields.List(fields.Nested(Remark))
    assurance = fields.Nested(Assurance, allow_none=True)
    issuance = fields.String(allow_none=True)
    revision = fields.String(metadata={"description": REVISION})
